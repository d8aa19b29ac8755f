// Package tfidf is the textbook pipeline that the product's model is measured against:
// TF-IDF over words and word pairs, then multinomial logistic regression, by the formulas of
// scikit-learn's TfidfVectorizer and LogisticRegression.
package tfidf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/inframind/inframind/log-classifier/linear"
)

// Options are those of scikit-learn with the same names.
type Options struct {
	MaxFeatures int     // 0: 10,000
	Sublinear   bool    // 1+ln(tf) instead of tf
	C           float64 // 0: 1
	MaxIter     int     // 0: 200
}

func (o *Options) defaults() {
	if o.MaxFeatures == 0 {
		o.MaxFeatures = 10_000
	}
	if o.C == 0 {
		o.C = 1
	}
	if o.MaxIter == 0 {
		o.MaxIter = 200
	}
}

// Vectorizer holds the vocabulary and the inverse document frequencies of a fitted corpus.
type Vectorizer struct {
	opt   Options
	Vocab map[string]int32
	IDF   []float64
}

// terms returns the words of two characters or more and the pairs of them.
func terms(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_'
	})
	words = slices.DeleteFunc(words, func(w string) bool { return len([]rune(w)) < 2 })
	out := slices.Clone(words)
	for i := 1; i < len(words); i++ {
		out = append(out, words[i-1]+" "+words[i])
	}
	return out
}

// Fit learns the vocabulary of texts: the MaxFeatures most frequent terms, in alphabetical
// order.
func Fit(texts []string, opt Options) *Vectorizer {
	opt.defaults()
	tf, df := map[string]int{}, map[string]int{}
	for _, t := range texts {
		once := map[string]bool{}
		for _, w := range terms(t) {
			tf[w]++
			if !once[w] {
				once[w] = true
				df[w]++
			}
		}
	}
	names := make([]string, 0, len(tf))
	for w := range tf {
		names = append(names, w)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(tf[b], tf[a]), cmp.Compare(a, b)) })
	names = names[:min(len(names), opt.MaxFeatures)]
	slices.Sort(names)
	v := &Vectorizer{opt: opt, Vocab: make(map[string]int32, len(names)), IDF: make([]float64, len(names))}
	for i, w := range names {
		v.Vocab[w] = int32(i)
		v.IDF[i] = math.Log(float64(1+len(texts))/float64(1+df[w])) + 1
	}
	return v
}

// Transform returns the vector of one text, of unit length.
func (v *Vectorizer) Transform(text string) (idx []int32, val []float32) {
	count := map[int32]float64{}
	for _, w := range terms(text) {
		if i, ok := v.Vocab[w]; ok {
			count[i]++
		}
	}
	for i := range count {
		idx = append(idx, i)
	}
	slices.Sort(idx)
	norm := 0.0
	weights := make([]float64, len(idx))
	for k, i := range idx {
		tf := count[i]
		if v.opt.Sublinear {
			tf = 1 + math.Log(tf)
		}
		weights[k] = tf * v.IDF[i]
		norm += weights[k] * weights[k]
	}
	norm = math.Sqrt(norm)
	val = make([]float32, len(idx))
	for k := range val {
		val[k] = float32(weights[k] / norm)
	}
	return idx, val
}

// Classifier is a fitted pipeline.
type Classifier struct {
	Vectorizer *Vectorizer
	weights    []linear.Weights
}

// Train fits the pipeline on texts with classes from 0 to classes-1; the classes weigh the
// same in sum.
func Train(texts []string, y []int, classes int, opt Options) *Classifier {
	opt.defaults()
	c := &Classifier{Vectorizer: Fit(texts, opt)}
	m := linear.Matrix{Cols: len(c.Vectorizer.IDF)}
	for _, t := range texts {
		m.Append(c.Vectorizer.Transform(t))
	}
	c.weights = linear.Multinomial(&m, y, classes, linear.Options{C: opt.C, MaxIter: opt.MaxIter, Tol: 1e-4})
	return c
}

// Probabilities returns the probability of each class. A class that training had no example
// of keeps what its bias gives it.
func (c *Classifier) Probabilities(text string) []float64 {
	var m linear.Matrix
	m.Append(c.Vectorizer.Transform(text))
	z := make([]float64, len(c.weights))
	top, sum := math.Inf(-1), 0.0
	for k, w := range c.weights {
		z[k] = w.Score(&m, 0)
		top = math.Max(top, z[k])
	}
	for k := range z {
		z[k] = math.Exp(z[k] - top)
		sum += z[k]
	}
	for k := range z {
		z[k] /= sum
	}
	return z
}
