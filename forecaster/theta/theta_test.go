package theta_test

import (
	"testing"

	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/forecaster/theta"
)

func TestContract(t *testing.T) { modeltest.Run(t, theta.Model{}) }

func BenchmarkModel(b *testing.B) {
	in := modeltest.Inputs()["a month"]
	for b.Loop() {
		fit, err := theta.Model{}.Fit(in)
		if err != nil {
			b.Fatal(err)
		}
		fit.Forecast(48, modeltest.Levels)
	}
}
