package accuracy_test

import (
	"math"

	"github.com/inframind/inframind/forecaster/stat"
)

// naive2 is the M4 competition's benchmark: the last value of the series after
// multiplicative seasonal adjustment where the season of m steps is significant.
func naive2(y []float64, m, h int) []float64 {
	n := len(y)
	index := make([]float64, m)
	for i := range index {
		index[i] = 1
	}
	if seasonal(y, m) {
		index = seasonalIndex(y, m)
	}
	out := make([]float64, h)
	last := y[n-1] / index[(n-1)%m]
	for i := range out {
		out[i] = last * index[(n+i)%m]
	}
	return out
}

// seasonalIndex is that of the classical multiplicative decomposition.
func seasonalIndex(y []float64, m int) []float64 {
	sum, count := make([]float64, m), make([]float64, m)
	for i := m / 2; i < len(y)-m/2; i++ {
		ma := (y[i-m/2] + y[i+m/2]) / 2
		for k := i - m/2 + 1; k < i+m/2; k++ {
			ma += y[k]
		}
		sum[i%m] += y[i] / (ma / float64(m))
		count[i%m]++
	}
	total := 0.0
	for k := range sum {
		sum[k] /= count[k]
		total += sum[k]
	}
	for k := range sum {
		sum[k] *= float64(m) / total
	}
	return sum
}

// seasonal is the competition's test: the autocorrelation at m at the 90 % level.
func seasonal(y []float64, m int) bool {
	mean, sd := stat.Moments(y)
	acf := func(k int) float64 {
		s := 0.0
		for i := k; i < len(y); i++ {
			s += (y[i] - mean) * (y[i-k] - mean)
		}
		return s / (sd * sd * float64(len(y)))
	}
	sum := 1.0
	for k := 1; k < m; k++ {
		sum += 2 * acf(k) * acf(k)
	}
	return math.Abs(acf(m)) > 1.645*math.Sqrt(sum/float64(len(y)))
}
