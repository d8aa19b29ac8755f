package ensemble

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/inframind/inframind/forecaster/backtest"
	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/trend"
)

// Report says what the ensemble found and how good it was on its own backtest.
type Report struct {
	Chosen   string             // the member with the largest weight
	Reason   string             // why, in words
	Weights  map[string]float64 // mean over the validated horizon
	Origins  int
	Measures backtest.Measures // zero when nothing was backtested
	Bursty   bool
	ShiftAgo float64 // days since the last level shift; 0: none
	Kept     bool    // the state in service stays: a new one did worse
}

// Report of the fit.
func (f *Fitted) Report() Report { return f.report }

// Corrections are what the fit set right beyond what package clean does before it.
func (f *Fitted) Corrections() (out []clean.Correction) {
	if f.report.ShiftAgo > 0 {
		out = append(out, clean.Correction{Kind: "level shift", Count: 1, Note: fmt.Sprintf("%.1f days ago, what lies before was lifted", f.report.ShiftAgo)})
	}
	if l, ok := f.Trend(); ok {
		if n := f.visible(l.Drops); n > 0 {
			out = append(out, clean.Correction{Kind: "sudden drop", Count: n, Note: "clean-up or restart, not part of the trend"})
		}
	}
	return out
}

// visible counts the jumps that are more than a hundredth of what the series spans: without
// noise, rounding looks like a jump between days that are otherwise equal.
func (f *Fitted) visible(jumps []trend.Jump) (n int) {
	span := slices.Max(f.y) - slices.Min(f.y)
	for _, j := range jumps {
		if math.Abs(j.Size) > span/100 {
			n++
		}
	}
	return n
}

func (f *Fitted) describe(backtested, kept bool) Report {
	r := Report{Weights: map[string]float64{}, Origins: f.spread.Origins, Bursty: f.bursty, Kept: kept}
	if f.shift.At > 0 {
		r.ShiftAgo = float64(len(f.z)-f.shift.At) / float64(f.day)
	}
	last := bucket(max(len(f.spread.Scale)-1, 0), f.day)
	for m, mem := range f.use {
		for b := 0; b <= last; b++ {
			r.Weights[mem.name] += f.weights[b][m] / float64(last+1)
		}
	}
	names := make([]string, 0, len(r.Weights))
	for name := range r.Weights {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Weights[b], r.Weights[a]), cmp.Compare(a, b))
	})
	r.Chosen = names[0]
	switch {
	case kept:
		r.Reason = "a new backtest did worse than the weights in service, which stay"
	case !backtested:
		r.Reason = "weights of the last backtest"
	case f.bursty:
		r.Reason = "rests at a base level between bursts: medians and naive forecasts only"
	case r.Chosen == "naive-daily" || r.Chosen == "naive-weekly":
		r.Reason = "no model beats the naive forecast on this series' own backtest"
	default:
		r.Reason = "smallest error on this series' own backtest"
	}
	return r
}

// measure forecasts from the backtest's origins as it could have been done then: learn
// takes weights and intervals from the origins before, as far as their forecasts had come
// true. What is measured is what a user would have got, not what was fitted to the same
// errors.
// An origin is measured as many days ahead as enough earlier origins could be checked.
func (f *Fitted) measure(trials []trial, learn func(then *Fitted, past []trial)) backtest.Measures {
	levels := []float64{0.80, 0.95}
	acc := backtest.NewAcc(levels)
	fine := f.in.Observed()[f.phase:]
	scale, near := backtest.Scale(fine, f.day*f.per), backtest.Near(fine)
	for j, t := range trials {
		past := knownAt(trials[j+1:], t.at)
		days := len(past) - minTrials + 1
		if days < 1 {
			break
		}
		then := *f
		learn(&then, past)
		mid := then.mix(t.fc, min(days*f.day, t.steps()))
		n := len(mid) * f.per
		median := make([]float64, n)
		var lower, upper [2][]float64
		for l := range levels {
			lower[l], upper[l] = make([]float64, n), make([]float64, n)
		}
		for i := range n {
			g := i / f.per
			z := mid[g] + f.within[(t.at*f.per+i)%len(f.within)]
			if f.events != nil {
				z += f.events[t.at+g]
			}
			if t.at+g < f.shift.At {
				z -= f.shift.Size // the actual value was not lifted
			}
			median[i] = f.in.Bound(f.space.Out(z))
			for l, level := range levels {
				lo, hi := then.interval(z, g, level)
				lower[l][i], upper[l][i] = min(f.in.Bound(lo), median[i]), max(f.in.Bound(hi), median[i])
			}
		}
		acc.Add(fine[t.at*f.per:t.at*f.per+n], median, lower[:], upper[:], scale, near)
	}
	return acc.Measures()
}

// knownAt cuts the forecasts of trials off at step at: what came later was not known then.
func knownAt(trials []trial, at int) []trial {
	out := make([]trial, len(trials))
	for j, t := range trials {
		out[j] = trial{at: t.at, fc: make([][]float64, len(t.fc))}
		for m, fc := range t.fc {
			if fc != nil {
				out[j].fc[m] = fc[:min(len(fc), at-t.at)]
			}
		}
	}
	return out
}
