package forecast

import (
	"errors"
	"math"
	"strconv"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/exhaust"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/stat"
	"github.com/inframind/inframind/internal/series"
)

// Reasons to leave a series alone: nothing has come since the last forecast, or nothing
// for so long that what it belongs to is gone.
var (
	errUnchanged = errors.New("no new samples")
	errGone      = errors.New("no samples any more")
)

// goneAfter is how old the newest sample of a series may be. Its last forecast stays for
// forgetAfter.
const goneAfter = 24 * time.Hour

// levelSpan is how much of the history's end is the level now.
const levelSpan = 6 * time.Hour

// curveStep is the resolution of stored curves.
const curveStep = time.Hour

// forecast makes the forecast of one series.
func (e *Engine) forecast(t *Target, s series.Series, caps capacities, now time.Time) (*Result, curves.Curve, error) {
	last, err := newest(s)
	if err != nil {
		return nil, curves.Curve{}, err
	}
	if now.Sub(last) > max(goneAfter, 2*e.step()) {
		return nil, curves.Curve{}, errGone
	}
	e.mu.Lock()
	old := e.results[key(t.Name, s.Labels)]
	e.mu.Unlock()
	if old != nil && old.Status == statusOK && !last.After(old.Last) {
		return nil, curves.Curve{}, errUnchanged
	}
	like := model.Input{Step: e.step(), Events: e.cfg.known(now)}
	like.Lower, like.Upper = t.bounds()
	in, fixes, err := clean.Input(&s, like)
	if err != nil {
		return nil, curves.Curve{}, err
	}
	h := int(e.cfg.longest() / in.Step)
	m := ensemble.Model{Horizon: h}
	r := &Result{Target: t.Name, Labels: s.Labels, Status: statusOK, Made: now, Trained: now, Last: last, From: in.Start, Rows: len(in.Y), Horizons: map[string]map[string]float64{}}
	switch {
	case old == nil || old.State == nil:
	case now.Sub(old.Trained) < time.Duration(e.cfg.Retrain):
		m.Saved, r.Trained, r.Backtest, r.Kept = old.State, old.Trained, old.Backtest, old.Kept
	default:
		m.InService = old.State
	}
	fitted, err := m.Fit(in)
	if err != nil {
		return nil, curves.Curve{}, err
	}
	fit := fitted.(*ensemble.Fitted)
	rep := fit.Report()
	r.Model, r.State, r.Reason = rep.Chosen, fit.State(), rep.Reason
	if rep.Measures.Points > 0 {
		r.Backtest, r.Kept = accuracy(rep.Measures), rep.Kept
	}
	r.Corrections = append(fixes, fit.Corrections()...)
	f := fit.Forecast(h, levels())
	for _, hz := range e.cfg.Horizons {
		i := int(time.Duration(hz)/in.Step) - 1
		r.Horizons[shortDuration(time.Duration(hz))] = map[string]float64{
			q025: f.Lower[1][i], q10: f.Lower[0][i], q50: f.Median[i], q90: f.Upper[0][i], q975: f.Upper[1][i],
		}
	}
	c := curve(t, s.Labels, in, f)
	r.exhaustion(t, in, fit, f, caps)
	c.Events = r.events(in, rep)
	return r, c, nil
}

// newest is the time of the last sample that is a number.
func newest(s series.Series) (time.Time, error) {
	if s.Len() == 0 {
		return time.Time{}, clean.ErrNoData
	}
	last := int64(math.MinInt64)
	for i, t := range s.Times {
		if v := s.Values[i]; t > last && v-v == 0 {
			last = t
		}
	}
	if last == math.MinInt64 {
		return time.Time{}, clean.ErrNaN
	}
	return time.UnixMilli(last), nil
}

// exhaustion looks for the crossings of the target's thresholds.
func (r *Result) exhaustion(t *Target, in model.Input, fit *ensemble.Fitted, f model.Forecast, caps capacities) {
	line, ok := fit.Trend()
	if !ok {
		return
	}
	down := t.Direction == "down"
	end := in.Start.Add(time.Duration(len(in.Y)) * in.Step)
	r.Trend = exhaust.Words(line, t.Unit, end, exhaust.Growing(line, down))
	capacity, ok := caps.of(t, r.Labels)
	if !ok {
		return
	}
	outer := f.Upper[0]
	if down {
		outer = f.Lower[0]
	}
	c := exhaust.Curve{Start: end, Step: in.Step, Median: f.Median, Outer: outer, Beyond: fit.Beyond(len(f.Median), down)}
	level := stat.Median(in.Y[max(len(in.Y)-max(int(levelSpan/in.Step), 1), 0):])
	for _, th := range t.Thresholds {
		x := exhaust.Find(c, line, exhaust.Threshold{Name: strconv.FormatFloat(th, 'g', -1, 64), Value: th * capacity, Down: down}, level)
		r.Exhaustion = append(r.Exhaustion, Exhaustion{Threshold: x.Threshold.Name, Median: finite(x.Median), Outer: finite(x.Outer), Within: x.Within, Growing: x.Growing})
	}
}

// events are what Grafana shows as annotations.
func (r *Result) events(in model.Input, rep ensemble.Report) []curves.Event {
	end := in.Start.Add(time.Duration(len(in.Y)) * in.Step)
	var out []curves.Event
	if rep.ShiftAgo > 0 {
		at := end.Add(-time.Duration(rep.ShiftAgo * 24 * float64(time.Hour)))
		out = append(out, curves.Event{TimeMS: at.UnixMilli(), Kind: "changepoint", Text: "the level changed"})
	}
	for _, x := range r.Exhaustion {
		if x.Median != nil && *x.Median > 0 {
			at := end.Add(time.Duration(*x.Median * float64(time.Second)))
			out = append(out, curves.Event{TimeMS: at.UnixMilli(), Kind: "crossing", Text: "crosses " + x.Threshold})
		}
	}
	return out
}

// curve thins the forecast out to curveStep.
func curve(t *Target, ls labels.Labels, in model.Input, f model.Forecast) curves.Curve {
	every := max(int(curveStep/in.Step), 1)
	c := curves.Curve{
		Start: in.Start.Add(time.Duration(len(in.Y)) * in.Step), Step: time.Duration(every) * in.Step,
		Labels: curveLabels(t.Name, ls),
	}
	for _, l := range []struct {
		q string
		v []float64
	}{{q025, f.Lower[1]}, {q10, f.Lower[0]}, {q50, f.Median}, {q90, f.Upper[0]}, {q975, f.Upper[1]}} {
		vals := make([]float32, 0, len(l.v)/every+1)
		for i := 0; i < len(l.v); i += every {
			vals = append(vals, float32(math.Min(math.Max(l.v[i], -math.MaxFloat32), math.MaxFloat32)))
		}
		c.Lines = append(c.Lines, curves.Line{Quantile: l.q, Values: vals})
	}
	return c
}

// curveLabels name the curve of one series of a target.
func curveLabels(target string, ls labels.Labels) labels.Labels {
	return labels.NewBuilder(publicLabels(ls)).Set(pmodel.MetricNameLabel, curves.MetricPrefix+target).Labels()
}
