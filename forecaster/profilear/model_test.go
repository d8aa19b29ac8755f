package profilear_test

import (
	"math"
	"testing"

	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/forecaster/profilear"
)

func TestContract(t *testing.T) { modeltest.Run(t, profilear.Model{}) }

func TestLearnsAPattern(t *testing.T) {
	in := modeltest.Inputs()["a month"]
	all := modeltest.Season(720+48, 1)
	fit, err := profilear.Model{}.Fit(in)
	if err != nil {
		t.Fatal(err)
	}
	f := fit.Forecast(48, nil)
	sum := 0.0
	for i, v := range f.Median {
		sum += math.Abs(v-all[720+i]) / 48
	}
	// The noise has a standard deviation of 0.03: no forecast can err by less than 0.024.
	if sum > 0.034 {
		t.Errorf("mean error %.4f", sum)
	}
}

func BenchmarkModel(b *testing.B) {
	in := modeltest.Inputs()["a month"]
	for b.Loop() {
		fit, err := profilear.Model{}.Fit(in)
		if err != nil {
			b.Fatal(err)
		}
		fit.Forecast(48, modeltest.Levels)
	}
}
