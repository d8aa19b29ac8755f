package clean

import (
	"math"

	"github.com/inframind/inframind/forecaster/stat"
)

// Shift is the last lasting change of level: what lies before index At is lower by Size.
type Shift struct {
	At   int
	Size float64
}

const (
	shiftFactor = 5 // standard deviations the level has to move by
	shiftClip   = 4 // robust deviations beyond which a point does not count more
)

// FindShift looks for a change of level in a, a series without its seasonal pattern that
// has mean 0 and standard deviation 1, at least a day before its end. Up to a week on
// either side is compared.
func FindShift(a []float64, day int) (Shift, bool) {
	n := len(a)
	if n < 4*day || day < 2 {
		return Shift{}, false
	}
	s1, s2 := make([]float64, n+1), make([]float64, n+1)
	for i, v := range a {
		v = min(max(v, -shiftClip), shiftClip)
		s1[i+1], s2[i+1] = s1[i]+v, s2[i]+v*v
	}
	moments := func(i, j int) (mean, variance float64) {
		c := float64(j - i)
		mean = (s1[j] - s1[i]) / c
		return mean, max((s2[j]-s2[i])/c-mean*mean, 0)
	}
	best, at := 0.0, 0
	for k := 2 * day; k <= n-day; k++ {
		before, bv := moments(max(k-7*day, 0), k)
		after, av := moments(k, min(k+7*day, n))
		if score := math.Abs(after-before) / (math.Sqrt((av+bv)/2) + 1e-3); score > best {
			best, at = score, k
		}
	}
	if best < shiftFactor {
		return Shift{}, false
	}
	size := stat.Median(a[at:min(at+7*day, n)]) - stat.Median(a[max(at-7*day, 0):at])
	return Shift{At: at, Size: size}, true
}
