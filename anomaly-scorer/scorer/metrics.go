package scorer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/anomaly-scorer/isoforest"
	"github.com/inframind/inframind/anomaly-scorer/measure"
	"github.com/inframind/inframind/anomaly-scorer/seasonal"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/series"
)

// metricScore is the score of one metric series, or with Series "all" of the series of one
// instance together.
type metricScore struct {
	Set, Instance, Series string
	seasonal.Result
}

const (
	maxSeries   = 2000 // scored in a run
	maxTogether = 64   // series of one instance that the forest sees
	together    = "all"
)

// metricMode scores the configured metric sets and stores what is abnormal.
func (e *Engine) metricMode(ctx context.Context, r *run) error {
	if e.prom == nil || len(e.cfg.Metrics.Sets) == 0 {
		return nil
	}
	for _, set := range e.cfg.Metrics.Sets {
		if err := e.metricSet(ctx, r, set); err != nil {
			// One bad expression must not cost the others, nor the network findings.
			e.opts.Log.Error("metric set not scored", "set", set.Name, "err", err)
			r.result.Failed++
		}
	}
	return e.storeMetrics(ctx, r)
}

func (e *Engine) metricSet(ctx context.Context, r *run, set MetricSet) error {
	step := time.Duration(e.cfg.Metrics.Step)
	end := e.opts.Now().Truncate(step)
	start := end.Add(-time.Duration(e.cfg.Metrics.History))
	hosts := map[string][]seasonal.Series{}
	skipped := 0
	err := e.prom.QueryRange(ctx, set.Query, start, end, step, func(s series.Series) error {
		if len(r.metrics) >= maxSeries {
			skipped++
			return nil
		}
		grid := regular(s, start, end, step)
		result, ok := seasonal.Score(grid)
		if !ok {
			skipped++
			return nil
		}
		host := s.Labels.Get(set.By)
		r.metrics = append(r.metrics, metricScore{set.Name, host, seriesName(s.Labels, set.By), result})
		if len(hosts[host]) < maxTogether {
			hosts[host] = append(hosts[host], grid)
		}
		return nil
	})
	r.result.Skipped += skipped
	if err != nil {
		return err
	}
	for host, list := range hosts {
		if len(list) < 2 {
			continue
		}
		if score, ok := jointScore(list); ok {
			r.metrics = append(r.metrics, metricScore{set.Name, host, together, seasonal.Result{Score: score}})
		}
	}
	slices.SortFunc(r.metrics, func(a, b metricScore) int {
		return cmp.Or(strings.Compare(a.Set, b.Set), strings.Compare(a.Instance, b.Instance), strings.Compare(a.Series, b.Series))
	})
	return nil
}

// regular puts samples on the grid of the query.
func regular(s series.Series, start, end time.Time, step time.Duration) seasonal.Series {
	out := seasonal.Series{Start: start, Step: step, Values: make([]float64, int(end.Sub(start)/step)+1)}
	for i := range out.Values {
		out.Values[i] = math.NaN()
	}
	for i, t := range s.Times {
		if k := int((t - start.UnixMilli()) / step.Milliseconds()); k >= 0 && k < len(out.Values) {
			out.Values[k] = s.Values[i]
		}
	}
	return out
}

// seriesName is the series' labels but the one that names the host, in short.
func seriesName(l labels.Labels, by string) string {
	name := labels.NewBuilder(l).Del(by).Labels().String()
	return name[:min(len(name), 200)]
}

// jointScore says how unusual the newest moment of several series is taken together, by a
// forest over their residuals and by how large those are.
func jointScore(list []seasonal.Series) (score float64, ok bool) {
	var columns [][]float64
	for _, s := range list {
		if z, _ := seasonal.Residuals(s); z != nil {
			columns = append(columns, z)
		}
	}
	if len(columns) < 2 {
		return 0, false
	}
	d := isoforest.Data{Columns: len(columns)}
	for i := range columns[0] {
		for _, c := range columns {
			d.Values = append(d.Values, float32(max(-50, min(50, c[i]))))
		}
	}
	// What is judged must not have been learned: the last tenth is left out, at most a day
	// of the usual step.
	n := d.Rows() - 1
	known := n - min(n/10, 288)
	f, err := isoforest.Fit(isoforest.Data{Values: d.Values[:known*d.Columns], Columns: d.Columns}, isoforest.Options{Scoring: isoforest.Blend, Seed: 1})
	if err != nil {
		return 0, false
	}
	scores, err := f.Score(nil, d)
	if err != nil {
		return 0, false
	}
	sizes := make([]float64, len(scores))
	for i, s := range scores {
		scores[i] = math.Log(max(s, 1e-9) / max(1-s, 1e-9)) // evenly spaced again
		sizes[i] = length(d.Row(i))
	}
	// A forest sees that a moment lies outside of all others, not how far; the residuals'
	// mean length says that.
	return seasonal.Ratio(max(beyond(scores, known), beyond(sizes, known))), true
}

// beyond is how far the last value lies from the middle of the first known ones, in units
// of which six are what one in a hundred reaches: there the score is one half. A rank could
// not tell the highest of a thousand usual ones from an outlier.
func beyond(v []float64, known int) float64 {
	usual := slices.Sorted(slices.Values(v[:known]))
	mid := measure.Quantile(usual, .5)
	return (v[len(v)-1] - mid) / max((measure.Quantile(usual, .99)-mid)/6, 1e-6)
}

func length(row []float32) float64 {
	sum, n := 0.0, 0.0
	for _, v := range row {
		if v == v {
			sum, n = sum+float64(v)*float64(v), n+1
		}
	}
	return math.Sqrt(sum / max(n, 1))
}

// storeMetrics writes a document for each abnormal series.
func (e *Engine) storeMetrics(ctx context.Context, r *run) error {
	if e.opts.Store == nil || e.opts.DryRun {
		return nil
	}
	now := e.opts.Now().UTC().Truncate(time.Hour) // at most one an hour
	var docs []logstore.Document
	for _, m := range r.metrics {
		id := fmt.Sprintf("metric-%016x", xxhash.Sum64String(m.Set+"\x00"+m.Instance+"\x00"+m.Series+"\x00"+now.String()))
		if m.Score < Threshold || !e.opts.Shard.Owns(id) || len(docs) >= e.cfg.MaxRows {
			continue
		}
		docs = append(docs, e.metricDocument(id, now, &m))
	}
	for part := range slices.Chunk(docs, batch) {
		rejected, err := e.opts.Store.Write(ctx, logstore.IndexAnomalies, part)
		if err != nil {
			return fmt.Errorf("write metric anomalies: %w", err)
		}
		r.result.Written += len(part) - len(rejected)
		r.result.Failed += len(rejected)
	}
	return nil
}

func (e *Engine) metricDocument(id string, now time.Time, m *metricScore) logstore.Document {
	reasons := []string{fmt.Sprintf("%.4g, %.1f robust standard deviations from the %.4g usual at this hour", m.Value, m.Z, m.Expected)}
	if m.Series == together {
		reasons = []string{"the host's series are in a combination that their history does not know"}
	}
	if !m.Change.IsZero() {
		reasons = append(reasons, fmt.Sprintf("its level moved from %.4g to %.4g at %s", m.From, m.To, m.Change.Format(time.RFC3339)))
	}
	d := logstore.Document{ID: id, Time: now, Message: fmt.Sprintf("%s %s %s is unusual: %s", m.Set, m.Instance, m.Series, reasons[0]), Fields: map[string]any{
		"event.kind": "alert", "anomaly.type": "metric", "anomaly.detector": "metric", "anomaly.score": round(m.Score), "anomaly.reasons": reasons,
		"anomaly.set": m.Set, "anomaly.source": m.Instance, "anomaly.service": m.Series,
	}}
	e.common(d.Fields)
	return d
}

func (g *gauges) setMetrics(scores []metricScore) {
	g.metric.Reset()
	for _, s := range scores {
		g.metric.WithLabelValues(s.Set, s.Instance, s.Series).Set(s.Score)
	}
}
