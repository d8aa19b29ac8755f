package ensemble_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/forecaster/stat"
)

func TestContract(t *testing.T) { modeltest.Run(t, ensemble.Model{}) }

func fit(t testing.TB, m ensemble.Model, in model.Input) *ensemble.Fitted {
	t.Helper()
	got, err := m.Fit(in)
	if err != nil {
		t.Fatal(err)
	}
	return got.(*ensemble.Fitted)
}

func TestShortHistorySaysSo(t *testing.T) {
	f := fit(t, ensemble.Model{}, modeltest.Inputs()["less than two"])
	if r := f.Report(); r.Chosen != "drift" || r.Reason == "" || f.State() != nil {
		t.Errorf("got %+v", r)
	}
}

func TestNaiveGate(t *testing.T) {
	// A random walk of whole days: nothing beats the last day again.
	rng := rand.New(rand.NewPCG(3, 4))
	shape := make([]float64, 24)
	for i := range shape {
		shape[i] = 10 * rng.Float64()
	}
	y := make([]float64, 720)
	level := 100.0
	for i := range y {
		if i%24 == 0 {
			level += 8 * rng.NormFloat64()
		}
		y[i] = level + shape[i%24]
	}
	r := fit(t, ensemble.Model{}, model.Input{Y: y, Step: time.Hour, Lower: math.NaN(), Upper: math.NaN()}).Report()
	if r.Weights["median"] > 0 {
		t.Errorf("the median of the month has weight %g on a random walk", r.Weights["median"])
	}
}

func TestSavedStateGivesTheSameForecast(t *testing.T) {
	in := modeltest.Inputs()["a month"]
	f := fit(t, ensemble.Model{}, in)
	again := fit(t, ensemble.Model{Saved: f.State()}, in)
	a, b := f.Forecast(48, modeltest.Levels), again.Forecast(48, modeltest.Levels)
	if !slices.Equal(a.Median, b.Median) || !slices.Equal(a.Upper[1], b.Upper[1]) {
		t.Error("the forecast from saved weights differs")
	}
}

func TestIntervalsCoverWhatComes(t *testing.T) {
	all := modeltest.Season(720+240, 1)
	f := fit(t, ensemble.Model{}, model.Input{Y: all[:720], Step: time.Hour, Lower: 0, Upper: 1}).Forecast(240, modeltest.Levels)
	for l, want := range []float64{0.75, 0.92} {
		in := 0.0
		for i, v := range all[720:] {
			if v >= f.Lower[l][i] && v <= f.Upper[l][i] {
				in += 1.0 / 240
			}
		}
		if in < want {
			t.Errorf("level %g covers %.2f", modeltest.Levels[l], in)
		}
	}
}

func TestFineDataKeepItsPattern(t *testing.T) {
	// A job at the start of each hour takes 5 minutes: hourly means would hide it.
	y := make([]float64, 8640)
	for i := range y {
		y[i] = 0.2 + 0.001*float64(i%7)
		if i%12 == 0 {
			y[i] = 0.9
		}
	}
	f := fit(t, ensemble.Model{}, model.Input{Y: y, Step: 5 * time.Minute, Lower: 0, Upper: 1}).Forecast(24, modeltest.Levels)
	if f.Median[0] < 0.7 || f.Median[12] < 0.7 || f.Median[5] > 0.4 {
		t.Errorf("got %.2f at the job, %.2f beside it", f.Median[0], f.Median[5])
	}
}

// BenchmarkHourly is an M4-like series: backtest, calibration and forecast of two days.
func BenchmarkHourly(b *testing.B) {
	benchmark(b, model.Input{Y: modeltest.Season(960, 1), Step: time.Hour, Lower: 0, Upper: 1}, 48)
}

// BenchmarkMonth is 30 days at 5 minutes and a horizon of 30 days.
func BenchmarkMonth(b *testing.B) {
	hourly := modeltest.Season(720, 1)
	y := make([]float64, 8640)
	for i := range y {
		y[i] = hourly[i/12] * (1 + 0.001*float64(i%11))
	}
	benchmark(b, model.Input{Y: y, Step: 5 * time.Minute, Lower: 0, Upper: 2}, 8640)
}

func benchmark(b *testing.B, in model.Input, h int) {
	for b.Loop() {
		fit(b, ensemble.Model{Horizon: h}, in).Forecast(h, modeltest.Levels)
	}
}

// TestSpoiledStateIsReplaced: a rival in service that does worse does not stay.
func TestSpoiledStateIsReplaced(t *testing.T) {
	in := modeltest.Inputs()["a month"]
	bad := fit(t, ensemble.Model{}, in).State()
	for _, w := range bad.Weights {
		clear(w)
		w[len(w)-1] = 1 // the median of everything
	}
	f := fit(t, ensemble.Model{InService: bad}, in)
	if f.Report().Kept || f.State().Weights[0][len(bad.Weights[0])-1] == 1 {
		t.Error("a spoiled state stayed in service")
	}
}

// TestLeakWithRestarts: memory that leaks and is freed by restarts reaches its limit. What
// it may fall back to then does not come nearer for days and go away again.
func TestLeakWithRestarts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	y := make([]float64, 30*288)
	for i := range y {
		ago := float64(len(y)-i) / 288
		up := 30 - ago
		for _, restart := range []float64{21, 9.5} {
			if ago <= restart {
				up = restart - ago
			}
		}
		y[i] = 0.36 + 0.048*up + 0.005*rng.NormFloat64()
	}
	f := fit(t, ensemble.Model{Horizon: len(y)}, model.Input{Y: y, Step: 5 * time.Minute, Lower: 0, Upper: 1}).Forecast(len(y), modeltest.Levels)
	lowest := 1.0
	for d := range 30 {
		lower, _ := stat.Moments(f.Lower[0][d*288 : (d+1)*288])
		if d >= 5 && f.Median[d*288] < 0.99 {
			t.Errorf("day %d: the median is %.2f, want the limit", d, f.Median[d*288])
		}
		if lower > lowest+0.1 {
			t.Errorf("day %d: the lower bound rises from %.2f to %.2f", d, lowest, lower)
		}
		lowest = min(lowest, lower)
	}
}

// A wave without noise has no drops; a disk that is emptied has.
func TestDropsThatAreReported(t *testing.T) {
	wave, disk := make([]float64, 720), make([]float64, 720)
	for i := range wave {
		wave[i] = 0.3 + 0.1*math.Sin(float64(i)/24*6.283)
		disk[i] = 0.2 + 0.02*float64(i%240)/24 + 0.0001*float64(i%7)
	}
	for name, c := range map[string]struct {
		y     []float64
		drops int
	}{"wave": {wave, 0}, "disk": {disk, 2}} {
		f := fit(t, ensemble.Model{}, model.Input{Y: c.y, Step: time.Hour, Lower: 0, Upper: 1})
		drops := 0
		for _, k := range f.Corrections() {
			if k.Kind == "sudden drop" {
				drops = k.Count
			}
		}
		if drops != c.drops {
			t.Errorf("%s: %d sudden drops reported, want %d", name, drops, c.drops)
		}
	}
}
