package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/inframind/inframind/alert-webhook/webhook"
	"github.com/inframind/inframind/internal/cli"
)

type serveOptions struct {
	file, dir string
	web       *web.FlagConfig
}

// process is one running server and what reloads it.
type process struct {
	opts   serveOptions
	log    *slog.Logger
	engine *webhook.Server

	mu       sync.Mutex // one reload at a time
	reloaded *prometheus.GaugeVec
}

func serve(ctx context.Context, env cli.Env, opts serveOptions) (err error) {
	cfg, err := load(opts.file)
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), version.NewCollector("alert_webhook"))
	engine, err := webhook.New(cfg, webhook.Options{Log: env.Log, Dir: opts.dir, Registerer: reg})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	p := &process{opts: opts, log: env.Log, engine: engine, reloaded: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "alert_webhook_config_reload_timestamp_seconds", Help: "Unix time of the last reload of the configuration by result.",
	}, []string{"result"})}
	reg.MustRegister(p.reloaded)
	p.reloaded.WithLabelValues("success").SetToCurrentTime()

	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := engine.Run(ctx); err != nil {
			env.Log.Error("delivery ended", "err", err)
		}
	})
	return p.listen(ctx, p.handler(reg), hup)
}

func (p *process) handler(reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", p.engine.Handler())
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.reload(); err != nil {
			http.Error(w, "reload failed: "+err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

// reload applies the file; a wrong one leaves the old configuration in service.
func (p *process) reload() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cfg, err := load(p.opts.file)
	if err == nil {
		err = p.engine.Reload(cfg)
	}
	if err != nil {
		p.reloaded.WithLabelValues("failure").SetToCurrentTime()
		p.log.Error("reload failed, the old configuration stays in service", "err", err)
		return err
	}
	p.reloaded.WithLabelValues("success").SetToCurrentTime()
	p.log.Info("configuration reloaded", "file", p.opts.file)
	return nil
}

// listen serves until ctx ends or the listener fails.
func (p *process) listen(ctx context.Context, h http.Handler, hup <-chan os.Signal) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- web.ListenAndServe(srv, p.opts.web, p.log) }()
	for {
		select {
		case err := <-failed:
			if errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("%w: stop what listens there or name another --web.listen-address", err)
			}
			return err
		case <-hup:
			_ = p.reload() // reported there
		case <-ctx.Done():
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := srv.Shutdown(stop); err != nil {
				p.log.Warn("requests were cut off", "err", err)
				_ = srv.Close() // what was not answered will be sent again
			}
			<-failed
			return nil
		}
	}
}
