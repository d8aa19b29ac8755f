// Package model is the classifier that labels lines: its training, its predictions and why,
// and its file.
package model

import (
	"math"

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
	Calibration Calibration
	Rows        int // it was trained on
	Metrics     map[string]float64
}

// Calibration turns the score of a head into the log-odds of its answer: Scale*score+Shift.
type Calibration struct {
	Scale, Shift [Heads]float64
}

func (c Calibration) probabilities(z [Heads]float64) (p [label.Count]float64) {
	var yes [Heads]float64
	for h := range z {
		yes[h] = linear.Sigmoid(c.Scale[h]*z[h] + c.Shift[h])
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
}

// NewPredictor returns a predictor for m.
func NewPredictor(m *Model) *Predictor {
	return &Predictor{m: m, mask: token.NewMasker(), ex: feature.New(m.Features)}
}

// Predict labels a raw message.
func (p *Predictor) Predict(message string) Prediction { return p.PredictMasked(p.mask.Mask(message)) }

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
	out.Probability = p.m.Calibration.probabilities(score)
	out.Category, out.Confidence = best(out.Probability)
	return out
}

// criticalFrom is the probability from which a line is called critical though another
// category is likelier: to miss what is critical costs more than to look in vain.
const criticalFrom = 0.32

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

// fitScale returns the factor of the scores of head h that minimises the log loss on rows
// with a weight, by golden section between 0.05 and 3.
func fitScale(z [][Heads]float64, h int, positive []bool, weight []float64) float64 {
	loss := func(scale float64) float64 {
		sum := 0.0
		for i := range z {
			if weight[i] == 0 {
				continue
			}
			v := scale * z[i][h]
			if positive[i] {
				v = -v
			}
			sum += weight[i] * (math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v))))
		}
		return sum
	}
	lo, hi := 0.05, 3.0
	for range 40 {
		a, b := hi-(hi-lo)/math.Phi, lo+(hi-lo)/math.Phi
		if loss(a) < loss(b) {
			hi = b
		} else {
			lo = a
		}
	}
	return (lo + hi) / 2
}
