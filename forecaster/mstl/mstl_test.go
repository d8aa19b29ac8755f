package mstl_test

import (
	"math"
	"testing"

	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/forecaster/mstl"
)

func TestContract(t *testing.T) { modeltest.Run(t, mstl.Model{}) }

func TestPartsAreTheSeries(t *testing.T) {
	y := make([]float64, 24*28)
	for i := range y {
		y[i] = 10 + 0.01*float64(i) + 2*math.Sin(2*math.Pi*float64(i)/24) + math.Cos(2*math.Pi*float64(i)/168)
	}
	p := mstl.Decompose(y, 24, 168)
	rest, daily := 0.0, 0.0
	for i, v := range y {
		if sum := p.Trend[i] + p.Seasonal[0][i] + p.Seasonal[1][i] + p.Rest[i]; math.Abs(sum-v) > 1e-9 {
			t.Fatalf("point %d: the parts add up to %g, want %g", i, sum, v)
		}
		rest = max(rest, math.Abs(p.Rest[i]))
		daily = max(daily, math.Abs(p.Seasonal[0][i]-2*math.Sin(2*math.Pi*float64(i)/24)))
	}
	if rest > 0.3 || daily > 0.3 {
		t.Errorf("of a pure sum, a rest of %.2f is left and the day errs by %.2f", rest, daily)
	}
}

func BenchmarkModel(b *testing.B) {
	in := modeltest.Inputs()["a month"]
	for b.Loop() {
		fit, err := mstl.Model{}.Fit(in)
		if err != nil {
			b.Fatal(err)
		}
		fit.Forecast(48, modeltest.Levels)
	}
}
