package startpage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/chart"
)

// shownForecasts is how many forecasts the page has pictures of.
const shownForecasts = 4

// target tells where the history of a forecast is and how to read it.
type target struct{ history, unit, title string }

// targets are the forecaster's default targets by the name of the metric.
var targets = map[string]target{
	"node_cpu_utilisation_ratio":             {"instance:node_cpu_utilisation:ratio", "ratio", "CPU"},
	"node_memory_used_ratio":                 {"instance:node_memory_used:ratio", "ratio", "memory"},
	"node_filesystem_used_ratio":             {"instance_mountpoint:node_filesystem_used:ratio", "ratio", "disk"},
	"node_disk_io_utilisation_ratio":         {"instance_device:node_disk_io_utilisation:ratio", "ratio", "disk I/O"},
	"node_network_receive_bytes_per_second":  {"instance_device:node_network_receive_bytes:rate5m", "bytes/s", "network in"},
	"node_network_transmit_bytes_per_second": {"instance_device:node_network_transmit_bytes:rate5m", "bytes/s", "network out"},
}

// forecast is one picture: what is forecast and when it runs out, if it does.
type forecast struct {
	Target, Instance, Detail string // Detail is the mount point or the device, if any
	Title                    string
	Exhausted                string // in words, empty when it does not
}

// URL is the picture's address.
func (f forecast) URL() string {
	return "/chart/forecast.svg?" + url.Values{"target": {f.Target}, "instance": {f.Instance}, "detail": {f.Detail}}.Encode()
}

// forecasts picks the series that run out first, then fills up with others so that a quiet
// site has something to look at too.
func (h *handler) forecasts(ctx context.Context) ([]forecast, error) {
	soon, err := h.instant(ctx, `min by (target, instance, mountpoint, device, threshold) (forecast_exhaustion_seconds{by="median"})`)
	if err != nil {
		return nil, err
	}
	sort.Slice(soon, func(i, j int) bool { return soon[i].Value < soon[j].Value })
	var out []forecast
	for _, s := range soon {
		f := newForecast(string(s.Metric["target"]), s.Metric)
		i := slices.IndexFunc(out, func(o forecast) bool { return o.Title == f.Title })
		switch {
		case i >= 0:
			out[i].Exhausted += ", " + crossing(s)
		case len(out) < shownForecasts:
			f.Exhausted = crossing(s)
			out = append(out, f)
		}
	}
	all, err := h.instant(ctx, `group by (target, instance, mountpoint, device) (forecast_model_info{target=~"node_(cpu_utilisation|memory_used|filesystem_used)_ratio"})`)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *model.Sample) int { return cmp.Compare(a.Metric.String(), b.Metric.String()) })
	for _, s := range all {
		f := newForecast(string(s.Metric["target"]), s.Metric)
		if len(out) < shownForecasts && !slices.ContainsFunc(out, func(o forecast) bool { return o.Title == f.Title }) {
			out = append(out, f)
		}
	}
	return out, nil
}

// crossing says when a series passes one of its thresholds.
func crossing(s *model.Sample) string {
	threshold := string(s.Metric["threshold"])
	if v, err := strconv.ParseFloat(threshold, 64); err == nil && v <= 1 {
		threshold = chart.FormatValue(v, "ratio")
	}
	if s.Value <= 0 {
		return "is past " + threshold
	}
	return fmt.Sprintf("passes %s in %.1f days", threshold, float64(s.Value)/86400)
}

func newForecast(name string, m model.Metric) forecast {
	f := forecast{Target: name, Instance: string(m["instance"]), Detail: string(cmp.Or(m["mountpoint"], m["device"]))}
	f.Title = strings.Join(strings.Fields(f.Instance+" "+cmp.Or(targets[name].title, name)+" "+f.Detail), " ")
	return f
}

func (h *handler) instant(ctx context.Context, expr string) (model.Vector, error) {
	v, _, _, err := h.Prometheus.Query(ctx, expr, h.Now())
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	vec, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("query %s: got a %s, want a vector", expr, v.Type())
	}
	return vec, nil
}

// forecastChart shows 30 days of history and what is forecast, with both bands.
func (h *handler) forecastChart(ctx context.Context, r *http.Request) (drawing, error) {
	name := r.FormValue("target")
	t, ok := targets[name]
	if !ok {
		return nil, errors.New("unknown target")
	}
	sel := fmt.Sprintf(`instance=%q`, r.FormValue("instance"))
	if d := r.FormValue("detail"); strings.HasPrefix(d, "/") {
		sel += fmt.Sprintf(`,mountpoint=%q`, d)
	} else if d != "" {
		sel += fmt.Sprintf(`,device=%q`, d)
	}
	now := h.Now()
	past, err := h.lines(ctx, fmt.Sprintf(`avg(%s{%s})`, t.history, sel), v1.Range{Start: now.AddDate(0, 0, -30), End: now, Step: time.Hour})
	if err != nil {
		return nil, err
	}
	future := v1.Range{Start: now.Truncate(time.Hour), End: now.AddDate(0, 0, 30), Step: 2 * time.Hour}
	curves, err := h.lines(ctx, fmt.Sprintf(`avg by (quantile) (forecast_curve_%s{%s})`, name, sel), future)
	if err != nil {
		return nil, err
	}
	c := chart.TimeSeries{Title: newForecastTitle(r, t), Unit: t.unit}
	c.Lines = append(c.Lines, chart.Line{Name: "last 30 days", Points: only(past)}, chart.Line{Name: "forecast (median)", Points: curves["0.5"], Dashed: true})
	for _, b := range []struct{ name, lo, hi string }{{"95 % interval", "0.025", "0.975"}, {"80 % interval", "0.1", "0.9"}} {
		if len(curves[b.lo]) > 0 && len(curves[b.lo]) == len(curves[b.hi]) {
			c.Bands = append(c.Bands, chart.Band{Name: b.name, Lower: curves[b.lo], Upper: curves[b.hi]})
		}
	}
	if t.unit == "ratio" && highest(c) > 0.6 {
		c.Marks = []chart.Mark{{Name: "95 %", Value: 0.95}}
	}
	return c, nil
}

func newForecastTitle(r *http.Request, t target) string {
	return strings.Join(strings.Fields(r.FormValue("instance")+" "+t.title+" "+r.FormValue("detail")), " ")
}

func highest(c chart.TimeSeries) float64 {
	hi := math.Inf(-1)
	for _, l := range c.Lines {
		for _, p := range l.Points {
			hi = math.Max(hi, p.Value)
		}
	}
	return hi
}

// lines runs a range query and returns the points by the series' quantile or, without one,
// its whole label set. A step without a sample becomes a break in the line.
func (h *handler) lines(ctx context.Context, expr string, r v1.Range) (map[string][]chart.Point, error) {
	v, _, _, err := h.Prometheus.QueryRange(ctx, expr, r)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("query %s: got a %s, want a matrix", expr, v.Type())
	}
	out := map[string][]chart.Point{}
	for _, s := range m {
		key := string(s.Metric["quantile"])
		if key == "" {
			key = s.Metric.String()
		}
		var ps []chart.Point
		for _, p := range s.Values {
			at := p.Timestamp.Time()
			if n := len(ps); n > 0 && at.Sub(ps[n-1].Time) > r.Step {
				ps = append(ps, chart.Point{Time: ps[n-1].Time.Add(r.Step), Value: math.NaN()})
			}
			ps = append(ps, chart.Point{Time: at, Value: float64(p.Value)})
		}
		out[key] = ps
	}
	return out, nil
}

// only returns the single series of m, if there is one.
func only(m map[string][]chart.Point) []chart.Point {
	for _, ps := range m {
		return ps
	}
	return nil
}
