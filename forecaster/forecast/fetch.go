package forecast

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/series"
)

// fetch hands the history of every series of t to fn. The step grows where history/step
// would pass the API's limit of points, so that one streamed answer is enough.
func (e *Engine) fetch(ctx context.Context, t *Target, now time.Time, fn func(series.Series) error) error {
	step := e.step()
	end := now.Truncate(step)
	return e.prom.QueryRange(ctx, t.Query, end.Add(-time.Duration(e.cfg.History)).Add(step), end, step, fn)
}

// step is the configured resolution, made coarser for long histories.
func (e *Engine) step() time.Duration {
	step := time.Duration(e.cfg.Step)
	for _, s := range []time.Duration{10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour} {
		if time.Duration(e.cfg.History)/step < promapi.MaxPoints {
			break
		}
		step = max(step, s)
	}
	return step
}

// capacities are the answer to a target's capacity_query: a few hundred samples.
type capacities []series.Series

func (e *Engine) capacities(ctx context.Context, t *Target, now time.Time) (capacities, error) {
	if t.CapacityQuery == "" {
		return nil, nil
	}
	var out capacities
	err := e.prom.Query(ctx, t.CapacityQuery, now, func(s series.Series) error {
		out = append(out, s)
		return nil
	})
	return out, err
}

// of finds the capacity of the series ls: the sample whose labels all agree with it.
// ok is false when none or several do.
func (c capacities) of(t *Target, ls labels.Labels) (v float64, ok bool) {
	if t.Capacity > 0 {
		return t.Capacity, true
	}
	n := 0
	for _, s := range c {
		if s.Len() == 0 || !(s.Values[0] > 0) || !agrees(s.Labels, ls) {
			continue
		}
		v = s.Values[0]
		n++
	}
	return v, n == 1
}

func agrees(a, b labels.Labels) bool {
	same := true
	a.Range(func(l labels.Label) {
		if l.Name != labels.MetricName && b.Get(l.Name) != l.Value {
			same = false
		}
	})
	return same
}
