// Package backtest measures forecasts against what really came, from rolling origins.
package backtest

import (
	"math"
	"slices"
)

// Measures are the usual ones of forecasting, over all origins of one series.
type Measures struct {
	Points   int     // compared
	MAPE     float64 // ratio; NaN when every actual value is near zero
	SMAPE    float64 // ratio, 0 to 2
	MASE     float64 // errors over those of the seasonal naive forecast in the history
	MAE      float64
	RMSE     float64
	Coverage []float64 // ratio, by level
	Score    []float64 // mean interval score, by level; smaller is better
	DW       float64   // Durbin-Watson of the residuals, 2 = uncorrelated
}

// Acc accumulates Measures over origins.
type Acc struct {
	levels             []float64
	n, nAPE            int
	ape, sape, ae, se  float64
	scaled             float64
	in, score          []float64
	dwNum, dwDen, prev float64
}

// NewAcc makes an accumulator for intervals at levels.
func NewAcc(levels []float64) *Acc {
	return &Acc{levels: levels, in: make([]float64, len(levels)), score: make([]float64, len(levels))}
}

// Add compares one forecast with what came. scale is the mean absolute seasonal
// difference of the history (0: unknown). near is the size under which an actual value is
// too close to zero for a percentage.
func (a *Acc) Add(actual, median []float64, lower, upper [][]float64, scale, near float64) {
	for i, y := range actual {
		if math.IsNaN(y) {
			continue
		}
		e := y - median[i]
		a.n++
		a.ae += math.Abs(e)
		a.se += e * e
		if math.Abs(y) > near {
			a.ape += math.Abs(e / y)
			a.nAPE++
		}
		if d := math.Abs(y) + math.Abs(median[i]); d > 0 {
			a.sape += 2 * math.Abs(e) / d
		}
		if scale > 0 {
			a.scaled += math.Abs(e) / scale
		}
		for l, level := range a.levels {
			lo, hi := lower[l][i], upper[l][i]
			// A value printed with a few digits must not fall out of a bound it equals.
			tol := 1e-9 * (math.Abs(lo) + math.Abs(hi))
			if y >= lo-tol && y <= hi+tol {
				a.in[l]++
			}
			alpha := 1 - level
			a.score[l] += hi - lo + 2/alpha*(math.Max(lo-y, 0)+math.Max(y-hi, 0))
		}
		if i > 0 {
			a.dwNum += (e - a.prev) * (e - a.prev)
		}
		a.dwDen += e * e
		a.prev = e
	}
}

// Measures of all that was added.
func (a *Acc) Measures() Measures {
	n := float64(a.n)
	m := Measures{
		Points: a.n, MAPE: a.ape / float64(a.nAPE), SMAPE: a.sape / n, MASE: a.scaled / n, MAE: a.ae / n,
		RMSE: math.Sqrt(a.se / n), DW: a.dwNum / a.dwDen,
	}
	for l := range a.levels {
		m.Coverage = append(m.Coverage, a.in[l]/n)
		m.Score = append(m.Score, a.score[l]/n)
	}
	return m
}

// Scale is the mean absolute difference of y over m steps, MASE's denominator; NaN does
// not count.
func Scale(y []float64, m int) float64 {
	if m < 1 || len(y) <= m {
		return 0
	}
	s, n := 0.0, 0
	for i := m; i < len(y); i++ {
		if d := math.Abs(y[i] - y[i-m]); !math.IsNaN(d) {
			s += d
			n++
		}
	}
	return s / float64(max(n, 1))
}

// Near is a hundredth of the median size of y: values below it are noise around zero.
func Near(y []float64) float64 {
	abs := make([]float64, 0, len(y))
	for _, v := range y {
		if !math.IsNaN(v) {
			abs = append(abs, math.Abs(v))
		}
	}
	slices.Sort(abs)
	if len(abs) == 0 {
		return 0
	}
	return abs[len(abs)/2] / 100
}
