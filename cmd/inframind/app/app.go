// Package app is the all-in-one: it wires the embedded servers, the stores and the jobs to
// one HTTP listener, starts them in order and stops them in the reverse order.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/inframind/inframind/alert-webhook/webhook"
	"github.com/inframind/inframind/cmd/inframind/alertmgr"
	"github.com/inframind/inframind/cmd/inframind/configdir"
	"github.com/inframind/inframind/cmd/inframind/demo"
	"github.com/inframind/inframind/cmd/inframind/prom"
	"github.com/inframind/inframind/cmd/inframind/pushgateway"
	"github.com/inframind/inframind/cmd/inframind/status"
	"github.com/inframind/inframind/cmd/inframind/supervise"
	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/internal/logstore"
)

// retention is how long samples are kept, unless prometheus.yml says otherwise.
const retention = 30 * 24 * time.Hour

// logRetention is how long log lines and documents are kept, unless inframind.yml says otherwise.
const logRetention = 30 * 24 * time.Hour

const defaultSelf = "http://" + configdir.DefaultListen

// Options of one run.
type Options struct {
	DataDir   string
	ConfigDir string // empty means DataDir/config
	Listen    string // host:port; port 0 takes a free one
	External  string // base URL people use; empty means what Listen says
	Demo      bool
	Seed      uint64        // of the demo
	Once      bool          // one whole cycle, then the table
	Timeout   time.Duration // of the cycle
	Version   string
	Log       *slog.Logger
	Stdout    io.Writer
}

// App is one running all-in-one.
type App struct {
	opts     Options
	log      *slog.Logger // of this process
	servers  *slog.Logger // of the embedded servers, which talk much
	self     string       // base URL this process reaches itself at
	external *url.URL
	registry *prometheus.Registry
	parts    *supervise.Supervisor
	config   Config
	listener net.Listener

	prom     *prom.Server
	alertmgr *alertmgr.Server
	pushgw   *pushgateway.Server
	status   *status.Reader
	store    logstore.Store
	curves   *curves.Store
	demo     *demo.Demo // nil without Options.Demo
	alerts   *webhook.Server

	jobPages  sync.Map // http.Handler by the name of a running job
	reloading sync.Mutex
	jobsCtx   context.Context   // of the jobs' whole life, which reloads do not end
	jobs      []*supervise.Part // stopped and started again by a reload

	closers []func() error // in the order of opening
}

// Run works until ctx ends, or with Options.Once until every row of the status table is
// alive or the time is up.
func Run(ctx context.Context, o Options) (err error) {
	began := time.Now()
	a := &App{opts: o, log: o.Log, servers: quieter(o.Log), registry: prometheus.NewRegistry(), parts: supervise.New(o.Log)}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.prepare(); err != nil {
		return err
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	return a.serve(ctx, began)
}

// prepare does everything that can be wrong before anything is started: directories, lock,
// configuration, address.
func (a *App) prepare() error {
	if err := a.openDirs(); err != nil {
		return err
	}
	written, err := configdir.Write(configdir.Options{Dir: a.opts.ConfigDir, Demo: a.opts.Demo})
	if err != nil {
		return err
	}
	if len(written) > 0 {
		a.log.Info("wrote configuration", "dir", a.opts.ConfigDir, "files", written)
	}
	// The address is not known yet; whether the files are right does not hang on it.
	if _, err = checkConfig(a.opts.ConfigDir, a.place(defaultSelf)); err != nil {
		return err
	}
	if err := a.listen(); err != nil {
		return err
	}
	a.config, err = checkConfig(a.opts.ConfigDir, a.place(a.self))
	return err
}

// open makes every part; of the embedded servers only Alertmanager works already.
func (a *App) open(ctx context.Context) error {
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), a.parts, a.info())
	var err error
	a.pushgw, err = pushgateway.New(pushgateway.Options{
		File: filepath.Join(a.opts.DataDir, "pushgateway.bin"), Prefix: "/pushgateway", Version: a.opts.Version, Log: a.servers.With("server", "pushgateway"),
	})
	if err != nil {
		return err
	}
	a.onClose(a.pushgw.Close)
	if err := a.openStores(); err != nil {
		return err
	}
	if err := a.openDemo(ctx); err != nil { // writes blocks, so before the TSDB is open
		return err
	}
	if err := a.openPrometheus(ctx); err != nil {
		return err
	}
	a.alertmgr, err = alertmgr.New(alertmgr.Options{
		ConfigFile: a.configFile(configdir.Alertmanager), Dir: filepath.Join(a.opts.DataDir, "alertmanager"),
		External: below(a.external, "/alertmanager"), Registry: a.registry, Log: a.servers.With("server", "alertmanager"),
	})
	if err != nil {
		return err
	}
	a.onClose(a.alertmgr.Close)
	if err := a.openAlerts(); err != nil {
		return err
	}
	a.status, err = status.NewReader(a.self, http.DefaultClient)
	return err
}

// openAlerts opens what receives Alertmanager's notifications.
func (a *App) openAlerts() error {
	var err error
	a.alerts, err = webhook.New(a.config.Alerts, webhook.Options{Log: a.log, Dir: filepath.Join(a.opts.DataDir, "alerts"), Registerer: a.registry})
	if err != nil {
		return err
	}
	a.onClose(a.alerts.Close)
	return nil
}

// openPrometheus opens the TSDB and starts Prometheus, which ends when it is closed.
func (a *App) openPrometheus(ctx context.Context) error {
	var err error
	a.prom, err = prom.New(prom.Options{
		ConfigFile: a.configFile(configdir.Prometheus), Dir: a.tsdbDir(), Retention: retention, Extra: a.curves,
		External: below(a.external, "/prometheus"), Registry: a.registry, Log: a.servers.With("server", "prometheus"), Version: a.opts.Version,
	})
	if err != nil {
		return err
	}
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the jobs' last pushes are still scraped
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.prom.Run(runCtx, func() { close(ready) }) }()
	select {
	case <-ready:
		a.onClose(func() error { stop(); return <-ended })
		return nil
	case err := <-ended:
		stop()
		return err
	}
}

// info tells the status table whether the demo runs.
func (a *App) info() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "inframind_demo_enabled", Help: "1 when this process runs the demo.",
	}, func() float64 {
		if a.opts.Demo {
			return 1
		}
		return 0
	})
}

func (a *App) configFile(name string) string { return filepath.Join(a.opts.ConfigDir, name) }
func (a *App) tsdbDir() string               { return filepath.Join(a.opts.DataDir, "tsdb") }

func (a *App) place(self string) place {
	return place{self: self, dataDir: a.opts.DataDir, demo: a.opts.Demo}
}

func (a *App) onClose(f func() error) { a.closers = append(a.closers, f) }

func (a *App) close() error {
	var errs []error
	for _, f := range slices.Backward(a.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// listen takes the address before anything slow happens.
func (a *App) listen() error {
	l, err := net.Listen("tcp", a.opts.Listen)
	if err != nil {
		return explainListen(a.opts.Listen, err)
	}
	a.listener = l
	a.onClose(func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return fmt.Errorf("listen address: %w", err)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	hostport := net.JoinHostPort(host, port)
	a.self = "http://" + hostport
	if a.external, err = externalURL(a.opts.External, a.self); err != nil {
		return err
	}
	return configdir.Announce(a.opts.ConfigDir, hostport)
}
