// Package theta is the Theta method of Assimakopoulos and Nikolopoulos (2000) in its usual
// form: simple exponential smoothing plus half of the linear trend, on the series without
// its seasonal profile.
package theta

import (
	"github.com/inframind/inframind/forecaster/ets"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/profilear"
)

// Model is the Theta method.
type Model struct{}

// Name is "theta".
func (Model) Name() string { return "theta" }

// Fit needs three days at a step that divides the day.
func (Model) Fit(in model.Input) (model.Fitted, error) { return profilear.FitBy(in, Extend, 3) }

// Extend forecasts the steps after the origin.
func Extend(o *profilear.Origin, out []float64) bool {
	if !ets.Level(o, out) {
		return false
	}
	half := slope(o.A) * o.SD / 2
	for h := range out {
		out[h] += half * float64(h+1)
	}
	return true
}

// slope is that of the least-squares line through a, per step.
func slope(a []float64) float64 {
	n := float64(len(a))
	mid := (n - 1) / 2
	var xy, xx float64
	for i, v := range a {
		x := float64(i) - mid
		xy += x * v
		xx += x * x
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}
