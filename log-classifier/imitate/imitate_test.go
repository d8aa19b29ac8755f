package imitate_test

import (
	"strings"
	"testing"

	"github.com/inframind/inframind/log-classifier/imitate"
	"github.com/inframind/inframind/log-classifier/logline"
)

func systems(t *testing.T) []imitate.System {
	t.Helper()
	out, err := imitate.Systems()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSystems(t *testing.T) {
	all := systems(t)
	if len(all) != 42 {
		t.Fatalf("%d systems, want 42", len(all))
	}
	for _, s := range all {
		a, b := s.Lines(300, 1), s.Lines(300, 1)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s: the same seed gives %q and %q", s.Name, a[i].Raw, b[i].Raw)
			}
			if !strings.Contains(a[i].Raw, a[i].Message) || len(a[i].Raw) == len(a[i].Message) {
				t.Errorf("%s: %q has no header before %q", s.Name, a[i].Raw, a[i].Message)
			}
		}
	}
}

// TestHeaders takes the headers of all programs off. What is left is the message or, where
// that is an object, its text with the error beside it.
func TestHeaders(t *testing.T) {
	const lines = 500
	var mean float64
	all := systems(t)
	for _, s := range all {
		var off, level, levels, service, services, times int
		example := ""
		for _, l := range s.Lines(lines, 2) {
			x, st := logline.Parse(l.Raw, ""), s.Statements[l.Statement]
			if isOff(l, x.Message) {
				off++
			} else {
				example = l.Raw + "\n" + x.Message
			}
			if x.Time != "" {
				times++
			}
			if strings.TrimSpace(st.Level) != "" {
				if levels++; x.Level != "" {
					level++
				}
			}
			if strings.TrimSpace(st.Service) != "" {
				if services++; x.Service != "" {
					service++
				}
			}
		}
		t.Logf("%-16s header off %d %%, time %d %%, level %d %%, service %d %%", s.Name, percent(off, lines), percent(times, lines), percent(level, levels), percent(service, services))
		if percent(off, lines) < 98 {
			t.Logf("e.g. %s", example)
		}
		if percent(off, lines) < 98 || percent(times, lines) < 98 || percent(level, levels) < 98 || percent(service, services) < 98 {
			t.Errorf("%s: headers do not come off", s.Name)
		}
		mean += float64(off) / lines / float64(len(all))
	}
	t.Logf("mean %.3f", mean)
	if mean < 0.995 {
		t.Errorf("headers are off %.3f of all lines", mean)
	}
}

// isOff tells whether message is nothing but words of the line behind its header.
func isOff(l imitate.Line, message string) bool {
	if message == "" || message == l.Raw {
		return false
	}
	if strings.Contains(l.Message, message) {
		return true
	}
	if !strings.HasPrefix(l.Raw, "{") && !strings.Contains(l.Message, `msg="`) {
		return false
	}
	words := strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\t`, "\t").Replace(l.Message)
	for k := len(message); k > 0; k = strings.LastIndex(message[:k], ": ") { // what an object holds is its text and, behind a colon, its error
		if strings.Contains(words, message[:k]) && strings.Contains(words, strings.TrimPrefix(message[k:], ": ")) {
			return true
		}
	}
	return false
}

func percent(part, all int) int { return 100 * (part + max(0, 1-all)) / max(all, 1) }
