package forecast

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/series"
)

// maxSamples is how many samples one query may give: servers refuse more than 50 million
// (--query.max-samples), and count those of inner selectors too.
const maxSamples = 10_000_000

// fetch hands the history of every series of t to fn. The step grows where history/step
// would pass the API's limit of points, so that one streamed answer is enough; targets
// with too many samples for one query are asked for in batches of series.
func (e *Engine) fetch(ctx context.Context, t *Target, now time.Time, fn func(series.Series) error) error {
	step := e.step()
	end := now.Truncate(step)
	start := end.Add(-time.Duration(e.cfg.History)).Add(step)
	queries, err := e.batches(ctx, t, end, int(end.Sub(start)/step)+1)
	if err != nil {
		return err
	}
	// The name of a series tells the recording rule from the raw expression and nothing
	// about the machine: a rule that is installed later must not make another series.
	named := func(s series.Series) error {
		s.Labels = labels.NewBuilder(s.Labels).Del(pmodel.MetricNameLabel).Labels()
		return fn(s)
	}
	for _, q := range queries {
		if err := e.prom.QueryRange(ctx, q, start, end, step, named); err != nil {
			return err
		}
	}
	return nil
}

// batches cuts the target's query by the values of its batch label.
func (e *Engine) batches(ctx context.Context, t *Target, at time.Time, points int) ([]string, error) {
	label := *t.BatchBy
	if label == "" {
		return []string{t.Query}, nil
	}
	var values []string
	var counts []float64
	total := 0.0
	err := e.prom.Query(ctx, fmt.Sprintf("count by (%s) (%s)", label, t.Query), at, func(s series.Series) error {
		values, counts = append(values, s.Labels.Get(label)), append(counts, s.Values[len(s.Values)-1])
		total += counts[len(counts)-1]
		return nil
	})
	if err != nil {
		return nil, err
	}
	if total*float64(points) <= maxSamples || len(values) < 2 {
		return []string{t.Query}, nil
	}
	var out, batch []string
	sum := 0.0
	flush := func() error {
		q, err := restrict(t.Query, label, batch)
		out, batch, sum = append(out, q), nil, 0
		return err
	}
	for i, v := range values {
		if sum > 0 && (sum+counts[i])*float64(points) > maxSamples {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		batch, sum = append(batch, v), sum+counts[i]
	}
	return out, flush()
}

// restrict adds label=~"values" to every selector of the query.
func restrict(query, label string, values []string) (string, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return "", err
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	m, err := labels.NewMatcher(labels.MatchRegexp, label, strings.Join(quoted, "|"))
	if err != nil {
		return "", err
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			vs.LabelMatchers = append(vs.LabelMatchers, m)
		}
		return nil
	})
	return expr.String(), nil
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
		if l.Name != pmodel.MetricNameLabel && b.Get(l.Name) != l.Value {
			same = false
		}
	})
	return same
}
