// Package prom runs the real Prometheus (scraping, TSDB, PromQL, rules, notifications and the
// HTTP API) inside this process, wired the way its own main function does it.
package prom

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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery"
	_ "github.com/prometheus/prometheus/discovery/dns"  // dns_sd_configs
	_ "github.com/prometheus/prometheus/discovery/file" // file_sd_configs
	_ "github.com/prometheus/prometheus/discovery/http" // http_sd_configs
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/util/logging"
	"github.com/prometheus/prometheus/util/notifications"
	"github.com/prometheus/prometheus/web"
)

// Limits of the query engine; they are Prometheus' own defaults.
const (
	maxSamples    = 50_000_000
	queryTimeout  = 2 * time.Minute
	maxConcurrent = 20
	lookback      = 5 * time.Minute
)

// discoveryDelay bounds how long a changed target waits before it is scraped. Prometheus
// waits 5 s because its discoveries may be thousands of targets; ours are few files.
const discoveryDelay = time.Second

// Options say where Prometheus finds its files and how it is reached.
type Options struct {
	ConfigFile string            // prometheus.yml
	Dir        string            // of the TSDB
	Retention  time.Duration     // of samples, unless prometheus.yml sets one
	External   *url.URL          // under which people reach it, with a path and no trailing slash
	Extra      storage.Queryable // merged into every query, e.g. forecast curves; may be nil
	Registry   *prometheus.Registry
	Log        *slog.Logger
	Version    string
}

// Server is one Prometheus. Make it with New, then call Run once.
type Server struct {
	opts    Options
	log     *slog.Logger
	db      localDB
	storage storage.Storage
	remote  *remote.Storage
	engine  *promql.Engine
	tracker *promql.ActiveQueryTracker

	scrapes         *scrape.Manager
	rules           *rules.Manager
	notifier        *notifier.Manager
	scrapeDiscovery *discovery.Manager
	notifyDiscovery *discovery.Manager
	web             *web.Handler
	bridge          *bridge
	stopDiscovery   context.CancelFunc

	mu            sync.Mutex // one reload at a time
	subqueryStep  atomic.Int64
	reloadOK      prometheus.Gauge
	reloadSuccess prometheus.Gauge
}

// New opens the TSDB and builds every part; nothing runs yet. A damaged block is an error
// that names it; nothing is deleted or moved.
func New(o Options) (*Server, error) {
	conf, err := Check(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	db, err := openDB(o)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, log: o.Log, db: db, bridge: newBridge()}
	ctx, cancel := context.WithCancel(context.Background()) // ended by Close, not by the caller
	s.stopDiscovery = cancel
	if err := s.build(ctx, conf.GlobalConfig.MetricNameValidationScheme); err != nil {
		cancel()
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Server) build(ctx context.Context, scheme model.ValidationScheme) error {
	o, reg := s.opts, s.opts.Registry
	s.reloadOK = prometheus.NewGauge(prometheus.GaugeOpts{Name: "prometheus_config_last_reload_successful", Help: "Whether the last configuration reload attempt was successful."})
	s.reloadSuccess = prometheus.NewGauge(prometheus.GaugeOpts{Name: "prometheus_config_last_reload_success_timestamp_seconds", Help: "Timestamp of the last successful configuration reload."})
	reg.MustRegister(s.reloadOK, s.reloadSuccess)

	sm := &scrapeHolder{}
	s.remote = remote.NewStorage(s.log, reg, s.db.StartTime, s.db.Dir(), time.Minute, sm, false)
	s.storage = merged{storage.NewFanout(s.log, s.db, s.remote), o.Extra}
	s.db.SetWriteNotified(s.remote)
	s.notifier = notifier.NewManager(&notifier.Options{QueueCapacity: 10000, DrainOnShutdown: true, Registerer: reg}, scheme, s.log)

	sd, err := discovery.CreateAndRegisterSDMetrics(reg)
	if err != nil {
		return fmt.Errorf("service discovery metrics: %w", err)
	}
	s.scrapeDiscovery = discovery.NewManager(ctx, s.log, reg, sd, discovery.Name("scrape"), discovery.Updatert(discoveryDelay))
	s.notifyDiscovery = discovery.NewManager(ctx, s.log, reg, sd, discovery.Name("notify"), discovery.Updatert(discoveryDelay))
	s.scrapes, err = scrape.NewManager(&scrape.Options{DiscoveryReloadInterval: model.Duration(discoveryDelay)}, s.log, logging.NewJSONFileLogger, nil, s.storage, reg)
	if err != nil {
		return fmt.Errorf("scrape manager: %w", err)
	}
	sm.m.Store(s.scrapes)

	s.tracker, err = promql.NewActiveQueryTracker(s.db.Dir(), maxConcurrent, s.log)
	if err != nil {
		return fmt.Errorf("active query tracker: %w", err)
	}
	p := parser.NewParser(parser.Options{})
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger: s.log, Reg: reg, MaxSamples: maxSamples, Timeout: queryTimeout, ActiveQueryTracker: s.tracker, LookbackDelta: lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return s.subqueryStep.Load() },
		EnableAtModifier:         true, EnableNegativeOffset: true, Parser: p,
	})
	s.rules = rules.NewManager(&rules.ManagerOptions{
		NameValidationScheme: scheme, Appendable: s.storage, Queryable: s.db,
		QueryFunc:  rules.EngineQueryFunc(s.engine, s.storage),
		NotifyFunc: rules.SendAlerts(s.notifier, o.External.String()),
		Context:    ctx, ExternalURL: o.External, Registerer: reg, Logger: s.log,
		OutageTolerance: time.Hour, ForGracePeriod: 10 * time.Minute, ResendDelay: time.Minute, MaxConcurrentEvals: 4,
		DefaultRuleQueryOffset: func() time.Duration { return 0 }, Parser: p,
	})
	return s.buildWeb(ctx, p)
}

func (s *Server) buildWeb(ctx context.Context, p parser.Parser) error {
	o := s.opts
	anyOrigin, err := relabel.NewRegexp(".*")
	if err != nil {
		return err
	}
	ntf := notifications.NewNotifications(16, o.Registry)
	s.web = web.New(s.log, &web.Options{
		Context: ctx, TSDBRetentionDuration: model.Duration(o.Retention), TSDBDir: s.db.Dir(),
		LocalStorage: s.db, Storage: s.storage, ExemplarStorage: s.db, QueryEngine: s.engine, LookbackDelta: lookback,
		ScrapeManager: s.scrapes, RuleManager: s.rules, Notifier: s.notifier,
		Version:             &web.PrometheusVersion{Version: o.Version},
		NotificationsGetter: ntf.Get, NotificationsSub: ntf.Sub, Flags: map[string]string{},
		ListenAddresses: []string{o.External.Host}, CORSOrigin: anyOrigin.Regexp, ReadTimeout: 5 * time.Minute, MaxConnections: 512,
		ExternalURL: o.External, RoutePrefix: o.External.Path, PageTitle: "Prometheus", AppName: "Prometheus Server",
		RemoteReadSampleLimit: maxSamples, RemoteReadConcurrencyLimit: 10, RemoteReadBytesInFrame: 1 << 20,
		Gatherer: o.Registry, Registerer: o.Registry, Parser: p,
	})
	return nil
}

// Handler serves Prometheus' HTTP API under the path of Options.External.
func (s *Server) Handler() http.Handler { return s.bridge.proxy }

// Run applies the configuration, calls ready once queries are answered and targets scraped,
// and works until ctx ends. It closes the TSDB before it returns.
func (s *Server) Run(ctx context.Context, ready func()) error {
	var wg sync.WaitGroup
	logged := func(name string, run func() error) {
		wg.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				s.log.Error("part of Prometheus ended", "part", name, "err", err)
			}
		})
	}
	webCtx, stopWeb := context.WithCancel(context.Background())
	defer stopWeb()
	logged("scrape discovery", s.scrapeDiscovery.Run)
	logged("notify discovery", s.notifyDiscovery.Run)
	logged("web", func() error { return s.bridge.serve(webCtx, s.web) })
	err := s.Reload()
	if err == nil {
		wg.Go(s.rules.Run)
		logged("scrape", func() error { return s.scrapes.Run(s.scrapeDiscovery.SyncCh()) })
		wg.Go(func() { s.notifier.Run(s.notifyDiscovery.SyncCh()) })
		s.web.SetReady(web.Ready)
		ready()
		<-ctx.Done()
		s.web.SetReady(web.Stopping)
	}
	s.rules.Stop()
	s.scrapes.Stop()
	s.notifier.Stop()
	stopWeb()
	s.stopDiscovery()
	wg.Wait()
	s.bridge.close()
	return errors.Join(err, s.tracker.Close(), s.storage.Close())
}

// scrapeHolder hands the scrape manager to the remote storage, which is made before it.
type scrapeHolder struct {
	m atomic.Pointer[scrape.Manager]
}

func (h *scrapeHolder) Get() (*scrape.Manager, error) {
	if m := h.m.Load(); m != nil {
		return m, nil
	}
	return nil, errors.New("scrape manager not ready")
}

// ruleFiles expands the rule_files patterns, which config.LoadFile has made absolute or
// relative to the working directory.
func ruleFiles(patterns []string) ([]string, error) {
	var out []string
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("rule_files pattern %s: %w", p, err)
		}
		out = append(out, files...)
	}
	return out, nil
}

// exists tells a missing file from one that cannot be read.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
