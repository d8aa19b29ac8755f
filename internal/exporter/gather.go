package exporter

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// ownMetrics says how the probe went.
func ownMetrics(namespace string, err error, took time.Duration, outs []*outcome) []prometheus.Metric {
	gauge := func(name, help string, v float64, pairs ...string) prometheus.Metric {
		var names, values []string
		for i := 0; i < len(pairs); i += 2 {
			names, values = append(names, pairs[i]), append(values, pairs[i+1])
		}
		return prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), prometheus.GaugeValue, v, values...)
	}
	up := 1.0
	if err != nil {
		up = 0
	}
	ms := []prometheus.Metric{
		gauge(namespace+"_up", "Whether the target answered the probe (1) or not (0).", up),
		gauge("probe_duration_seconds", "How long the whole probe took.", took.Seconds()),
	}
	if err != nil {
		ms = append(ms, gauge("probe_failure_info", "Why the target is down.", 1, "reason", Reason(err)))
	}
	for _, o := range outs {
		o.mu.Lock()
		ok, took, err := 1.0, o.took, o.err
		o.mu.Unlock()
		if err != nil {
			ok = 0
			ms = append(ms, gauge("collector_failure_info", "Why a collector's result is missing or partial.", 1,
				"collector", o.name, "reason", Reason(err)))
		}
		ms = append(ms,
			gauge("collector_success", "Whether the collector read everything it should (1) or not (0).", ok, "collector", o.name),
			gauge("collector_duration_seconds", "How long the collector took.", took.Seconds(), "collector", o.name))
	}
	return ms
}

// list is an unchecked collector of ready metrics.
type list []prometheus.Metric

func (list) Describe(chan<- *prometheus.Desc) {}

func (l list) Collect(ch chan<- prometheus.Metric) {
	for _, m := range l {
		ch <- m
	}
}

// gather sorts metrics into families. One bad sample costs that sample, not the scrape.
func gather(ms []prometheus.Metric, p *Probe) []*dto.MetricFamily {
	reg := prometheus.NewRegistry()
	rejected := 0
	if err := reg.Register(list(ms)); err != nil {
		p.Log.Error("register metrics", "err", err)
	}
	families, err := reg.Gather()
	if err != nil {
		var multi prometheus.MultiError
		rejected = 1
		if errors.As(err, &multi) {
			rejected = len(multi)
		}
		p.Log.Warn("samples rejected", "target", p.Target, "count", rejected, "err", err)
	}
	v := float64(rejected)
	name, help := "probe_rejected_samples", "Samples that were refused because they are duplicates or malformed."
	return append(families, &dto.MetricFamily{
		Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: &v}}},
	})
}
