package scorer

import "context"

// metricScore is the score of one metric series.
type metricScore struct {
	Set, Instance, Series string
	Score                 float64
	Change                string
}

func (e *Engine) metricMode(_ context.Context, _ *run) error { return nil }

func (g *gauges) setMetrics(scores []metricScore) {
	g.metric.Reset()
	for _, s := range scores {
		g.metric.WithLabelValues(s.Set, s.Instance, s.Series).Set(s.Score)
	}
}
