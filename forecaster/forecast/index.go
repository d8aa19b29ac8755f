package forecast

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/internal/logstore"
)

// batch is how many documents one write carries.
const batch = 1000

// index writes the forecasts made now as documents, one a series and horizon.
func (e *Engine) index(ctx context.Context, now time.Time) error {
	var docs []logstore.Document
	for _, r := range e.Results() {
		if r.Status == statusOK && r.Made.Equal(now) {
			docs = append(docs, documents(r)...)
		}
	}
	for part := range slices.Chunk(docs, batch) {
		rejected, err := e.opts.Store.Write(ctx, logstore.IndexForecasts, part)
		if err != nil {
			return fmt.Errorf("forecasts index: %w", err)
		}
		if len(rejected) > 0 {
			return fmt.Errorf("forecasts index: %d documents rejected: %s", len(rejected), rejected[0].Reason)
		}
	}
	return nil
}

// documents of one series. Their ids name the series, the horizon and the newest sample:
// the same forecast written twice is one document.
func documents(r *Result) []logstore.Document {
	var docs []logstore.Document
	for _, h := range slices.Sorted(maps.Keys(r.Horizons)) {
		q := r.Horizons[h]
		fields := map[string]any{
			"forecast.target": r.Target, "forecast.series": r.Labels.String(), "forecast.horizon": h, "forecast.model": r.Model,
			"forecast.median": q[q50], "forecast.lower80": q[q10], "forecast.upper80": q[q90], "forecast.lower95": q[q025], "forecast.upper95": q[q975],
		}
		if len(r.Corrections) > 0 {
			fields["forecast.corrections"] = clean.Words(r.Corrections)
		}
		r.Labels.Range(func(l labels.Label) {
			if l.Name != pmodel.MetricNameLabel {
				fields["labels."+l.Name] = l.Value
			}
		})
		docs = append(docs, logstore.Document{
			ID: fmt.Sprintf("%016x-%s-%d", xxhash.Sum64String(key(r.Target, r.Labels)), h, r.Last.Unix()), Time: r.Made,
			Message: fmt.Sprintf("%s %s in %s: %.4g (80 %%: %.4g to %.4g) %s", r.Target, r.Labels, h, q[q50], q[q10], q[q90], r.Trend), Fields: fields,
		})
	}
	return docs
}
