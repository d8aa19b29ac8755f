package classify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inframind/inframind/log-classifier/corpus"
)

func shippedLabeler(t testing.TB) *Labeler {
	t.Helper()
	m, err := corpus.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	l, err := OpenLabeler(m, "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func pipeLines(t testing.TB, in string, o PipeOptions) []Record {
	t.Helper()
	var out bytes.Buffer
	if _, err := Pipe(t.Context(), shippedLabeler(t), strings.NewReader(in), &out, o); err != nil {
		t.Fatal(err)
	}
	var recs []Record
	dec := json.NewDecoder(&out)
	for dec.More() {
		var r Record
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		recs = append(recs, r)
	}
	return recs
}

func TestPipeAnswersEachLineInOrder(t *testing.T) {
	defer goleak.VerifyNone(t)
	var in strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&in, "Nov 21 10:22:01 web1 app[%d]: step %s done\n", i, strings.Repeat("x", 1+i%7))
	}
	recs := pipeLines(t, in.String(), PipeOptions{})
	if len(recs) != 3000 {
		t.Fatalf("%d answers to 3000 lines", len(recs))
	}
	for i, r := range recs {
		if r.TemplateID == "" || r.Category == "" {
			t.Fatalf("line %d: %+v", i, r)
		}
	}
}

func TestPipeSurvivesDamage(t *testing.T) {
	in := strings.Join([]string{
		strings.Repeat("long ", 400_000), // 2 MB
		"caf\xe9 \xff\xfe broken utf-8",
		"nul \x00 byte",
		"\x1b[31mERROR\x1b[0m disk failed",
		"",
		`{"msg":"from json failed","level":"error"}`,
		"last line without an end",
	}, "\n")
	recs := pipeLines(t, in, PipeOptions{})
	if len(recs) != 7 {
		t.Fatalf("%d answers to 7 lines", len(recs))
	}
	if recs[5].Template != "from json failed" || strings.Contains(recs[3].Template, "\x1b") {
		t.Errorf("templates %q, %q", recs[5].Template, recs[3].Template)
	}
}

func TestPipeJoinsTraces(t *testing.T) {
	in := "ERROR it broke\n\tat Foo.bar(Foo.java:1)\n\tat Foo.baz(Foo.java:2)\nINFO next\n"
	if recs := pipeLines(t, in, PipeOptions{Join: true}); len(recs) != 2 {
		t.Errorf("%d events, want 2", len(recs))
	}
}

// TestPipeAnswersWhenInputPauses is tail -F: the answer must not wait for the next line.
func TestPipeAnswersWhenInputPauses(t *testing.T) {
	defer goleak.VerifyNone(t)
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	l := shippedLabeler(t)
	go func() {
		_, err := Pipe(t.Context(), l, inR, outW, PipeOptions{})
		done <- err
	}()
	if _, err := io.WriteString(inW, "kernel panic\n"); err != nil {
		t.Fatal(err)
	}
	got := make(chan Record, 1)
	go func() {
		var r Record
		if json.NewDecoder(outR).Decode(&r) == nil {
			got <- r
		}
	}()
	select {
	case r := <-got:
		if r.Category != "critical" {
			t.Errorf("%+v", r)
		}
	case <-time.After(20 * time.Second):
		t.Error("no answer while the input pauses")
	}
	if err := inW.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
