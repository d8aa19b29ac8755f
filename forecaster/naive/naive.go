// Package naive holds the forecasts every other model has to beat: the last season again,
// and the line through the first and the last point.
package naive

import (
	"math"
	"time"

	"github.com/inframind/inframind/forecaster/model"
)

// Seasonal repeats the last period.
type Seasonal struct{ Period time.Duration }

// Name is "naive-24h0m0s" in words: naive-daily, naive-weekly.
func (s Seasonal) Name() string {
	switch s.Period {
	case 24 * time.Hour:
		return "naive-daily"
	case 7 * 24 * time.Hour:
		return "naive-weekly"
	}
	return "naive-" + s.Period.String()
}

// Fit needs one period and one point.
func (s Seasonal) Fit(in model.Input) (model.Fitted, error) {
	m := in.Per(s.Period)
	if m == 0 || len(in.Y) <= m {
		return nil, model.Short(len(in.Y), max(m, int(s.Period/max(in.Step, 1)))+1)
	}
	return fitted{in: in, m: m, last: in.Y[len(in.Y)-m:], sd: rmsDiff(in.Y, m)}, nil
}

// Drift continues the line from the first to the last point.
type Drift struct{}

// Name is "drift".
func (Drift) Name() string { return "drift" }

// Fit needs two points: one says nothing of what comes.
func (Drift) Fit(in model.Input) (model.Fitted, error) {
	n := len(in.Y)
	if n < 2 {
		return nil, model.Short(n, 2)
	}
	f := fitted{in: in, m: 1, last: in.Y[n-1:]}
	f.drift = (in.Y[n-1] - in.Y[0]) / float64(n-1)
	ss := f.drift * f.drift // the slope itself may be chance
	for i := 1; i < n; i++ {
		d := in.Y[i] - in.Y[i-1] - f.drift
		ss += d * d
	}
	f.sd = math.Sqrt(ss / float64(n-1))
	return f, nil
}

type fitted struct {
	in    model.Input
	m     int       // period in steps
	last  []float64 // the last period
	drift float64   // a step
	sd    float64   // of one period's change
}

// Forecast repeats the period; the error of k periods ahead grows with the root of k, as
// for a random walk from period to period.
func (f fitted) Forecast(h int, levels []float64) model.Forecast {
	median := make([]float64, h)
	for i := range median {
		median[i] = f.last[i%f.m] + f.drift*float64(i+1)
	}
	sd := func(i int) float64 { return f.sd * math.Sqrt(float64(i/f.m+1)) }
	return model.Gaussian(f.in, median, sd, levels)
}

func rmsDiff(y []float64, m int) float64 {
	var ss float64
	for i := m; i < len(y); i++ {
		d := y[i] - y[i-m]
		ss += d * d
	}
	return math.Sqrt(ss / float64(max(len(y)-m, 1)))
}
