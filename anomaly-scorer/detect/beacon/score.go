package beacon

import (
	"math"
	"slices"

	"github.com/inframind/inframind/anomaly-scorer/measure"
)

// Score is a beacon's total and its parts, all in [0,1].
type Score struct {
	Timing, Size, Histogram, Coverage, Total float64
	Interval, MAD                            float64 // seconds
}

// Measure scores times (in tenths of a second, ascending or nearly so) and sizes.
func Measure(times, sizes []int64) Score {
	times = slices.Sorted(slices.Values(times))
	gaps := make([]float64, 0, len(times))
	for i := 1; i < len(times); i++ {
		if g := float64(times[i]-times[i-1]) / 10; g > 0 {
			gaps = append(gaps, g)
		}
	}
	var s Score
	if len(gaps) < len(times)/2 {
		return s // several at once: bursts
	}
	s.Timing, s.Interval, s.MAD = regularity(gaps)
	s.Size = 1
	if len(sizes) > 0 {
		v := make([]float64, len(sizes))
		for i, n := range sizes {
			v[i] = float64(n)
		}
		s.Size, _, _ = regularity(v)
	}
	s.Histogram, s.Coverage = histogram(times)
	s.Total = .4*s.Timing + .2*s.Size + .2*s.Histogram + .2*s.Coverage
	return s
}

// Few values are lopsided by chance: their skewness says something only where they scatter
// meaningfully.
const (
	few        = 12
	meaningful = 0.15
)

// regularity is 1 when the values are all alike: half symmetry (Bowley's skewness of the
// quartiles), half narrowness (median absolute deviation over the median).
func regularity(v []float64) (score, median, mad float64) {
	v = slices.Sorted(slices.Values(v))
	q1, q2, q3 := measure.Quantile(v, .25), measure.Quantile(v, .5), measure.Quantile(v, .75)
	skew := 0.0
	if q3 > q1 && q2 != q1 && q2 != q3 {
		skew = math.Abs((q3 + q1 - 2*q2) / (q3 - q1))
	}
	dev := make([]float64, len(v))
	for i, x := range v {
		dev[i] = math.Abs(x - q2)
	}
	slices.Sort(dev)
	mad = measure.Quantile(dev, .5)
	narrow := max(0, 1-mad/max(q2, 1e-9))
	if len(v) < few {
		skew *= min(1, (1-narrow)/meaningful)
	}
	return (1 - skew + narrow) / 2, q2, mad
}

// histogram tells how even the slices of the observed span are filled (1 minus the
// coefficient of variation) and how much of it is covered. A slice is an hour, less for a
// short span, more for few calls.
func histogram(times []int64) (even, coverage float64) {
	span := times[len(times)-1] - times[0]
	if span <= 0 {
		return 0, 0
	}
	n := int(min(max(span/36000, 6), 24, int64(max(len(times)/2, 6))))
	counts := make([]float64, n)
	for _, t := range times {
		counts[min(int((t-times[0])*int64(n)/span), n-1)]++
	}
	var sum, sq, filled float64
	for _, c := range counts {
		sum += c
		sq += c * c
		if c > 0 {
			filled++
		}
	}
	mean := sum / float64(n)
	cv := math.Sqrt(max(0, sq/float64(n)-mean*mean)) / mean
	return max(0, 1-cv), filled / float64(n)
}
