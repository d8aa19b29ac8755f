// Package decomp is a decomposable model in the manner of Prophet (Taylor and Letham,
// 2018): a piecewise-linear trend with automatic changepoints, Fourier series for day, week
// and year, and effects of named events, fitted at the maximum of the posterior. With both
// bounds known the fit is on the logit scale, where the trend saturates at the bounds.
//
// It is here to explain a series and for known events; others forecast better.
package decomp

import (
	"math"
	"time"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/ridge"
	"github.com/inframind/inframind/forecaster/stat"
)

const (
	changepoints = 20  // spread over the first 80 % of the history
	history      = 0.8 // of it may have changepoints
	dailyOrder   = 4
	weeklyOrder  = 3
	yearlyOrder  = 5
	tau          = 0.05 // scale of the Laplace prior on changes of slope
	sigma        = 10.0 // of the normal prior on everything else
	maxRows      = 3000 // finer data are thinned out: the curve is smooth
	laplaceSteps = 8
	logitEdge    = 1e-3
)

// Changepoint is a lasting change of the trend's slope.
type Changepoint struct {
	Time  time.Time
	Delta float64 // of the slope, per day, in the scale of the fit
}

// Model is the decomposable model.
type Model struct{}

// Name is "decomposable".
func (Model) Name() string { return "decomposable" }

// Fitted can also explain itself.
type Fitted struct {
	in     model.Input
	coef   []float64
	mean   float64
	scale  float64
	sd     float64
	deltaS float64 // mean size of a change of slope
	names  []string
	cols   columns
}

// columns lists where the kinds of regressors are.
type columns struct{ trend, daily, weekly, yearly, events, total int }

// Fit needs two days.
func (Model) Fit(in model.Input) (model.Fitted, error) {
	span := time.Duration(len(in.Y)) * in.Step
	if span < 48*time.Hour || len(in.Y) < 20 {
		return nil, model.Short(len(in.Y), 20)
	}
	f := &Fitted{in: in}
	seen := map[string]bool{}
	for _, e := range in.Events {
		if !seen[e.Name] {
			seen[e.Name] = true
			f.names = append(f.names, e.Name)
		}
	}
	f.layout(span)
	every := (len(in.Y) + maxRows - 1) / maxRows
	var rows, z []float64
	row := make([]float64, f.cols.total)
	for i := 0; i < len(in.Y); i += every {
		f.row(i, row)
		rows = append(rows, row...)
		z = append(z, f.into(in.Y[i]))
	}
	f.mean, f.scale = stat.Moments(z)
	if f.scale <= 1e-12*math.Abs(f.mean) {
		f.scale, f.coef = 1, make([]float64, f.cols.total)
		return f, nil
	}
	for i := range z {
		z[i] = (z[i] - f.mean) / f.scale
	}
	f.solve(rows, z)
	return f, nil
}

func (f *Fitted) layout(span time.Duration) {
	c := &f.cols
	c.trend = 2 + changepoints
	add := func(want bool, order int) int {
		if want {
			return 2 * order
		}
		return 0
	}
	c.daily = c.trend + add(f.in.Step <= 6*time.Hour, dailyOrder)
	c.weekly = c.daily + add(span >= 14*24*time.Hour && f.in.Step <= 24*time.Hour, weeklyOrder)
	c.yearly = c.weekly + add(span >= 540*24*time.Hour, yearlyOrder)
	c.events = c.yearly + len(f.names)
	c.total = c.events
}

// row fills in the regressors of step i, which may lie after the history.
func (f *Fitted) row(i int, out []float64) {
	n := float64(len(f.in.Y))
	x := float64(i) / n
	out[0], out[1] = 1, x
	for k := range changepoints {
		out[2+k] = math.Max(0, x-history*float64(k+1)/(changepoints+1))
	}
	at := f.in.Start.Add(time.Duration(i) * f.in.Step)
	days := float64(at.Unix()) / 86400
	fourier(out[f.cols.trend:f.cols.daily], days)
	fourier(out[f.cols.daily:f.cols.weekly], days/7)
	fourier(out[f.cols.weekly:f.cols.yearly], days/365.25)
	for k, name := range f.names {
		out[f.cols.yearly+k] = 0
		for _, e := range f.in.Events {
			if e.Name == name && !at.Before(e.From) && at.Before(e.To) {
				out[f.cols.yearly+k] = 1
			}
		}
	}
}

func fourier(out []float64, phase float64) {
	for k := 0; k+1 < len(out); k += 2 {
		s, c := math.Sincos(2 * math.Pi * phase * float64(k/2+1))
		out[k], out[k+1] = s, c
	}
}

// solve finds the maximum of the posterior. The Laplace prior's |delta| is a quadratic
// whose weight is renewed from the last solution.
func (f *Fitted) solve(rows, z []float64) {
	p := f.cols.total
	n := len(z)
	gram, xz := make([]float64, p*p), make([]float64, p)
	for r := range n {
		row := rows[r*p : (r+1)*p]
		for a, va := range row {
			if va == 0 {
				continue
			}
			xz[a] += va * z[r]
			line := gram[a*p : a*p+a+1]
			for b := range line {
				line[b] += va * row[b]
			}
		}
	}
	noise := 0.25 // variance of the error, on the standardised scale; renewed below
	f.coef = make([]float64, p)
	a, b := make([]float64, p*p), make([]float64, p)
	for range laplaceSteps {
		copy(a, gram)
		copy(b, xz)
		for k := range p {
			penalty := noise / (sigma * sigma)
			if k >= 2 && k < f.cols.trend {
				penalty = noise / tau / (math.Abs(f.coef[k]) + 1e-3)
			}
			a[k*p+k] += penalty + 1e-9
		}
		if !ridge.SolveSPD(a, b, p) {
			return
		}
		copy(f.coef, b)
		ss := 0.0
		for r := range n {
			e := z[r] - dot(rows[r*p:(r+1)*p], f.coef)
			ss += e * e
		}
		noise = max(ss/float64(n), 1e-6)
	}
	f.sd = math.Sqrt(noise)
	for k := 2; k < f.cols.trend; k++ {
		f.deltaS += math.Abs(f.coef[k]) / changepoints
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func (f *Fitted) saturates() bool { return f.in.Upper > f.in.Lower }

func (f *Fitted) into(v float64) float64 {
	if !f.saturates() {
		return v
	}
	u := (v - f.in.Lower) / (f.in.Upper - f.in.Lower)
	u = min(max(u, logitEdge), 1-logitEdge)
	return math.Log(u / (1 - u))
}

func (f *Fitted) out(z float64) float64 {
	if !f.saturates() {
		return f.in.Bound(z)
	}
	return f.in.Bound(f.in.Lower + (f.in.Upper-f.in.Lower)/(1+math.Exp(-z)))
}

// Forecast widens the interval by what the trend may yet bend: changes of slope keep
// coming at the rate and size of the past.
func (f *Fitted) Forecast(h int, levels []float64) model.Forecast {
	row := make([]float64, f.cols.total)
	z := make([]float64, h)
	n := len(f.in.Y)
	for i := range z {
		f.row(n+i, row)
		z[i] = f.mean + f.scale*dot(row, f.coef)
	}
	out := model.Forecast{Median: make([]float64, h), Levels: levels, Lower: make([][]float64, len(levels)), Upper: make([][]float64, len(levels))}
	for l, level := range levels {
		q := math.Sqrt2 * math.Erfinv(level)
		out.Lower[l], out.Upper[l] = make([]float64, h), make([]float64, h)
		for i, v := range z {
			x := float64(i+1) / float64(n)
			// Bends at rate changepoints/history, each of deltaS: variance of the path.
			bends := changepoints / history * f.deltaS * f.deltaS * 2 * x * x * x / 3
			w := q * f.scale * math.Sqrt(f.sd*f.sd+bends)
			out.Lower[l][i], out.Upper[l][i] = f.out(v-w), f.out(v+w)
		}
	}
	for i, v := range z {
		out.Median[i] = f.out(v)
	}
	return out
}

// Parts are the components at the n steps of the history, in the scale of the fit: that of
// the data, or logit where both bounds are known.
type Parts struct {
	Trend, Daily, Weekly, Yearly, Events []float64
	Changes                              []Changepoint
	Logit                                bool
}

// minChange is the share of the largest slope from which a changepoint is worth a word.
const minChange = 0.2

// Parts explains the fit.
func (f *Fitted) Parts() Parts {
	n := len(f.in.Y)
	p := Parts{Logit: f.saturates()}
	row := make([]float64, f.cols.total)
	c := f.cols
	for i := range n {
		f.row(i, row)
		at := func(from, to int) float64 { return f.scale * dot(row[from:to], f.coef[from:to]) }
		p.Trend = append(p.Trend, f.mean+at(0, c.trend))
		p.Daily = append(p.Daily, at(c.trend, c.daily))
		p.Weekly = append(p.Weekly, at(c.daily, c.weekly))
		p.Yearly = append(p.Yearly, at(c.weekly, c.yearly))
		p.Events = append(p.Events, at(c.yearly, c.events))
	}
	top := math.Abs(f.coef[1])
	for _, d := range f.coef[2:c.trend] {
		top = max(top, math.Abs(d))
	}
	perDay := float64(24*time.Hour) / float64(f.in.Step) / float64(n) * f.scale
	for k, d := range f.coef[2:c.trend] {
		if math.Abs(d) > minChange*top && math.Abs(d) > 0.05 {
			i := history * float64(k+1) / (changepoints + 1) * float64(n)
			p.Changes = append(p.Changes, Changepoint{Time: f.in.Start.Add(time.Duration(i) * f.in.Step), Delta: d * perDay})
		}
	}
	return p
}
