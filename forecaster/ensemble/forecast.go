package ensemble

import (
	"cmp"
	"math"
	"slices"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/trend"
)

// point makes the median of every member mixed, in the space, on the grid.
func (f *Fitted) point(h int) []float64 {
	fc := make([][]float64, len(f.use))
	for m, mem := range f.use {
		if !f.weighs(m, h) && mem.name != trendMember {
			continue
		}
		buf := make([]float64, h)
		if mem.run(f.final, buf) && !slices.ContainsFunc(buf, notFinite) {
			fc[m] = buf
		}
	}
	out := f.mix(fc, h)
	f.fade(fc, out)
	if f.events != nil {
		for i, v := range f.eventCurve(len(f.z) + h)[len(f.z):] {
			out[i] += v
		}
	}
	return out
}

// A trend this many standard errors strong is worth more, past the horizon that the
// backtest saw, than models which return to a mean: the mix fades to it.
const (
	someTrend, sureTrend = 3, 12
	trendMember          = "trend"
)

// fade moves out to the trend's forecast: over the second and third week for a trend, in
// the first week for a strong one.
func (f *Fitted) fade(fc [][]float64, out []float64) {
	m := slices.IndexFunc(f.use, func(m member) bool { return m.name == trendMember })
	if m < 0 || fc[m] == nil {
		return
	}
	l, ok := f.Trend()
	from, to := 7*f.day, 14*f.day
	switch t := math.Abs(l.T); {
	case !ok || t < someTrend:
		return
	case t > sureTrend:
		from, to = 2*f.day, 7*f.day
	}
	for h := from; h < len(out); h++ {
		w := min(float64(h-from)/float64(to-from), 1)
		out[h] += w * (fc[m][h] - out[h])
	}
}

// Trend is the series' lasting slope. The pattern of day and week is taken away first, so
// that a busy end of the week is no growth; where regular clean-ups are part of the
// pattern they are left in. ok is false for short histories.
func (f *Fitted) Trend() (trend.Line, bool) {
	if f.short != nil {
		return trend.Line{}, false
	}
	raw, ok := trend.Find(f.y, f.day)
	if ok && raw.Period > 0 {
		return raw, true
	}
	l, ok := trend.Of(f.final)
	if ok && math.Abs(raw.T) < math.Abs(l.T) {
		l.T = raw.T // the pattern explains part of what looks like a trend, or hides it
	}
	return l, ok
}

// weighs tells whether member m counts anywhere in the first h steps.
func (f *Fitted) weighs(m, h int) bool {
	for b := 0; b <= bucket(h-1, f.day); b++ {
		if f.weights[b][m] > 0 {
			return true
		}
	}
	return false
}

// Forecast predicts h steps of the input.
func (f *Fitted) Forecast(h int, levels []float64) model.Forecast {
	if f.short != nil {
		return f.short.Forecast(h, levels)
	}
	out := model.Forecast{Median: make([]float64, h), Levels: levels, Lower: make([][]float64, len(levels)), Upper: make([][]float64, len(levels))}
	for l := range levels {
		out.Lower[l], out.Upper[l] = make([]float64, h), make([]float64, h)
	}
	order := make([]int, len(levels))
	for l := range order {
		order[l] = l
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(levels[a], levels[b]) })
	mid := f.point((h + f.per - 1) / f.per)
	tiny := f.smallest() / 2
	margin := (f.sorted[len(f.sorted)-1] - f.sorted[0]) / 2 * max(1, float64(h)/float64(len(f.in.Y)))
	for i := range h {
		g := i / f.per
		z := mid[g] + f.within[(len(f.z)*f.per+i)%len(f.within)]
		v := f.space.Out(z)
		// Where values are zero or well above it, what lies between is no forecast.
		if tiny > 0 && v < tiny {
			v = 0
		}
		if b := f.in.Bound(v); b != v {
			// What would be past a physical bound stays there, and what it may fall back to
			// is measured from the bound.
			v, z = b, f.space.In(b)
		}
		out.Median[i] = v
		lo, hi := v, v
		for _, l := range order {
			a, b := f.interval(z, g, levels[l])
			lo = min(lo, max(f.in.Bound(a), min(v, f.sorted[0])-margin))
			hi = max(hi, min(f.in.Bound(b), max(v, f.sorted[len(f.sorted)-1])+margin))
			out.Lower[l][i], out.Upper[l][i] = f.in.Bound(lo), f.in.Bound(hi)
		}
	}
	return out
}

// interval at central coverage level around z, step g of the grid. For bursty series whose
// bursts come at any time the interval is that of the history, and for wide levels
// at least that of the errors.
func (f *Fitted) interval(z float64, g int, level float64) (lo, hi float64) {
	p := (1 - level) / 2
	lo = f.space.Out(z + f.spread.bound(g, p, level))
	hi = f.space.Out(z + f.spread.bound(g, 1-p, level))
	if !f.bursty || f.spread.Regular {
		return lo, hi
	}
	if level <= 0.9 {
		return f.past(p), f.past(1 - p)
	}
	const wider = 0.7 // of the probability outside
	return min(lo, f.past(wider*p)), max(hi, f.past(1-wider*p))
}

// past is a quantile of the history.
func (f *Fitted) past(p float64) float64 {
	return f.sorted[int(math.Round(p*float64(len(f.sorted)-1)))]
}

// smallest positive value of a series that has zeros; 0 for others.
func (f *Fitted) smallest() float64 {
	if f.sorted[0] != 0 {
		return 0
	}
	i, _ := slices.BinarySearch(f.sorted, math.SmallestNonzeroFloat64)
	if i == len(f.sorted) {
		return 0
	}
	return f.sorted[i]
}

// Beyond gives the probability that the value at step i of the next h steps is at least v,
// or with below at most v. Short histories know nothing of it: 0.
func (f *Fitted) Beyond(h int, below bool) func(i int, v float64) float64 {
	if f.short != nil {
		return func(int, float64) float64 { return 0 }
	}
	mid := f.point((h + f.per - 1) / f.per)
	return func(i int, v float64) float64 {
		g := i / f.per
		z := mid[g] + f.within[(len(f.z)*f.per+i)%len(f.within)]
		p := f.spread.tail(g, f.space.In(v)-z)
		if below {
			return 1 - p
		}
		return p
	}
}
