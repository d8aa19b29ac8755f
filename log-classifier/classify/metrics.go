package classify

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
)

var (
	descLines = prometheus.NewDesc("logs_classified_total", "Log lines labelled since the state directory was made.",
		[]string{"ml_category", "host", "service", "demo"}, nil)
	descConfidence = prometheus.NewDesc("log_classifier_confidence_ratio", "Confidence of the labels.", nil, nil)
	descBacklog    = prometheus.NewDesc("log_classifier_review_backlog", "Templates that wait for a person's label.", nil, nil)
	descAgreement  = prometheus.NewDesc("log_classifier_review_agreement_ratio", "Share of the last 500 reviewed labels that people confirmed.", nil, nil)
	descUnseen     = prometheus.NewDesc("log_classifier_unseen_token_ratio", "Share of the features of recent lines that training never saw.", nil, nil)
	descTrained    = prometheus.NewDesc("log_classifier_model_trained_timestamp_seconds", "Unix time at which the model in service was trained, 0 for the shipped one.", nil, nil)
	descF1         = prometheus.NewDesc("log_classifier_model_f1_ratio", "Macro-F1 of the model in service: measured at its training (critical test), on the lines people reviewed in the last week, and before.", []string{"measured"}, nil)
	descDrift      = prometheus.NewDesc("log_classifier_retrain_due", "1 when the labels people gave say that the model got worse than the configured drop.", nil, nil)
	descMix        = prometheus.NewDesc("log_classifier_class_mix_ratio", "Share of each category among recent lines, and when the service was new.", []string{"ml_category", "period"}, nil)
	descTemplates  = prometheus.NewDesc("log_classifier_templates", "Templates known.", nil, nil)
	descChanged    = prometheus.NewDesc("log_classifier_changed_templates", "Templates that are unusual now: new within a day, a spike against their own mean, or silent.", []string{"change"}, nil)
	descNew        = prometheus.NewDesc("log_classifier_new_templates_total", "Templates seen for the first time.", nil, nil)
	descRejected   = prometheus.NewDesc("log_classifier_rejected_total", "Labelled lines the log store refused for good.", nil, nil)
	descNoMessage  = prometheus.NewDesc("log_classifier_lines_without_message_total", "Documents read that hold no message.", nil, nil)
)

// collector publishes the counters kept in the state: a batch process is short, its counts
// are not.
type collector struct{ e *Engine }

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descLines, descConfidence, descBacklog, descAgreement, descUnseen, descTrained, descF1, descDrift,
		descMix, descTemplates, descChanged, descNew, descRejected, descNoMessage,
	} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	e := c.e
	e.mu.Lock()
	defer e.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for k, n := range e.st.Lines {
		if p := strings.Split(strings.ToValidUTF8(k, "?"), "\x00"); len(p) == 4 {
			counter(descLines, n, p...)
		}
	}
	buckets, total := map[float64]uint64{}, uint64(0)
	for i, b := range confidenceBounds {
		total += uint64(e.st.Confidence[i])
		buckets[b] = total
	}
	ch <- prometheus.MustNewConstHistogram(descConfidence, total, e.st.ConfSum, buckets)
	gauge(descBacklog, float64(len(e.st.Queue)))
	if ratio, n := Agreement(e.labels.list); n > 0 {
		gauge(descAgreement, ratio)
	}
	gauge(descUnseen, e.st.Unseen)
	gauge(descTrained, e.model.Metrics["trained_unix"])
	if f1, ok := e.model.Metrics["macro_f1"]; ok {
		gauge(descF1, f1, "training")
	}
	d := drift(e.labels.list, e.cfg.Drift.Drop, e.opt.Now())
	if d.lines > 0 {
		gauge(descF1, d.f1, "reviewed")
	}
	if d.baseline > 0 {
		gauge(descF1, d.baseline, "reviewed_before")
	}
	gauge(descDrift, boolValue(d.due))
	for cat := range label.Category(label.Count) {
		gauge(descMix, e.st.Mix.Now[cat], cat.String(), "recent")
		gauge(descMix, e.st.Mix.Baseline[cat], cat.String(), "baseline")
	}
	gauge(descTemplates, float64(e.miner.Len()))
	var changed [mine.Silent + 1]int
	for _, t := range e.miner.All() {
		kind, _, _ := t.Unusual(e.opt.Now())
		changed[kind]++
	}
	for kind, name := range map[int]string{mine.Young: "new", mine.Spike: "spike", mine.Silent: "silent"} {
		gauge(descChanged, float64(changed[kind]), name)
	}
	counter(descNew, e.st.New)
	counter(descRejected, e.st.Rejected)
	counter(descNoMessage, e.st.NoMessage)
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
