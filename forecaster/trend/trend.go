// Package trend finds the lasting slope of a series under its jumps, bends and clean-ups:
// the part of a forecast that decides when a disk is full.
package trend

import (
	"math"

	"github.com/inframind/inframind/forecaster/profilear"
	"github.com/inframind/inframind/forecaster/stat"
)

// Line is the trend at the end of a series. Times are in days before its end.
type Line struct {
	Slope  float64 // per day, since the last bend, without jumps
	T      float64 // Slope over its standard error
	Since  float64 // days ago of the last bend; the length of the series if there is none
	Drops  []Jump  // sudden falls, oldest first
	Rises  []Jump  // sudden rises, oldest first
	Period float64 // days between regular clean-ups, 0 when they are not regular
	Drop   float64 // size of a regular clean-up, > 0
	Noise  float64 // of one day's change
}

// Jump is a change of level from one day to the next.
type Jump struct {
	Ago  float64 // days
	Size float64 // negative for drops
}

const (
	minDays     = 5
	minBend     = 5    // days on either side of a bend
	jumpFactor  = 5    // robust deviations of the daily changes that make a jump
	minRegular  = 3    // clean-ups that make a rule
	maxVariance = 0.15 // of the gaps between them, relative
)

// Find needs five days; ok is false for less.
func Find(y []float64, day int) (l Line, ok bool) {
	m := stat.Blocks(y, day)
	n := len(m)
	if n < minDays {
		return Line{}, false
	}
	d := make([]float64, n-1)
	for i := range d {
		d[i] = m[i+1] - m[i]
	}
	med, mad := stat.MedianMAD(d)
	lo, hi := m[0], m[0]
	for _, v := range m {
		lo, hi = min(lo, v), max(hi, v)
	}
	limit := max(jumpFactor*mad, math.Abs(med), 0.01*(hi-lo))
	path := make([]float64, n)
	for i, v := range d {
		step := v
		if hi > lo && isolated(d, i, med, limit) {
			j := Jump{Ago: float64(n - 1 - i), Size: v - med}
			if v < med {
				l.Drops = append(l.Drops, j)
			} else {
				l.Rises = append(l.Rises, j)
			}
			step = med
		}
		path[i+1] = path[i] + step
	}
	l.bend(path)
	l.Noise = mad
	l.regular()
	return l, true
}

// maxRun is how many days in a row one jump may take; more of them are a new slope.
const maxRun = 2

// isolated tells whether the change of day i is a jump: further than limit from med, and
// not one of many in a row.
func isolated(d []float64, i int, med, limit float64) bool {
	out := func(k int) bool {
		return k >= 0 && k < len(d) && math.Abs(d[k]-med) > limit && (d[k] > med) == (d[i] > med)
	}
	if !out(i) {
		return false
	}
	run := 1
	for k := i - 1; out(k); k-- {
		run++
	}
	for k := i + 1; out(k); k++ {
		run++
	}
	return run <= maxRun
}

// bend fits one line, or two that meet where the Bayesian information criterion wants
// them to.
func (l *Line) bend(path []float64) {
	n := len(path)
	slope, se, rss := lineFit(path)
	l.Slope, l.Since = slope, float64(n)
	best := rss
	for k := minBend; k <= n-minBend; k++ {
		r, after := kinkFit(path, k)
		if r < best {
			best, slope, l.Since = r, after, float64(n-k)
		}
	}
	gain := float64(n) * math.Log((rss+1e-300)/(best+1e-300))
	if gain > 4*math.Log(float64(n)) {
		l.Slope = slope
		_, se, _ = lineFit(path[n-int(l.Since):])
	} else {
		l.Since = float64(n)
	}
	switch {
	case se > 0:
		l.T = l.Slope / se
	case l.Slope != 0:
		l.T = math.Copysign(1e6, l.Slope)
	}
}

// lineFit is least squares; se allows for the correlation of neighbouring residuals.
func lineFit(v []float64) (slope, se, rss float64) {
	n := float64(len(v))
	mid := (n - 1) / 2
	mean, _ := stat.Moments(v)
	var xy, xx float64
	for i, y := range v {
		x := float64(i) - mid
		xy += x * (y - mean)
		xx += x * x
	}
	slope = xy / xx
	var cross, prev float64
	for i, y := range v {
		e := y - mean - slope*(float64(i)-mid)
		rss += e * e
		if i > 0 {
			cross += e * prev
		}
		prev = e
	}
	rho := 0.0
	if rss > 0 {
		rho = min(max(cross/rss, 0), 0.8)
	}
	return slope, math.Sqrt(rss / max(n-2, 1) / xx * (1 + rho) / (1 - rho)), rss
}

// kinkFit fits a continuous line with a bend at k and returns the slope after it.
func kinkFit(v []float64, k int) (rss, after float64) {
	// Regressors: 1, x, max(0, x-k), solved by the 3x3 normal equations.
	var s [3][4]float64
	for i, y := range v {
		x := [3]float64{1, float64(i), math.Max(0, float64(i-k))}
		for a := range 3 {
			for b := range 3 {
				s[a][b] += x[a] * x[b]
			}
			s[a][3] += x[a] * y
		}
	}
	for p := range 3 {
		if s[p][p] <= 1e-12 {
			return math.Inf(1), 0
		}
		for r := p + 1; r < 3; r++ {
			f := s[r][p] / s[p][p]
			for c := p; c < 4; c++ {
				s[r][c] -= f * s[p][c]
			}
		}
	}
	var w [3]float64
	for p := 2; p >= 0; p-- {
		w[p] = s[p][3]
		for c := p + 1; c < 3; c++ {
			w[p] -= s[p][c] * w[c]
		}
		w[p] /= s[p][p]
	}
	for i, y := range v {
		e := y - w[0] - w[1]*float64(i) - w[2]*math.Max(0, float64(i-k))
		rss += e * e
	}
	return rss, w[1] + w[2]
}

// regular finds clean-ups that come at even intervals.
func (l *Line) regular() {
	n := len(l.Drops)
	if n < minRegular {
		return
	}
	gaps, sizes := make([]float64, n-1), make([]float64, n)
	for i, j := range l.Drops {
		sizes[i] = -j.Size
		if i > 0 {
			gaps[i-1] = l.Drops[i-1].Ago - j.Ago
		}
	}
	mean, sd := stat.Moments(gaps)
	if mean > 0 && sd <= maxVariance*mean {
		l.Period, l.Drop = mean, stat.Median(sizes)
	}
}

// Net is the lasting change per day: the slope less what clean-ups take away.
func (l Line) Net() float64 {
	if l.Period > 0 {
		return l.Slope - l.Drop/l.Period
	}
	return l.Slope
}

// At is the change from now to the given days ahead, with clean-ups at their times.
func (l Line) At(days float64) float64 {
	v := l.Slope * days
	if l.Period > 0 && len(l.Drops) > 0 {
		next := l.Period - l.Drops[len(l.Drops)-1].Ago
		if next < 0 {
			next = 0 // it is overdue
		}
		if days >= next {
			v -= l.Drop * (1 + math.Floor((days-next)/l.Period))
		}
	}
	return v
}

// Of finds the trend of an origin without its profile: the days of a week are no bends.
func Of(o *profilear.Origin) (Line, bool) {
	y := make([]float64, len(o.A))
	for i, a := range o.A {
		y[i] = o.Space.Out(a*o.SD + o.Mean)
	}
	return Find(y, o.Day)
}

// Extend forecasts an origin: its level of the last hours, its profile, its trend.
func Extend(o *profilear.Origin, out []float64) bool {
	l, ok := Of(o)
	if !ok {
		return false
	}
	n := len(o.A)
	quarter := max(o.Day/4, 1)
	base := o.Space.Out(stat.Median(o.A[n-quarter:])*o.SD + o.Mean)
	half := float64(quarter-1) / 2
	for h := range out {
		v := base + l.At((float64(h)+1+half)/float64(o.Day))
		out[h] = o.Space.In(v) + o.Prof.At(n+h)
	}
	return true
}
