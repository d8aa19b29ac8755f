// Package profilear forecasts by a seasonal profile and a ridge autoregression of what the
// profile leaves: the most accurate single model here on hourly data, and a cheap one.
package profilear

import (
	"math"
	"slices"

	"github.com/inframind/inframind/forecaster/profile"
	"github.com/inframind/inframind/forecaster/ridge"
	"github.com/inframind/inframind/forecaster/stat"
)

// Origin is a series as it was known at one moment, prepared once for every model that
// works without the seasonal profile.
type Origin struct {
	Day   int       // steps a day
	Y, Z  []float64 // as given, and in Space
	Space Space
	Prof  *profile.Profile
	A     []float64 // Z without its profile, standardised; all 0 when it is constant
	Mean  float64   // of Z without its profile
	SD    float64   // of the same; 0: constant

	lo, hi float64 // of A, one standard deviation wider
	gram   *ridge.Gram
}

// Prepare makes the origin of y; z is y in sp. Neither is changed nor copied.
func Prepare(y, z []float64, day int, sp Space) *Origin {
	o := &Origin{Day: day, Y: y, Z: z, Space: sp, Prof: profile.Fit(z, day), A: make([]float64, len(z))}
	for i, v := range z {
		o.A[i] = v - o.Prof.At(i)
	}
	o.Mean, o.SD = stat.Moments(o.A)
	if o.SD <= 1e-12*math.Abs(o.Mean) {
		o.SD = 0
		clear(o.A)
		return o
	}
	for i := range o.A {
		o.A[i] = (o.A[i] - o.Mean) / o.SD
	}
	o.lo, o.hi = slices.Min(o.A)-1, slices.Max(o.A)+1
	o.gram = ridge.NewGram(o.A, 2*day+1)
	return o
}

// Restore turns forecasts of A into forecasts of Z, in place.
func (o *Origin) Restore(out []float64) {
	for h := range out {
		out[h] = out[h]*o.SD + o.Mean + o.Prof.At(len(o.Z)+h)
	}
}

// Long forecasts with the lags of two days and one step; false when the history is too
// short or constant. The result is in Space, as of all forecasts here.
func Long(o *Origin, out []float64) bool { return o.autoregress(2*o.Day+1, 1e-5, false, out) }

// Short uses the lags of one day and two steps, and a constant.
func Short(o *Origin, out []float64) bool { return o.autoregress(o.Day+2, 1e-4, true, out) }

func (o *Origin) autoregress(lags int, lambda float64, constant bool, out []float64) bool {
	if o.gram == nil {
		return false
	}
	ar, ok := o.gram.Fit(lags, lambda, constant)
	if !ok {
		return false
	}
	ar.Forecast(o.A, out, o.lo, o.hi)
	o.Restore(out)
	return true
}

// winsor is how many robust deviations a step may be away from the median step.
const winsor = 6

// Diff is a long autoregression of the steps of the raw series, without their outliers,
// around a robust drift. It errs differently from the others, which is its use.
func Diff(o *Origin, out []float64) bool {
	n, p := len(o.Y), 2*o.Day+2
	if n < 4*p {
		return false
	}
	d := make([]float64, n-1)
	for i := range d {
		d[i] = o.Y[i+1] - o.Y[i]
	}
	med, mad := stat.MedianMAD(d)
	mu := stat.Drift(o.Y, o.Day)
	for i, v := range d {
		if mad > 0 {
			v = min(max(v, med-winsor*mad), med+winsor*mad)
		}
		d[i] = v - mu
	}
	_, sd := stat.Moments(d)
	if !(sd > 0) {
		return false
	}
	for i := range d {
		d[i] /= sd
	}
	g := ridge.NewGram(d, p)
	if g == nil {
		return false
	}
	ar, ok := g.Fit(p, 1e-2, false)
	if !ok {
		return false
	}
	ar.Forecast(d, out, math.Inf(-1), math.Inf(1))
	_, sy := stat.Moments(o.Y)
	lo, hi := slices.Min(o.Y)-sy, slices.Max(o.Y)+sy
	v := o.Y[n-1]
	for h := range out {
		v += out[h]*sd + mu
		out[h] = o.Space.In(min(max(v, lo), hi))
	}
	return true
}
