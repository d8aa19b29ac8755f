package prom

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"

	"github.com/prometheus/prometheus/web"
)

// bridge lets the one HTTP listener of this process answer for Prometheus. Its web handler
// accepts connections from a net.Listener only, so it gets one that lives in memory, and a
// reverse proxy forwards to it.
type bridge struct {
	listener  *memListener
	transport *http.Transport
	proxy     *httputil.ReverseProxy
}

func newBridge() *bridge {
	l := &memListener{conns: make(chan net.Conn), done: make(chan struct{})}
	t := &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) },
		DisableCompression:  true, // pass on what the client asked for
		MaxIdleConnsPerHost: 16,
	}
	p := &httputil.ReverseProxy{
		Transport:     t,
		FlushInterval: -1, // notifications are server-sent events
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", "prometheus"
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "Prometheus is not answering: "+err.Error(), http.StatusServiceUnavailable)
		},
	}
	return &bridge{listener: l, transport: t, proxy: p}
}

// serve answers requests until ctx ends.
func (b *bridge) serve(ctx context.Context, h *web.Handler) error {
	defer func() { _ = b.listener.Close() }() // Close of a memListener cannot fail
	return h.Run(ctx, []net.Listener{b.listener}, "")
}

func (b *bridge) close() { b.transport.CloseIdleConnections() }

// memListener is a net.Listener whose connections are pipes.
type memListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

var errClosed = errors.New("shutting down")

func (l *memListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memListener) Addr() net.Addr { return memAddr{} }

type memAddr struct{}

func (memAddr) Network() string { return "memory" }
func (memAddr) String() string  { return "prometheus" }
