package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"reflect"
	"sync"
	"syscall"
	"time"

	"github.com/inframind/inframind/cmd/inframind/status"
	"github.com/inframind/inframind/cmd/inframind/supervise"
)

// grace is how long requests under way may take at the end.
const grace = 5 * time.Second

// serve answers HTTP, starts the supervised parts and waits.
func (a *App) serve(ctx context.Context, began time.Time) error {
	handler, err := a.routes()
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(a.listener) }()
	a.onClose(func() error {
		shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err := srv.Shutdown(shut); err != nil {
			return errors.Join(err, srv.Close())
		}
		return nil
	})
	partsCtx, stopParts := context.WithCancel(ctx)
	a.onClose(func() error { stopParts(); a.parts.Wait(); return nil }) // before the HTTP server they push to
	a.startDemo(partsCtx)
	a.startJobs(partsCtx)
	a.watchHangup(partsCtx)

	a.log.Info("ready", "url", a.external.String(), "took", time.Since(began).Round(time.Millisecond))
	if a.opts.Once {
		return a.cycle(ctx)
	}
	fmt.Fprintf(a.opts.Stdout, "InfraMind is ready: %s/\n", a.external)
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		return fmt.Errorf("HTTP server: %w", err)
	}
}

// startAlerts keeps delivering what was received. It can be started again by a reload.
func (a *App) startAlerts(ctx context.Context) *supervise.Part {
	channels := len(a.config.Alerts.Channels)
	return a.parts.Start(ctx, "alert-webhook", func(ctx context.Context, p *supervise.Part) error {
		if channels == 0 {
			p.Idle() // alerts are stored; there is nobody to deliver them to
		} else {
			p.OK()
		}
		return a.alerts.Run(ctx)
	})
}

func (a *App) handleReload(w http.ResponseWriter, _ *http.Request) {
	if err := a.reload(); err != nil {
		http.Error(w, "configuration not reloaded, the running one stays: "+err.Error(), http.StatusInternalServerError)
	}
}

// reload applies all configuration files, or none if any of them is wrong.
func (a *App) reload() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	c, err := checkConfig(a.opts.ConfigDir, a.place(a.self))
	if err == nil {
		err = errors.Join(a.prom.Reload(), a.alertmgr.Reload(), a.alerts.Reload(c.Alerts))
	}
	if err != nil {
		a.log.Error("configuration not reloaded, the running one stays", "err", err)
		return err
	}
	if !reflect.DeepEqual(c, a.config) {
		a.config = c
		a.restartJobs()
	}
	a.log.Info("configuration reloaded", "dir", a.opts.ConfigDir)
	return nil
}

// watchHangup reloads on SIGHUP until ctx ends or the App is closed.
func (a *App) watchHangup(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				_ = a.reload() // reported by reload
			}
		}
	})
	a.onClose(func() error { stop(); wg.Wait(); return nil })
}

// cycle waits until every row is alive, prints the table and names those that are not.
func (a *App) cycle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.opts.Timeout)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		rows, err := a.status.Rows(ctx)
		if err == nil && status.Dead(rows) == nil {
			return status.Print(a.opts.Stdout, rows, time.Now())
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		// One last look with a deadline of its own: the cycle's is used up.
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer stop()
		if rows, err = a.status.Rows(last); err != nil {
			return err
		}
		return errors.Join(status.Print(a.opts.Stdout, rows, time.Now()), status.Dead(rows))
	}
}
