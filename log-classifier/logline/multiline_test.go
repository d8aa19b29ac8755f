package logline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJoiner(t *testing.T) {
	in := `ERROR request failed
java.lang.IllegalStateException: no
	at org.foo.Bar.run(Bar.java:12)
Caused by: java.io.IOException: gone
	... 12 more
INFO next
Traceback (most recent call last):
  File "x.py", line 1, in <module>
    run()
ValueError: bad
INFO last`
	want := []string{
		"ERROR request failed",
		"java.lang.IllegalStateException: no\n\tat org.foo.Bar.run(Bar.java:12)\nCaused by: java.io.IOException: gone\n\t... 12 more",
		"INFO next",
		"Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    run()\nValueError: bad",
		"INFO last",
	}
	var j Joiner
	var got []string
	for l := range strings.SplitSeq(in, "\n") {
		if e, ok := j.Add(l); ok {
			got = append(got, e)
		}
	}
	if e, ok := j.Flush(); ok {
		got = append(got, e)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJoinerIsBounded(t *testing.T) {
	var j Joiner
	for range 100_000 {
		j.Add("\tat frame " + strings.Repeat("x", 100))
	}
	if e, _ := j.Flush(); len(e) > maxJoined+maxJoinedLines {
		t.Errorf("%d bytes joined", len(e))
	}
}
