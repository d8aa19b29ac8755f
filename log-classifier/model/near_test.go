package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/inframind/inframind/log-classifier/label"
)

// voices are examples with one vote each.
func voices(messages ...string) []Neighbour {
	var out []Neighbour
	for i, m := range messages {
		out = append(out, Neighbour{label.Category(i % label.Count), m, [Heads]float32{1, 1, 1}})
	}
	return out
}

func index(examples []Neighbour) *Neighbours { return newNeighbours(examples, wordsOf(examples)) }

// near returns the messages nearest to a line, with their cosines.
func near(n *Neighbours, line string) (out []string) {
	for _, h := range newSearch(n).find(wordsOf(voices(line))[0]) {
		out = append(out, fmt.Sprintf("%.2f %s", h.cosine, n.examples[h.example].Message))
	}
	return out
}

func TestNearestSharesRareWords(t *testing.T) {
	n := index(voices("disk failed", "disk started", "link started", "fan failed", "disk failed on shelf <num>"))
	for line, want := range map[string][]string{
		"disk failed":   {"1.00 disk failed"},
		"failed disk 7": {"0.68 disk failed on shelf"},
		"shelf":         {"0.52 disk failed on shelf"},
		"wholly other":  nil,
		"":              nil,
	} {
		got := near(n, line)
		if (want == nil) != (len(got) == 0) {
			t.Errorf("%q: %q, want %q", line, got, want)
			continue
		}
		for _, w := range want {
			if !strings.Contains(got[0], w) {
				t.Errorf("%q: nearest is %q, want %q", line, got[0], w)
			}
		}
	}
}

// TestSearchFindsAll compares with looking at every example: whatever shares an uncommon
// word with the line is weighed with all the words they share.
func TestSearchFindsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	word := func() string { // the low ones are in a tenth of all, the high ones in few
		k := int(math.Exp(r.Float64() * math.Log(3000)))
		return string([]byte{'a' + byte(k/676%26), 'a' + byte(k/26%26), 'a' + byte(k%26), 'q'})
	}
	sentence := func() string {
		var w []string
		for range 2 + r.IntN(9) {
			w = append(w, word())
		}
		return strings.Join(w, " ")
	}
	var messages []string
	for range 4000 {
		messages = append(messages, sentence())
	}
	examples := voices(messages...)
	words := wordsOf(examples)
	n := newNeighbours(examples, words)
	s := newSearch(n)
	for range 200 {
		line := wordsOf(voices(sentence()))[0]
		var want []float64
		for _, ws := range words {
			if c, rare := cosine(n, line, ws); rare {
				want = append(want, c)
			}
		}
		slices.SortFunc(want, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
		want = want[:min(len(want), nearest)]
		got := s.find(line)
		if len(want) > 0 && len(got) != len(want) {
			t.Fatalf("%d neighbours, want %d", len(got), len(want))
		}
		for i := range want {
			if math.Abs(float64(got[i].cosine)-want[i]) > 1e-4 {
				t.Fatalf("neighbour %d has cosine %.5f, want %.5f", i, got[i].cosine, want[i])
			}
		}
	}
}

// cosine is the plain definition; rare tells whether a and b share a word that is not common.
func cosine(n *Neighbours, a, b []uint64) (c float64, rare bool) {
	weight := func(ws []uint64) (sum float64) {
		for _, h := range ws {
			if w, ok := n.word[h]; ok {
				sum += float64(n.idf[w])
			} else {
				sum += float64(n.rare)
			}
		}
		return sum
	}
	var both []uint64
	for _, h := range a {
		if slices.Contains(b, h) {
			both = append(both, h)
			rare = rare || n.word[h] >= common
		}
	}
	return weight(both) / math.Sqrt(weight(a)*weight(b)), rare
}

// TestOnlyCommonWords: a line that has no uncommon word finds the shortest examples with its
// least common one.
func TestOnlyCommonWords(t *testing.T) {
	var messages []string
	for i := range 2 * maxRead {
		messages = append(messages, "alpha beta "+strings.Repeat("gamma ", i%2)+"delta"+strings.Repeat("x", i%200))
	}
	got := near(index(voices(messages...)), "gamma")
	if len(got) != nearest || strings.Contains(got[0], "deltax") && !strings.Contains(got[0], "gamma") {
		t.Errorf("%q", got)
	}
}

func TestOddsFollowTheVotes(t *testing.T) {
	n := index(voices("a", "b", "c", "d")) // critical, warning, informational, noise
	for _, c := range []struct {
		hits []hit
		sign [Heads]float64
	}{
		{nil, [Heads]float64{0, 0, 0}},
		{[]hit{{0, 1}}, [Heads]float64{1, 1, 0}},
		{[]hit{{1, 1}}, [Heads]float64{1, -1, 0}},
		{[]hit{{2, 1}}, [Heads]float64{-1, 0, 1}},
		{[]hit{{3, 1}}, [Heads]float64{-1, 0, -1}},
		{[]hit{{0, 0.9}, {1, 0.5}, {3, 0.5}}, [Heads]float64{1, 1, -1}},
	} {
		got := n.odds(c.hits)
		for h := range got {
			if sign := got[h] * c.sign[h]; c.sign[h] == 0 && got[h] != 0 || c.sign[h] != 0 && sign <= 0 {
				t.Errorf("%v: odds %v, want signs %v", c.hits, got, c.sign)
			}
		}
	}
}

// TestFitScale finds the factors that labels were drawn with.
func TestFitScale(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const rows = 40_000
	score, odds := make([][Heads]float64, rows), make([][Heads]float64, rows)
	positive, weight := make([]bool, rows), make([]float64, rows)
	for i := range rows {
		score[i][1], odds[i][1], weight[i] = 2*r.NormFloat64(), 3*r.NormFloat64(), 1
		positive[i] = r.Float64() < 1/(1+math.Exp(-0.7*score[i][1]-0.2*odds[i][1]))
	}
	scale, voice := fitScale(score, odds, 1, positive, weight)
	if math.Abs(scale-0.7) > 0.05 || math.Abs(voice-0.2) > 0.03 {
		t.Errorf("factors %.3f and %.3f, want 0.7 and 0.2", scale, voice)
	}
}

func TestReadNeighboursRefuses(t *testing.T) {
	n := index(voices("disk failed", "disk started"))
	votes := n.votes()
	body := n.appendTo(nil, votes)
	again, err := readNeighbours(body, 2, votes)
	if err != nil || again.examples[1].Message != "disk started" {
		t.Fatalf("%v %+v", err, again)
	}
	for name, f := range map[string]func() (*Neighbours, error){
		"cut":          func() (*Neighbours, error) { return readNeighbours(body[:len(body)-1], 2, votes) },
		"longer":       func() (*Neighbours, error) { return readNeighbours(append(slices.Clone(body), 0), 2, votes) },
		"too many":     func() (*Neighbours, error) { return readNeighbours(body, 1<<40, votes) },
		"no votes":     func() (*Neighbours, error) { return readNeighbours(body, 2, nil) },
		"bad category": func() (*Neighbours, error) { return readNeighbours(append([]byte{9}, body[1:]...), 2, votes) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
