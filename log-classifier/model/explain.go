package model

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"strconv"

	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/token"
)

// Explainer says why a model labels a line as it does. It holds scratch space: make one per
// goroutine.
type Explainer struct {
	m        *Model
	ex       *feature.Extractor
	mask     *token.Masker
	examples []near
	byWord   map[string][]int32
	hits     []int32   // words shared with each example
	touched  []int32   // examples with hits
	postings [][]int32 // examples of each word of the last line
	reasons  []reason
}

// near is a labelled example and how many words it has.
type near struct {
	example label.Example
	words   int
}

// reason is what spoke for a category, and how much, in log-odds.
type reason struct {
	of     feature.Source
	weight float64
}

// NewExplainer returns an explainer for m without examples.
func NewExplainer(m *Model) *Explainer {
	opt := m.Features
	opt.Names = true
	return &Explainer{m: m, ex: feature.New(opt), mask: token.NewMasker(), byWord: map[string][]int32{}}
}

// Learn adds labelled examples, of which Reasons names the nearest.
func (e *Explainer) Learn(examples []label.Example) {
	for _, x := range examples {
		e.ex.Split(e.mask.Mask(x.Message))
		id, words := int32(len(e.examples)), 0
		for w := range e.words() {
			words++
			e.byWord[string(w)] = append(e.byWord[string(w)], id)
		}
		if words > 0 {
			e.examples = append(e.examples, near{x, words})
		}
	}
	e.hits = make([]int32, len(e.examples))
}

// words are the distinct words of the last line, placeholders left out.
func (e *Explainer) words() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range e.ex.Len() {
			if w := e.ex.Word(i); w[0] != '<' && e.first(i) == i && !yield(w) {
				return
			}
		}
	}
}

// first returns the place of the first word of the last line that equals word i.
func (e *Explainer) first(i int) int {
	for k := range i {
		if bytes.Equal(e.ex.Word(k), e.ex.Word(i)) {
			return k
		}
	}
	return i
}

const (
	reasonCount = 5     // tokens named
	minReason   = 0.005 // log-odds that are worth naming
)

// Reasons names the tokens that spoke most for category c against the others,
// with their weights, and the nearest labelled example.
func (e *Explainer) Reasons(masked []byte, c label.Category) []string {
	v := e.ex.Extract(masked)
	var words, pairs [feature.MaxWords]float64
	e.reasons = e.reasons[:0]
	for k, j := range v.Idx {
		weight := float64(v.Val[k]) * e.m.towards(e.m.W[int(j)*Heads:int(j)*Heads+Heads], c)
		switch of := v.Of[k]; of.Kind {
		case feature.OfWord:
			words[of.N] += weight
		case feature.OfPair:
			pairs[of.N] += weight
		case feature.OfShape:
		default:
			e.reason(of, weight)
		}
	}
	for i := e.ex.Len() - 1; i >= 0; i-- {
		if k := e.first(i); k < i { // it occurs before
			words[k] += words[i]
		} else {
			e.reason(feature.Source{Kind: feature.OfWord, N: uint16(i)}, words[i])
		}
		e.reason(feature.Source{Kind: feature.OfPair, N: uint16(i)}, pairs[i])
	}
	slices.SortFunc(e.reasons, func(a, b reason) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.of.Kind, b.of.Kind), cmp.Compare(a.of.N, b.of.N))
	})
	out := make([]string, 0, reasonCount+1)
	for _, r := range e.reasons[:min(len(e.reasons), reasonCount)] {
		out = append(out, e.ex.Name(r.of)+" "+signed(r.weight))
	}
	if x, like, ok := e.nearest(); ok {
		out = append(out, "like "+strconv.Itoa(int(100*like+0.5))+" %: "+x.Message+" ("+x.Category.String()+")")
	}
	return out
}

func (e *Explainer) reason(of feature.Source, weight float64) {
	if weight > minReason {
		e.reasons = append(e.reasons, reason{of, weight})
	}
}

func signed(v float64) string { return "+" + strconv.FormatFloat(v, 'f', 2, 64) }

// maxHits ends the search for neighbours: rare words are looked at first, and those that
// many examples have no more.
const maxHits = 5000

// nearest returns the example that shares most words (Jaccard) with the last line, if it
// shares a fifth.
func (e *Explainer) nearest() (label.Example, float64, bool) {
	e.touched, e.postings = e.touched[:0], e.postings[:0]
	for w := range e.words() {
		e.postings = append(e.postings, e.byWord[string(w)])
	}
	words, hits := len(e.postings), 0
	slices.SortFunc(e.postings, func(a, b []int32) int { return cmp.Compare(len(a), len(b)) })
	for _, p := range e.postings {
		if hits += len(p); hits > maxHits {
			break
		}
		for _, id := range p {
			if e.hits[id]++; e.hits[id] == 1 {
				e.touched = append(e.touched, id)
			}
		}
	}
	best, like := int32(-1), 0.2
	for _, id := range e.touched {
		n := int(e.hits[id])
		e.hits[id] = 0
		j := float64(n) / float64(words+e.examples[id].words-n)
		if j > like || j == like && id < best {
			best, like = id, j
		}
	}
	if best < 0 {
		return label.Example{}, 0, false
	}
	return e.examples[best].example, like, true
}

// towards returns how much a feature's weights speak for category c, in log-odds: the answer
// to the first question, and to the second one that c depends on.
func (m *Model) towards(row []float32, c label.Category) float64 {
	w := func(h int) float64 { return float64(row[h]) * m.Calibration.Scale[h] }
	switch c {
	case label.Critical:
		return w(0) + w(1)
	case label.Warning:
		return w(0) - w(1)
	case label.Informational:
		return w(2) - w(0)
	default:
		return -w(2) - w(0)
	}
}
