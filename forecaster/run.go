package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
)

// fileConfig is the configuration file: the engine's, and where forecasts are indexed.
type fileConfig struct {
	forecast.Config `yaml:",inline"`
	Elasticsearch   *elastic.Config `yaml:"elasticsearch,omitempty"`
}

// store opens the index of forecasts; nil when none is configured.
func (c *fileConfig) store() (logstore.Store, error) {
	if c.Elasticsearch == nil {
		return nil, nil
	}
	return elastic.New(*c.Elasticsearch)
}

// load reads file, and makes the clients it asks for without using them: files with
// secrets and certificates have to be there.
func (c *fileConfig) load(file string) error {
	if err := config.Load(file, c); err != nil {
		return err
	}
	e, err := forecast.New(c.Config, forecast.Options{})
	if err != nil {
		return err
	}
	store, err := c.store()
	if store != nil {
		err = errors.Join(err, store.Close())
	}
	return errors.Join(err, e.Close())
}

type runFlags struct {
	file, state, shard string
	web                listenFlags
	once, dry, strict  bool
}

// addRun adds the job itself.
func addRun(a *cli.App) {
	var f runFlags
	cmd := a.Command("run", "Forecast every configured target: once for cron, or each interval. SIGHUP and POST /-/reload apply a changed configuration.\n\n"+
		"Example: forecaster run --once --config.file=forecaster.yml --state.dir=/var/lib/forecaster")
	cmd.Flag("config.file", "Configuration file.").Default("forecaster.yml").StringVar(&f.file)
	cmd.Flag("state.dir", "Where forecasts, curves and training_log.csv are kept.").Default("data/forecaster").StringVar(&f.state)
	cmd.Flag("shard", "Do part i of n, as i/n; default from JOB_COMPLETION_INDEX and JOB_COMPLETIONS.").StringVar(&f.shard)
	cmd.Flag("once", "Run once and exit.").BoolVar(&f.once)
	cmd.Flag("dry-run", "Forecast, print a table, write and push nothing.").BoolVar(&f.dry)
	cmd.Flag("strict", "Exit 1 when any series could not be forecast.").BoolVar(&f.strict)
	f.web.add(cmd, "Address for /metrics and /-/reload, without --once; empty: none.", "")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error { return runJob(ctx, env, f) })
}

func addCheckConfig(a *cli.App) {
	var file string
	check := a.Command("check-config", "Check a configuration file and list its targets.\n\nExample: forecaster check-config --config.file=forecaster.yml")
	check.Flag("config.file", "Configuration file.").Default("forecaster.yml").StringVar(&file)
	a.Do(check, func(_ context.Context, env cli.Env) error {
		var cfg fileConfig
		if err := config.Load(file, &cfg); err != nil {
			return err
		}
		return printTargets(env.Stdout, cfg.Config)
	})
}

func runJob(ctx context.Context, env cli.Env, f runFlags) (err error) {
	var cfg fileConfig
	if err := config.Load(f.file, &cfg); err != nil {
		return err
	}
	shard, err := job.ShardFrom(f.shard)
	if err != nil {
		return cli.Usage(err)
	}
	bar := newProgress(env.Stderr, 0, "forecast")
	defer bar.done()
	s := &service{env: env, flags: f, next: make(chan fileConfig, 1)}
	s.opts = forecast.Options{Log: env.Log, StateDir: f.state, Shard: shard, DryRun: f.dry, Progress: bar.set}
	if err := s.open(cfg); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if f.once || f.dry {
		err = s.do(ctx)
		if f.dry {
			printResults(env.Stdout, s.engine.Load().Results())
		}
		return err
	}
	return s.stay(ctx)
}

// service is the job with what can be exchanged by a reload.
type service struct {
	env    cli.Env
	flags  runFlags
	opts   forecast.Options
	cfg    fileConfig
	store  logstore.Store // nil when none is configured
	engine atomic.Pointer[forecast.Engine]

	loading sync.Mutex      // one reload at a time
	next    chan fileConfig // holds one: for the next run
}

// open starts an engine of cfg.
func (s *service) open(cfg fileConfig) (err error) {
	opts := s.opts
	if !s.flags.dry {
		if opts.Store, err = cfg.store(); err != nil {
			return err
		}
	}
	e, err := forecast.New(cfg.Config, opts)
	if err != nil {
		if opts.Store != nil {
			err = errors.Join(err, opts.Store.Close())
		}
		return err
	}
	s.cfg, s.store = cfg, opts.Store
	s.engine.Store(e)
	return nil
}

func (s *service) close() error {
	err := s.engine.Load().Close()
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
		s.store = nil
	}
	return err
}

func (s *service) do(ctx context.Context) error {
	e := s.engine.Load()
	pub := e.Publisher()
	if s.flags.dry {
		pub = nil
	}
	return job.Once(ctx, s.env.Log, e.Metrics(), pub, strictly(e.RunOnce, s.flags.strict))
}

// stay forecasts each interval until ctx ends, and reloads beside that.
func (s *service) stay(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listening := make(chan error, 1)
	if s.flags.web.address == "" {
		listening <- nil
	} else {
		go func() {
			listening <- s.flags.web.listen(ctx, s.handler(), s.env.Log)
			cancel()
		}()
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-hup:
				_ = s.reload() // reported there
			case <-ctx.Done():
				return
			}
		}
	})
	err := s.repeat(ctx)
	cancel()
	wg.Wait()
	return errors.Join(err, <-listening)
}

// repeat forecasts each interval, and at once with a new configuration.
func (s *service) repeat(ctx context.Context) error {
	for ctx.Err() == nil {
		turn := time.NewTimer(time.Duration(s.cfg.Interval))
		_ = s.do(ctx) // reported there, and tried again
		select {
		case <-turn.C:
		case cfg := <-s.next:
			if err := errors.Join(s.close(), s.open(cfg)); err != nil {
				return err
			}
		case <-ctx.Done():
		}
		turn.Stop()
	}
	return nil
}

// reload reads the configuration again, for the next run, which it brings forward. A
// wrong one leaves the old one in force.
func (s *service) reload() error {
	s.loading.Lock()
	defer s.loading.Unlock()
	var cfg fileConfig
	if err := cfg.load(s.flags.file); err != nil {
		s.env.Log.Error("reload failed, the old configuration stays in service", "err", err)
		return err
	}
	s.env.Log.Info("configuration reloaded", "file", s.flags.file)
	select {
	case <-s.next: // an older one that no run has taken
	default:
	}
	s.next <- cfg
	return nil
}

// handler has the job's health and its forecasts for those who scrape instead of push.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		e := s.engine.Load()
		promhttp.HandlerFor(prometheus.Gatherers{e.Metrics().Registry(), e.Gatherer()}, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "forecaster is healthy.") })
	mux.HandleFunc("POST /-/reload", reloadHandler(s.reload))
	return mux
}

// reloadHandler answers with what kept a reload from being done.
func reloadHandler(reload func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := reload(); err != nil {
			http.Error(w, "reload failed: "+err.Error(), http.StatusInternalServerError)
		}
	}
}
