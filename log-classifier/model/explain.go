package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/token"
)

// Explainer says why a model labels a line as it does.
type Explainer struct {
	m        *Model
	ex       *feature.Extractor
	mask     *token.Masker
	examples []near
	byWord   map[string][]int32
}

// near is a labelled example with its words.
type near struct {
	example label.Example
	words   int
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
		words := wordSet(e.mask.Mask(x.Message))
		if len(words) == 0 {
			continue
		}
		id := int32(len(e.examples))
		e.examples = append(e.examples, near{x, len(words)})
		for w := range words {
			e.byWord[w] = append(e.byWord[w], id)
		}
	}
}

// plainName joins the forms of one word (as it stands, its stem, at the start, at the end).
func plainName(name string) string {
	if name[0] == '{' || name[0] == '<' {
		return name
	}
	return strings.ReplaceAll(strings.Trim(name, "^$-"), "- ", " ")
}

const reasonCount = 5 // tokens named

// Reasons names the tokens that spoke most for category c against the others,
// with their weights, and the nearest labelled example.
func (e *Explainer) Reasons(masked []byte, c label.Category) []string {
	v := e.ex.Extract(masked)
	weight := map[string]float64{}
	for k, j := range v.Idx {
		row := e.m.W[int(j)*Heads : int(j)*Heads+Heads]
		if name := v.Name[k]; name != "" && name[0] != '~' {
			weight[plainName(name)] += float64(v.Val[k]) * e.m.towards(row, c)
		}
	}
	names := make([]string, 0, len(weight))
	for n, w := range weight {
		if w > 0.005 {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b)) })
	var out []string
	for _, n := range names[:min(len(names), reasonCount)] {
		out = append(out, fmt.Sprintf("%s %+.2f", n, weight[n]))
	}
	if x, like, ok := e.nearest(masked); ok {
		out = append(out, fmt.Sprintf("like %.0f %%: %s (%s)", 100*like, x.Message, x.Category))
	}
	return out
}

// maxPosting leaves words out of the search for neighbours that most examples have.
const maxPosting = 600

// nearest returns the example that shares most words (Jaccard), if it shares a fifth.
func (e *Explainer) nearest(masked []byte) (label.Example, float64, bool) {
	words := wordSet(masked)
	hits := map[int32]int{}
	for w := range words {
		if p := e.byWord[w]; len(p) <= maxPosting {
			for _, id := range p {
				hits[id]++
			}
		}
	}
	best, like := int32(-1), 0.2
	for id, n := range hits {
		j := float64(n) / float64(len(words)+e.examples[id].words-n)
		if j > like || j == like && id < best {
			best, like = id, j
		}
	}
	if best < 0 {
		return label.Example{}, 0, false
	}
	return e.examples[best].example, like, true
}

// wordSet returns the lower-case words of a masked line, placeholders left out.
func wordSet(masked []byte) map[string]struct{} {
	out := map[string]struct{}{}
	for _, w := range feature.Words(masked) {
		if w[0] != '<' {
			out[w] = struct{}{}
		}
	}
	return out
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
