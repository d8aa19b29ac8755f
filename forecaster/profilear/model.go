package profilear

import (
	"math"
	"time"

	"github.com/inframind/inframind/forecaster/model"
)

// Model is the autoregression with two days of lags as a model of its own.
type Model struct{}

// Name is "profile-ar".
func (Model) Name() string { return "profile-ar" }

// Fit needs six days, at a step that divides the day.
func (Model) Fit(in model.Input) (model.Fitted, error) {
	return FitBy(in, Long, 6)
}

// FitBy makes a model of a way to extend an origin. Its error grows with the root of the
// days ahead, from that of the same forecast made a day ago.
func FitBy(in model.Input, extend func(o *Origin, out []float64) bool, days int) (model.Fitted, error) {
	day := in.Per(24 * time.Hour)
	if day == 0 || len(in.Y) < days*day {
		return nil, model.Short(len(in.Y), days*max(day, 2))
	}
	sp := ChooseSpace(in.Y)
	z := make([]float64, len(in.Y))
	for i, v := range in.Y {
		z[i] = sp.In(v)
	}
	past := len(z) - day
	check := make([]float64, day)
	f := fitted{in: in, extend: extend, o: Prepare(in.Y, z, day, sp)}
	if extend(Prepare(in.Y[:past], z[:past], day, sp), check) {
		for i, v := range check {
			f.sd += (z[past+i] - v) * (z[past+i] - v) / float64(day)
		}
		f.sd = math.Sqrt(f.sd)
	}
	return f, nil
}

type fitted struct {
	in     model.Input
	o      *Origin
	extend func(o *Origin, out []float64) bool
	sd     float64 // of a forecast for one day, in the space
}

// Forecast falls back to the profile where nothing could be fitted: a constant series.
func (f fitted) Forecast(h int, levels []float64) model.Forecast {
	z := make([]float64, h)
	if !f.extend(f.o, z) {
		clear(z)
		f.o.Restore(z)
	}
	out := model.Forecast{Median: make([]float64, h), Levels: levels, Lower: make([][]float64, len(levels)), Upper: make([][]float64, len(levels))}
	for l, level := range levels {
		q := math.Sqrt2 * math.Erfinv(level)
		out.Lower[l], out.Upper[l] = make([]float64, h), make([]float64, h)
		for i, v := range z {
			w := q * f.sd * math.Sqrt(1+float64(i)/float64(f.o.Day))
			// A width past e^20 says nothing any more; it must not become infinite.
			w = min(w, max(20*f.sd, 20))
			out.Lower[l][i], out.Upper[l][i] = f.in.Bound(f.o.Space.Out(v-w)), f.in.Bound(f.o.Space.Out(v+w))
		}
	}
	for i, v := range z {
		out.Median[i] = f.in.Bound(f.o.Space.Out(v))
	}
	return out
}
