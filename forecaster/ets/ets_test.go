package ets_test

import (
	"testing"

	"github.com/inframind/inframind/forecaster/ets"
	"github.com/inframind/inframind/forecaster/modeltest"
)

func TestContract(t *testing.T) { modeltest.Run(t, ets.Model{}) }

func BenchmarkModel(b *testing.B) {
	in := modeltest.Inputs()["a month"]
	for b.Loop() {
		fit, err := ets.Model{}.Fit(in)
		if err != nil {
			b.Fatal(err)
		}
		fit.Forecast(48, modeltest.Levels)
	}
}
