package model

import "github.com/inframind/inframind/log-classifier/label"

// Mix is how common each category is among a site's templates, against the even mix that
// training assumes. It is learnt from the site's own stream without any label: programs that
// talk a lot have much noise, and a word that is alarming elsewhere is not alarming there.
type Mix [label.Count]float64

// EvenMix changes nothing.
func EvenMix() Mix { return Mix{0.25, 0.25, 0.25, 0.25} }

// LoneMix is for lines of which nothing else is known: of a line that comes alone it is
// better to say critical once too often.
func LoneMix() Mix { return Mix{0.55, 0.18, 0.135, 0.135} }

// MixStrength is how many templates' worth of belief the even mix has: a site with few
// templates stays close to it.
const MixStrength = 50

// LearnMix estimates the mix from the predictions for distinct templates, made for the even
// mix, by expectation maximisation.
func LearnMix(p [][label.Count]float64) Mix {
	mix := EvenMix()
	for range 10 {
		var sum Mix
		for _, x := range p {
			for c, v := range mix.Apply(x) {
				sum[c] += v
			}
		}
		for c := range mix {
			mix[c] = (sum[c] + MixStrength/label.Count) / (float64(len(p)) + MixStrength)
		}
	}
	return mix
}

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
