package snmp

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// Metrics are the exporter's own, under the names people have dashboards for.
type Metrics struct {
	packets, retries prometheus.Counter
	duration         prometheus.Histogram
}

// NewMetrics makes metrics that are not registered yet.
func NewMetrics() *Metrics {
	return &Metrics{
		packets: prometheus.NewCounter(prometheus.CounterOpts{Name: "snmp_packets_total", Help: "Number of SNMP packet sent, including retries."}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "snmp_packet_retries_total", Help: "Number of SNMP packet retries."}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "snmp_packet_duration_seconds", Help: "A histogram of latencies for SNMP packets.", Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15),
		}),
	}
}

// Register adds the metrics to reg.
func (m *Metrics) Register(reg prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.packets, m.retries, m.duration} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *Metrics) observe(d time.Duration) { m.duration.Observe(d.Seconds()) }

func (m *Metrics) count(c *walk.Client) {
	m.packets.Add(float64(c.Packets.Load()))
	m.retries.Add(float64(c.Retries.Load()))
}
