// Package stat has the few robust statistics the models share.
package stat

import (
	"math"
	"slices"
)

// Moments are mean and standard deviation; both 0 for no data.
func Moments(v []float64) (mean, sd float64) {
	if len(v) == 0 {
		return 0, 0
	}
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	ss := 0.0
	for _, x := range v {
		ss += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(ss / float64(len(v)))
}

// MedianInPlace sorts v and returns its median, 0 for no data.
func MedianInPlace(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// Median leaves v alone.
func Median(v []float64) float64 { return MedianInPlace(slices.Clone(v)) }

// madToSD makes the MAD of normal data its standard deviation.
const madToSD = 1.4826

// MedianMAD returns the median and the median absolute deviation, scaled to be the
// standard deviation of normal data. v is left alone.
func MedianMAD(v []float64) (med, mad float64) {
	c := slices.Clone(v)
	med = MedianInPlace(c)
	for i, x := range c {
		c[i] = math.Abs(x - med)
	}
	return med, madToSD * MedianInPlace(c)
}

// Blocks are the medians of consecutive blocks of size points, counted from the end; what
// does not fill a block at the start is left out.
func Blocks(y []float64, size int) []float64 {
	n := len(y) / size
	off := len(y) - n*size
	out := make([]float64, n)
	buf := make([]float64, size)
	for i := range out {
		copy(buf, y[off+i*size:])
		out[i] = MedianInPlace(buf)
	}
	return out
}

// Drift is the robust change per step from the medians of days, shrunk towards 0 by its
// own uncertainty.
func Drift(y []float64, day int) float64 {
	med := Blocks(y, day)
	if len(med) < 4 {
		return 0
	}
	d := make([]float64, len(med)-1)
	for i := range d {
		d[i] = med[i+1] - med[i]
	}
	m, mad := MedianMAD(d)
	for i := range d {
		d[i] = min(max(d[i], m-3*mad), m+3*mad)
	}
	mu, sd := Moments(d)
	if mu == 0 {
		return 0
	}
	se := sd / math.Sqrt(float64(len(d)))
	return mu / float64(day) * max(0, 1-(se/mu)*(se/mu))
}
