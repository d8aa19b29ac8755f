package startpage

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/chart"
)

// queryRange is how far back the query page looks.
const queryRange = 6 * time.Hour

// maxQueryLines bounds what the query page shows; more is for Grafana.
const maxQueryLines = 50

// queryPage is what query.html shows.
type queryPage struct {
	Style  template.CSS
	Expr   string
	Chart  string // address of the picture
	Values []value
	More   int // values that are not shown
	Error  string
}

type value struct{ Series, Value string }

// query shows the result of one PromQL expression as numbers and as a picture.
func (h *handler) query(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	p := queryPage{Style: h.style, Expr: r.FormValue("expr")}
	if p.Expr != "" {
		p.Chart = "/chart/query.svg?" + url.Values{"expr": {p.Expr}}.Encode()
		if err := h.fill(ctx, &p); err != nil {
			p.Error = err.Error()
		}
	}
	h.render(w, "query.html", p)
}

func (h *handler) fill(ctx context.Context, p *queryPage) error {
	v, _, _, err := h.Prometheus.Query(ctx, p.Expr, h.Now())
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case model.Vector:
		for _, s := range v {
			p.Values = append(p.Values, value{s.Metric.String(), s.Value.String()})
		}
	case *model.Scalar:
		p.Values = []value{{"scalar", v.Value.String()}}
	default:
		return fmt.Errorf("the expression gives a %s; ask for an instant vector", v.Type())
	}
	if len(p.Values) > maxQueryLines {
		p.More = len(p.Values) - maxQueryLines
		p.Values = p.Values[:maxQueryLines]
	}
	return nil
}

func (h *handler) queryChart(ctx context.Context, r *http.Request) (drawing, error) {
	expr := r.FormValue("expr")
	if expr == "" {
		return nil, errors.New("no expression")
	}
	now := h.Now()
	lines, err := h.lines(ctx, expr, v1.Range{Start: now.Add(-queryRange), End: now, Step: time.Minute})
	if err != nil {
		return nil, err
	}
	c := chart.TimeSeries{Title: "last 6 hours"}
	names := make([]string, 0, len(lines))
	for n := range lines {
		names = append(names, n)
	}
	slices.Sort(names)
	const named = 6 // a longer legend hides the picture
	for i, n := range names[:min(len(names), maxQueryLines)] {
		l := chart.Line{Points: lines[n]}
		if i < named {
			l.Name = shorten(n, 80)
		}
		c.Lines = append(c.Lines, l)
	}
	return c, nil
}
