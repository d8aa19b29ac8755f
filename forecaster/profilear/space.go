package profilear

import (
	"math"
	"slices"
)

// Space is the scale a model works in: logarithms for positive data, whose errors then are
// percentages and whose median is not dragged along by peaks; the data as they are otherwise.
type Space struct {
	Log    bool
	offset float64 // added before the logarithm, > 0 when there are zeros
	floor  float64 // smallest value the logarithm is taken of
}

// ChooseSpace looks at y, which is finite.
func ChooseSpace(y []float64) Space {
	if len(y) == 0 {
		return Space{}
	}
	lo := slices.Min(y)
	if lo > 0 {
		return Space{Log: true, floor: lo / 4}
	}
	if lo < 0 {
		return Space{}
	}
	c := slices.Clone(y)
	slices.Sort(c)
	med, top := c[len(c)/2], c[len(c)*95/100]
	mean := 0.0
	for _, v := range y {
		mean += v / float64(len(y))
	}
	if mean > 0 && (mean > 1.5*med || top > 4*med) {
		off := max(med, mean/10)
		return Space{Log: true, offset: off, floor: off / 4}
	}
	return Space{}
}

// In maps a value into the space.
func (s Space) In(v float64) float64 {
	if !s.Log {
		return v
	}
	return math.Log(max(v+s.offset, s.floor))
}

// Out maps back.
func (s Space) Out(z float64) float64 {
	if !s.Log {
		return z
	}
	return math.Exp(z) - s.offset
}
