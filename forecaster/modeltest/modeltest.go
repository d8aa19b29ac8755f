// Package modeltest is the contract every forecasting model keeps: lengths, order of the
// bounds, physical limits, no trace of earlier calls, no panic on poor input.
package modeltest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/model"
)

// Levels are the coverages the contract asks for.
var Levels = []float64{0.8, 0.95}

// Run checks m against the contract.
func Run(t *testing.T, m model.Model) {
	t.Helper()
	if m.Name() == "" {
		t.Error("no name")
	}
	for name, in := range Inputs() {
		t.Run(name, func(t *testing.T) { check(t, m, in) })
	}
}

// Inputs are series of every awkward kind.
func Inputs() map[string]model.Input {
	start := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	in := func(step time.Duration, y ...float64) model.Input {
		return model.Input{Y: y, Start: start, Step: step, Lower: 0, Upper: 1}
	}
	out := map[string]model.Input{
		"empty":           in(time.Hour),
		"one point":       in(time.Hour, 0.5),
		"two points":      in(time.Hour, 0.5, 0.6),
		"constant":        in(time.Hour, slices.Repeat([]float64{0.4}, 400)...),
		"zeros":           in(time.Hour, slices.Repeat([]float64{0}, 800)...),
		"all at the cap":  in(time.Hour, slices.Repeat([]float64{1}, 800)...),
		"step of a week":  in(7*24*time.Hour, Season(60, 1)...),
		"odd step":        in(7*time.Minute, Season(3000, 1)...),
		"less than a day": in(time.Hour, Season(20, 1)...),
		"less than two":   in(time.Hour, Season(40, 1)...),
		"a week":          in(time.Hour, Season(168, 1)...),
		"a month":         in(time.Hour, Season(720, 1)...),
		"unbounded":       {Y: Season(720, 1e9), Start: start, Step: time.Hour, Lower: math.NaN(), Upper: math.NaN()},
		"tiny":            {Y: Season(720, 1e-12), Start: start, Step: time.Hour, Lower: 0, Upper: math.NaN()},
	}
	negative := Season(720, 10)
	for i := range negative {
		negative[i] -= 20
	}
	out["negative"] = model.Input{Y: negative, Start: start, Step: time.Hour, Lower: math.NaN(), Upper: math.NaN()}
	spikes := Season(720, 0.5)
	for i := 17; i < len(spikes); i += 97 {
		spikes[i] = 1
	}
	out["spikes"] = in(time.Hour, spikes...)
	steps := Season(720, 0.3)
	for i := 400; i < len(steps); i++ {
		steps[i] += 0.6
	}
	out["level shift"] = in(time.Hour, steps...)
	return out
}

// Season makes n hourly-like points in [0, scale] with a daily and a weekly pattern and
// noise; the same every time.
func Season(n int, scale float64) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	y := make([]float64, n)
	for i := range y {
		day := math.Sin(2 * math.Pi * float64(i%24) / 24)
		week := math.Cos(2 * math.Pi * float64(i%168) / 168)
		y[i] = scale * min(max(0.5+0.2*day+0.1*week+0.03*rng.NormFloat64(), 0), 1)
	}
	return y
}

func check(t *testing.T, m model.Model, in model.Input) {
	t.Helper()
	before := slices.Clone(in.Y)
	fit, err := m.Fit(in)
	if !slices.Equal(before, in.Y) {
		t.Error("Fit changed its input")
	}
	if err != nil {
		if len(in.Y) >= 720 && in.Step == time.Hour {
			t.Errorf("no fit of a month of hourly data: %v", err)
		}
		return
	}
	for _, h := range []int{1, 48, 200} {
		f := fit.Forecast(h, Levels)
		if err := Check(f, in, h); err != nil {
			t.Fatalf("h=%d: %v", h, err)
		}
		nearby(t, in, f.Median[0])
		again := fit.Forecast(h, Levels)
		if !slices.Equal(f.Median, again.Median) || !slices.Equal(f.Upper[1], again.Upper[1]) {
			t.Errorf("h=%d: a second call gives another forecast", h)
		}
	}
}

// nearby wants the first step of a forecast to be about where a month of history was.
func nearby(t *testing.T, in model.Input, first float64) {
	t.Helper()
	if len(in.Y) < 720 || in.Step != time.Hour {
		return
	}
	lo, hi := slices.Min(in.Y), slices.Max(in.Y)
	slack := hi - lo
	if in.Lower == 0 && in.Upper == 1 {
		slack += 0.002 // of models on the logit scale
	}
	if first < lo-slack || first > hi+slack {
		t.Errorf("the first step is %g after a month between %g and %g", first, lo, hi)
	}
}

// Check tells what is wrong with a forecast of h steps.
func Check(f model.Forecast, in model.Input, h int) error {
	if len(f.Median) != h || len(f.Lower) != len(f.Levels) || len(f.Upper) != len(f.Levels) {
		return fmt.Errorf("%d steps, %d lower, %d upper bounds for %d levels", len(f.Median), len(f.Lower), len(f.Upper), len(f.Levels))
	}
	for i, mid := range f.Median {
		lo, hi := mid, mid
		for l := range f.Levels {
			switch {
			case !(f.Lower[l][i] <= lo) || !(f.Upper[l][i] >= hi):
				return fmt.Errorf("step %d: bounds cross at level %g: %g %g %g", i, f.Levels[l], f.Lower[l][i], mid, f.Upper[l][i])
			case f.Lower[l][i] < in.Lower || f.Upper[l][i] > in.Upper:
				return fmt.Errorf("step %d: outside of the physical bounds: %g %g", i, f.Lower[l][i], f.Upper[l][i])
			case math.IsInf(f.Lower[l][i], 0) || math.IsInf(f.Upper[l][i], 0):
				return fmt.Errorf("step %d: infinite", i)
			}
			lo, hi = f.Lower[l][i], f.Upper[l][i]
		}
	}
	return nil
}
