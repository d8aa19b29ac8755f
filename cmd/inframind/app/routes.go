package app

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/inframind/inframind/cmd/inframind/hostmetrics"
	"github.com/inframind/inframind/cmd/inframind/startpage"
)

// routes is everything this process answers, on one listener.
func (a *App) routes() (http.Handler, error) {
	node, err := hostmetrics.Handler(a.debugOnly())
	if err != nil {
		return nil, err
	}
	start, err := a.startPage()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", start)
	mux.Handle("/prometheus/", a.prom.Handler())
	for _, page := range []string{"/prometheus/{$}", "/prometheus/query", "/prometheus/graph"} {
		mux.HandleFunc("GET "+page, toQueryPage)
	}
	mux.Handle("/alertmanager/", a.alertmgr.Handler())
	mux.Handle("/pushgateway/", a.pushgw.Handler())
	mux.Handle("/jobs/{job}/", http.HandlerFunc(a.serveJob))
	mux.Handle("/alerts/", http.StripPrefix("/alerts", a.alerts.Handler()))
	mux.Handle("GET /metrics", promhttp.InstrumentMetricHandler(a.registry, promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{Registry: a.registry})))
	mux.Handle("GET /node/metrics", node)
	if a.demo != nil {
		if err := a.demoRoutes(mux); err != nil {
			return nil, err
		}
	}
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") }
	mux.HandleFunc("GET /-/healthy", ok)
	mux.HandleFunc("GET /-/ready", ok) // nothing is served before everything is
	for _, path := range []string{"/-/reload", "/prometheus/-/reload", "/alertmanager/-/reload"} {
		mux.HandleFunc("POST "+path, a.handleReload)
		mux.HandleFunc("PUT "+path, a.handleReload)
	}
	// A page of another site that a user visits must not change anything here.
	return http.NewCrossOriginProtection().Handler(mux), nil
}

// serveJob hands a request below /jobs/<name>/ to that job: review of labels, feedback on
// findings.
func (a *App) serveJob(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("job")
	h, ok := a.jobPages.Load(name)
	if !ok {
		http.Error(w, "no such job, or it is not running", http.StatusNotFound)
		return
	}
	http.StripPrefix("/jobs/"+name, h.(http.Handler)).ServeHTTP(w, r)
}

func (a *App) startPage() (http.Handler, error) {
	c, err := api.NewClient(api.Config{Address: a.self + "/prometheus"})
	if err != nil {
		return nil, fmt.Errorf("start page: %w", err)
	}
	return startpage.New(startpage.Options{
		Prometheus: v1.NewAPI(c), Store: a.store, Rows: a.status.Rows, Version: a.opts.Version, Log: a.log,
	})
}

// toQueryPage answers for Prometheus' own pages, whose assets are not in its Go module.
// The links in alerts lead here.
func toQueryPage(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/query?expr="+url.QueryEscape(r.FormValue("g0.expr")), http.StatusFound)
}
