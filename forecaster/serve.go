package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/forecaster/serve"
	"github.com/inframind/inframind/internal/cli"
)

const refreshEvery = 30 * time.Second

// listenFlags are where and how a command serves HTTP.
type listenFlags struct{ address, webConfig string }

func (f *listenFlags) add(cmd flagger, help, address string) {
	cmd.Flag("web.listen-address", help).Default(address).StringVar(&f.address)
	cmd.Flag("web.config.file", "TLS and authentication, as for Prometheus exporters.").Default("").StringVar(&f.webConfig)
}

// listen serves h until ctx ends.
func (f listenFlags) listen(ctx context.Context, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	addresses, systemd := []string{f.address}, false
	failed := make(chan error, 1)
	go func() {
		failed <- web.ListenAndServe(srv, &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &f.webConfig}, log)
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := srv.Shutdown(sctx)
	if serr := <-failed; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

func addServe(a *cli.App) {
	var state string
	var f listenFlags
	cmd := a.Command("serve", "Serve the forecast curves as a read-only Prometheus HTTP API, for Grafana. SIGHUP and POST /-/reload look for new curves at once.\n\n"+
		"Example: forecaster serve --state.dir=/var/lib/forecaster --web.listen-address=:9096")
	cmd.Flag("state.dir", "State directory that the run command writes.").Default("data/forecaster").StringVar(&state)
	f.add(cmd, "Address to listen on.", ":9096")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		store, err := curves.Open(filepath.Join(state, "curves"))
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.Handle("/", serve.Handler(store, env.Log))
		mux.HandleFunc("POST /-/reload", reloadHandler(func() error { return store.Refresh(ctx) }))
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go refresh(ctx, env, store)
		return f.listen(ctx, mux, env.Log)
	})
}

// refresh looks for what the job has written since, now and then and on SIGHUP.
func refresh(ctx context.Context, env cli.Env, store *curves.Store) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		case <-tick.C:
		}
		if err := store.Refresh(ctx); err != nil && ctx.Err() == nil {
			env.Log.Warn("cannot read the curves", "err", err)
		}
	}
}
