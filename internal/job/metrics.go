package job

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Gatherer is prometheus.Gatherer, named here so that Publisher reads on its own.
type Gatherer = prometheus.Gatherer

// Metrics are pushed after every run, beside the job's own that are registered on them.
// They embed no counters that survive a restart: a batch job's process is short.
type Metrics struct {
	job   string
	shard Shard
	reg   *prometheus.Registry

	lastSuccess, lastRun, duration prometheus.Gauge
	items                          *prometheus.GaugeVec
}

// NewMetrics makes the metrics of the job called name, whose names start with prefix.
func NewMetrics(name, prefix string, shard Shard) *Metrics {
	gauge := func(suffix, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + suffix, Help: help})
	}
	m := &Metrics{
		job: name, shard: shard, reg: prometheus.NewRegistry(),
		lastSuccess: gauge("_last_success_timestamp_seconds", "Unix time of the last run that succeeded, 0 if none has."),
		lastRun:     gauge("_last_run_timestamp_seconds", "Unix time at which the last run started."),
		duration:    gauge("_last_run_duration_seconds", "Duration of the last run."),
		items: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "_last_run_items", Help: "Items of the last run by what became of them.",
		}, []string{"outcome"}),
	}
	m.reg.MustRegister(m.lastSuccess, m.lastRun, m.duration, m.items)
	return m
}

// Registry is where a job registers the metrics of its own.
func (m *Metrics) Registry() *prometheus.Registry { return m.reg }

// Grouping is the Pushgateway grouping key: shards do not overwrite one another.
func (m *Metrics) Grouping() map[string]string {
	if m.shard.Count <= 1 {
		return nil
	}
	return map[string]string{"shard": m.shard.String()}
}

// RestoreSuccess carries the time of an earlier success into a new process.
func (m *Metrics) RestoreSuccess(t time.Time) {
	if !t.IsZero() {
		m.lastSuccess.Set(float64(t.UnixMilli()) / 1000)
	}
}

func (m *Metrics) observe(start time.Time, d time.Duration, r Result, err error) {
	m.lastRun.Set(float64(start.UnixMilli()) / 1000)
	m.duration.Set(d.Seconds())
	for outcome, n := range map[string]int{"read": r.Read, "written": r.Written, "skipped": r.Skipped, "failed": r.Failed} {
		m.items.WithLabelValues(outcome).Set(float64(n))
	}
	if err == nil {
		m.lastSuccess.Set(float64(time.Now().UnixMilli()) / 1000)
	}
}
