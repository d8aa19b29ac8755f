package forecast

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/naive"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/series"
)

// errUnchanged means that nothing has come since the last forecast.
var errUnchanged = errors.New("no new samples")

// curveStep is the resolution of stored curves.
const curveStep = time.Hour

// forecast makes the forecast of one series.
func (e *Engine) forecast(t *Target, s series.Series, caps capacities, now time.Time) (*Result, curves.Curve, error) {
	if s.Len() == 0 {
		return nil, curves.Curve{}, clean.ErrNoData
	}
	last := time.UnixMilli(s.Times[s.Len()-1])
	e.mu.Lock()
	old := e.results[key(t.Name, s.Labels)]
	e.mu.Unlock()
	if old != nil && old.Status == "ok" && !last.After(old.Last) {
		return nil, curves.Curve{}, errUnchanged
	}
	grid, fixes, err := clean.Resample(&s, e.step())
	if err != nil {
		return nil, curves.Curve{}, err
	}
	fixes = append(fixes, clean.Fill(&grid)...)
	in := model.Input{Y: grid.Y, Start: grid.Start, Step: grid.Step}
	in.Lower, in.Upper = t.bounds()
	name, fit, err := fitNaive(in)
	if err != nil {
		return nil, curves.Curve{}, err
	}
	f := fit.Forecast(int(e.cfg.longest()/grid.Step), levels())
	r := &Result{Target: t.Name, Labels: s.Labels, Status: "ok", Made: now, Trained: now, Last: last, Rows: len(grid.Y),
		Model: name, Horizons: map[string]map[string]float64{}}
	for _, c := range fixes {
		r.Corrections = append(r.Corrections, c.String())
	}
	for _, h := range e.cfg.Horizons {
		i := int(time.Duration(h)/grid.Step) - 1
		r.Horizons[shortDuration(time.Duration(h))] = map[string]float64{
			q025: f.Lower[1][i], q10: f.Lower[0][i], q50: f.Median[i], q90: f.Upper[0][i], q975: f.Upper[1][i]}
	}
	_ = caps
	return r, curve(t, s.Labels, in, f), nil
}

func fitNaive(in model.Input) (string, model.Fitted, error) {
	var errs []error
	for _, m := range []model.Model{naive.Seasonal{Period: 7 * 24 * time.Hour}, naive.Seasonal{Period: 24 * time.Hour}, naive.Drift{}} {
		fit, err := m.Fit(in)
		if err == nil {
			return m.Name(), fit, nil
		}
		errs = append(errs, err)
	}
	return "", nil, errors.Join(errs...)
}

// curve thins the forecast out to curveStep.
func curve(t *Target, ls labels.Labels, in model.Input, f model.Forecast) curves.Curve {
	every := max(int(curveStep/in.Step), 1)
	c := curves.Curve{Start: in.Start.Add(time.Duration(len(in.Y)) * in.Step), Step: time.Duration(every) * in.Step,
		Labels: labels.NewBuilder(publicLabels(ls)).Set(labels.MetricName, curves.MetricPrefix+t.Name).Labels()}
	for _, l := range []struct {
		q string
		v []float64
	}{{q025, f.Lower[1]}, {q10, f.Lower[0]}, {q50, f.Median}, {q90, f.Upper[0]}, {q975, f.Upper[1]}} {
		vals := make([]float32, 0, len(l.v)/every+1)
		for i := 0; i < len(l.v); i += every {
			vals = append(vals, float32(l.v[i]))
		}
		c.Lines = append(c.Lines, curves.Line{Quantile: l.q, Values: vals})
	}
	return c
}

// index writes the forecast as documents, one a horizon. Their ids name the series, the
// horizon and the newest sample: the same forecast written twice is one document.
func (e *Engine) index(ctx context.Context, r *Result, c curves.Curve) error {
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
			Message: fmt.Sprintf("%s %s in %s: %.4g (80 %%: %.4g to %.4g)", r.Target, r.Labels, h, q[q50], q[q10], q[q90]), Fields: fields})
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
