package ensemble

import (
	"math"
	"time"

	"github.com/inframind/inframind/forecaster/stat"
)

// slotPrior is how many occurrences the event's mean counts for at a single step.
const slotPrior = 2

// learnEvents estimates the effects of the input's events and takes them out of f.z and
// f.y, so that no model takes a holiday for a pattern.
func (f *Fitted) learnEvents() {
	f.effects = map[string][]float64{}
	for _, e := range f.in.Events {
		if _, done := f.effects[e.Name]; !done {
			f.effects[e.Name] = f.estimate(e.Name)
		}
	}
	f.events = f.eventCurve(len(f.z))
	for i, v := range f.events {
		if v != 0 {
			f.z[i] -= v
			f.y[i] = f.space.Out(f.z[i])
		}
	}
}

// eventCurve is the sum of the effects at the first n steps of the grid, which may go past
// its end.
func (f *Fitted) eventCurve(n int) []float64 {
	out := make([]float64, n)
	for _, e := range f.in.Events {
		by := f.effects[e.Name]
		at, to := f.span(e.From, e.To)
		for i := max(at, 0); i < min(to, n) && len(by) > 0; i++ {
			out[i] += by[min(i-at, len(by)-1)]
		}
	}
	return out
}

// span is a period in steps of the grid.
func (f *Fitted) span(from, to time.Time) (int, int) {
	start := f.in.Start.Add(time.Duration(f.phase) * f.in.Step)
	step := f.in.Step * time.Duration(f.per)
	return int(math.Ceil(float64(from.Sub(start)) / float64(step))), int(math.Ceil(float64(to.Sub(start)) / float64(step)))
}

// estimate compares the occurrences of one event with the days around them: the mean over
// all, corrected at each step by what came there, and drawn to 0 as far as it may be
// chance. nil: it never came.
func (f *Fitted) estimate(name string) []float64 {
	var sum, count []float64
	var means []float64
	for _, e := range f.in.Events {
		at, to := f.span(e.From, e.To)
		at, to = max(at, 0), min(to, len(f.z))
		if e.Name != name || at >= to {
			continue
		}
		around := append([]float64(nil), f.final.A[max(at-f.day, 0):at]...)
		around = append(around, f.final.A[to:min(to+f.day, len(f.z))]...)
		if len(around) == 0 {
			continue
		}
		base, mean := stat.MedianInPlace(around), 0.0
		for i := at; i < to; i++ {
			if i-at == len(sum) {
				sum, count = append(sum, 0), append(count, 0)
			}
			d := f.final.SD * (f.final.A[i] - base)
			sum[i-at] += d
			count[i-at]++
			mean += d / float64(to-at)
		}
		means = append(means, mean)
	}
	if len(means) == 0 {
		return nil
	}
	mean, _ := stat.Moments(means)
	chance := f.final.SD / math.Sqrt(float64(len(means)))
	shrink := max(0, 1-chance*chance/(mean*mean+chance*chance*1e-9))
	for k := range sum {
		sum[k] = shrink * (mean + (sum[k]-count[k]*mean)/(count[k]+slotPrior))
	}
	return sum
}
