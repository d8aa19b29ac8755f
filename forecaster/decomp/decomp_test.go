package decomp_test

import (
	"math"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/decomp"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
)

func TestContract(t *testing.T) { modeltest.Run(t, decomp.Model{}) }

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func unbounded(y []float64) model.Input {
	return model.Input{Y: y, Start: start, Step: time.Hour, Lower: math.NaN(), Upper: math.NaN()}
}

func TestFindsTheBendAndFollowsIt(t *testing.T) {
	y := make([]float64, 24*40)
	value := func(i int) float64 {
		return 100 + 5*math.Sin(2*math.Pi*float64(i)/24) + 0.1*math.Max(0, float64(i-480))
	}
	for i := range y {
		y[i] = value(i)
	}
	fit, err := decomp.Model{}.Fit(unbounded(y))
	if err != nil {
		t.Fatal(err)
	}
	f := fit.Forecast(168, nil)
	for i, v := range f.Median {
		if want := value(len(y) + i); math.Abs(v-want) > 2 {
			t.Fatalf("step %d: got %.1f, want %.1f", i, v, want)
		}
	}
	changes := fit.(*decomp.Fitted).Parts().Changes
	if len(changes) == 0 {
		t.Fatal("no changepoint")
	}
	for _, c := range changes {
		if d := c.Time.Sub(start) - 480*time.Hour; d.Abs() > 100*time.Hour {
			t.Errorf("a changepoint at %s, the bend is at %s", c.Time, start.Add(480*time.Hour))
		}
	}
}

func TestEventsHaveAnEffect(t *testing.T) {
	y := make([]float64, 24*28)
	var events []model.Event
	for i := range y {
		y[i] = 10 + math.Sin(2*math.Pi*float64(i)/24)
	}
	for d := 5; d < 35; d += 10 { // the last one lies ahead
		from := start.AddDate(0, 0, d)
		events = append(events, model.Event{Name: "batch", From: from, To: from.Add(12 * time.Hour)})
		for i := d * 24; i < d*24+12 && i < len(y); i++ {
			y[i] += 20
		}
	}
	y = y[:24*20]
	in := unbounded(y)
	in.Events = events
	fit, err := decomp.Model{}.Fit(in)
	if err != nil {
		t.Fatal(err)
	}
	f := fit.Forecast(24*8, nil)
	quiet, busy := f.Median[4*24+6], f.Median[5*24+6] // day 24 and day 25
	if busy-quiet < 15 {
		t.Errorf("during the event %.1f, the day before %.1f: want 20 more", busy, quiet)
	}
}

func TestSaturates(t *testing.T) {
	y := make([]float64, 24*30)
	for i := range y {
		y[i] = 0.6 + 0.38*float64(i)/float64(len(y))
	}
	fit, err := decomp.Model{}.Fit(model.Input{Y: y, Start: start, Step: time.Hour, Lower: 0, Upper: 1})
	if err != nil {
		t.Fatal(err)
	}
	f := fit.Forecast(24*30, nil)
	if last := f.Median[len(f.Median)-1]; last < 0.98 || last > 1 {
		t.Errorf("got %g, want just under 1", last)
	}
}

func BenchmarkModel(b *testing.B) {
	in := modeltest.Inputs()["a month"]
	for b.Loop() {
		fit, err := decomp.Model{}.Fit(in)
		if err != nil {
			b.Fatal(err)
		}
		fit.Forecast(48, modeltest.Levels)
	}
}
