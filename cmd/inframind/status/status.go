// Package status says how the all-in-one is doing. Each row is PromQL against the
// Prometheus API, so that it shows nothing that a user could not query.
package status

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	api "github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// State of a row.
type State string

// States of a row. Only Failed and Starting count as not alive.
const (
	OK       State = "ok"
	Off      State = "off"      // not configured
	Starting State = "starting" // nothing to show yet
	Failed   State = "failed"
)

// Row is one line of the table.
type Row struct {
	Component   string     `json:"component"`
	State       State      `json:"state"`
	Value       string     `json:"value"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
	Query       string     `json:"query"` // PromQL that gives the value
	Link        string     `json:"link"`  // page that shows the query's result
}

// Alive tells whether the row needs no attention.
func (r Row) Alive() bool { return r.State == OK || r.State == Off }

// queryTimeout bounds one PromQL query.
const queryTimeout = 5 * time.Second

// Reader reads the rows from one inframind.
type Reader struct {
	base string
	api  v1.API
}

// NewReader makes a Reader of the inframind at base, e.g. http://127.0.0.1:9600.
func NewReader(base string, client *http.Client) (*Reader, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("URL %q: want http://host:port", base)
	}
	base = strings.TrimSuffix(base, "/")
	c, err := api.NewClient(api.Config{Address: base + "/prometheus", Client: client})
	if err != nil {
		return nil, fmt.Errorf("URL %q: %w", base, err)
	}
	return &Reader{base: base, api: v1.NewAPI(c)}, nil
}

// Rows reads every row. An error means that Prometheus itself did not answer.
func (r *Reader) Rows(ctx context.Context) ([]Row, error) {
	demo, err := r.scalar(ctx, `max(inframind_demo_enabled)`)
	if err != nil {
		return nil, fmt.Errorf("cannot read the status from %s: %w (is inframind running? start it with: inframind run)", r.base, err)
	}
	rows := make([]Row, 0, len(specs))
	for _, s := range specs {
		row, err := r.row(ctx, s, demo.ok && demo.value == 1)
		if err != nil {
			return nil, fmt.Errorf("status of %s: %w", s.name, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (r *Reader) row(ctx context.Context, s spec, demo bool) (Row, error) {
	row := Row{Component: s.name, Query: s.value, Link: r.base + "/query?expr=" + url.QueryEscape(s.value)}
	value, err := r.scalar(ctx, s.value)
	if err != nil {
		return row, err
	}
	last, err := r.scalar(ctx, s.last)
	if err != nil {
		return row, err
	}
	if last.ok && last.value > 0 {
		t := time.UnixMilli(int64(last.value * 1000)).UTC()
		row.LastSuccess = &t
	}
	total, err := r.scalar(ctx, s.total)
	if err != nil {
		return row, err
	}
	state, err := r.component(ctx, s.component)
	if err != nil {
		return row, err
	}
	row.State = s.judge(value, total, state, demo)
	row.Value = s.text(value, total)
	return row, nil
}

// judge turns what the queries gave into a state. In the demo every row must have
// something to show: there it is known to exist.
func (s spec) judge(value, total result, component State, demo bool) State {
	switch {
	case component == Off, component == Failed:
		return component
	case !value.ok || component == Starting:
		return Starting
	case s.total != "" && (!total.ok || value.value < total.value):
		return Failed
	case demo && value.value < 1:
		return Starting
	}
	return OK
}

func (s spec) text(value, total result) string {
	switch {
	case !value.ok:
		return "-"
	case s.total != "" && total.ok:
		return fmt.Sprintf("%s of %s %s", count(value.value), count(total.value), s.unit)
	}
	return count(value.value) + " " + s.unit
}

// count writes a number with thousands separated.
func count(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// component reads the state of a supervised part; OK when the row stands for none.
func (r *Reader) component(ctx context.Context, name string) (State, error) {
	if name == "" {
		return OK, nil
	}
	v, err := r.vector(ctx, fmt.Sprintf(`inframind_component_state{component=%q} == 1`, name))
	if err != nil || len(v) == 0 {
		return Starting, err
	}
	return State(v[0].Metric["state"]), nil
}

// result is a number that may be absent.
type result struct {
	value float64
	ok    bool
}

func (r *Reader) scalar(ctx context.Context, query string) (result, error) {
	if query == "" {
		return result{}, nil
	}
	v, err := r.vector(ctx, query)
	if err != nil || len(v) == 0 {
		return result{}, err
	}
	return result{float64(v[0].Value), true}, nil
}

func (r *Reader) vector(ctx context.Context, query string) (model.Vector, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	v, _, _, err := r.api.Query(ctx, query, time.Now())
	if err != nil {
		return nil, err
	}
	vec, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("query %s gives a %s, want an instant vector", query, v.Type())
	}
	return vec, nil
}
