package model

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
)

// Explainer says why a model labels a line as it does. It holds scratch space: make one per
// goroutine.
type Explainer struct {
	m       *Model
	ex      *feature.Extractor
	near    *search
	reasons []reason
}

// reason is what spoke for a category, and how much, in log-odds.
type reason struct {
	of     feature.Source
	weight float64
}

// NewExplainer returns an explainer for m.
func NewExplainer(m *Model) *Explainer {
	opt := m.Features
	opt.Names = true
	return &Explainer{m: m, ex: feature.New(opt), near: newSearch(m.Near)}
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
	if like := e.like(c); like != "" {
		out = append(out, like)
	}
	return out
}

// like names the labelled example nearest to the last line, if it shares a fifth of it, and
// what the examples nearby add to category c.
func (e *Explainer) like(c label.Category) string {
	hits := e.near.find(e.ex.Hashes(nil))
	if len(hits) == 0 || hits[0].cosine < 0.2 {
		return ""
	}
	weight, odds := 0.0, e.m.Near.odds(hits)
	for h, t := range toward(c) {
		weight += t * odds[h] * e.m.Calibration.Near[h]
	}
	x := &e.m.Near.examples[hits[0].example]
	return fmt.Sprintf("like %.0f %%: %s (%s), with others %+.2f", 100*hits[0].cosine, x.Message, x.Category, weight)
}

func (e *Explainer) reason(of feature.Source, weight float64) {
	if weight > minReason {
		e.reasons = append(e.reasons, reason{of, weight})
	}
}

func signed(v float64) string { return "+" + strconv.FormatFloat(v, 'f', 2, 64) }

// towards returns how much a feature's weights speak for category c, in log-odds.
func (m *Model) towards(row []float32, c label.Category) (weight float64) {
	for h, t := range toward(c) {
		weight += t * float64(row[h]) * m.Calibration.Scale[h]
	}
	return weight
}

// toward tells which answers speak for category c, with their signs: the one to the first
// question, and to the second one that c depends on.
func toward(c label.Category) [Heads]float64 {
	switch c {
	case label.Critical:
		return [Heads]float64{1, 1, 0}
	case label.Warning:
		return [Heads]float64{1, -1, 0}
	case label.Informational:
		return [Heads]float64{-1, 0, 1}
	default:
		return [Heads]float64{-1, 0, -1}
	}
}
