// Package seasonal scores metric series: how far the newest values are from what the
// series' own daily and weekly habit leads to expect, and since when.
package seasonal

import (
	"math"
	"slices"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/measure"
)

// Series are values on a regular grid; NaN where there is none.
type Series struct {
	Start  time.Time
	Step   time.Duration
	Values []float64
}

// Result is what is said of a series.
type Result struct {
	Score    float64   // in [0,1] of the newest values; from 0.5 on they are abnormal
	Z        float64   // distance from the expected value in robust standard deviations
	Value    float64   // newest
	Expected float64   //
	Change   time.Time // when the level last moved, zero when it did not in the last day
	From, To float64   // level before and after Change
}

const (
	// usualZ is the distance at which the score is 0.5: beyond what a heavy-tailed metric
	// reaches by chance a few times a month.
	usualZ = 6.0
	newest = 3 // points that are judged together, by their median
	slots  = 24
	// minPoints is the least history that says anything.
	minPoints = 36
)

// Residuals returns the values less their expected ones, in robust standard deviations,
// and the expected values. It returns nil for a series too short to judge.
func Residuals(s Series) (z, expected []float64) {
	known := 0
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			known++
		}
	}
	if known < minPoints || s.Step <= 0 {
		return nil, nil
	}
	expected = expect(s)
	z = make([]float64, len(s.Values))
	dev := make([]float64, 0, known)
	for i, v := range s.Values {
		z[i] = v - expected[i]
		if !math.IsNaN(z[i]) {
			dev = append(dev, math.Abs(z[i]))
		}
	}
	slices.Sort(dev)
	scale := 1.4826 * measure.Quantile(dev, .5)
	// Most values of a counter that seldom moves are equal: fall back to wider quantiles,
	// and at last to a hundredth of the level.
	if scale == 0 {
		scale = measure.Quantile(dev, .95) / 2
	}
	scale = max(scale, .01*math.Abs(median(expected)), 1e-9)
	for i := range z {
		z[i] /= scale
	}
	return z, expected
}

// expect is the median of the same hour of the day, weekdays and weekends apart when two
// weeks are known, and of the whole series before two days are.
func expect(s Series) []float64 {
	span := time.Duration(len(s.Values)) * s.Step
	slot := func(int) int { return 0 }
	switch {
	case span >= 14*24*time.Hour:
		slot = func(i int) int {
			t := s.Start.Add(time.Duration(i) * s.Step).UTC()
			if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
				return slots + t.Hour()
			}
			return t.Hour()
		}
	case span >= 48*time.Hour:
		slot = func(i int) int { return s.Start.Add(time.Duration(i) * s.Step).UTC().Hour() }
	}
	groups := map[int][]float64{}
	for i, v := range s.Values {
		if !math.IsNaN(v) {
			groups[slot(i)] = append(groups[slot(i)], v)
		}
	}
	medians := map[int]float64{}
	for k, v := range groups {
		medians[k] = median(v)
	}
	all := median(s.Values)
	out := make([]float64, len(s.Values))
	for i := range out {
		if m, ok := medians[slot(i)]; ok {
			out[i] = m
		} else {
			out[i] = all
		}
	}
	return out
}

// Score judges the newest values of s. ok is false when there is too little history.
func Score(s Series) (r Result, ok bool) {
	z, expected := Residuals(s)
	if z == nil {
		return r, false
	}
	var last []float64
	at := -1
	for i := len(z) - 1; i >= 0 && len(last) < newest; i-- {
		if !math.IsNaN(z[i]) {
			if at < 0 {
				at = i
			}
			last = append(last, z[i])
		}
	}
	if at < len(z)-4*newest {
		return r, false // the series ended
	}
	r.Z, r.Value, r.Expected = median(last), s.Values[at], expected[at]
	r.Score = Ratio(math.Abs(r.Z))
	r.Change, r.From, r.To = change(s, z)
	return r, true
}

// Ratio turns a distance into a score.
func Ratio(z float64) float64 { return 1 / (1 + math.Exp((usualZ-z)/1.5)) }

// change finds when, in the last day, the level of the residuals moved most, if by more
// than usualZ/2 for at least six points.
func change(s Series, z []float64) (at time.Time, from, to float64) {
	const side = 6
	first := max(side, len(z)-int(24*time.Hour/s.Step))
	best, where := usualZ/2, -1
	for i := first; i+side <= len(z); i++ {
		before, after := median(z[max(0, i-24):i]), median(z[i:min(i+24, len(z))])
		if d := math.Abs(after - before); d > best {
			best, where = d, i
		}
	}
	if where < 0 {
		return time.Time{}, 0, 0
	}
	return s.Start.Add(time.Duration(where) * s.Step), median(s.Values[max(0, where-24):where]), median(s.Values[where:min(where+24, len(z))])
}

// median ignores NaN.
func median(v []float64) float64 {
	known := make([]float64, 0, len(v))
	for _, x := range v {
		if !math.IsNaN(x) {
			known = append(known, x)
		}
	}
	slices.Sort(known)
	return measure.Quantile(known, .5)
}
