// Package httpserve answers HTTP beside a job, with the web configuration of Prometheus
// exporters.
package httpserve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/inframind/inframind/internal/cli"
)

// Start answers on addr until the returned function is called. webConfig is a file as
// Prometheus exporters take it, with TLS and passwords; empty: neither.
func Start(log *slog.Logger, addr, webConfig string, h http.Handler) (stop func(), err error) {
	if err := web.Validate(webConfig); err != nil {
		return nil, cli.Usage(fmt.Errorf("%s: %w", webConfig, err))
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok && webConfig == "" && !a.IP.IsLoopback() {
		log.Warn("anybody who reaches this address can write: set --web.config.file or listen on localhost", "address", addr)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := web.Serve(l, srv, &web.FlagConfig{WebConfigFile: &webConfig}, log); !errors.Is(err, http.ErrServerClosed) {
			log.Error("web server ended", "err", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			log.Warn("web server did not end in time", "err", err)
		}
		<-done
	}, nil
}
