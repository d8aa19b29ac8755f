package scorer

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/anomaly-scorer/detect"
)

// gauges are the published results of the last run. Detectors and severities are a fixed
// set; sources are the few with the highest scores.
type gauges struct {
	reg *prometheus.Registry

	findings, flagged              *prometheus.GaugeVec
	scored, share, newest, trained prometheus.Gauge
	silhouette                     prometheus.Gauge
	source, metric                 *prometheus.GaugeVec
	precision                      prometheus.Gauge
	reviewed                       *prometheus.GaugeVec
}

func newGauges(labels map[string]string) *gauges {
	g := &gauges{reg: prometheus.NewRegistry()}
	opts := func(name, help string) prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: name, Help: help} }
	g.findings = prometheus.NewGaugeVec(opts("anomaly_scorer_findings", "Findings of the last 24 hours."), []string{"detector", "severity"})
	g.flagged = prometheus.NewGaugeVec(opts("anomaly_scorer_flagged_connections", "Connections of the last run that were flagged, by what flagged them."), []string{"detector"})
	g.scored = prometheus.NewGauge(opts("anomaly_scorer_scored_connections", "Connections scored in the last run."))
	g.share = prometheus.NewGauge(opts("anomaly_scorer_flagged_ratio", "Share of the last run's connections that were flagged."))
	g.newest = prometheus.NewGauge(opts("anomaly_scorer_newest_record_timestamp_seconds", "Unix time of the newest log record seen."))
	g.trained = prometheus.NewGauge(opts("anomaly_scorer_model_trained_timestamp_seconds", "Unix time at which the model in service was trained, 0 without one."))
	g.silhouette = prometheus.NewGauge(opts("anomaly_scorer_silhouette_ratio", "How well the scores of flagged and other connections of the last run keep apart, -1 to 1."))
	g.source = prometheus.NewGaugeVec(opts("anomaly_source_score_ratio", "Highest score of the sources with the worst findings of the last 24 hours."), []string{"source"})
	g.metric = prometheus.NewGaugeVec(opts("anomaly_score_ratio", "How unusual a metric series is now, 0 to 1, 0.5 being the threshold."), []string{"set", "instance", "series"})
	g.precision = prometheus.NewGauge(opts("anomaly_scorer_precision_ratio", "Share of the findings reviewed in the last 7 days that were confirmed."))
	g.reviewed = prometheus.NewGaugeVec(opts("anomaly_scorer_reviewed_findings", "Findings reviewed in the last 7 days."), []string{"verdict"})
	prometheus.WrapRegistererWith(labels, g.reg).MustRegister(g.findings, g.flagged, g.scored, g.share, g.newest, g.trained, g.silhouette, g.source, g.metric, g.precision, g.reviewed)
	return g
}

// set fills the gauges from a run. Every detector and severity is there, with 0 where
// nothing was found, so that a rule can tell silence from health.
func (g *gauges) set(e *Engine, r *run) {
	g.findings.Reset()
	g.flagged.Reset()
	for _, name := range e.pipe.names {
		g.flagged.WithLabelValues(name).Set(float64(r.by[name]))
		if name == probing {
			continue
		}
		for _, s := range detect.Severities {
			g.findings.WithLabelValues(name, string(s)).Set(0)
		}
	}
	worst := map[string]float64{}
	for _, f := range e.state.Recent {
		g.findings.WithLabelValues(f.Detector, string(f.Severity)).Inc()
		if f.Source != "" && f.Severity != detect.Info {
			worst[f.Source] = max(worst[f.Source], f.Score)
		}
	}
	g.setSources(worst, e.cfg.TopSources)
	g.scored.Set(float64(r.scored))
	if r.scored > 0 {
		g.share.Set(float64(r.flagged) / float64(r.scored))
	}
	g.newest.Set(float64(e.pipe.now) / 1e9)
	if e.forest != nil {
		g.trained.Set(float64(e.forest.meta.Trained.Unix()))
	}
	g.silhouette.Set(r.rows.silhouette())
	g.setMetrics(r.metrics)
	yes, no := e.feed.Week(e.opts.Now())
	g.reviewed.WithLabelValues("true").Set(float64(yes))
	g.reviewed.WithLabelValues("false").Set(float64(no))
	if yes+no > 0 {
		g.precision.Set(float64(yes) / float64(yes+no))
	}
}

func (g *gauges) setSources(worst map[string]float64, top int) {
	g.source.Reset()
	names := make([]string, 0, len(worst))
	for s := range worst {
		names = append(names, s)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(worst[b], worst[a]), cmp.Compare(a, b)) })
	for _, s := range names[:min(top, len(names))] {
		g.source.WithLabelValues(s).Set(worst[s])
	}
}
