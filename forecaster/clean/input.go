package clean

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/internal/series"
)

// Input makes of samples as found what models take: a regular grid of the given step (0:
// that of the samples) without gaps, impossible values and outliers. It takes step, bounds
// and events from like, and sorts s.
func Input(s *series.Series, like model.Input) (model.Input, []Correction, error) {
	grid, fixes, err := Resample(s, like.Step)
	if err != nil {
		return model.Input{}, fixes, err
	}
	in := like
	in.Step = grid.Step
	fixes = append(fixes, clip(in, grid.Y)...)
	observed, gaps := Fill(&grid)
	in.Y, in.Seen, in.Start = grid.Y, observed, grid.Start
	in, outliers := Replace(in)
	return in, slices.Concat(fixes, gaps, outliers), nil
}

// clip bounds what no such series can be, e.g. a ratio of 1.02 after a counter reset.
func clip(in model.Input, y []float64) []Correction {
	n := 0
	for i, v := range y {
		if b := in.Bound(v); b != v && !math.IsNaN(v) {
			y[i] = b
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []Correction{{Kind: "impossible", Count: n, Note: fmt.Sprintf("outside of %g to %g, clipped", in.Lower, in.Upper)}}
}

// Replace takes the outliers out of in.Y and keeps what was observed in in.Seen. The
// slices that in came with are left as they are. Known events are no outliers.
func Replace(in model.Input) (model.Input, []Correction) {
	y := slices.Clone(in.Y)
	old := Outliers(y, in.Per(24*time.Hour))
	maps.DeleteFunc(old, func(i int, v float64) bool {
		at := in.Start.Add(time.Duration(i) * in.Step)
		known := slices.ContainsFunc(in.Events, func(e model.Event) bool { return !at.Before(e.From) && at.Before(e.To) })
		if known {
			y[i] = v
		}
		return known
	})
	if len(old) == 0 {
		return in, nil
	}
	in.Y, in.Seen = y, in.Observed()
	worst, most := 0, -1.0
	for i, v := range old {
		y[i] = in.Bound(y[i])
		if d := math.Abs(v - y[i]); d > most || d == most && i < worst {
			worst, most = i, d
		}
	}
	at := in.Start.Add(time.Duration(worst) * in.Step).Format("2 January 15:04")
	return in, []Correction{{Kind: "outlier", Count: len(old), Note: fmt.Sprintf("the farthest %.4g instead of about %.4g on %s", old[worst], y[worst], at)}}
}

// Known is the first n steps of in as they could be known then: outliers are judged anew,
// without what came later.
func Known(in model.Input, n int) model.Input {
	out := in
	out.Y = in.Y[:n]
	if in.Seen == nil {
		return out
	}
	out.Seen = in.Seen[:n]
	out.Y = slices.Clone(out.Y)
	for i, v := range out.Seen {
		if !math.IsNaN(v) {
			out.Y[i] = v
		}
	}
	out, _ = Replace(out)
	return out
}
