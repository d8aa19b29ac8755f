// Package serve shows the curve store as a read-only Prometheus HTTP API, so that Grafana
// takes it as a data source of type Prometheus.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

const (
	queryTimeout = 30 * time.Second
	maxSamples   = 20_000_000
	maxPoints    = 11_000 // per series, as Prometheus
	maxBody      = 1 << 20
)

// Handler answers queries of store. The range of an answer without start and end is
// a year either side of now: forecasts lie ahead.
func Handler(store storage.Queryable, log *slog.Logger) http.Handler {
	p := parser.NewParser(parser.Options{})
	a := &api{store: store, log: log, parser: p, engine: promql.NewEngine(promql.EngineOpts{
		Logger: log, MaxSamples: maxSamples, Timeout: queryTimeout, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
	})}
	mux := http.NewServeMux()
	for path, f := range map[string]func(*http.Request) (any, error){
		"/api/v1/query":               a.query,
		"/api/v1/query_range":         a.queryRange,
		"/api/v1/series":              a.series,
		"/api/v1/labels":              a.labelNames,
		"/api/v1/label/{name}/values": a.labelValues,
		"/api/v1/metadata":            func(*http.Request) (any, error) { return struct{}{}, nil },
		"/api/v1/status/buildinfo":    func(*http.Request) (any, error) { return map[string]string{"version": version.Version}, nil },
	} {
		mux.HandleFunc("GET "+path, a.answer(f))
		mux.HandleFunc("POST "+path, a.answer(f))
	}
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "forecaster is healthy.") }
	mux.HandleFunc("GET /-/healthy", ok)
	mux.HandleFunc("GET /-/ready", ok)
	return mux
}

type api struct {
	store  storage.Queryable
	engine *promql.Engine
	parser parser.Parser
	log    *slog.Logger
}

// failure is an error with the API's type and status.
type failure struct {
	status int
	kind   string
	err    error
}

func (f failure) Error() string { return f.err.Error() }

func badData(format string, args ...any) error {
	return failure{http.StatusBadRequest, "bad_data", fmt.Errorf(format, args...)}
}

func (a *api) answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, body := http.StatusOK, map[string]any{"status": "success"}
		data, err := f(r)
		if err == nil {
			body["data"] = data
		} else {
			fail := failure{http.StatusUnprocessableEntity, "execution", err}
			_ = errors.As(err, &fail) // keeps the default for errors of other kinds
			status = fail.status
			body = map[string]any{"status": "error", "errorType": fail.kind, "error": err.Error()}
		}
		raw, err := json.Marshal(body)
		if err != nil {
			a.log.Error("cannot encode an answer", "path", r.URL.Path, "err", err)
			http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if _, err := w.Write(raw); err != nil {
			a.log.Debug("client went away", "err", err)
		}
	}
}

func (a *api) query(r *http.Request) (any, error) {
	at, err := timeParam(r, "time", time.Now())
	if err != nil {
		return nil, err
	}
	q, err := a.engine.NewInstantQuery(r.Context(), a.store, nil, r.FormValue("query"), at)
	if err != nil {
		return nil, badData("invalid parameter \"query\": %w", err)
	}
	return exec(r.Context(), q)
}

func (a *api) queryRange(r *http.Request) (any, error) {
	start, err := timeParam(r, "start", time.Time{})
	if err != nil {
		return nil, err
	}
	end, err := timeParam(r, "end", time.Time{})
	if err != nil {
		return nil, err
	}
	step, err := durationParam(r.FormValue("step"))
	switch {
	case err != nil:
		return nil, err
	case end.Before(start):
		return nil, badData("invalid parameter \"end\": end timestamp must not be before start time")
	case end.Sub(start)/step > maxPoints:
		return nil, badData("exceeded maximum resolution of 11,000 points per timeseries: use a larger step")
	}
	q, err := a.engine.NewRangeQuery(r.Context(), a.store, nil, r.FormValue("query"), start, end, step)
	if err != nil {
		return nil, badData("invalid parameter \"query\": %w", err)
	}
	return exec(r.Context(), q)
}

func exec(ctx context.Context, q promql.Query) (any, error) {
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, res.Err
	}
	// The value is encoded before Close takes its memory back.
	raw, err := json.Marshal(res.Value)
	if err != nil {
		return nil, err
	}
	return map[string]any{"resultType": res.Value.Type(), "result": json.RawMessage(raw)}, nil
}

// selection runs f on a querier of the request's range, with its match[] selectors.
func (a *api) selection(r *http.Request, f func(storage.Querier, [][]*labels.Matcher) error) error {
	start, err := timeParam(r, "start", time.Now().AddDate(-1, 0, 0))
	if err != nil {
		return err
	}
	end, err := timeParam(r, "end", time.Now().AddDate(1, 0, 0))
	if err != nil {
		return err
	}
	var sets [][]*labels.Matcher
	for _, s := range r.Form["match[]"] {
		ms, err := a.parser.ParseMetricSelector(s)
		if err != nil {
			return badData("invalid parameter \"match[]\": %w", err)
		}
		sets = append(sets, ms)
	}
	q, err := a.store.Querier(start.UnixMilli(), end.UnixMilli())
	if err != nil {
		return err
	}
	return errors.Join(f(q, sets), q.Close())
}

func (a *api) series(r *http.Request) (any, error) {
	out := []labels.Labels{}
	err := a.selection(r, func(q storage.Querier, sets [][]*labels.Matcher) error {
		if len(sets) == 0 {
			return badData("no match[] parameter provided")
		}
		for _, ms := range sets {
			set := q.Select(r.Context(), true, nil, ms...)
			for set.Next() {
				out = append(out, set.At().Labels())
			}
			if set.Err() != nil {
				return set.Err()
			}
		}
		return nil
	})
	slices.SortFunc(out, labels.Compare)
	return slices.CompactFunc(out, labels.Equal), err
}

func (a *api) labelNames(r *http.Request) (any, error) {
	return a.names(r, func(q storage.Querier, ms []*labels.Matcher) ([]string, error) {
		v, _, err := q.LabelNames(r.Context(), nil, ms...)
		return v, err
	})
}

func (a *api) labelValues(r *http.Request) (any, error) {
	name := r.PathValue("name")
	if !model.UTF8Validation.IsValidLabelName(name) {
		return nil, badData("invalid label name: %q", name)
	}
	return a.names(r, func(q storage.Querier, ms []*labels.Matcher) ([]string, error) {
		v, _, err := q.LabelValues(r.Context(), name, nil, ms...)
		return v, err
	})
}

func (a *api) names(r *http.Request, f func(storage.Querier, []*labels.Matcher) ([]string, error)) (any, error) {
	out := []string{}
	err := a.selection(r, func(q storage.Querier, sets [][]*labels.Matcher) error {
		if len(sets) == 0 {
			sets = [][]*labels.Matcher{nil}
		}
		for _, ms := range sets {
			v, err := f(q, ms)
			if err != nil {
				return err
			}
			out = append(out, v...)
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), err
}

// timeParam reads a time as Unix seconds or RFC 3339. It also parses the form. A zero
// def means that the parameter has to be given.
func timeParam(r *http.Request, name string, def time.Time) (time.Time, error) {
	if err := r.ParseForm(); err != nil {
		return time.Time{}, badData("%w", err)
	}
	s := r.FormValue(name)
	if s == "" && !def.IsZero() {
		return def, nil
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(v) < 1e11 {
		return time.UnixMilli(int64(math.Round(v * 1000))), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	return time.Time{}, badData("invalid parameter %q: cannot parse %q to a valid timestamp", name, s)
}

func durationParam(s string) (time.Duration, error) {
	if v, err := strconv.ParseFloat(s, 64); err == nil && v > 0 && v < 1e9 {
		return time.Duration(v * float64(time.Second)), nil
	}
	if d, err := model.ParseDuration(s); err == nil && d > 0 {
		return time.Duration(d), nil
	}
	return 0, badData("invalid parameter \"step\": cannot parse %q to a valid duration", s)
}
