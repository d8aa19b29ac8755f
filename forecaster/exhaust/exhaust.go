// Package exhaust answers when a threshold is crossed, how sure that is, and why.
package exhaust

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/inframind/inframind/forecaster/trend"
)

// Curve is the forecast a crossing is looked for in, at a fixed step from Start.
type Curve struct {
	Start         time.Time // of the first value
	Step          time.Duration
	Median, Outer []float64 // Outer is the bound on the side that hurts
	// Beyond is the probability that step i is at or past v.
	Beyond func(i int, v float64) float64
}

// Threshold is what must not be passed. Down means that falling below it hurts.
type Threshold struct {
	Name  string // e.g. "0.85"
	Value float64
	Down  bool
}

// Crossing is what is known of one threshold. Times are measured from the curve's start;
// NaN: not within the curve.
type Crossing struct {
	Threshold Threshold
	Median    float64            // seconds until the median crosses it
	Outer     float64            // seconds until the outer bound does: the early warning
	Within    map[string]float64 // probability by period: 7d, 14d, 30d
	Already   bool               // it is past the threshold now
	Growing   bool
	Reason    string
}

// minT is how sure a trend has to be, in standard errors, to be called one.
const minT = 3

// Growing tells whether the trend leads towards the threshold. Nothing else counts:
// a peak of the day is no exhaustion.
func Growing(l trend.Line, down bool) bool {
	net := l.Net()
	if down {
		net = -net
	}
	return net > 0 && math.Abs(l.T) >= minT
}

// Find looks for the crossing of th. now is the current level.
func Find(c Curve, l trend.Line, th Threshold, now float64) Crossing {
	out := Crossing{Threshold: th, Median: math.NaN(), Outer: math.NaN(), Growing: Growing(l, th.Down)}
	past := func(v float64) bool { return v >= th.Value && !th.Down || v <= th.Value && th.Down }
	if past(now) {
		out.Already, out.Median, out.Outer = true, 0, 0
		out.Within = map[string]float64{"7d": 1, "14d": 1, "30d": 1}
		return out
	}
	out.Within = map[string]float64{}
	if !out.Growing {
		for _, w := range []string{"7d", "14d", "30d"} {
			out.Within[w] = 0
		}
		return out
	}
	first := func(v []float64) float64 {
		for i := range v {
			if past(v[i]) {
				return (time.Duration(i) * c.Step).Seconds()
			}
		}
		return math.NaN()
	}
	out.Median, out.Outer = first(c.Median), first(c.Outer)
	p := 0.0
	limits := map[int]string{7: "7d", 14: "14d", 30: "30d"}
	perDay := max(int(24*time.Hour/c.Step), 1)
	for i := range c.Median {
		p = max(p, c.Beyond(i, th.Value))
		if (i+1)%perDay == 0 {
			if name, ok := limits[(i+1)/perDay]; ok {
				out.Within[name] = p
			}
		}
	}
	return out
}

// Words says why, e.g. "grows 1.2 GB a day since 3 November, cleaned every 7 days".
func Words(l trend.Line, unit string, end time.Time, growing bool) string {
	if !growing {
		return "does not grow"
	}
	verb, slope := "grows", l.Slope
	if slope < 0 {
		verb, slope = "falls", -slope
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s a day since %s", verb, amount(slope, unit), end.Add(-time.Duration(l.Since*24)*time.Hour).Format("2 January"))
	if l.Period > 0 {
		fmt.Fprintf(&b, ", cleaned every %.0f days by %s", l.Period, amount(l.Drop, unit))
		if l.Period > 6.5 && l.Period < 7.5 && len(l.Drops) > 0 {
			last := l.Drops[len(l.Drops)-1]
			fmt.Fprintf(&b, " (%ss)", end.Add(-time.Duration(last.Ago*24)*time.Hour).Weekday())
		}
	}
	return b.String()
}

// amount prints a value in the unit of a target.
func amount(v float64, unit string) string {
	switch unit {
	case "ratio":
		return fmt.Sprintf("%.2g %%", 100*v)
	case "bytes", "bytes_per_second":
		suffix := map[string]string{"bytes": "B", "bytes_per_second": "B/s"}[unit]
		for _, p := range []struct {
			n string
			f float64
		}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
			if v >= p.f {
				return fmt.Sprintf("%.2g %s%s", v/p.f, p.n, suffix)
			}
		}
		return fmt.Sprintf("%.2g %s", v, suffix)
	}
	return fmt.Sprintf("%.3g", v)
}
