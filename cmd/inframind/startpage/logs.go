package startpage

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/inframind/inframind/internal/chart"
	"github.com/inframind/inframind/internal/logstore"
)

// classes of log lines from worst to least, the order of the columns.
var classes = []string{"critical", "warning", "informational", "noise"}

func (h *handler) logChart(ctx context.Context, _ *http.Request) (drawing, error) {
	c, err := h.byHour(ctx, logstore.Query{Index: logstore.IndexClassified}, "ml_category", classes)
	c.Title = "Log lines by hour and class"
	return c, err
}

func (h *handler) anomalyChart(ctx context.Context, _ *http.Request) (drawing, error) {
	c, err := h.byHour(ctx, logstore.Query{Index: logstore.IndexAnomalies, Match: map[string]string{"anomaly.type": "finding"}}, "anomaly.detector", nil)
	c.Title = "Findings by hour and detector"
	return c, err
}

// byHour counts the documents of q of the last 24 hours. Groups that are not named are
// found in the data.
func (h *handler) byHour(ctx context.Context, q logstore.Query, field string, groups []string) (chart.Stack, error) {
	to := h.Now().Truncate(time.Hour).Add(time.Hour)
	c := chart.Stack{Groups: groups, Width: time.Hour}
	q.From, q.To = to.Add(-24*time.Hour), to
	buckets, err := h.Store.Histogram(ctx, q, time.Hour, field)
	if err != nil {
		return c, fmt.Errorf("count %s: %w", q.Index, err)
	}
	for _, b := range buckets {
		if groups == nil && !slices.Contains(c.Groups, b.Value) {
			c.Groups = append(c.Groups, b.Value)
		}
	}
	if groups == nil {
		slices.Sort(c.Groups)
	}
	for t := to.Add(-24 * time.Hour); t.Before(to); t = t.Add(time.Hour) {
		bar := chart.Bar{Time: t, Values: make([]float64, len(c.Groups))}
		for _, b := range buckets {
			if i := slices.Index(c.Groups, b.Value); i >= 0 && b.Start.Equal(t) {
				bar.Values[i] += float64(b.Count)
			}
		}
		c.Bars = append(c.Bars, bar)
	}
	return c, nil
}

// alert is one line of the alert table.
type alert struct {
	Name, Severity, State, Summary string
	Demo                           bool
	Since                          time.Time
}

// alerts lists what fires or is about to, the worst and the newest first.
func (h *handler) alerts(ctx context.Context) ([]alert, error) {
	res, err := h.Prometheus.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]alert, 0, len(res.Alerts))
	for _, a := range res.Alerts {
		out = append(out, alert{
			Name: string(a.Labels["alertname"]), Severity: string(a.Labels["severity"]), State: string(a.State),
			Summary: string(a.Annotations["summary"]), Demo: a.Labels["demo"] == "true", Since: a.ActiveAt,
		})
	}
	slices.SortFunc(out, func(a, b alert) int {
		if x, y := a.State == string(v1.AlertStateFiring), b.State == string(v1.AlertStateFiring); x != y {
			if x {
				return -1
			}
			return 1
		}
		if x, y := severityRank(a.Severity), severityRank(b.Severity); x != y {
			return x - y
		}
		return b.Since.Compare(a.Since)
	})
	return out, nil
}

func severityRank(s string) int {
	if i := slices.Index([]string{"critical", "warning", "info"}, s); i >= 0 {
		return i
	}
	return 3
}
