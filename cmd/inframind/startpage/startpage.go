// Package startpage is the first view: every component's state, the forecasts that matter
// most, anomalies, log volume and alerts. It is plain HTML with SVG pictures, made on the
// server; it needs no JavaScript and refreshes itself.
package startpage

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/inframind/inframind/cmd/inframind/status"
	"github.com/inframind/inframind/internal/chart"
	"github.com/inframind/inframind/internal/logstore"
)

// Options are what the page reads from.
type Options struct {
	Prometheus v1.API
	Store      logstore.Store
	Rows       func(context.Context) ([]status.Row, error)
	Version    string
	Log        *slog.Logger
	Now        func() time.Time // nil means time.Now
}

// timeout bounds what one request may wait for; a part that is late is left out and said.
const timeout = 10 * time.Second

// refresh is how often a browser asks again, in seconds.
const refresh = 15

//go:embed page.html query.html style.css
var files embed.FS

type handler struct {
	Options
	pages *template.Template
	style template.CSS
}

// New makes the handler of /, /query and /chart/.
func New(o Options) (http.Handler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	pages, err := template.New("").Funcs(template.FuncMap{"ago": o.ago}).ParseFS(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("start page: %w", err)
	}
	css, err := files.ReadFile("style.css")
	if err != nil {
		return nil, fmt.Errorf("start page: %w", err)
	}
	h := &handler{Options: o, pages: pages, style: template.CSS(css)} // our own file, not a user's
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.index)
	mux.HandleFunc("GET /query", h.query)
	mux.HandleFunc("GET /chart/forecast.svg", h.picture(h.forecastChart))
	mux.HandleFunc("GET /chart/anomalies.svg", h.picture(h.anomalyChart))
	mux.HandleFunc("GET /chart/logs.svg", h.picture(h.logChart))
	mux.HandleFunc("GET /chart/query.svg", h.picture(h.queryChart))
	return mux, nil
}

// page is what page.html shows. A part that could not be read carries its reason.
type page struct {
	Style     template.CSS
	Refresh   int
	Version   string
	Now       time.Time
	Rows      []status.Row
	Forecasts []forecast
	Alerts    []alert
	Problems  []string
}

func (h *handler) index(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	p := page{Style: h.style, Refresh: refresh, Version: h.Version, Now: h.Now().UTC()}
	problem := func(what string, err error) {
		if err != nil {
			h.Log.Warn("start page is incomplete", "part", what, "err", err)
			p.Problems = append(p.Problems, what+": "+err.Error())
		}
	}
	var err error
	p.Rows, err = h.Rows(ctx)
	problem("status", err)
	p.Forecasts, err = h.forecasts(ctx)
	problem("forecasts", err)
	p.Alerts, err = h.alerts(ctx)
	problem("alerts", err)
	h.render(w, "page.html", p)
}

// render sends a whole page or, when its template fails, an error and no half page.
func (h *handler) render(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := h.pages.ExecuteTemplate(&b, name, data); err != nil {
		h.Log.Error("page not rendered", "page", name, "err", err)
		http.Error(w, "the page could not be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if _, err := b.WriteTo(w); err != nil {
		h.Log.Debug("page not sent", "page", name, "err", err)
	}
}

// drawing is a picture of internal/chart.
type drawing interface {
	SVG(chart.Size, chart.Theme) ([]byte, error)
}

// picture serves what draw makes, for ?theme=light or dark.
func (h *handler) picture(draw func(context.Context, *http.Request) (drawing, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		theme := chart.Light()
		if r.FormValue("theme") == "dark" {
			theme = chart.Dark()
		}
		d, err := draw(ctx, r)
		if err != nil {
			// A picture that says so is better than a broken one.
			h.Log.Warn("chart not drawn", "path", r.URL.Path, "err", err)
			d = chart.TimeSeries{Title: "not available: " + shorten(err.Error(), 70)}
		}
		raw, err := d.SVG(chart.Size{Width: 760, Height: 260}, theme)
		if err != nil {
			h.Log.Error("chart not drawn", "path", r.URL.Path, "err", err)
			http.Error(w, "the chart could not be drawn; the log says why", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		w.Header().Set("Cache-Control", "max-age=10")
		if _, err := w.Write(raw); err != nil {
			h.Log.Debug("chart not sent", "path", r.URL.Path, "err", err)
		}
	}
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func (o Options) ago(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "never"
	}
	d := o.Now().Sub(*t).Round(time.Second)
	switch {
	case d < 2*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h ago", d.Hours())
	}
	return t.UTC().Format("2 Jan 15:04 UTC")
}
