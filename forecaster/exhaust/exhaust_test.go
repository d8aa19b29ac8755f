package exhaust_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/exhaust"
	"github.com/inframind/inframind/forecaster/gen"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/trend"
)

// crossed is the hour after now at which the mean of six hours first reaches the threshold.
func crossed(y []float64, now int, threshold float64) float64 {
	for i := now; i+6 <= len(y); i++ {
		s := 0.0
		for _, v := range y[i : i+6] {
			s += v / 6
		}
		if s >= threshold {
			return float64(i - now)
		}
	}
	return math.NaN()
}

func find(t testing.TB, s gen.Series, now, h int, threshold float64) exhaust.Crossing {
	in := model.Input{Y: s.Y[:now], Start: gen.Start(), Step: time.Hour, Lower: 0, Upper: 1}
	fit, err := ensemble.Model{Horizon: h}.Fit(in)
	if err != nil {
		t.Fatal(err)
	}
	f := fit.(*ensemble.Fitted)
	fc := f.Forecast(h, []float64{0.80})
	l, ok := f.Trend()
	if !ok {
		t.Fatal("no trend")
	}
	c := exhaust.Curve{Start: in.Start.Add(time.Duration(now) * time.Hour), Step: time.Hour, Median: fc.Median, Outer: fc.Upper[0], Beyond: f.Beyond(h, false)}
	return exhaust.Find(c, l, exhaust.Threshold{Value: threshold}, in.Y[now-1])
}

// TestGeneratedDisks asks, 14 days before, when each of 200 disks is 90 % full. Half of
// them truly fill.
func TestGeneratedDisks(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	const days, now, threshold = 60, 30, 0.9
	var errs []float64
	missed, alarms, calm := 0, 0, 0
	for _, s := range gen.Disks(7, 200, days, now, 14, threshold) {
		c := find(t, s, now*24, 30*24, threshold)
		if s.Fills {
			came := crossed(s.Y, now*24, threshold)
			if math.IsNaN(c.Median) {
				missed++
				t.Logf("%s missed, growing %v", s.Name, c.Growing)
				continue
			}
			errs = append(errs, math.Abs(c.Median/3600-came)/24)
			if e := (c.Median/3600 - came) / 24; math.Abs(e) > 3 {
				t.Logf("%s errs by %.1f days", s.Name, e)
			}
			continue
		}
		calm++
		if !math.IsNaN(c.Median) || c.Within["14d"] > 0.5 {
			alarms++
			t.Logf("%s false alarm", s.Name)
		}
	}
	slices.Sort(errs)
	mean := 0.0
	for _, e := range errs {
		mean += e / float64(len(errs))
	}
	if med := errs[len(errs)/2]; med >= 1 || missed > 5 || float64(alarms) >= 0.02*float64(calm) {
		t.Errorf("median error %.2f days, %d missed, %d false alarms of %d; want < 1, <= 5, < 2 %%", med, missed, alarms, calm)
	}
	t.Logf("error: median %.2f days, mean %.2f; %d missed; %d false alarms of %d", errs[len(errs)/2], mean, missed, alarms, calm)
}

func TestFind(t *testing.T) {
	rising := make([]float64, 200)
	for i := range rising {
		rising[i] = 0.5 + float64(i)/400
	}
	c := exhaust.Curve{Start: gen.Start(), Step: time.Hour, Median: rising, Outer: rising, Beyond: func(i int, v float64) float64 {
		if rising[i] >= v {
			return 1
		}
		return 0
	}}
	up, flat := trend.Line{Slope: 0.06, T: 20}, trend.Line{Slope: 0.06, T: 1}
	for _, tc := range []struct {
		name   string
		line   trend.Line
		th     exhaust.Threshold
		now    float64
		median float64
		week   float64
	}{
		{"grows over it", up, exhaust.Threshold{Value: 0.75}, 0.5, 100 * 3600, 1},
		{"too far away", up, exhaust.Threshold{Value: 1.5}, 0.5, math.NaN(), 0},
		{"past it already", up, exhaust.Threshold{Value: 0.4}, 0.5, 0, 1},
		{"no trend, only a peak", flat, exhaust.Threshold{Value: 0.75}, 0.5, math.NaN(), 0},
		{"free space that grows", up, exhaust.Threshold{Value: 0.4, Down: true}, 0.5, math.NaN(), 0},
	} {
		got := exhaust.Find(c, tc.line, tc.th, tc.now)
		if same := got.Median == tc.median || math.IsNaN(got.Median) && math.IsNaN(tc.median); !same || got.Within["7d"] != tc.week {
			t.Errorf("%s: got %g s, %v; want %g s, %g", tc.name, got.Median, got.Within, tc.median, tc.week)
		}
	}
}

func TestWords(t *testing.T) {
	end := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) // a Saturday
	l := trend.Line{Slope: 1.2e9, Since: 18, Period: 7, Drop: 3e9, Drops: []trend.Jump{{Ago: 6}}}
	want := "grows 1.2 GB a day since 3 November, cleaned every 7 days by 3 GB (Sundays)"
	if got := exhaust.Words(l, "bytes", end, true); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
