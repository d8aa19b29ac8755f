package webhook

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/alert-webhook/alert"
)

// metrics of the receiving side; a Collector. What is stored is counted at each scrape.
type metrics struct {
	requests *prometheus.CounterVec
	incoming *prometheus.CounterVec
	news     *prometheus.CounterVec
	stored   *prometheus.Desc
	store    *store
}

func newMetrics(st *store) *metrics {
	m := &metrics{
		store: st,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "alert_webhook_requests_total", Help: "Payloads posted by HTTP status of the answer.",
		}, []string{"code"}),
		incoming: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "alert_webhook_received_alerts_total", Help: "Alerts in accepted payloads, repetitions included.",
		}, []string{"status"}),
		news: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "alert_webhook_stored_alerts_total", Help: "Alerts whose state was new and was stored.",
		}, []string{"status"}),
		stored: prometheus.NewDesc("alert_webhook_alerts", "Alerts in the store.", []string{"status"}, nil),
	}
	m.requests.WithLabelValues("200")
	for _, status := range []string{alert.Firing, alert.Resolved} {
		m.incoming.WithLabelValues(status)
		m.news.WithLabelValues(status)
	}
	return m
}

func (m *metrics) received(all, fresh []alert.Alert) {
	for _, a := range all {
		m.incoming.WithLabelValues(a.Status).Inc()
	}
	for _, a := range fresh {
		m.news.WithLabelValues(a.Status).Inc()
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	m.requests.Describe(ch)
	m.incoming.Describe(ch)
	m.news.Describe(ch)
	ch <- m.stored
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	m.requests.Collect(ch)
	m.incoming.Collect(ch)
	m.news.Collect(ch)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := m.store.counts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.stored, err)
		return
	}
	for status, n := range counts {
		ch <- prometheus.MustNewConstMetric(m.stored, prometheus.GaugeValue, float64(n), status)
	}
}
