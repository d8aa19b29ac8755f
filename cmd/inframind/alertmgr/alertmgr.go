// Package alertmgr runs the real Alertmanager inside this process. Its app package cannot be
// imported (the UI assets it embeds are not in the module), so the parts are wired here in
// the same order. One instance, no cluster.
package alertmgr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"
)

const (
	retention     = 120 * time.Hour // of silences and of the notification log
	maintenance   = time.Minute     // between snapshots of the notification log
	alertGC       = 30 * time.Minute
	groupsGC      = 30 * time.Second
	nflogFile     = "nflog"
	silencesFile  = "silences"
	notifyTimeout = notify.MinTimeout
)

// Options say where Alertmanager finds its files and how it is reached.
type Options struct {
	ConfigFile string // alertmanager.yml
	Dir        string
	External   *url.URL // with a path and no trailing slash
	Registry   *prometheus.Registry
	Log        *slog.Logger
}

// Server is one Alertmanager. Make it with New, stop it with Close.
type Server struct {
	opts     Options
	log      *slog.Logger
	recorder eventrecorder.Recorder
	started  time.Time

	nflog    *nflog.Log
	silences *silence.Silences
	silencer *silence.Silencer
	alerts   *mem.Alerts
	groups   marker.GroupMarker
	api      *api.API
	pipeline *notify.PipelineBuilder
	dispatch *dispatch.DispatcherMetrics
	coord    *config.Coordinator
	handler  http.Handler

	// Replaced by every reload.
	dispatcher atomic.Pointer[dispatch.Dispatcher]
	inhibitor  atomic.Pointer[inhibit.Inhibitor]

	saving sync.Mutex // one silence snapshot at a time
	stop   chan struct{}
	wg     sync.WaitGroup
}

// New starts Alertmanager with the configuration file of o.
func New(o Options) (*Server, error) {
	if _, err := Check(o.ConfigFile); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("alertmanager directory: %w", err)
	}
	compat.InitFromFlags(o.Log, featurecontrol.NoopFlags{})
	s := &Server{opts: o, log: o.Log, started: time.Now(), groups: marker.NewGroupMarker(), stop: make(chan struct{})}
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.build(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open reads the notification log and the silences of an earlier run.
func (s *Server) open() error {
	o := s.opts
	damaged := func(name string, err error) error {
		return fmt.Errorf("alertmanager state %s is damaged: %w (move it away to start without it)", filepath.Join(o.Dir, name), err)
	}
	var err error
	s.nflog, err = nflog.New(nflog.Options{SnapshotFile: filepath.Join(o.Dir, nflogFile), Retention: retention, Logger: s.log, Metrics: o.Registry})
	if err != nil {
		return damaged(nflogFile, err)
	}
	unlimited := func() int { return 0 }
	s.silences, err = silence.New(silence.Options{
		SnapshotFile: filepath.Join(o.Dir, silencesFile), Retention: retention,
		Limits: silence.Limits{MaxSilences: unlimited, MaxSilenceSizeBytes: unlimited},
		Logger: s.log, Metrics: o.Registry, EventRecorder: s.recorder,
	})
	if err != nil {
		return damaged(silencesFile, err)
	}
	return nil
}

func (s *Server) build() error {
	o, flags := s.opts, featurecontrol.NoopFlags{}
	s.silencer = silence.NewSilencer(s.silences, s.log, s.recorder)
	var err error
	s.alerts, err = mem.NewAlerts(context.Background(), alertGC, 0, s.silencer, s.log, s.recorder, o.Registry, flags)
	if err != nil {
		return fmt.Errorf("alertmanager alerts: %w", err)
	}
	s.wg.Go(func() { s.nflog.Maintenance(maintenance, filepath.Join(o.Dir, nflogFile), s.stop, nil) })
	// Not the silences' own snapshots: one of those could overwrite a newer one of durable.
	s.wg.Go(func() { s.silences.Maintenance(maintenance, "", s.stop, s.tidySilences) })

	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "alertmanager_http_request_duration_seconds", Help: "Histogram of latencies for HTTP requests.",
	}, []string{"handler", "method", "code"})
	if err := o.Registry.Register(duration); err != nil {
		return fmt.Errorf("alertmanager metrics: %w", err)
	}
	s.api, err = api.New(api.Options{
		Alerts: s.alerts, Silences: s.silences, GroupMutedFunc: s.groups.Muted, Logger: s.log, Registry: o.Registry, RequestDuration: duration,
		GroupFunc: func(ctx context.Context, rf func(*dispatch.Route) bool, af func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
			return s.dispatcher.Load().Groups(ctx, rf, af)
		},
	})
	if err != nil {
		return fmt.Errorf("alertmanager API: %w", err)
	}
	s.dispatch = dispatch.NewDispatcherMetrics(false, o.Registry, flags)
	s.pipeline = notify.NewPipelineBuilder(o.Registry, flags, s.recorder)
	s.coord = config.NewCoordinator(o.ConfigFile, o.Registry, s.log)
	s.coord.Subscribe(s.apply)
	if err := s.coord.Reload(); err != nil {
		return err
	}
	s.handler = s.durable(s.api.Register(s.routes(), o.External.Path))
	return nil
}

func (s *Server) routes() *route.Router {
	r := route.New().WithPrefix(s.opts.External.Path)
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") }
	r.Get("/-/healthy", ok)
	r.Get("/-/ready", ok)
	return r
}

// Handler serves the API under the path of Options.External.
func (s *Server) Handler() http.Handler { return s.handler }

// Reload applies the configuration file, or returns what is wrong with it and changes nothing.
func (s *Server) Reload() error {
	if _, err := Check(s.opts.ConfigFile); err != nil {
		return err
	}
	return s.coord.Reload()
}

// Close stops notifications and writes the state to disk.
func (s *Server) Close() error {
	s.inhibitor.Load().Stop()
	s.dispatcher.Load().Stop()
	if s.alerts != nil {
		s.alerts.Close()
	}
	close(s.stop) // maintenance writes its last snapshot of the notification log
	s.wg.Wait()
	return s.saveSilences()
}
