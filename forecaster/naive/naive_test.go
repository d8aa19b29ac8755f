package naive_test

import (
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/forecaster/naive"
)

func TestContract(t *testing.T) {
	for _, m := range []model.Model{naive.Seasonal{Period: 24 * time.Hour}, naive.Seasonal{Period: 168 * time.Hour}, naive.Drift{}} {
		t.Run(m.Name(), func(t *testing.T) { modeltest.Run(t, m) })
	}
}

func TestSeasonalRepeatsTheLastPeriod(t *testing.T) {
	in := modeltest.Inputs()["a month"]
	fit, err := naive.Seasonal{Period: 24 * time.Hour}.Fit(in)
	if err != nil {
		t.Fatal(err)
	}
	f := fit.Forecast(48, nil)
	for i, v := range f.Median {
		if want := in.Y[len(in.Y)-24+i%24]; v != want {
			t.Fatalf("step %d: got %g, want %g", i, v, want)
		}
	}
}

func TestDriftContinuesALine(t *testing.T) {
	fit, err := naive.Drift{}.Fit(model.Input{Y: []float64{1, 2, 3}, Step: time.Hour, Lower: 0, Upper: 5})
	if err != nil {
		t.Fatal(err)
	}
	f := fit.Forecast(4, []float64{0.8})
	for i, want := range []float64{4, 5, 5, 5} {
		if f.Median[i] != want {
			t.Errorf("step %d: got %g, want %g (the bound is 5)", i, f.Median[i], want)
		}
	}
}

func BenchmarkSeasonal(b *testing.B) {
	in := modeltest.Inputs()["a month"]
	for b.Loop() {
		fit, err := naive.Seasonal{Period: 24 * time.Hour}.Fit(in)
		if err != nil {
			b.Fatal(err)
		}
		fit.Forecast(48, modeltest.Levels)
	}
}
