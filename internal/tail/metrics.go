package tail

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	lines, rejected, failures, dropped, truncations, rotations prometheus.Counter
	files, unread, success                                     prometheus.Gauge
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "log_tail_" + name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: "log_tail_" + name, Help: help})
	}
	return &metrics{
		lines:       counter("lines_total", "Lines written to the log store."),
		rejected:    counter("rejected_lines_total", "Lines that the log store refused for good."),
		failures:    counter("write_failures_total", "Writes of lines or positions that failed and were repeated."),
		dropped:     counter("dropped_messages_total", "Syslog datagrams that could not be taken because the log store is behind."),
		truncations: counter("truncations_total", "Files that were truncated or replaced in place."),
		rotations:   counter("rotations_total", "Files that were rotated away."),
		files:       gauge("files", "Files that are followed, rotated ones that linger included."),
		unread:      gauge("unread_bytes", "Bytes of the followed files that are not yet stored."),
		success:     gauge("last_success_timestamp_seconds", "Unix time of the last write to the log store, 0 if there is none."),
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.lines, m.rejected, m.failures, m.dropped, m.truncations, m.rotations, m.files, m.unread, m.success}
}

// Describe implements prometheus.Collector.
func (t *Tailer) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range t.metrics.all() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (t *Tailer) Collect(ch chan<- prometheus.Metric) {
	for _, c := range t.metrics.all() {
		c.Collect(ch)
	}
}
