package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/inframind/inframind/cmd/inframind/demo"
	"github.com/inframind/inframind/cmd/inframind/supervise"
	"github.com/inframind/inframind/internal/job"
)

func demoDir(dataDir string) string { return filepath.Join(dataDir, "demo") }

// openDemo makes the demo and, at the first start, its 30 days of history.
func (a *App) openDemo(ctx context.Context) error {
	if !a.opts.Demo {
		return nil
	}
	var err error
	if a.demo, err = demo.New(demo.Options{Dir: demoDir(a.opts.DataDir), Seed: a.opts.Seed}); err != nil {
		return err
	}
	done := filepath.Join(demoDir(a.opts.DataDir), "history-written")
	if _, err := os.Stat(done); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("demo: %w", err)
	}
	// What an interrupted first start left is not whole, and no TSDB has used it.
	if err := os.RemoveAll(a.tsdbDir()); err != nil {
		return fmt.Errorf("demo history: %w", err)
	}
	if err := a.demo.Fleet().WriteHistory(ctx, a.tsdbDir(), "demo", a.servers); err != nil {
		return err
	}
	return job.SaveFile(done, nil)
}

// startDemo keeps the demo's streams flowing.
func (a *App) startDemo(ctx context.Context) {
	if a.demo == nil {
		return
	}
	d := a.demo
	a.parts.Start(ctx, "demo", func(ctx context.Context, p *supervise.Part) error {
		if d == nil { // the streams of an earlier try are closed
			var err error
			if d, err = demo.New(demo.Options{Dir: demoDir(a.opts.DataDir), Seed: a.opts.Seed}); err != nil {
				return err
			}
		}
		p.OK()
		err := d.Run(ctx)
		d = nil
		return err
	})
}

// maxInbox bounds one notification to the demo's inbox.
const maxInbox = 8 << 20

// demoRoutes serves the fleet's metrics and the inbox, which stands for the chat or ticket
// system that a real site would notify.
func (a *App) demoRoutes(mux *http.ServeMux) error {
	reg := prometheus.NewRegistry()
	if err := reg.Register(a.demo.Fleet()); err != nil {
		return fmt.Errorf("demo metrics: %w", err)
	}
	mux.Handle("GET /demo/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("POST /demo/inbox", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxInbox))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.log.Info("demo inbox: a notification arrived", "bytes", n)
		w.WriteHeader(http.StatusNoContent)
	})
	return nil
}
