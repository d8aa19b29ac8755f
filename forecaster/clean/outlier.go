package clean

import (
	"math"
	"slices"

	"github.com/inframind/inframind/forecaster/stat"
)

const (
	outlierSpan   = 8    // of these in a day is how far a point's neighbourhood reaches to either side
	outlierFactor = 6    // robust deviations from the neighbourhood that make an outlier
	outlierRare   = 0.01 // share of points that may be that far away: more are the series' nature
	outlierLead   = 3    // times further away than all but the rare points
	outlierTwice  = 2    // times further away than the same hour of any other day
)

// Outliers replaces in place the points of y that nothing around them, no other day and
// nothing else in the series explains, and returns what they were. Peaks that come daily
// or weekly, that come often, or that last over three hours, are no outliers, and the
// last three hours are left alone: what is new may stay.
func Outliers(y []float64, day int) map[int]float64 {
	w := max(day/outlierSpan, 2)
	n := len(y)
	if day < 2 || n < max(3*day, 4*w) {
		return nil
	}
	base := runningMedian(y, w)
	dev, size := make([]float64, n), make([]float64, n)
	for i, v := range y {
		dev[i] = v - base[i]
		size[i] = math.Abs(dev[i])
	}
	order := slices.Clone(size)
	slices.Sort(order)
	const madToSD = 1.4826
	limit := max(outlierFactor*madToSD*order[n/2], outlierLead*order[int(float64(n)*(1-outlierRare))])
	if order[n-1] <= limit {
		return nil
	}
	out := map[int]float64{}
	for i := w; i < n-w; i++ {
		if size[i] <= limit {
			continue
		}
		if usual, most := others(dev, i, day, w); size[i] > outlierTwice*most {
			out[i] = y[i]
			y[i] = base[i] + usual
		}
	}
	return out
}

// others looks at the same hour of the other days: the median deviation from their
// neighbourhoods at the very time of point i, and the largest within a third of w of it.
func others(dev []float64, i, day, w int) (usual, most float64) {
	var same []float64
	for k := i % day; k < len(dev); k += day {
		if k == i {
			continue
		}
		same = append(same, dev[k])
		for j := max(k-w/3, 0); j <= min(k+w/3, len(dev)-1); j++ {
			if dev[j]*dev[i] > 0 {
				most = max(most, math.Abs(dev[j]))
			}
		}
	}
	return stat.MedianInPlace(same), most
}

// runningMedian is the median of up to w points on either side of each.
func runningMedian(y []float64, w int) []float64 {
	out := make([]float64, len(y))
	win := make([]float64, 0, 2*w+1)
	for i := -w; i < len(y); i++ {
		if in := i + w; in < len(y) {
			at, _ := slices.BinarySearch(win, y[in])
			win = slices.Insert(win, at, y[in])
		}
		if old := i - w - 1; old >= 0 {
			at, _ := slices.BinarySearch(win, y[old])
			win = slices.Delete(win, at, at+1)
		}
		if i >= 0 {
			out[i] = win[len(win)/2]
		}
	}
	return out
}
