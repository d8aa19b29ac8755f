// Package model is the classifier that labels lines: its training, its predictions and why,
// and its file.
package model

import (
	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/linear"
	"github.com/inframind/inframind/log-classifier/token"
)

// Heads are the questions a model answers, each by a logistic regression of its own: is the
// line an alarm (critical or warning)? If so, is it critical? If not, is it informational
// rather than noise? Each can be trained on the examples that help it.
const Heads = feature.Heads

// asks tells whether an example of category c has an answer to question h, and which.
func asks(h int, c label.Category) (asked, yes bool) {
	switch h {
	case 0:
		return true, c.Alarm()
	case 1:
		return c.Alarm(), c == label.Critical
	}
	return !c.Alarm(), c == label.Informational
}

// Model answers the questions from hashed features.
type Model struct {
	Name        string // version, e.g. "shipped" or the time of training
	Features    feature.Options
	W           []float32 // by bucket, then head
	Bias        [Heads]float32
	Near        *Neighbours
	Calibration Calibration
	Rows        int // it was trained on
	Metrics     map[string]float64
}

// Calibration turns the score of a head and the odds of the neighbours into the log-odds of
// an answer: Scale*score + Near*odds + Shift.
type Calibration struct {
	Scale, Near, Shift [Heads]float64
}

func (c Calibration) probabilities(score, near [Heads]float64) (p [label.Count]float64) {
	var yes [Heads]float64
	for h := range yes {
		yes[h] = linear.Sigmoid(c.Scale[h]*score[h] + c.Near[h]*near[h] + c.Shift[h])
	}
	p[label.Critical] = yes[0] * yes[1]
	p[label.Warning] = yes[0] * (1 - yes[1])
	p[label.Informational] = (1 - yes[0]) * yes[2]
	p[label.Noise] = (1 - yes[0]) * (1 - yes[2])
	return p
}

// Prediction is what a model says of one line.
type Prediction struct {
	Category    label.Category
	Confidence  float64
	Probability [label.Count]float64
	Unseen      float64 // share of the features that training never saw
}

// Predictor applies one model. It holds scratch space: make one per goroutine.
type Predictor struct {
	m    *Model
	mask *token.Masker
	ex   *feature.Extractor
	near *search
	word []uint64
}

// NewPredictor returns a predictor for m.
func NewPredictor(m *Model) *Predictor {
	return &Predictor{m: m, mask: token.NewMasker(), ex: feature.New(m.Features), near: newSearch(m.Near)}
}

// Predict labels a raw message.
func (p *Predictor) Predict(message string) Prediction { return p.PredictMasked(p.mask.Mask(message)) }

// PredictAll labels raw messages. The lines of a log have few masked forms: each is looked at
// once.
func (p *Predictor) PredictAll(messages []string) []Prediction {
	out, known := make([]Prediction, len(messages)), map[string]int{}
	for i, m := range messages {
		masked := p.mask.Mask(m)
		first, ok := known[string(masked)]
		if !ok {
			known[string(masked)] = i
			out[i] = p.PredictMasked(masked)
			continue
		}
		out[i] = out[first]
	}
	return out
}

// PredictMasked labels a message that is masked already.
func (p *Predictor) PredictMasked(masked []byte) Prediction {
	sum := p.ex.Score(masked, p.m.W)
	out := Prediction{}
	if sum.N > 0 {
		out.Unseen = float64(sum.Unseen) / float64(sum.N)
	}
	var score [Heads]float64
	for h := range score {
		score[h] = float64(sum.Z[h] + p.m.Bias[h])
	}
	p.word = p.ex.Hashes(p.word[:0])
	out.Probability = p.m.Calibration.probabilities(score, p.m.Near.odds(p.near.find(p.word)))
	out.Category, out.Confidence = best(out.Probability)
	return out
}

// criticalFrom is the probability from which a line is called critical though another
// category is likelier: to miss what is critical costs more than to look in vain.
const criticalFrom = 0.23

func best(p [label.Count]float64) (label.Category, float64) {
	if p[label.Critical] >= criticalFrom {
		return label.Critical, p[label.Critical]
	}
	b := 0
	for c := range p {
		if p[c] > p[b] {
			b = c
		}
	}
	return label.Category(b), p[b]
}

// fitScale returns the factors of score and near, both of head h, that minimise the log loss
// on rows with a weight, by Newton's method.
func fitScale(score, near [][Heads]float64, h int, positive []bool, weight []float64) (scale, voice float64) {
	scale = 0.5
	for range 25 {
		var g, k [2]float64 // gradient; diagonal of the Hessian, whose other element is off
		off, ridge := 0.0, 1e-6
		for i, w := range weight {
			if w == 0 {
				continue
			}
			a, b, p := score[i][h], near[i][h], 0.0
			p = linear.Sigmoid(scale*a + voice*b)
			d, v := w*p, w*p*(1-p)
			if positive[i] {
				d -= w
			}
			g[0], g[1] = g[0]+d*a, g[1]+d*b
			k[0], k[1], off = k[0]+v*a*a, k[1]+v*b*b, off+v*a*b
		}
		k[0], k[1] = k[0]+ridge, k[1]+ridge
		det := k[0]*k[1] - off*off
		scale = min(max(scale-(k[1]*g[0]-off*g[1])/det, 0.05), 3)
		voice = min(max(voice-(k[0]*g[1]-off*g[0])/det, 0), 3)
	}
	return scale, voice
}
