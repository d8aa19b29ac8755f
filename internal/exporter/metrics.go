package exporter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// serverMetrics are the exporter's own, on /metrics.
type serverMetrics struct {
	probes     *prometheus.CounterVec
	merged     prometheus.Counter
	inFlight   prometheus.Gauge
	duration   prometheus.Histogram
	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge
}

func newServerMetrics(reg prometheus.Registerer) *serverMetrics {
	f := promauto.With(reg)
	m := &serverMetrics{
		probes: f.NewCounterVec(prometheus.CounterOpts{
			Name: "exporter_probes_total",
			Help: "Probe requests by result: up, down, or refused for the caller's mistake.",
		}, []string{"result"}),
		merged: f.NewCounter(prometheus.CounterOpts{
			Name: "exporter_probes_merged_total", Help: "Probe requests that shared the probe of another request.",
		}),
		inFlight: f.NewGauge(prometheus.GaugeOpts{
			Name: "exporter_probes_in_flight", Help: "Probes that run now.",
		}),
		duration: f.NewHistogram(prometheus.HistogramOpts{
			Name: "exporter_probe_duration_seconds", Help: "How long probe requests took, waiting included.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		reloadOK: f.NewGauge(prometheus.GaugeOpts{
			Name: "exporter_config_last_reload_successful", Help: "Whether the last load of the configuration succeeded.",
		}),
		reloadTime: f.NewGauge(prometheus.GaugeOpts{
			Name: "exporter_config_last_reload_success_timestamp_seconds", Help: "When the configuration in service was loaded.",
		}),
	}
	for _, r := range []string{"up", "down", "refused"} {
		m.probes.WithLabelValues(r)
	}
	return m
}

func (m *serverMetrics) observe(res Result, merged bool, took time.Duration) {
	result := "down"
	if res.Up {
		result = "up"
	}
	m.probes.WithLabelValues(result).Inc()
	if merged {
		m.merged.Inc()
	}
	m.duration.Observe(took.Seconds())
}

func (m *serverMetrics) reloaded(err error) {
	if err != nil {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadTime.SetToCurrentTime()
}
