package backtest_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/backtest"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/naive"
)

func TestMeasures(t *testing.T) {
	acc := backtest.NewAcc([]float64{0.8})
	acc.Add([]float64{10, 20, math.NaN(), 0}, []float64{11, 18, 5, 1}, [][]float64{{9, 18, 0, 0.5}}, [][]float64{{12, 19, 9, 2}}, 2, 0.1)
	m := acc.Measures()
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	near("points", float64(m.Points), 3)
	near("MAPE (the zero does not count)", m.MAPE, (0.1+0.1)/2)
	near("sMAPE", m.SMAPE, (2.0/21+4.0/38+2)/3)
	near("MAE", m.MAE, 4.0/3)
	near("MASE", m.MASE, 2.0/3)
	near("coverage", m.Coverage[0], 1.0/3)
	near("interval score", m.Score[0], (3+1+10*1+1.5+10*0.5)/3)
	near("Durbin-Watson", m.DW, (9.0+9.0)/6)
}

func TestRollUsesOnlyThePast(t *testing.T) {
	y := make([]float64, 24*30)
	for i := range y {
		y[i] = float64(i / 24)
	}
	in := model.Input{Y: y, Step: time.Hour, Lower: math.NaN(), Upper: math.NaN()}
	plan := backtest.DefaultPlan()
	plan.Horizon = 24 * time.Hour
	out, err := backtest.Roll(in, naive.Seasonal{Period: 24 * time.Hour}, plan)
	if err != nil {
		t.Fatal(err)
	}
	// Each day is one above the day before, and yesterday again is off by exactly that.
	if out.Origins != 2 || out.Measures.MAE != 1 || out.Measures.MASE != 1 {
		t.Errorf("got %d origins, MAE %g, MASE %g; want 2, 1, 1", out.Origins, out.Measures.MAE, out.Measures.MASE)
	}
	in.Y = y[:24*21+5]
	if _, err := backtest.Roll(in, naive.Drift{}, plan); !errors.Is(err, model.ErrShort) {
		t.Errorf("got %v, want ErrShort", err)
	}
}
