package ensemble

import (
	"math"
	"slices"
	"strconv"

	"github.com/inframind/inframind/forecaster/stat"
)

// residual is the error of one validated step, in the space of the models.
type residual struct {
	h int     // coarse steps ahead
	u float64 // actual - forecast
}

// Spread is the calibrated distribution of errors by horizon. It is part of what is kept
// of a training.
type Spread struct {
	Scale   Rounded `json:"scale"`   // mean error by step, up to the longest validated
	Std     Rounded `json:"std"`     // sorted errors in units of Scale
	Origins int     `json:"origins"` // of the backtest
	Grow    float64 `json:"grow"`    // added per day past Scale, in squared units of it
	Day     int     `json:"day"`
	Regular bool    `json:"regular,omitempty"` // bursts that come at known times
}

// Rounded is a list of numbers that is kept with five digits: states of thousands of
// series are saved every hour.
type Rounded []float64

// MarshalJSON writes five significant digits a number.
func (r Rounded) MarshalJSON() ([]byte, error) {
	out := append(make([]byte, 0, 9*len(r)+2), '[')
	for i, v := range r {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, v, 'g', 5, 64)
	}
	return append(out, ']'), nil
}

const (
	shapePrior = 6   // observations that the day's shape counts for at a single step
	keepStd    = 201 // quantiles kept of the standardised errors
)

// calibrate estimates the scale of the errors at every step up to the longest in res, and
// the distribution of errors in units of it. steps is how many coarse steps res is from:
// the points within a step err together and count as one.
func calibrate(res []residual, day, origins, steps int) Spread {
	s := Spread{Day: day, Origins: origins}
	maxH := 0
	for _, r := range res {
		maxH = max(maxH, r.h+1)
	}
	sum, cnt := make([]float64, maxH), make([]float64, maxH)
	for _, r := range res {
		sum[r.h] += math.Abs(r.u)
		cnt[r.h]++
	}
	for h := range sum {
		sum[h] *= float64(steps) / float64(len(res))
		cnt[h] *= float64(steps) / float64(len(res))
	}
	s.Scale = scales(sum, cnt, day)
	s.Std = make([]float64, 0, len(res))
	for _, r := range res {
		s.Std = append(s.Std, s.unit(r))
	}
	slices.Sort(s.Std)
	return s
}

// walk is the most the variance can be believed to gain a day past the longest validated
// horizon: twice what it gained up to there, as if the errors were a random walk.
func (s Spread) walk() float64 {
	days := len(s.Scale) / s.Day
	if days == 0 {
		return math.Inf(1)
	}
	last := stat.Median(s.Scale[(days-1)*s.Day : days*s.Day])
	return 2 * last * last / float64(days)
}

func (s Spread) unit(r residual) float64 {
	if sc := s.Scale[r.h]; sc > 0 {
		return r.u / sc
	}
	return 0
}

// scales smooths the mean error by step: a growth by day times a shape by time of day,
// corrected by what was seen at the step and its neighbours.
func scales(sum, cnt []float64, day int) []float64 {
	maxH := len(sum)
	days := (maxH + day - 1) / day
	g, gn := make([]float64, days), make([]float64, days)
	for h := range sum {
		g[h/day] += sum[h]
		gn[h/day] += cnt[h]
	}
	for d := range g {
		g[d] /= max(gn[d], 1)
	}
	growth(g, gn)
	shape, sn := make([]float64, day), make([]float64, day)
	for h := range sum {
		if g[h/day] > 0 {
			shape[h%day] += sum[h] / g[h/day]
			sn[h%day] += cnt[h]
		}
	}
	for k := range shape {
		shape[k] = (shape[k] + shapePrior) / (sn[k] + shapePrior)
	}
	out := make([]float64, maxH)
	for h := range out {
		a, c := 0.0, 0.0
		for k := max(h-1, 0); k <= min(h+1, maxH-1); k++ {
			a, c = a+sum[k], c+cnt[k]
		}
		w := cnt[h] / cnt[0] // what few origins saw at a step is chance
		out[h] = (w*a + shapePrior*g[h/day]*shape[h%day]) / (w*c + shapePrior)
	}
	return out
}

// growth smooths the mean error by day ahead, as few origins reach the later days: it
// moves g towards the line g^2 = c0 + c1 d, c1 >= 0, fitted with the counts n as weights.
func growth(g, n []float64) {
	var sw, sd, sg, sdd, sdg float64
	for d := range g {
		w, x, y := n[d], float64(d), g[d]*g[d]
		sw, sd, sg, sdd, sdg = sw+w, sd+w*x, sg+w*y, sdd+w*x*x, sdg+w*x*y
	}
	if sw == 0 {
		return
	}
	c1 := 0.0
	if den := sw*sdd - sd*sd; den > 0 {
		c1 = max((sw*sdg-sd*sg)/den, 0)
	}
	c0 := max((sg-c1*sd)/sw, 0)
	for d := range g {
		w := n[d] / (n[d] + n[0])
		g[d] = w*g[d] + (1-w)*math.Sqrt(c0+c1*float64(d))
	}
	rise(g, n)
}

// rise is the isotonic regression of g with weights n: what is farther ahead is no surer.
func rise(g, n []float64) {
	type block struct {
		mean, weight float64
		size         int
	}
	var list []block
	for d := range g {
		b := block{g[d], n[d], 1}
		for len(list) > 0 && list[len(list)-1].mean > b.mean {
			last := list[len(list)-1]
			list = list[:len(list)-1]
			w := last.weight + b.weight
			b = block{(last.mean*last.weight + b.mean*b.weight) / max(w, math.SmallestNonzeroFloat64), w, last.size + b.size}
		}
		list = append(list, b)
	}
	d := 0
	for _, b := range list {
		for range b.size {
			g[d] = b.mean
			d++
		}
	}
}

// compact keeps the distribution's quantiles instead of all its values.
func (s *Spread) compact() {
	if len(s.Std) <= keepStd {
		return
	}
	out := make([]float64, keepStd)
	for i := range out {
		out[i] = s.Std[i*(len(s.Std)-1)/(keepStd-1)]
	}
	s.Std = out
}

// Errors repeat from origin to origin and the future repeats none of them: the quantiles
// of a backtest are too near. These few numbers are the same for every series; they were
// found on the open half of public sets, and docs/forecaster.md has the coverage they give.
const (
	widen80, widen95 = 0.12, 0.27 // at ten origins
	fade80, fade95   = 0.06, 0.13 // per day ahead
	minOrigins       = 3
)

// widen is the factor on the bounds of a central level at step h.
func (s Spread) widen(level float64, h int) float64 {
	d := h / s.Day
	at := func(a, b float64) float64 { return max(a+(b-a)*(level-0.80)/0.15, 0) }
	left := max(float64(s.Origins-d), minOrigins)
	return 1 + at(widen80, widen95)*10/left + at(fade80, fade95)*float64(min(d, 10))
}

// bound is the error at probability p of step h for the given level.
func (s Spread) bound(h int, p, level float64) float64 {
	return quantile(s.Std, p) * s.scale(h) * s.widen(level, h)
}

// tail is the probability that the error of step h exceeds u.
func (s Spread) tail(h int, u float64) float64 {
	n := len(s.Std)
	sc := s.scale(h) * s.widen(0.80, h)
	if n == 0 || sc == 0 {
		if u < 0 {
			return 1
		}
		return 0
	}
	above := n - sortedBefore(s.Std, u/sc)
	return (float64(above) + 0.5) / float64(n+1)
}

func sortedBefore(v []float64, x float64) int {
	i, _ := slices.BinarySearch(v, x)
	return i
}

// quantile of sorted values as in conformal prediction: the next value is one of n+1.
func quantile(v []float64, p float64) float64 {
	n := len(v)
	if n == 0 {
		return 0
	}
	at := p*float64(n+1) - 1
	i := int(math.Floor(at))
	switch {
	case i < 0:
		return v[0]
	case i+1 >= n:
		return v[n-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// scale continues past the validated horizon with the last full day and the variance that
// the level gains each day.
func (s Spread) scale(h int) float64 {
	n := len(s.Scale)
	switch {
	case n == 0:
		return 0
	case h < n:
		return s.Scale[h]
	case n < s.Day:
		return s.Scale[n-1]
	}
	full := n / s.Day * s.Day
	base := s.Scale[full-s.Day+h%s.Day]
	return math.Sqrt(base*base + s.Grow*float64(h-n+1)/float64(s.Day))
}
