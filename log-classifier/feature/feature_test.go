package feature

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"HTTPServer startedOn port_no <num>": "http server started on port no <num>",
		"can't open, isn't there":            "ca not open is not there",
		"-[Foo barBaz:] <*> x=<0>":           "foo bar baz <*> x <0>",
		"":                                   "",
	} {
		if got := strings.Join(Words([]byte(in)), " "); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestStem(t *testing.T) {
	for _, group := range [][]string{{"failed", "fails", "failing", "failure", "failures"}, {"stopped", "stops", "stopping", "stop"}} {
		for _, w := range group {
			if got, want := w[:stem([]byte(w))], group[0][:stem([]byte(group[0]))]; got != want {
				t.Errorf("%s has stem %q, %s has %q", w, got, group[0], want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	got := names("disk not failed twice")
	for _, want := range []string{"disk", "failed twice", "{not error x1}", "{thing not error}", "{words 3}"} {
		if !slices.Contains(got, want) {
			t.Errorf("%v lacks %q", got, want)
		}
	}
}

func TestWordsInNames(t *testing.T) {
	for line, want := range map[string]string{
		"FailureDetector: open_file(<path>) a.b io::err p->q size=<num> failed": "failure detector open file a b io err p q size",
		"user:bob isn't <host>.down up.":                                        "down",
	} {
		x := New(Defaults())
		x.Split([]byte(line))
		var got []string
		for i := range x.words {
			if x.words[i].inName {
				got = append(got, string(x.words[i].text))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// TestLongLine: what follows the first words of a line does not change what it is.
func TestLongLine(t *testing.T) {
	x := New(Defaults())
	head := "mount of the data volume failed: dump"
	for _, tail := range []string{strings.Repeat(" value <num>", 40), strings.Repeat(" isn't", 40)} {
		if x.Split([]byte(head + tail)); x.Len() != MaxWords {
			t.Errorf("%d words, want %d", x.Len(), MaxWords)
		}
		for i, want := range strings.Fields("mount of the data volume failed dump") {
			if string(x.Word(i)) != want {
				t.Errorf("word %d is %q, want %q", i, x.Word(i), want)
			}
		}
	}
}

func names(line string) []string {
	opt := Defaults()
	opt.Names = true
	x := New(opt)
	var out []string
	for _, s := range x.Extract([]byte(line)).Of {
		out = append(out, x.Name(s))
	}
	return out
}

func TestNegationMovesTheCount(t *testing.T) {
	if n := names("disk failed"); !slices.Contains(n, "{error x1}") || slices.Contains(n, "{not error x1}") {
		t.Errorf("plain: %v", n)
	}
	for _, line := range []string{"no disk failed", "<0> failed", "not yet failed"} {
		if n := names(line); slices.Contains(n, "{error x1}") || !slices.Contains(n, "{not error x1}") {
			t.Errorf("%q: %v", line, n)
		}
	}
	if n := names("no such thing as it failed"); !slices.Contains(n, "{error x1}") {
		t.Errorf("a negation far away: %v", n)
	}
}

func TestBlocksHaveTheirLength(t *testing.T) {
	for block := range Blocks {
		var opt Options
		opt.Scale[block] = 2
		v := New(opt).Extract([]byte("kernel panic on <num> hosts, not recovered"))
		sum := 0.0
		for _, x := range v.Val {
			sum += float64(x) * float64(x)
		}
		if len(v.Idx) == 0 || math.Abs(sum-4) > 1e-4 {
			t.Errorf("block %d has length %v from %d features, want 2", block, math.Sqrt(sum), len(v.Idx))
		}
	}
}

func TestExtractIsRepeatable(t *testing.T) {
	x := New(Defaults())
	first := x.Extract([]byte("service started on <num>"))
	idx := slices.Clone(first.Idx)
	x.Extract([]byte("something else entirely"))
	if diff := cmp.Diff(idx, x.Extract([]byte("service started on <num>")).Idx); diff != "" {
		t.Error(diff)
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("a<num> 'n't n't <<< Xn't")
	f.Fuzz(func(t *testing.T, s string) {
		v := New(Defaults()).Extract([]byte(s))
		if len(v.Idx) != len(v.Val) {
			t.Fatalf("%d indices, %d values", len(v.Idx), len(v.Val))
		}
		for k, j := range v.Idx {
			if j >= Dim || math.IsNaN(float64(v.Val[k])) {
				t.Fatalf("feature %d is %v", j, v.Val[k])
			}
		}
	})
}

// TestScoreIsExtractTimesWeights: both ways to a score agree, with a full memory of words too.
func TestScoreIsExtractTimesWeights(t *testing.T) {
	w := make([]float32, Dim*Heads)
	r := rand.New(rand.NewPCG(1, 2))
	for j := range Dim {
		if j%3 > 0 { // else unseen
			for h := range Heads {
				w[j*Heads+h] = r.Float32() - 0.5
			}
		}
	}
	scorer, plain := New(Defaults()), New(Defaults())
	for _, line := range []string{"disk <path> failed, not mounted", "HTTPServer can't start: port <num> in use", "a", "<num>", "", "disk disk failed"} {
		got, v := scorer.Score([]byte(line), w), plain.Extract([]byte(line))
		var want Sum
		for k, j := range v.Idx {
			var one Sum
			one.add(w, j)
			want.join(one, v.Val[k])
		}
		if got.N != want.N || got.Unseen != want.Unseen {
			t.Errorf("%q: %d features, %d unseen, want %d and %d", line, got.N, got.Unseen, want.N, want.Unseen)
		}
		for h := range Heads {
			if math.Abs(float64(got.Z[h]-want.Z[h])) > 1e-4 {
				t.Errorf("%q: head %d scores %v, want %v", line, h, got.Z[h], want.Z[h])
			}
		}
	}
}
