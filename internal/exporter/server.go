package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	promversion "github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
)

// closeTimeout bounds the end of kept sessions at reload and exit.
const closeTimeout = 10 * time.Second

// Spec describes an exporter.
type Spec struct {
	Namespace string // prefix of the up metric and name of the exporter: <namespace>_exporter
	About     string // one sentence for the landing page
	Listen    string // default listen address, e.g. ":9610"
	// Path is a second path of /probe, the one people have in their scrape configurations.
	Path string
	// Params are query parameters of /probe beyond the common ones, for Probe.Params.
	Params []string
	// Flags adds flags of the exporter's own to each command that loads the configuration.
	Flags func(*kingpin.CmdClause)
	// ManyFiles lets --config.file be repeated; Load then gets the names joined by newlines.
	ManyFiles bool
	// Load reads the configuration and makes the driver, at start and at every reload.
	// configFile is the flag --config.file, empty when it was not given. Metrics of the
	// driver itself are registered with reg, which is new at every load. Load is called
	// before the old driver is closed. The Config must have been validated.
	Load func(ctx context.Context, configFile string, log *slog.Logger, reg prometheus.Registerer) (Config, Driver, error)
}

// Options are what the command line says.
type Options struct {
	ConfigFile    string
	TimeoutOffset time.Duration // taken off the scrape timeout
}

// generation is one loaded configuration. It ends when its last probe has ended.
type generation struct {
	conf    Config
	driver  Driver
	flights *flights
	reg     *prometheus.Registry
	params  []string // Spec.Params
	users   sync.WaitGroup

	detecting     sync.Once
	detectors     []*detector // made by detecting
	stopDetecting context.CancelFunc
	sweeps        sync.WaitGroup
}

func (g *generation) leave() { g.users.Done() }

// close waits for the probes and ends the driver.
func (g *generation) close(log *slog.Logger) {
	g.users.Wait()
	if g.stopDetecting != nil {
		g.stopDetecting()
		g.sweeps.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := g.driver.Close(ctx); err != nil {
		log.Warn("sessions may be left on devices", "err", err)
	}
}

type server struct {
	spec    Spec
	opts    Options
	log     *slog.Logger
	metrics *serverMetrics
	reg     *prometheus.Registry

	mu       sync.RWMutex
	current  *generation
	reloadMu sync.Mutex
	closing  sync.WaitGroup // old generations
}

// newServer loads the configuration for the first time.
func newServer(ctx context.Context, spec Spec, opts Options, log *slog.Logger) (*server, error) {
	s := &server{spec: spec, opts: opts, log: log, reg: prometheus.NewRegistry()}
	s.reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		version.NewCollector(spec.Namespace+"_exporter"),
	)
	s.metrics = newServerMetrics(s.reg)
	return s, s.reload(ctx)
}

// enter takes the current generation; leave gives it back.
func (s *server) enter() *generation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.current.users.Add(1)
	return s.current
}

// reload loads the configuration; the old one stays in service when that fails.
func (s *server) reload(ctx context.Context) error {
	s.reloadMu.Lock()
	defer s.reloadMu.Unlock()
	reg := prometheus.NewRegistry()
	conf, driver, err := s.spec.Load(ctx, s.opts.ConfigFile, s.log, reg)
	if err == nil {
		if err = checkDriver(conf, driver); err != nil {
			err = errors.Join(err, driver.Close(ctx))
		}
	}
	s.metrics.reloaded(err)
	if err != nil {
		return err
	}
	if conf.allow.empty() {
		s.log.Warn("any host may be probed, and is offered the default credential; restrict it with targets.allow")
	}
	next := &generation{conf: conf, driver: driver, flights: newFlights(conf.Limits), reg: reg, params: s.spec.Params}
	s.mu.Lock()
	old := s.current
	s.current = next
	s.mu.Unlock()
	if old != nil {
		s.closing.Go(func() { old.close(s.log) })
		s.log.Info("configuration reloaded", "file", s.opts.ConfigFile)
	}
	return nil
}

// close ends everything; no request may be running or come any more.
func (s *server) close() {
	s.mu.Lock()
	g := s.current
	s.mu.Unlock()
	if g != nil {
		g.close(s.log)
	}
	s.closing.Wait()
}

// handler is the exporter's HTTP surface.
func (s *server) handler() (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name: s.spec.Namespace + "_exporter", Description: s.spec.About, Version: promversion.Info(),
		Form: web.LandingForm{Action: "/probe", Inputs: []web.LandingFormInput{
			{Label: "Target", Type: "text", Name: "target", Placeholder: "192.0.2.7"},
			{Label: "Module", Type: "text", Name: "module", Placeholder: "default"},
			{Label: "Auth", Type: "text", Name: "auth", Placeholder: "by target"},
			{Label: "Debug", Type: "text", Name: "debug", Placeholder: "true"},
		}},
		Links: []web.LandingLinks{
			{Address: "/metrics", Text: "Metrics", Description: "of the exporter itself"},
			{Address: "/discover", Text: "Targets", Description: "for http_sd_configs"},
			{Address: "/-/healthy", Text: "Health"},
		},
		Profiling: "false",
	})
	if err != nil {
		return nil, fmt.Errorf("landing page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
	mux.HandleFunc("GET /probe", s.probe)
	if s.spec.Path != "" {
		mux.HandleFunc("GET "+s.spec.Path, s.probe)
	}
	mux.HandleFunc("GET /discover", s.discover)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		g := s.enter()
		defer g.leave()
		promhttp.HandlerFor(prometheus.Gatherers{s.reg, g.reg}, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Healthy") })
	reload := func(w http.ResponseWriter, r *http.Request) {
		if err := s.reload(r.Context()); err != nil {
			s.log.Error("reload failed, the old configuration stays in service", "err", err)
			http.Error(w, "reload failed: "+err.Error(), http.StatusInternalServerError)
		}
	}
	mux.HandleFunc("POST /-/reload", reload)
	mux.HandleFunc("PUT /-/reload", reload)
	return mux, nil
}

// serve listens until ctx ends, then ends requests and sessions.
func (s *server) serve(ctx context.Context, flags *web.FlagConfig, hup <-chan struct{}) error {
	h, err := s.handler()
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe(srv, flags, s.log) }()
	for {
		select {
		case err := <-failed:
			if errors.Is(err, http.ErrServerClosed) {
				err = nil
			}
			s.close()
			return err
		case <-hup:
			if err := s.reload(ctx); err != nil {
				s.log.Error("reload failed, the old configuration stays in service", "err", err)
			}
		case <-ctx.Done():
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			if err := srv.Shutdown(stop); err != nil {
				s.log.Warn("requests were cut off", "err", err)
				_ = srv.Close()
			}
			cancel()
			s.close()
			return nil
		}
	}
}
