package isoforest

import (
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// cpu is the processor time this process has used: on a busy machine the clock on the
// wall says little.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

func gaussian(rows, cols int) Data {
	rng := rand.New(rand.NewPCG(1, 1))
	d := Data{Columns: cols, Values: make([]float32, rows*cols)}
	for i := range d.Values {
		d.Values[i] = float32(rng.NormFloat64())
	}
	return d
}

// BenchmarkFit is one core: 100 trees of 256 rows out of 100,000 rows of 20 columns.
func BenchmarkFit(b *testing.B) {
	d := gaussian(100_000, 20)
	for _, tc := range []struct {
		name string
		o    Options
	}{{"standard", Options{Workers: 1}}, {"blend", Options{Scoring: Blend, Workers: 1}}, {"default", Options{Scoring: Mixed, Workers: 1}}, {"oblique", Options{SplitFeatures: 2, Workers: 1}}} {
		b.Run(tc.name, func(b *testing.B) {
			start := cpu(b)
			for b.Loop() {
				if _, err := Fit(d, tc.o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-start)/float64(b.N)/1e6, "cpu-ms/fit")
		})
	}
}

// BenchmarkScore reports nanoseconds a row.
func BenchmarkScore(b *testing.B) {
	d := gaussian(100_000, 20)
	for _, tc := range []struct {
		name string
		o    Options
	}{{"standard/1", Options{Workers: 1}}, {"blend/1", Options{Scoring: Blend, Workers: 1}}, {"default/1", Options{Scoring: Mixed, Workers: 1}}, {"oblique/1", Options{SplitFeatures: 2, Workers: 1}}} {
		b.Run(tc.name, func(b *testing.B) {
			f, err := Fit(d, tc.o)
			if err != nil {
				b.Fatal(err)
			}
			var scores []float64
			start := cpu(b)
			for b.Loop() {
				if scores, err = f.Score(scores[:0], d); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-start)/float64(b.N)/float64(d.Rows()), "cpu-ns/row")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(d.Rows()), "ns/row")
		})
	}
}

// BenchmarkScaling scores with one worker and with two, by turns, and reports how many
// times faster two are, by the best time of each: others use the machine too. Run it with
// -cpu 2.
func BenchmarkScaling(b *testing.B) {
	d := gaussian(100_000, 20)
	for _, tc := range []struct {
		name string
		o    Options
	}{{"standard", Options{}}, {"default", Default()}} {
		b.Run(tc.name, func(b *testing.B) {
			f, err := Fit(d, tc.o)
			if err != nil {
				b.Fatal(err)
			}
			var scores []float64
			best := [3]time.Duration{1: math.MaxInt64, 2: math.MaxInt64}
			for b.Loop() {
				for workers := 1; workers <= 2; workers++ {
					f.opts.Workers = workers
					start := time.Now()
					if scores, err = f.Score(scores[:0], d); err != nil {
						b.Fatal(err)
					}
					best[workers] = min(best[workers], time.Since(start))
				}
			}
			b.ReportMetric(float64(best[1])/float64(best[2]), "times-faster")
		})
	}
}
