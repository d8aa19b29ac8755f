// Package mstl splits a series into trend, several seasons and a rest by repeated loess
// smoothing: STL (Cleveland and others, 1990), once a season (Bandara and others, 2021).
// The forecast repeats the seasons on the damped trend of the rest.
package mstl

import (
	"math"
	"time"

	"github.com/inframind/inframind/forecaster/ets"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/stat"
)

// Parts of a series; Seasonal has one entry a period. Their sum with Rest is the series.
type Parts struct {
	Trend, Rest []float64
	Periods     []int
	Seasonal    [][]float64
}

const rounds = 2 // over all seasons, and inner ones of each STL

// Decompose splits y by the given periods, shortest first. Periods of which y has fewer
// than two are left out.
func Decompose(y []float64, periods ...int) Parts {
	n := len(y)
	p := Parts{Trend: make([]float64, n), Rest: make([]float64, n)}
	for _, m := range periods {
		if m >= 2 && n >= 2*m {
			p.Periods = append(p.Periods, m)
			p.Seasonal = append(p.Seasonal, make([]float64, n))
		}
	}
	if len(p.Periods) == 0 {
		loess(y, odd(n/3), max(n/50, 1), p.Trend)
	}
	left := make([]float64, n)
	copy(left, y)
	for range rounds {
		for s, m := range p.Periods {
			for i := range left {
				left[i] += p.Seasonal[s][i]
			}
			stl(left, m, 7+4*(s+1), p.Seasonal[s], p.Trend)
			for i := range left {
				left[i] -= p.Seasonal[s][i]
			}
		}
	}
	for i := range y {
		p.Rest[i] = left[i] - p.Trend[i]
	}
	return p
}

func odd(n int) int { return max(n|1, 3) }

// stl finds the season of period m in y and its trend.
func stl(y []float64, m, window int, season, trend []float64) {
	n := len(y)
	trendWindow := odd(int(1.5*float64(m)/(1-1.5/float64(window))) + 1)
	work := make([]float64, n)
	cycle := make([]float64, n+2*m)
	low := make([]float64, n)
	clear(trend)
	for range rounds {
		for i := range work {
			work[i] = y[i] - trend[i]
		}
		cycles(work, m, window, cycle)
		filtered := average(average(average(cycle, m), m), 3)
		loess(filtered, odd(m), max(m/10, 1), low)
		for i := range season {
			season[i] = cycle[m+i] - low[i]
			work[i] = y[i] - season[i]
		}
		loess(work, trendWindow, max(trendWindow/10, 1), trend)
	}
}

// cycles smooths the values of each slot of the period over time, one period beyond
// either end.
func cycles(work []float64, m, window int, out []float64) {
	n := len(work)
	sub := make([]float64, 0, n/m+1)
	smooth := make([]float64, n/m+1)
	for k := range m {
		sub = sub[:0]
		for i := k; i < n; i += m {
			sub = append(sub, work[i])
		}
		loess(sub, window, 1, smooth[:len(sub)])
		out[k] = local(sub, -1, window)
		for i := range sub {
			out[m+k+i*m] = smooth[i]
		}
		if at := m + k + len(sub)*m; at < len(out) {
			out[at] = local(sub, float64(len(sub)), window)
		}
	}
}

// Model is the decomposition as a model.
type Model struct{}

// Name is "mstl".
func (Model) Name() string { return "mstl" }

// Fit needs two days at a step that divides the day.
func (Model) Fit(in model.Input) (model.Fitted, error) {
	day := in.Per(24 * time.Hour)
	if day == 0 || len(in.Y) < 2*day {
		return nil, model.Short(len(in.Y), 2*max(day, 2))
	}
	return fitted{in: in, day: day, parts: Decompose(in.Y, day, 7*day)}, nil
}

type fitted struct {
	in    model.Input
	day   int
	parts Parts
}

// Forecast widens the spread of the rest with the root of the days ahead.
func (f fitted) Forecast(h int, levels []float64) model.Forecast {
	n := len(f.in.Y)
	adjusted := make([]float64, n)
	for i := range adjusted {
		adjusted[i] = f.parts.Trend[i] + f.parts.Rest[i]
	}
	median := make([]float64, h)
	ets.Extend(adjusted, median)
	for s, m := range f.parts.Periods {
		for i := range median {
			median[i] += f.parts.Seasonal[s][n-m+i%m]
		}
	}
	_, sd := stat.Moments(f.parts.Rest)
	return model.Gaussian(f.in, median, func(i int) float64 { return sd * math.Sqrt(1+float64(i)/float64(f.day)) }, levels)
}
