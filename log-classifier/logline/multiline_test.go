package logline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJoiner(t *testing.T) {
	events := []string{
		"request failed",
		"java.lang.IllegalStateException: no\n\tat org.foo.Bar.run(Bar.java:12)\nCaused by: java.io.IOException: gone\n\t... 12 more",
		"next",
		"Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    run()\nValueError: bad\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"y.py\", line 2, in f\nKeyError: 'x'",
		"after python",
		"panic: runtime error: index out of range [3]\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:7 +0x1d\nexit status 2",
		"after go",
		"Unhandled exception. System.Exception: no\n   at App.Main(String[] args) in /src/a.cs:line 3\n--- End of stack trace from previous location ---\n   at App.Run()",
		"TypeError: x is not a function\n    at Object.<anonymous> (/app/a.js:1:1)\n    at node:internal/main:2:3",
		"app.rb:3:in `f': bad (RuntimeError)\n\tfrom app.rb:7:in `<main>'",
		"last",
	}
	var j Joiner
	var got []string
	for raw := range strings.SplitSeq(strings.Join(events, "\n"), "\n") {
		if e, ok := j.Add(Line{Message: raw}); ok {
			got = append(got, e.Message)
		}
	}
	if e, ok := j.Flush(); ok {
		got = append(got, e.Message)
	}
	if diff := cmp.Diff(events, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := j.Flush(); ok {
		t.Error("an event is returned twice")
	}
}

// TestJoinerKeepsWritersApart: lines that interleave are not mixed up.
func TestJoinerKeepsWritersApart(t *testing.T) {
	var j Joiner
	j.Add(Line{Service: "a", Message: "it broke"})
	if e, ok := j.Add(Line{Service: "b", Message: "\tat x.Y(Z.java:1)"}); !ok || e.Message != "it broke" {
		t.Errorf("%+v %v", e, ok)
	}
}

func TestJoinerIsBounded(t *testing.T) {
	var j Joiner
	j.Add(Line{Message: "start"})
	for range 10_000 {
		j.Add(Line{Message: "\tat " + strings.Repeat("x", 100)})
	}
	e, ok := j.Flush()
	if !ok || len(e.Message) > maxJoined+maxJoinedLines {
		t.Errorf("%d bytes, %v", len(e.Message), ok)
	}
}

func FuzzJoiner(f *testing.F) {
	f.Add("panic: x\n\ngoroutine 1 [running]:\na()\nTraceback (most recent call last):\n  File \"x\"\nE\n\tat x")
	f.Fuzz(func(t *testing.T, text string) {
		var j Joiner
		lines, events := 0, 0
		for l := range strings.SplitSeq(text, "\n") {
			lines++
			if _, ok := j.Add(Line{Message: l}); ok {
				events++
			}
		}
		if _, ok := j.Flush(); ok {
			events++
		}
		if events == 0 || events > lines {
			t.Errorf("%d events of %d lines", events, lines)
		}
	})
}
