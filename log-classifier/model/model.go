// Package model is the classifier that labels lines: its training, its predictions and why,
// and its file.
package model

import (
	"math"

	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/token"
)

// Model scores features for each category, one against the rest.
type Model struct {
	Name        string // version, e.g. "shipped" or the time of training
	Features    feature.Options
	W           []float32 // by bucket, then category
	Bias        [label.Count]float32
	Critical    float32 // added to the score of critical
	Calibration Calibration
	Rows        int // it was trained on
	Metrics     map[string]float64
}

// Calibration turns scores into probabilities: softmax(Scale*score + Shift).
type Calibration struct {
	Scale float64
	Shift [label.Count]float64
}

func identity() Calibration { return Calibration{Scale: 1} }

func (c Calibration) probabilities(z [label.Count]float64) (p [label.Count]float64) {
	top := math.Inf(-1)
	for k := range z {
		z[k] = c.Scale*z[k] + c.Shift[k]
		top = math.Max(top, z[k])
	}
	sum := 0.0
	for k := range z {
		p[k] = math.Exp(z[k] - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

// Prediction is what a model says of one line.
type Prediction struct {
	Category    label.Category
	Confidence  float64
	Probability [label.Count]float64
	Score       [label.Count]float64
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
	v := p.ex.Extract(masked)
	var z [label.Count]float32
	unseen := 0
	for k, j := range v.Idx {
		w := p.m.W[int(j)*label.Count : int(j)*label.Count+label.Count]
		x := v.Val[k]
		if w[0] == 0 && w[1] == 0 && w[2] == 0 && w[3] == 0 {
			unseen++
			continue
		}
		z[0] += w[0] * x
		z[1] += w[1] * x
		z[2] += w[2] * x
		z[3] += w[3] * x
	}
	out := Prediction{}
	if n := len(v.Idx); n > 0 {
		out.Unseen = float64(unseen) / float64(n)
	}
	for c := range z {
		out.Score[c] = float64(z[c] + p.m.Bias[c])
	}
	out.Score[label.Critical] += float64(p.m.Critical)
	out.Probability = p.m.Calibration.probabilities(out.Score)
	out.Category, out.Confidence = best(out.Probability)
	return out
}

func best(p [label.Count]float64) (label.Category, float64) {
	b := 0
	for c := range p {
		if p[c] > p[b] {
			b = c
		}
	}
	return label.Category(b), p[b]
}

// fitCalibration minimises the log loss of softmax(scale*z+shift) by gradient descent on
// five numbers. Rows without weight are left out. The shifts sum to zero.
func fitCalibration(z [][label.Count]float64, y []int, weight []float64) Calibration {
	c := identity()
	var total float64
	for _, w := range weight {
		total += w
	}
	if total == 0 {
		return c
	}
	for range 500 {
		var gScale float64
		var gShift [label.Count]float64
		for i := range z {
			if weight[i] == 0 {
				continue
			}
			p := c.probabilities(z[i])
			for k := range p {
				d := p[k]
				if k == y[i] {
					d--
				}
				gScale += weight[i] * d * z[i][k]
				gShift[k] += weight[i] * d
			}
		}
		c.Scale = math.Max(0.05, c.Scale-0.2*gScale/total)
		for k := range c.Shift {
			c.Shift[k] -= 0.5 * gShift[k] / total
		}
	}
	return c
}
