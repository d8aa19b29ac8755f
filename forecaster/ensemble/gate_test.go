package ensemble

import (
	"testing"

	"github.com/inframind/inframind/forecaster/modeltest"
)

// TestWorseIsNotPromoted spoils what a backtest found, as data that mislead it would, and
// compares it with the state in service.
func TestWorseIsNotPromoted(t *testing.T) {
	fitted, err := Model{}.Fit(modeltest.Inputs()["a month"])
	if err != nil {
		t.Fatal(err)
	}
	f := fitted.(*Fitted)
	good := f.State()
	trials := f.roll(f.use, 7*f.day)
	if f.worse(trials, good) {
		t.Error("worse than itself")
	}
	for b := range f.weights {
		f.weights[b] = make([]float64, len(f.use))
		f.weights[b][len(f.use)-1] = 1 // the median of everything
	}
	if !f.worse(trials, good) {
		t.Error("a spoiled state would be promoted")
	}
}
