// Package gen makes series like those of real infrastructure, the same for the same seed:
// daily and weekly load, disks that fill (or do not) with bends, clean-ups and jumps.
package gen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Series is one made series at hourly resolution, in ratios from 0 to 1.
type Series struct {
	Name string
	Kind string // cpu, memory or disk
	Y    []float64
	// Fills tells whether a disk truly fills: its trend leads over the threshold. A disk
	// that merely comes near it through noise does not.
	Fills bool
}

// Start is the time of the first point of every series: a Monday.
func Start() time.Time { return time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) }

// Load makes n CPU or memory series of the given days.
func Load(seed uint64, kind string, n, days int) []Series {
	out := make([]Series, n)
	for i := range out {
		rng := rand.New(rand.NewPCG(seed, uint64(i)+1))
		out[i] = Series{Name: fmt.Sprintf("%s%03d", kind, i), Kind: kind, Y: load(rng, kind, days*24)}
	}
	return out
}

func load(rng *rand.Rand, kind string, n int) []float64 {
	base, day, week, noise, rho := 0.25+0.25*rng.Float64(), 0.3+0.4*rng.Float64(), 0.1+0.3*rng.Float64(), 0.05, 0.7
	if kind == "memory" {
		base, day, week, noise, rho = 0.4+0.3*rng.Float64(), 0.02+0.06*rng.Float64(), 0.02*rng.Float64(), 0.01, 0.95
	}
	peak := 10 + 8*rng.Float64()
	growth := 0.02 * rng.NormFloat64() / 30 / 24 // relative, an hour
	y := make([]float64, n)
	e := 0.0
	for i := range y {
		e = rho*e + noise*math.Sqrt(1-rho*rho)*rng.NormFloat64()
		hour, dow := float64(i%24), i/24%7
		shape := 1 + day*math.Cos(2*math.Pi*(hour-peak)/24) + 0.3*day*math.Cos(4*math.Pi*(hour-peak)/24)
		if dow >= 5 {
			shape -= week
		}
		y[i] = min(max(base*shape*(1+growth*float64(i))*math.Exp(e), 0.005), 0.99)
	}
	return y
}

// Disks makes n disks of the given days, of which every second one truly fills: on its
// trend it crosses threshold between lead-4 and lead+4 days after day now. The others are
// stable, shrink, or saw up and down below it.
func Disks(seed uint64, n, days, now int, lead, threshold float64) []Series {
	out := make([]Series, n)
	for i := range out {
		rng := rand.New(rand.NewPCG(seed, uint64(i)+1))
		s := Series{Name: fmt.Sprintf("disk%03d", i), Kind: "disk", Fills: i%2 == 0}
		if s.Fills {
			s.Y = filling(rng, days*24, now*24, (lead-4+8*rng.Float64())*24, threshold)
		} else {
			s.Y = stable(rng, days*24)
		}
		out[i] = s
	}
	return out
}

// filling grows so that the trend is at threshold left hours after now. Some bend before
// now, some are cleaned up regularly, some jump once, some grow by working hours.
func filling(rng *rand.Rand, n, now int, left, threshold float64) []float64 {
	start := 0.2 + 0.35*rng.Float64()
	end := float64(now) + left
	bend := 0.0 // hour from which it grows
	if rng.Float64() < 0.3 {
		bend = float64(now) * (0.2 + 0.35*rng.Float64())
	}
	slow := 0.2 * rng.Float64() // growth before the bend, of that after it
	jump, jumpAt := 0.0, float64(now)*(0.2+0.6*rng.Float64())
	if rng.Float64() < 0.25 {
		jump = 0.05 + 0.05*rng.Float64()
	}
	period, drop := 0.0, 0.0
	if rng.Float64() < 0.25 {
		period = float64(3+rng.IntN(5)) * 24
	}
	grown := func(t float64) float64 { return slow*min(t, bend) + max(t-bend, 0) }
	cleanups := 0.0
	if period > 0 {
		cleanups = math.Floor(end / period)
	}
	rate := (threshold - start - jump) / grown(end)
	if period > 0 {
		drop = 0.4 * rate * period
		rate += drop * cleanups / grown(end)
	}
	office := rng.Float64() < 0.5
	noise := 0.0005 + 0.002*rng.Float64()
	y := make([]float64, n)
	e := 0.0
	for i := range y {
		t := float64(i)
		v := start + rate*grown(t)
		if office { // the same growth, but by day
			v += 0.3 * rate * 24 / (2 * math.Pi) * -math.Sin(2*math.Pi*t/24)
		}
		if t >= jumpAt {
			v += jump
		}
		if period > 0 {
			v -= drop * math.Floor(t/period)
		}
		e = 0.8*e + 0.6*noise*rng.NormFloat64()
		y[i] = min(max(v+e, 0), 1)
	}
	return y
}

// stable does not fill: flat, shrinking, a bounded saw, or a slow wander far below.
func stable(rng *rand.Rand, n int) []float64 {
	base, kind := 0.3+0.4*rng.Float64(), rng.IntN(4)
	noise := 0.001 + 0.003*rng.Float64()
	period := float64(1+rng.IntN(10)) * 24
	height := 0.05 + 0.12*rng.Float64()
	wander, e := 0.0, 0.0
	y := make([]float64, n)
	for i := range y {
		v := base
		switch kind {
		case 1:
			v -= 0.1 * float64(i) / float64(n)
		case 2: // log files and their rotation
			v += height * math.Mod(float64(i), period) / period
		case 3:
			wander = 0.999*wander + 0.001*rng.NormFloat64()
			v += wander
		}
		e = 0.8*e + 0.6*noise*rng.NormFloat64()
		y[i] = min(max(v+e, 0.01), 1)
	}
	return y
}
