package backtest

import (
	"fmt"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/model"
)

// Plan says where forecasts start and how far they look.
type Plan struct {
	Initial time.Duration // history before the first origin
	Period  time.Duration // between origins
	Horizon time.Duration
	Levels  []float64
}

// DefaultPlan is three weeks in, one week ahead, a week apart.
func DefaultPlan() Plan {
	const day = 24 * time.Hour
	return Plan{Initial: 21 * day, Period: 7 * day, Horizon: 7 * day, Levels: []float64{0.80, 0.95}}
}

// Outcome is a backtest of one series. The last origin's forecast is kept for a picture.
type Outcome struct {
	Origins  int
	Measures Measures
	At       int // the last origin, in steps
	Last     model.Forecast
}

// Roll fits m afresh at each origin, on what was known then, and measures the forecast
// against what was observed: neither cleaned nor filled in.
// The last origin may see less than a whole horizon of what came.
func Roll(in model.Input, m model.Model, p Plan) (Outcome, error) {
	initial, period, horizon := int(p.Initial/in.Step), int(p.Period/in.Step), int(p.Horizon/in.Step)
	if period < 1 || horizon < 1 || initial < 1 {
		return Outcome{}, fmt.Errorf("initial, period and horizon have to be at least one step of %s", in.Step)
	}
	day := max(int(24*time.Hour/in.Step), 1)
	if len(in.Y) < initial+min(day, horizon) {
		return Outcome{}, fmt.Errorf("%w: %s, a backtest of %s + %s needs more", model.ErrShort, time.Duration(len(in.Y))*in.Step, p.Initial, min(p.Horizon, 24*time.Hour))
	}
	acc := NewAcc(p.Levels)
	seen := in.Observed()
	near := Near(seen)
	var out Outcome
	for at := initial; at+min(day, horizon) <= len(in.Y); at += period {
		fit, err := m.Fit(clean.Known(in, at))
		if err != nil {
			return Outcome{}, fmt.Errorf("origin %s: %w", in.Start.Add(time.Duration(at)*in.Step).Format(time.RFC3339), err)
		}
		h := min(horizon, len(in.Y)-at)
		f := fit.Forecast(h, p.Levels)
		acc.Add(seen[at:at+h], f.Median, f.Lower, f.Upper, Scale(seen[:at], day), near)
		out.Origins, out.At, out.Last = out.Origins+1, at, f
	}
	out.Measures = acc.Measures()
	return out, nil
}

// Mean averages the measures of several series, each counting the same; what a series
// does not have is left out.
func Mean(list []Measures) Measures {
	var m Measures
	avg := func(of func(Measures) float64) float64 {
		s, n := 0.0, 0.0
		for _, x := range list {
			if v := of(x); v-v == 0 {
				s, n = s+v, n+1
			}
		}
		return s / n
	}
	for _, x := range list {
		m.Points += x.Points
	}
	m.MAPE = avg(func(x Measures) float64 { return x.MAPE })
	m.SMAPE = avg(func(x Measures) float64 { return x.SMAPE })
	m.MASE = avg(func(x Measures) float64 { return x.MASE })
	m.MAE = avg(func(x Measures) float64 { return x.MAE })
	m.RMSE = avg(func(x Measures) float64 { return x.RMSE })
	m.DW = avg(func(x Measures) float64 { return x.DW })
	if len(list) > 0 {
		for l := range list[0].Coverage {
			m.Coverage = append(m.Coverage, avg(func(x Measures) float64 { return x.Coverage[l] }))
			m.Score = append(m.Score, avg(func(x Measures) float64 { return x.Score[l] }))
		}
	}
	return m
}
