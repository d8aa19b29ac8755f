package accuracy_test

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/backtest"
	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/evalset"
	"github.com/inframind/inframind/forecaster/gen"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/forecaster/naive"
	"github.com/inframind/inframind/internal/testdata"
)

// bars are what a set has to reach. Coverage is a band of the mean over series. The naive
// forecasts are those of the last day and the last week; beat is the factor on the better
// one that sMAPE and MASE have to stay under together.
type bars struct {
	set            string
	step           time.Duration
	most           int // series
	beat           float64
	low80, high80  float64
	low95, high95  float64
	owa, smape, ms float64 // 0: not asked
}

func TestSets(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	for _, b := range []bars{
		{set: "m4", step: time.Hour, most: 207, beat: 1, low80: 77, high80: 83, low95: 93, high95: 97, owa: 0.38, smape: 8.6, ms: 0.72},
		{set: "bitbrains", step: time.Hour, most: 200, beat: 0.95, low80: 77, high80: 83, low95: 93, high95: 97},
		{set: "bitbrains", step: 5 * time.Minute, most: 101, beat: 0.95, low80: 77, high80: 83, low95: 93, high95: 97},
		{set: "smd", step: time.Hour, most: 77, beat: 0.95, low80: 77, high80: 83, low95: 93, high95: 97},
		{set: "asd", step: time.Hour, most: 200, beat: 0.95, low80: 77, high80: 83, low95: 93, high95: 97},
		// Eighteen series that were published for their anomalies: wide bands.
		{set: "nab", step: time.Hour, most: 40, beat: 1, low80: 60, high80: 90, low95: 85, high95: 99},
	} {
		t.Run(b.set+"/"+b.step.String(), func(t *testing.T) { measure(t, b) })
	}
}

// score sums up one forecaster over a set.
type score struct{ smape, mase, in80, in95, said80, said95, n float64 }

func (s *score) add(m backtest.Measures) {
	s.smape += 100 * m.SMAPE
	s.mase += m.MASE
	if len(m.Coverage) == 2 {
		s.in80 += 100 * m.Coverage[0]
		s.in95 += 100 * m.Coverage[1]
	}
	s.n++
}

func measure(t *testing.T, b bars) {
	testdata.Dir(t, "timeseries")
	cases, err := evalset.Load(testdata.Root(), b.set, b.step)
	if err != nil {
		t.Fatal(err)
	}
	day := int(24 * time.Hour / b.step)
	var ours, daily, weekly, bench score
	most := min(b.most, len(cases))
	start := cpu(t)
	for i := range most {
		c := cases[i*len(cases)/most]
		raw := input(c)
		in, _ := clean.Replace(raw)
		h := len(c.Test)
		fit, err := ensemble.Model{Horizon: h}.Fit(in)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		f := fit.Forecast(h, modeltest.Levels)
		if err := modeltest.Check(f, in, h); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		scale := backtest.Scale(raw.Y, day)
		if scale == 0 {
			continue // nothing to compare errors with
		}
		ours.add(against(c.Test, f, scale))
		if own := fit.(*ensemble.Fitted).Report().Measures; own.Points > 0 {
			ours.said80 += 100 * own.Coverage[0]
			ours.said95 += 100 * own.Coverage[1]
		}
		for period, s := range map[time.Duration]*score{24 * time.Hour: &daily, 7 * 24 * time.Hour: &weekly} {
			if fit, err := (naive.Seasonal{Period: period}).Fit(raw); err == nil {
				s.add(against(c.Test, fit.Forecast(h, modeltest.Levels), scale))
			}
		}
		if b.owa > 0 {
			bench.add(against(c.Test, model.Forecast{Median: naive2(raw.Y, day, h)}, scale))
		}
	}
	millis := float64(cpu(t)-start) / 1e6 / float64(most)
	b.check(t, millis, ours, daily, weekly, bench)
}

func (b bars) check(t *testing.T, millis float64, ours, daily, weekly, bench score) {
	smape, mase := ours.smape/ours.n, ours.mase/ours.n
	in80, in95 := ours.in80/ours.n, ours.in95/ours.n
	said80, said95 := ours.said80/ours.n, ours.said95/ours.n
	t.Logf("%.0f series: sMAPE %.2f MASE %.3f, %.1f %% in 80 %%, %.1f %% in 95 %% (own backtests said %.1f and %.1f), %.1f CPU-ms; daily naive %.2f %.3f, weekly naive %.2f %.3f",
		ours.n, smape, mase, in80, in95, said80, said95, millis, daily.smape/daily.n, daily.mase/daily.n, weekly.smape/weekly.n, weekly.mase/weekly.n)
	relative := func(s score) float64 { return (smape/(s.smape/s.n) + mase/(s.mase/s.n)) / 2 }
	for name, s := range map[string]score{"daily": daily, "weekly": weekly} {
		if r := relative(s); r > b.beat {
			t.Errorf("%.3f of the error of the %s naive forecast, want %.2f", r, name, b.beat)
		}
	}
	if in80 < b.low80 || in80 > b.high80 || in95 < b.low95 || in95 > b.high95 {
		t.Errorf("coverage %.1f / %.1f %%, want %g-%g / %g-%g", in80, in95, b.low80, b.high80, b.low95, b.high95)
	}
	if b.most > 40 && (math.Abs(said80-in80) > 5 || math.Abs(said95-in95) > 3) {
		t.Errorf("the backtests said %.1f / %.1f %%, what came later was %.1f / %.1f %%", said80, said95, in80, in95)
	}
	if b.owa > 0 {
		owa := relative(bench)
		t.Logf("OWA %.4f", owa)
		if owa > b.owa || smape > b.smape || mase > b.ms {
			t.Errorf("OWA %.4f, sMAPE %.2f, MASE %.3f; want %g, %g, %g", owa, smape, mase, b.owa, b.smape, b.ms)
		}
	}
}

func against(actual []float64, f model.Forecast, scale float64) backtest.Measures {
	acc := backtest.NewAcc(f.Levels)
	acc.Add(actual, f.Median, f.Lower, f.Upper, scale, 0)
	return acc.Measures()
}

// input closes the gaps of a case as the product does.
func input(c evalset.Case) model.Input {
	g := clean.Grid{Y: append([]float64(nil), c.Train...), Start: c.Start, Step: c.Step}
	seen, _ := clean.Fill(&g)
	in := model.Input{Y: g.Y, Seen: seen, Start: g.Start, Step: g.Step, Lower: 0, Upper: math.NaN()}
	for _, v := range in.Y {
		if v < 0 {
			in.Lower = math.NaN()
		}
	}
	return in
}

// TestShortHistory cuts the series of the larger sets down to twelve days and asks for two
// days: intervals have to hold with little history too.
func TestShortHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	testdata.Dir(t, "timeseries")
	for _, set := range []string{"m4", "bitbrains", "smd", "asd"} {
		cases, err := evalset.Load(testdata.Root(), set, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var s score
		for _, c := range cases {
			c.Train, c.Test = c.Train[max(len(c.Train)-12*24, 0):], c.Test[:48]
			in, _ := clean.Replace(input(c))
			fit, err := ensemble.Model{Horizon: 48}.Fit(in)
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			if m := against(c.Test, fit.Forecast(48, modeltest.Levels), 1); m.Points > 0 {
				s.add(m)
			}
		}
		in80, in95 := s.in80/s.n, s.in95/s.n
		t.Logf("%s, %.0f series: %.1f %% in 80 %%, %.1f %% in 95 %%", set, s.n, in80, in95)
		if in80 < 77 || in80 > 86 || in95 < 92.5 || in95 > 98 {
			t.Errorf("%s: coverage %.1f / %.1f %%, want 77-86 / 92.5-98", set, in80, in95)
		}
	}
}

func cpu(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// TestGeneratedLoad asks for a month ahead after a month.
func TestGeneratedLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("accuracy takes long; it is measured without -short")
	}
	for _, kind := range []string{"cpu", "memory"} {
		var sum float64
		list := gen.Load(11, kind, 60, 60)
		for _, s := range list {
			in := model.Input{Y: s.Y[:720], Start: gen.Start(), Step: time.Hour, Lower: 0, Upper: 1}
			fit, err := ensemble.Model{Horizon: 720}.Fit(in)
			if err != nil {
				t.Fatal(err)
			}
			sum += against(s.Y[720:], fit.Forecast(720, modeltest.Levels), 1).MAPE / float64(len(list))
		}
		t.Logf("%s: MAPE over 30 days %.1f %%", kind, 100*sum)
		if sum >= 0.10 {
			t.Errorf("%s: MAPE over 30 days %.1f %%, want < 10", kind, 100*sum)
		}
	}
}
