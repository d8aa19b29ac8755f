package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/forecaster/serve"
	"github.com/inframind/inframind/internal/cli"
)

const refreshEvery = 30 * time.Second

func addServe(a *cli.App) {
	var state, address, webConfig string
	cmd := a.Command("serve", "Serve the forecast curves as a read-only Prometheus HTTP API, for Grafana.\n\n"+
		"Example: forecaster serve --state.dir=/var/lib/forecaster --web.listen-address=:9096")
	cmd.Flag("state.dir", "State directory that the run command writes.").Default("data/forecaster").StringVar(&state)
	cmd.Flag("web.listen-address", "Address to listen on.").Default(":9096").StringVar(&address)
	cmd.Flag("web.config.file", "TLS and authentication, as for Prometheus exporters.").Default("").StringVar(&webConfig)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		store, err := curves.Open(filepath.Join(state, "curves"))
		if err != nil {
			return err
		}
		srv := &http.Server{Handler: serve.Handler(store, env.Log), ReadHeaderTimeout: 10 * time.Second}
		go refresh(ctx, env, store)
		stopped := make(chan error, 1)
		go func() {
			<-ctx.Done()
			sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			stopped <- srv.Shutdown(sctx)
		}()
		addresses, systemd := []string{address}, false
		err = web.ListenAndServe(srv, &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &webConfig}, env.Log)
		if errors.Is(err, http.ErrServerClosed) {
			return <-stopped
		}
		return err
	})
}

// refresh looks for what the job has written since.
func refresh(ctx context.Context, env cli.Env, store *curves.Store) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := store.Refresh(ctx); err != nil && ctx.Err() == nil {
				env.Log.Warn("cannot read the curves", "err", err)
			}
		}
	}
}
