package trend_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/inframind/inframind/forecaster/trend"
)

func series(days int, value func(d float64) float64) []float64 {
	y := make([]float64, days*24)
	for i := range y {
		y[i] = value(float64(i) / 24)
	}
	return y
}

func TestFind(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	wobble := func(float64) float64 { return 0.002 * rng.NormFloat64() }
	for _, tc := range []struct {
		name   string
		y      []float64
		slope  float64
		drops  int
		period float64
		since  float64 // at most; 0: not checked
	}{
		{"line", series(30, func(d float64) float64 { return 0.2 + 0.01*d + wobble(d) }), 0.01, 0, 0, 0},
		{"flat", series(30, func(d float64) float64 { return 0.5 + wobble(d) }), 0, 0, 0, 0},
		{"one jump is no trend", series(30, func(d float64) float64 {
			if d > 15 {
				return 0.8 + wobble(d)
			}
			return 0.5 + wobble(d)
		}), 0, 0, 0, 0},
		{"bend", series(30, func(d float64) float64 { return 0.3 + 0.02*math.Max(0, d-18) + wobble(d) }), 0.02, 0, 0, 14},
		{"cleaned every week", series(35, func(d float64) float64 { return 0.2 + 0.02*d - 0.1*math.Floor(d/7) + wobble(d) }), 0.02, 4, 7, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, ok := trend.Find(tc.y, 24)
			if !ok {
				t.Fatal("no trend")
			}
			if math.Abs(l.Slope-tc.slope) > 0.001 || len(l.Drops) != tc.drops || math.Abs(l.Period-tc.period) > 0.01 {
				t.Errorf("got slope %.4f, %d drops, period %.2f; want %.4f, %d, %.2f", l.Slope, len(l.Drops), l.Period, tc.slope, tc.drops, tc.period)
			}
			if tc.since > 0 && l.Since > tc.since {
				t.Errorf("since %.0f days, want at most %.0f", l.Since, tc.since)
			}
		})
	}
	if _, ok := trend.Find(make([]float64, 72), 24); ok {
		t.Error("three days have no trend")
	}
}

func TestAtCleansUpInTime(t *testing.T) {
	l := trend.Line{Slope: 1, Period: 7, Drop: 5, Drops: []trend.Jump{{Ago: 15}, {Ago: 8}, {Ago: 1}}}
	for days, want := range map[float64]float64{5: 5, 6: 1, 12: 7, 13: 3} {
		if got := l.At(days); got != want {
			t.Errorf("in %g days: got %g, want %g", days, got, want)
		}
	}
}
