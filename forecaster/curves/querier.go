package curves

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// Curves are hourly, but PromQL sees a sample for five minutes only: between two points
// the querier fills in this spacing on the straight line.
const fill = 4 * time.Minute

// Querier implements storage.Queryable.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{store: s, mint: mint, maxt: maxt}, nil
}

type querier struct {
	store      *Store
	mint, maxt int64
}

// line is one series the store can serve.
type line struct {
	labels   labels.Labels
	file     string
	quantile string
	event    *Event
}

// lines lists every series that could have samples in the querier's range and that the
// matchers select.
func (q *querier) lines(ms []*labels.Matcher) []line {
	q.store.mu.RLock()
	defer q.store.mu.RUnlock()
	var out []line
	for file, e := range q.store.entries {
		if e.start.UnixMilli() <= q.maxt && e.end.UnixMilli() >= q.mint && matchesName(ms, e.labels.Get(pmodel.MetricNameLabel)) {
			for _, quant := range e.quantiles {
				ls := labels.NewBuilder(e.labels).Set("quantile", quant).Labels()
				if matches(ms, ls) {
					out = append(out, line{labels: ls, file: file, quantile: quant})
				}
			}
		}
		if len(e.events) > 0 && matchesName(ms, EventMetric) {
			out = append(out, q.eventLines(ms, e)...)
		}
	}
	slices.SortFunc(out, func(a, b line) int { return labels.Compare(a.labels, b.labels) })
	return out
}

func (q *querier) eventLines(ms []*labels.Matcher, e entry) []line {
	var out []line
	for i, ev := range e.events {
		if ev.TimeMS < q.mint || ev.TimeMS > q.maxt {
			continue
		}
		target := e.labels.Get(pmodel.MetricNameLabel)[len(MetricPrefix):]
		ls := labels.NewBuilder(e.labels).Set(pmodel.MetricNameLabel, EventMetric).Set("target", target).Set("kind", ev.Kind).Set("text", ev.Text).Labels()
		if matches(ms, ls) {
			out = append(out, line{labels: ls, event: &e.events[i]})
		}
	}
	return out
}

func matchesName(ms []*labels.Matcher, name string) bool {
	for _, m := range ms {
		if m.Name == pmodel.MetricNameLabel && !m.Matches(name) {
			return false
		}
	}
	return true
}

func matches(ms []*labels.Matcher, ls labels.Labels) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// Select reads the files it needs before it returns, one at a time.
func (q *querier) Select(ctx context.Context, _ bool, _ *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	lines := q.lines(ms)
	read := map[string]Curve{}
	var list []storage.Series
	for _, l := range lines {
		if err := ctx.Err(); err != nil {
			return storage.ErrSeriesSet(err)
		}
		if l.event != nil {
			list = append(list, storage.NewListSeries(l.labels, []chunks.Sample{sample{l.event.TimeMS, 1}}))
			continue
		}
		c, ok := read[l.file]
		if !ok {
			var err error
			if c, err = readFile(filepath.Join(q.store.dir, l.file)); err != nil {
				return storage.ErrSeriesSet(err)
			}
			read[l.file] = c
		}
		for _, cl := range c.Lines {
			if cl.Quantile == l.quantile {
				list = append(list, &storage.SeriesEntry{Lset: l.labels, SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator {
					return storage.NewListSeriesIterator(q.points(c, cl.Values))
				}})
			}
		}
	}
	return newSet(list)
}

// points is a storage.Samples that computes what lies between the stored points.
type points struct {
	values         []float32
	start, step    int64 // of the stored points, ms
	first, spacing int64 // of the served ones
	n              int
}

func (q *querier) points(c Curve, values []float32) points {
	p := points{values: values, start: c.Start.UnixMilli(), step: c.Step.Milliseconds()}
	p.spacing = p.step
	if limit := fill.Milliseconds(); p.step > limit {
		p.spacing = p.step / ((p.step + limit - 1) / limit)
	}
	last := p.start + int64(len(values)-1)*p.step
	p.first = p.start
	if q.mint > p.first {
		p.first += (q.mint - p.first + p.spacing - 1) / p.spacing * p.spacing
	}
	if end := min(last, q.maxt); end >= p.first {
		p.n = int((end-p.first)/p.spacing) + 1
	}
	return p
}

func (p points) Len() int { return p.n }

func (p points) Get(i int) chunks.Sample {
	t := p.first + int64(i)*p.spacing
	k := (t - p.start) / p.step
	frac := float64(t-p.start-k*p.step) / float64(p.step)
	v := float64(p.values[k])
	if frac > 0 && int(k)+1 < len(p.values) {
		v += frac * (float64(p.values[k+1]) - v)
	}
	return sample{t, v}
}

// LabelValues and LabelNames look at all curves in range.
func (q *querier) LabelValues(_ context.Context, name string, _ *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	set := map[string]bool{}
	for _, l := range q.lines(ms) {
		if v := l.labels.Get(name); v != "" {
			set[v] = true
		}
	}
	return sortedKeys(set), nil, nil
}

func (q *querier) LabelNames(_ context.Context, _ *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	set := map[string]bool{}
	for _, l := range q.lines(ms) {
		l.labels.Range(func(lb labels.Label) { set[lb.Name] = true })
	}
	return sortedKeys(set), nil, nil
}

func (q *querier) Close() error { return nil }

func sortedKeys(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
