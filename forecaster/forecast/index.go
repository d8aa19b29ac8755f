package forecast

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/internal/logstore"
)

// index writes the forecast as documents, one a horizon. Their ids name the series, the
// horizon and the newest sample: the same forecast written twice is one document.
func (e *Engine) index(ctx context.Context, r *Result) error {
	var docs []logstore.Document
	for h, q := range r.Horizons {
		fields := map[string]any{"forecast.target": r.Target, "forecast.series": r.Labels.String(), "forecast.horizon": h, "forecast.model": r.Model,
			"forecast.median": q[q50], "forecast.lower80": q[q10], "forecast.upper80": q[q90], "forecast.lower95": q[q025], "forecast.upper95": q[q975]}
		r.Labels.Range(func(l labels.Label) {
			if l.Name != labels.MetricName {
				fields["labels."+l.Name] = l.Value
			}
		})
		docs = append(docs, logstore.Document{ID: fmt.Sprintf("%s-%s-%d", key(r.Target, r.Labels), h, r.Last.Unix()), Time: r.Made,
			Message: fmt.Sprintf("%s %s in %s: %.4g (80 %%: %.4g to %.4g) %s", r.Target, r.Labels, h, q[q50], q[q10], q[q90], r.Trend), Fields: fields})
	}
	rejected, err := e.opts.Store.Write(ctx, logstore.IndexForecasts, docs)
	if err != nil {
		return fmt.Errorf("forecasts index: %w", err)
	}
	if len(rejected) > 0 {
		return fmt.Errorf("forecasts index: rejected: %s", rejected[0].Reason)
	}
	return nil
}
