package outbox

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of all channels; a Collector. The state of the queue is read at each scrape from
// the Outbox that Watch was given.
type Metrics struct {
	tries    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	success  *prometheus.GaugeVec
	length   *prometheus.Desc
	oldest   *prometheus.Desc
	dead     *prometheus.Desc
	box      *Outbox
}

// NewMetrics makes the metrics of one queue.
func NewMetrics() *Metrics {
	return &Metrics{
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "alert_webhook_delivery_attempts_total", Help: "Attempts to deliver a notification by outcome: delivered, retried (failed, will be tried again), dead (given up).",
		}, []string{"channel", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "alert_webhook_delivery_duration_seconds", Help: "Time of one attempt to deliver a notification.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"channel"}),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "alert_webhook_last_success_timestamp_seconds", Help: "Unix time of the last delivered notification since the start, 0 if there is none.",
		}, []string{"channel"}),
		length: prometheus.NewDesc("alert_webhook_queue_length", "Notifications that wait to be delivered.", []string{"channel"}, nil),
		oldest: prometheus.NewDesc("alert_webhook_queue_oldest_age_seconds", "Age of the oldest notification that waits, 0 if none does.", []string{"channel"}, nil),
		dead:   prometheus.NewDesc("alert_webhook_dead_letters", "Notifications that were given up and are still kept.", []string{"channel"}, nil),
	}
}

// Watch makes m report o's queue. It is called once, before m is registered.
func (m *Metrics) Watch(o *Outbox) { m.box = o }

func (m *Metrics) observe(channel string, d time.Duration) {
	m.duration.WithLabelValues(channel).Observe(d.Seconds())
}

func (m *Metrics) count(channel, outcome string) { m.tries.WithLabelValues(channel, outcome).Inc() }

func (m *Metrics) delivered(channel string, at time.Time) {
	m.count(channel, "delivered")
	m.success.WithLabelValues(channel).Set(float64(at.UnixMilli()) / 1000)
}

// init makes the series of channel appear before anything happens there.
func (m *Metrics) init(channel string) {
	for _, outcome := range []string{"delivered", "retried", "dead"} {
		m.tries.WithLabelValues(channel, outcome)
	}
	m.duration.WithLabelValues(channel)
	m.success.WithLabelValues(channel)
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.tries.Describe(ch)
	m.duration.Describe(ch)
	m.success.Describe(ch)
	ch <- m.length
	ch <- m.oldest
	ch <- m.dead
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.tries.Collect(ch)
	m.duration.Collect(ch)
	m.success.Collect(ch)
	if m.box == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats, err := m.box.stats(ctx, time.Now())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(m.length, err)
		return
	}
	for channel, s := range stats {
		ch <- prometheus.MustNewConstMetric(m.length, prometheus.GaugeValue, float64(s.pending), channel)
		ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, s.oldest.Seconds(), channel)
		ch <- prometheus.MustNewConstMetric(m.dead, prometheus.GaugeValue, float64(s.dead), channel)
	}
}

type channelStats struct {
	pending, dead int64
	oldest        time.Duration
}

func (o *Outbox) stats(ctx context.Context, now time.Time) (map[string]channelStats, error) {
	out := map[string]channelStats{}
	o.mu.Lock()
	for channel := range o.channels {
		out[channel] = channelStats{}
	}
	o.mu.Unlock()
	rows, err := o.db.QueryContext(ctx, "SELECT channel, state, count(*), min(created_at) FROM outbox WHERE state IN ('pending', 'dead') GROUP BY channel, state")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var channel, state string
		var n, oldest int64
		if err := rows.Scan(&channel, &state, &n, &oldest); err != nil {
			return nil, err
		}
		s := out[channel]
		if state == Pending {
			s.pending, s.oldest = n, max(now.Sub(time.UnixMilli(oldest)), 0)
		} else {
			s.dead = n
		}
		out[channel] = s
	}
	return out, rows.Err()
}
