// Package clean turns samples as found into the regular, finite series that models need,
// and reports every correction it made.
package clean

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/series"
)

// Reasons why a series cannot be forecast at all.
var (
	ErrNoData = errors.New("no data")
	ErrNaN    = errors.New("all values are NaN or infinite")
)

// Correction is one kind of repair and how often it was made.
type Correction struct {
	Kind  string `json:"kind"` // e.g. gap, duplicate, outlier
	Count int    `json:"count"`
	Note  string `json:"note,omitempty"`
}

// Words are all corrections in one line.
func Words(list []Correction) string {
	text := make([]string, len(list))
	for i, c := range list {
		text[i] = c.String()
	}
	return strings.Join(text, "; ")
}

func (c Correction) String() string {
	if c.Note == "" {
		return fmt.Sprintf("%s: %d", c.Kind, c.Count)
	}
	return fmt.Sprintf("%s: %d (%s)", c.Kind, c.Count, c.Note)
}

// Grid is a regular series: Y[i] is the mean of the samples in [Start+i*Step, +Step), or
// up to half their own step earlier; NaN where there were none.
type Grid struct {
	Y     []float64
	Start time.Time
	Step  time.Duration
}

// maxPoints bounds a grid: two samples centuries apart must not exhaust the memory.
const maxPoints = 1 << 20

// Resample puts s on a grid of the given step; 0 takes the most common distance of two
// samples. It sorts s.
func Resample(s *series.Series, step time.Duration) (Grid, []Correction, error) {
	if s.Len() == 0 {
		return Grid{}, nil, ErrNoData
	}
	var fixes []Correction
	if s.Sort() {
		fixes = append(fixes, Correction{Kind: "unordered", Count: 1})
	}
	own := commonStep(s.Times)
	if step <= 0 {
		step = own
	}
	ms := step.Milliseconds()
	if ms <= 0 {
		return Grid{}, nil, fmt.Errorf("step %s is under a millisecond", step)
	}
	first, last := s.Times[0], s.Times[s.Len()-1]
	// A sample that came a little early belongs to the step it was meant for.
	early := min(own.Milliseconds(), ms) / 2
	n := (last-first+early)/ms + 1
	if n > maxPoints {
		return Grid{}, nil, fmt.Errorf("%d steps of %s between the first and the last sample: more than %d", n, step, maxPoints)
	}
	g := Grid{Y: make([]float64, n), Start: time.UnixMilli(first).UTC(), Step: step}
	fixes = append(fixes, g.average(s, early, own)...)
	if !slices.ContainsFunc(g.Y, func(v float64) bool { return !math.IsNaN(v) }) {
		return Grid{}, fixes, ErrNaN
	}
	return g, fixes, nil
}

// average puts the mean of each step's samples into g. Samples may come early by so many
// milliseconds; own is their own distance.
func (g *Grid) average(s *series.Series, early int64, own time.Duration) (fixes []Correction) {
	first, ms := s.Times[0], g.Step.Milliseconds()
	counts := make([]int32, len(g.Y))
	bad, dup, off := 0, 0, 0
	kept := first - 1
	for i, t := range s.Times {
		v := s.Values[i]
		if math.IsNaN(v) || math.IsInf(v, 0) {
			bad++
			continue
		}
		if t == kept {
			dup++
			continue
		}
		kept = t
		if isOff(t-first, own.Milliseconds()) {
			off++
		}
		k := (t - first + early) / ms
		g.Y[k] += v
		counts[k]++
	}
	for k, c := range counts {
		g.Y[k] /= float64(c) // NaN where nothing was
	}
	for _, f := range []Correction{
		{"not finite", bad, "left out"}, {"duplicate", dup, "first kept"}, {"irregular", off, "moved to the nearest step of " + own.String()},
	} {
		if f.Count > 0 {
			fixes = append(fixes, f)
		}
	}
	return fixes
}

// isOff tells whether a time is over a fiftieth of a step away from a multiple of it.
func isOff(t, step int64) bool {
	d := t % step
	return 50*min(d, step-d) > step
}

// commonStep is the median distance of neighbouring timestamps, 1 h for a single one.
func commonStep(times []int64) time.Duration {
	d := make([]int64, 0, len(times))
	for i := 1; i < len(times); i++ {
		if times[i] > times[i-1] {
			d = append(d, times[i]-times[i-1])
		}
	}
	if len(d) == 0 {
		return time.Hour
	}
	slices.Sort(d)
	return time.Duration(d[len(d)/2]) * time.Millisecond
}

// Fill closes the gaps of g in place and trims leading and trailing ones. Gaps of up to a
// sixth of a day become straight lines; longer ones repeat what was seen a day or a week
// before or after, so that a pattern is not flattened by an outage of the monitoring.
// observed is the series without what was filled in, nil when there were no gaps.
func Fill(g *Grid) (observed []float64, fixes []Correction) {
	for len(g.Y) > 0 && math.IsNaN(g.Y[0]) {
		g.Y = g.Y[1:]
		g.Start = g.Start.Add(g.Step)
	}
	for len(g.Y) > 0 && math.IsNaN(g.Y[len(g.Y)-1]) {
		g.Y = g.Y[:len(g.Y)-1]
	}
	missing, gaps, longest := 0, 0, 0
	day := int(24 * time.Hour / g.Step)
	for i := 0; i < len(g.Y); i++ {
		if !math.IsNaN(g.Y[i]) {
			continue
		}
		j := i
		for math.IsNaN(g.Y[j]) {
			j++
		}
		if gaps == 0 {
			observed = slices.Clone(g.Y)
		}
		gaps, missing, longest = gaps+1, missing+j-i, max(longest, j-i)
		fillGap(g.Y, observed, i, j, day)
		i = j
	}
	if gaps == 0 {
		return nil, nil
	}
	return observed, []Correction{{Kind: "gap", Count: gaps, Note: fmt.Sprintf("%d points, longest %s", missing, time.Duration(longest)*g.Step)}}
}

// fillGap fills y[i:j]; orig still has the gaps, so that what is filled is not taken for
// an observation.
func fillGap(y, orig []float64, i, j, day int) {
	for k := i; k < j; k++ {
		if day >= 2 && j-i > max(day/6, 1) {
			if v, ok := neighbour(orig, k, day); ok {
				y[k] = v
				continue
			}
		}
		frac := float64(k-i+1) / float64(j-i+1)
		y[k] = orig[i-1] + frac*(orig[j]-orig[i-1])
	}
}

// neighbour is the mean of the nearest observations at the same time of day.
func neighbour(y []float64, k, day int) (float64, bool) {
	for _, d := range []int{7 * day, day, 2 * day} {
		sum, n := 0.0, 0.0
		for _, at := range []int{k - d, k + d} {
			if at >= 0 && at < len(y) && !math.IsNaN(y[at]) {
				sum, n = sum+y[at], n+1
			}
		}
		if n > 0 {
			return sum / n, true
		}
	}
	return 0, false
}
