package model

import "github.com/inframind/inframind/log-classifier/label"

// Mix is how common each category is, against the even mix that training assumes.
type Mix [label.Count]float64

// EvenMix changes nothing.
func EvenMix() Mix { return Mix{0.25, 0.25, 0.25, 0.25} }

// LoneMix is for lines of which nothing else is known: of a line that comes alone it is
// better to say critical once too often.
func LoneMix() Mix { return Mix{0.55, 0.18, 0.135, 0.135} }

// Apply turns probabilities for the even mix into those for m.
func (m Mix) Apply(p [label.Count]float64) [label.Count]float64 {
	sum := 0.0
	for c := range p {
		p[c] *= m[c]
		sum += p[c]
	}
	if sum == 0 {
		return p
	}
	for c := range p {
		p[c] /= sum
	}
	return p
}

// Remix makes the prediction that p is for mix m.
func (p Prediction) Remix(m Mix) Prediction {
	p.Probability = m.Apply(p.Probability)
	p.Category, p.Confidence = best(p.Probability)
	return p
}
