// Package profile estimates the repeating daily and weekly shape of a series and takes it
// away, so that models of what is left need no seasonal terms of their own.
package profile

import "math"

// Profile is the shape of one series whose day has Day steps. Slot k of Season belongs to
// the points with index k modulo the week. Its mean is 0.
type Profile struct {
	Day    int
	Season []float64 // one week
	Daily  []float64 // the part that repeats every day
}

// Week is the length of the season in steps.
func (p *Profile) Week() int { return len(p.Season) }

// At is the shape at point i of the series it was fitted to, or after its end.
func (p *Profile) At(i int) float64 { return p.Season[i%len(p.Season)] }

// Fit estimates the shape of z. With under two days there is none; with under two weeks
// only the daily part is kept.
func Fit(z []float64, day int) *Profile {
	week := 7 * day
	p := &Profile{Day: day, Season: make([]float64, week), Daily: make([]float64, day)}
	n := len(z)
	if day < 2 || n < 2*day {
		return p
	}
	window := day
	if n >= 2*week {
		window = week
	}
	rest := make([]float64, n)
	trend := make([]float64, n)
	Average(z, window, trend)
	p.estimate(z, trend, rest)
	// The first trend still has the shape's leak at the ends; a second one from the
	// adjusted series is sharper.
	for i, v := range z {
		rest[i] = v - p.At(i)
	}
	Average(rest, day, trend)
	p.estimate(z, trend, rest)
	return p
}

func (p *Profile) estimate(z, trend, rest []float64) {
	week := len(p.Season)
	for i, v := range z {
		rest[i] = v - trend[i]
	}
	slotMeans(rest, p.Daily)
	for k := range p.Season {
		p.Season[k] = 0
	}
	if len(z) >= 2*week {
		for i := range rest {
			rest[i] -= p.Daily[i%p.Day]
		}
		shrunkMeans(rest, p.Season)
	}
	sum := 0.0
	for k := range p.Season {
		p.Season[k] += p.Daily[k%p.Day]
		sum += p.Season[k]
	}
	mean := sum / float64(week)
	for k := range p.Season {
		p.Season[k] -= mean
	}
}

// slotMeans sets out[k] to the mean of v[k], v[k+m], ...
func slotMeans(v, out []float64) {
	m := len(out)
	for k := range out {
		s, c := 0.0, 0.0
		for i := k; i < len(v); i += m {
			s += v[i]
			c++
		}
		out[k] = s / c
	}
}

// shrunkMeans is slotMeans shrunk towards 0 by how much of the slots' spread is noise.
func shrunkMeans(v, out []float64) {
	m := len(out)
	slotMeans(v, out)
	var within, between float64
	for k := range out {
		for i := k; i < len(v); i += m {
			d := v[i] - out[k]
			within += d * d
		}
		between += out[k] * out[k]
	}
	count := float64(len(v)) / float64(m)
	nu := within / math.Max(float64(len(v)-m), 1)
	tau := math.Max(0, between/float64(m)-nu/count)
	shrink := 0.0
	if tau > 0 {
		shrink = tau / (tau + nu/count)
	}
	for k := range out {
		out[k] *= shrink
	}
}

// Average is the centred moving average of v over w points, half weights at the ends when
// w is even. The first and last half window repeat the nearest full average.
func Average(v []float64, w int, out []float64) {
	n := len(v)
	if w > n {
		w = n
	}
	half := w / 2
	if w < 2 {
		copy(out, v)
		return
	}
	if 2*half+1 > n {
		half = (n - 1) / 2
		w = 2*half + 1
	}
	even := w%2 == 0
	sum := 0.0
	for _, x := range v[:2*half+1] {
		sum += x
	}
	for i := half; i < n-half; i++ {
		if i > half {
			sum += v[i+half] - v[i-half-1]
		}
		if even {
			out[i] = (sum - (v[i-half]+v[i+half])/2) / float64(w)
		} else {
			out[i] = sum / float64(w)
		}
	}
	for i := range half {
		out[i] = out[half]
		out[n-1-i] = out[n-1-half]
	}
}
