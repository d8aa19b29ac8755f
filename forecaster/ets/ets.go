// Package ets is exponential smoothing: a level and a damped trend on the series without
// its seasonal profile.
package ets

import (
	"math"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/profilear"
)

// Model is damped exponential smoothing.
type Model struct{}

// Name is "ets".
func (Model) Name() string { return "ets" }

// Fit needs two days at a step that divides the day.
func (Model) Fit(in model.Input) (model.Fitted, error) { return profilear.FitBy(in, Damped, 3) }

// state of the recursion: level and trend per step.
type state struct{ level, trend float64 }

// run smooths a and returns the final state and the sum of squared one-step errors.
func run(a []float64, alpha, beta, phi float64) (s state, sse float64) {
	s.level = a[0]
	for _, v := range a[1:] {
		e := v - s.level - phi*s.trend
		sse += e * e
		s.level += phi*s.trend + alpha*e
		s.trend = phi*s.trend + alpha*beta*e
	}
	return s, sse
}

// Level continues flat at the exponentially smoothed level, whose constant minimises the
// one-step errors.
func Level(o *profilear.Origin, out []float64) bool {
	if o.SD == 0 {
		return false
	}
	best, least := 0.0, math.Inf(1)
	for _, alpha := range []float64{0.01, 0.03, 0.1, 0.2, 0.4, 0.7} {
		if s, sse := run(o.A, alpha, 0, 0); sse < least {
			best, least = s.level, sse
		}
	}
	for h := range out {
		out[h] = best
	}
	o.Restore(out)
	return true
}

// Damped adds a trend that fades to nothing over about phi/(1-phi) steps.
func Damped(o *profilear.Origin, out []float64) bool {
	if o.SD == 0 {
		return false
	}
	Extend(o.A, out)
	o.Restore(out)
	return true
}

// Extend is Damped for a series without seasons.
func Extend(a, out []float64) {
	if len(a) == 0 {
		return
	}
	var best state
	bestPhi, least := 0.0, math.Inf(1)
	for _, alpha := range []float64{0.03, 0.1, 0.3, 0.7} {
		for _, beta := range []float64{0, 0.01, 0.1} {
			for _, phi := range []float64{0.9, 0.98, 0.998} {
				if s, sse := run(a, alpha, beta, phi); sse < least {
					best, bestPhi, least = s, phi, sse
				}
			}
		}
	}
	sum, p := 0.0, 1.0
	for h := range out {
		p *= bestPhi
		sum += p
		out[h] = best.level + sum*best.trend
	}
}
