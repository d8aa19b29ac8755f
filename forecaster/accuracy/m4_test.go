package accuracy_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/evalset"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/internal/testdata"
)

func cpu() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func smape(a, f []float64) float64 {
	s, n := 0.0, 0.0
	for i := range a {
		if math.IsNaN(a[i]) {
			continue
		}
		n++
		if d := math.Abs(a[i]) + math.Abs(f[i]); d > 0 {
			s += 2 * math.Abs(a[i]-f[i]) / d
		}
	}
	return s / n * 100
}

func mae(a, f []float64) float64 {
	s, n := 0.0, 0.0
	for i := range a {
		if math.IsNaN(a[i]) {
			continue
		}
		n++
		s += math.Abs(a[i] - f[i])
	}
	return s / n
}

func scale(train []float64, m int) float64 {
	d := 0.0
	for i := m; i < len(train); i++ {
		d += math.Abs(train[i] - train[i-m])
	}
	return d / float64(len(train)-m)
}

func fill(y []float64) []float64 {
	out := make([]float64, len(y))
	last := 0.0
	for _, v := range y {
		if v == v {
			last = v
			break
		}
	}
	for i, v := range y {
		if v == v {
			last = v
		}
		out[i] = last
	}
	return out
}

func TestExp(t *testing.T) {
	set := os.Getenv("SET")
	step := time.Hour
	if os.Getenv("STEP") != "" {
		step, _ = time.ParseDuration(os.Getenv("STEP"))
	}
	day := int(24 * time.Hour / step)
	cases, err := evalset.Load(testdata.Root(), set, step)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("MAX") != "" {
		var most int
		fmt.Sscan(os.Getenv("MAX"), &most)
		var some []evalset.Case
		most = min(most, len(cases))
		for i := range most {
			some = append(some, cases[i*len(cases)/most])
		}
		cases = some
	}
	var ns, nm, ws, wm float64
	N := 0.0
	for _, p := range cases {
		tr := fill(p.Train)
		sc := scale(tr, day)
		if sc == 0 {
			continue
		}
		N++
		var f []float64
		if set == "m4" {
			f = naive2(tr, 24, len(p.Test))
		} else {
			f = make([]float64, len(p.Test))
			for i := range f {
				f[i] = tr[len(tr)-day+i%day]
			}
		}
		ns += smape(p.Test, f)
		nm += mae(p.Test, f) / sc
		if len(tr) >= 7*day {
			for i := range f {
				f[i] = tr[len(tr)-7*day+i%(7*day)]
			}
			ws += smape(p.Test, f)
			wm += mae(p.Test, f) / sc
		}
	}
	fmt.Printf("%s: %d series; naive %.3f %.3f weekly %.3f %.3f\n", set, len(cases), ns/N, nm/N, ws/N, wm/N)
	levels := []float64{.8, .95}
	for range 1 {
		t0 := cpu()
		var s, m float64
		var cov [2]float64
		var score [2]float64
		var own [4]float64
		var byday [30][3]float64
		for _, p := range cases {
			tr := fill(p.Train)
			sc := scale(tr, day)
			if sc == 0 {
				continue
			}
			in := model.Input{Y: tr, Start: p.Start, Step: step, Lower: math.NaN(), Upper: math.NaN()}
			if minOf(tr) >= 0 {
				in.Lower = 0
			}
			fit, err := ensemble.Model{Horizon: len(p.Test)}.Fit(in)
			if err != nil {
				t.Fatal(err)
			}
			f := fit.Forecast(len(p.Test), levels)
			if err := modeltest.Check(f, in, len(p.Test)); err != nil {
				t.Fatal(p.Name, err)
			}
			if e, ok := fit.(*ensemble.Fitted); ok {
				ms := e.Report().Measures
				if ms.Points > 0 {
					own[0] += ms.Coverage[0]
					own[1] += ms.Coverage[1]
					own[2]++
					own[3] += ms.SMAPE
				}
			}
			s += smape(p.Test, f.Median)
			m += mae(p.Test, f.Median) / sc
			if strings.Contains(os.Getenv("VERB"), "v") {
				nf := make([]float64, len(p.Test))
				for i := range nf {
					nf[i] = tr[len(tr)-day+i%day]
				}
				fmt.Printf("%s %d %.2f %.3f naive %.2f %.3f\n", p.Name, len(tr), smape(p.Test, f.Median), mae(p.Test, f.Median)/sc, smape(p.Test, nf), mae(p.Test, nf)/sc)
			}
			for l := range levels {
				c, n := 0.0, 0.0
				for i, a := range p.Test {
					if math.IsNaN(a) {
						continue
					}
					n++
					lo, hi := f.Lower[l][i], f.Upper[l][i]
					tol := 1e-9 * (math.Abs(lo) + math.Abs(hi))
					if a >= lo-tol && a <= hi+tol {
						c++
						byday[i/day][l]++
					}
					if l == 0 {
						byday[i/day][2]++
					}
					score[l] += (hi - lo + 2/(1-levels[l])*(math.Max(0, lo-a)+math.Max(0, a-hi))) / sc / float64(len(p.Test))
				}
				cov[l] += c / n
			}
		}
		for d := range byday {
			if byday[d][2] > 0 {
				fmt.Printf("d%d %.0f/%.0f ", d, 100*byday[d][0]/byday[d][2], 100*byday[d][1]/byday[d][2])
			}
		}
		fmt.Printf("own %.1f %.1f sMAPE %.1f ", 100*own[0]/own[2], 100*own[1]/own[2], 100*own[3]/own[2])
		fmt.Printf("sMAPE %.3f MASE %.4f rel %.4f cov80 %.1f cov95 %.1f IS80 %.2f IS95 %.2f cpu/series %.2fms\n", s/N, m/N, (s/ns+m/nm)/2, 100*cov[0]/N, 100*cov[1]/N, score[0]/N, score[1]/N, float64(cpu()-t0)/N/1e6)
	}
}

func minOf(y []float64) float64 {
	m := y[0]
	for _, v := range y {
		m = min(m, v)
	}
	return m
}

// naive2 is the M4 competition's benchmark: the last value of the series after
// multiplicative seasonal adjustment where the season is significant.
func naive2(y []float64, m, h int) []float64 {
	n := len(y)
	si := make([]float64, m)
	for i := range si {
		si[i] = 1
	}
	if seasonal(y, m) {
		sums, cnt := make([]float64, m), make([]float64, m)
		for i := m / 2; i < n-m/2; i++ {
			ma := (y[i-m/2] + y[i+m/2]) / 2
			for k := i - m/2 + 1; k < i+m/2; k++ {
				ma += y[k]
			}
			ma /= float64(m)
			sums[i%m] += y[i] / ma
			cnt[i%m]++
		}
		tot := 0.0
		for k := range si {
			si[k] = sums[k] / cnt[k]
			tot += si[k]
		}
		for k := range si {
			si[k] *= float64(m) / tot
		}
	}
	out := make([]float64, h)
	last := y[n-1] / si[(n-1)%m]
	for i := range out {
		out[i] = last * si[(n+i)%m]
	}
	return out
}

func seasonal(y []float64, m int) bool {
	n := len(y)
	mean := 0.0
	for _, v := range y {
		mean += v
	}
	mean /= float64(n)
	den := 0.0
	for _, v := range y {
		den += (v - mean) * (v - mean)
	}
	acf := func(k int) float64 {
		s := 0.0
		for i := k; i < n; i++ {
			s += (y[i] - mean) * (y[i-k] - mean)
		}
		return s / den
	}
	sum := 1.0
	for k := 1; k < m; k++ {
		sum += 2 * acf(k) * acf(k)
	}
	return math.Abs(acf(m)) > 1.645/math.Sqrt(float64(n))*math.Sqrt(sum)
}
