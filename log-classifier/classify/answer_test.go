package classify

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTheSameWordsAtAnotherLevel: the level moves the label, not the template.
func TestTheSameWordsAtAnotherLevel(t *testing.T) {
	recs := pipeLines(t, `1.2.3.4 - - [21/Nov/2026:10:22:01 +0000] "GET / HTTP/1.1" 200 1513`+"\n"+
		`1.2.3.4 - - [21/Nov/2026:10:22:02 +0000] "GET / HTTP/1.1" 502 157`+"\n", PipeOptions{})
	if recs[0].TemplateID != recs[1].TemplateID {
		t.Errorf("templates %s and %s", recs[0].Template, recs[1].Template)
	}
	if recs[0].Category == "warning" || recs[1].Category != "warning" || recs[1].Reasons[0] != "status 5xx" {
		t.Errorf("200 is %s, 502 is %s because of %v", recs[0].Category, recs[1].Category, recs[1].Reasons)
	}
}

func TestFramesShareTheLabelOfTheirTrace(t *testing.T) {
	recs := pipeLines(t, "java.lang.OutOfMemoryError: Java heap space\n\tat java.util.Arrays.copyOf(Arrays.java:3512)\nall is well\n\tat x.Y(Z.java:1)\n", PipeOptions{})
	if recs[0].Category != "critical" || recs[1].Category != "critical" || recs[1].TemplateID == recs[0].TemplateID {
		t.Errorf("trace: %+v\n%+v", recs[0], recs[1])
	}
	if recs[3].Category != recs[2].Category {
		t.Errorf("frame of another line: %s, want %s", recs[3].Category, recs[2].Category)
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\x00\"\\\n\t\xff\u2028é")
	f.Fuzz(func(t *testing.T, s string) {
		raw := appendString(nil, s)
		var got string
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%q: %s: %v", s, raw, err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && got != want {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}

// TestHostsStayBoundedOverRestarts: hosts that were counted keep their name, others do not
// push them out.
func TestHostsStayBoundedOverRestarts(t *testing.T) {
	s := newState("logs")
	hosts := newBounded(1)
	s.count(&Verdict{}, hosts.value("web-1"), "app", "")
	again, services := newBounded(1), newBounded(1)
	s.known(again, services)
	if got := again.value("web-2"); got != "other" {
		t.Errorf("a second host is %q, want other", got)
	}
	if got := services.value("app"); got != "app" {
		t.Errorf("the known service is %q", got)
	}
}
