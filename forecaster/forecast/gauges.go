package forecast

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Gatherer gives the gauges of everything that is known, for the Pushgateway.
func (e *Engine) Gatherer() prometheus.Gatherer {
	reg := prometheus.NewRegistry()
	c := resultCollector{e.Results(), map[string]float64{}}
	for _, t := range e.cfg.Targets {
		c.goals[t.Name] = t.MAPETarget
	}
	reg.MustRegister(c)
	return reg
}

// resultCollector makes gauges of results. The label names differ from target to target,
// so it describes none of them beforehand.
type resultCollector struct {
	results []*Result
	goals   map[string]float64 // MAPE by target
}

// Describe sends nothing: an unchecked collector.
func (resultCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the gauges of all results.
func (c resultCollector) Collect(ch chan<- prometheus.Metric) {
	c.corrections(ch)
	for _, r := range c.results {
		ls := publicLabels(r.Labels)
		own := emitter{ch: ch, labels: ls}
		for _, h := range slices.Sorted(maps.Keys(r.Horizons)) {
			for _, q := range slices.Sorted(maps.Keys(r.Horizons[h])) {
				own.gauge("forecast_"+r.Target, "Forecast of the series, by horizon and quantile.", r.Horizons[h][q], "horizon", h, "quantile", q)
			}
		}
		t := emitter{ch: ch, labels: labels.NewBuilder(ls).Set("target", r.Target).Labels()}
		if r.Model != "" {
			t.gauge("forecast_model_info", "Model in use and whether the last run could forecast the series.", 1, "model", r.Model, "status", r.Status)
			t.gauge("forecast_last_made_timestamp_seconds", "When the forecast in these metrics was made.", float64(r.Made.Unix()))
		}
		if a := r.Backtest; a != nil {
			t.accuracy(a)
			t.gauge("forecast_target_mape_ratio", "Error the owner of the target can live with.", c.goals[r.Target])
		}
		t.exhaustion(r.Exhaustion)
	}
}

// corrections sends how much was repaired in the history of a target's series; explain
// and the index say in which.
func (c resultCollector) corrections(ch chan<- prometheus.Metric) {
	type key struct{ target, kind string }
	counts := map[key]int{}
	for _, r := range c.results {
		for _, f := range r.Corrections {
			counts[key{r.Target, f.Kind}] += f.Count
		}
	}
	for k, n := range counts {
		emitter{ch: ch}.gauge("forecast_corrections", "Corrections made to the history of the target's series before learning from it, by kind.", float64(n), "target", k.target, "kind", strings.ReplaceAll(k.kind, " ", "_"))
	}
}

type emitter struct {
	ch     chan<- prometheus.Metric
	labels labels.Labels
}

func (e emitter) accuracy(a *Accuracy) {
	for _, g := range []struct {
		name, help string
		v          *float64
		extra      []string
	}{
		{"forecast_backtest_mape_ratio", "Mean absolute percentage error of the rolling backtest.", a.MAPE, nil},
		{"forecast_backtest_smape_ratio", "Symmetric mean absolute percentage error of the rolling backtest, 0 to 2.", a.SMAPE, nil},
		{"forecast_backtest_mase_ratio", "Mean absolute error of the rolling backtest over that of the seasonal naive forecast.", a.MASE, nil},
		{"forecast_interval_coverage_ratio", "Share of actual values inside of the interval in the rolling backtest.", a.Coverage80, []string{"level", "0.8"}},
		{"forecast_interval_coverage_ratio", "Share of actual values inside of the interval in the rolling backtest.", a.Coverage95, []string{"level", "0.95"}},
	} {
		if g.v != nil {
			e.gauge(g.name, g.help, *g.v, g.extra...)
		}
	}
}

// exhaustion sends the crossings that are in sight and, for every threshold, the
// probabilities, which are 0 for a series that does not grow.
func (e emitter) exhaustion(list []Exhaustion) {
	const help = "Time from now until the forecast crosses the threshold; absent when it does not."
	for _, x := range list {
		if x.Median != nil {
			e.gauge("forecast_exhaustion_seconds", help, *x.Median, "threshold", x.Threshold, "by", "median")
		}
		if x.Outer != nil {
			e.gauge("forecast_exhaustion_seconds", help, *x.Outer, "threshold", x.Threshold, "by", "bound")
		}
		for _, w := range slices.Sorted(maps.Keys(x.Within)) {
			e.gauge("forecast_exhaustion_probability_ratio", "Probability that the threshold is crossed within the time.", x.Within[w], "threshold", x.Threshold, "within", w)
		}
	}
}

// gauge sends one sample; extra are label names and values in turn.
func (e emitter) gauge(name, help string, v float64, extra ...string) {
	b := labels.NewBuilder(e.labels)
	for i := 0; i+1 < len(extra); i += 2 {
		b.Set(extra[i], extra[i+1])
	}
	var names, values []string
	b.Labels().Range(func(l labels.Label) {
		names, values = append(names, l.Name), append(values, l.Value)
	})
	m, err := prometheus.NewConstMetric(prometheus.NewDesc(name, help, names, nil), prometheus.GaugeValue, v, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(prometheus.NewDesc(name, help, nil, nil), err)
	}
	e.ch <- m
}

// publicLabels are a series' labels without its name, and with those renamed that mean
// something else in what is published: job belongs to the Pushgateway.
func publicLabels(ls labels.Labels) labels.Labels {
	b := labels.NewBuilder(ls).Del(pmodel.MetricNameLabel)
	for _, name := range []string{"job", "shard", "horizon", "quantile", "target", "threshold", "within", "level", "model", "status", "by", "kind", "text"} {
		if v := ls.Get(name); v != "" {
			b.Del(name).Set("exported_"+name, v)
		}
	}
	return b.Labels()
}
