// Package webhook is the engine of alert-webhook: it receives Alertmanager's notifications,
// stores every alert durably before it says 200, and delivers what is new to channels.
package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/outbox"
	"github.com/inframind/inframind/internal/job"
)

// Options of a Server.
type Options struct {
	Log *slog.Logger
	// Dir holds the database; it is created if needed.
	Dir string
	// Registerer gets the metrics; nil keeps them private.
	Registerer prometheus.Registerer
}

// Server receives, stores and delivers.
type Server struct {
	log     *slog.Logger
	unlock  func() error
	store   *store
	box     *outbox.Outbox
	metrics *metrics

	mu    sync.RWMutex
	conf  Config
	token string
	slots chan struct{}
}

// New opens the store in opts.Dir. Nothing is delivered until Run.
func New(cfg Config, opts Options) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	unlock, err := job.Lock(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("alert store: %w", err)
	}
	st, err := openStore(opts.Dir)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	tries := outbox.NewMetrics()
	s := &Server{log: opts.Log, unlock: unlock, store: st, metrics: newMetrics(st)}
	s.box = outbox.New(st.db, outbox.Options{Log: opts.Log, Metrics: tries})
	tries.Watch(s.box)
	if err := s.Reload(cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if opts.Registerer == nil {
		return s, nil
	}
	for _, c := range []prometheus.Collector{tries, s.metrics} {
		if err := opts.Registerer.Register(c); err != nil {
			return nil, errors.Join(fmt.Errorf("register metrics: %w", err), s.Close())
		}
	}
	return s, nil
}

// Reload applies cfg as a whole or, if it is wrong, not at all.
func (s *Server) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	token, err := cfg.token()
	if err != nil {
		return err
	}
	channels, err := cfg.notifiers()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.conf, s.token, s.slots = cfg, token, make(chan struct{}, cfg.Receive.MaxConcurrent)
	s.mu.Unlock()
	s.box.Configure(channels, outbox.Options{
		MinBackoff: time.Duration(cfg.Delivery.MinBackoff), MaxBackoff: time.Duration(cfg.Delivery.MaxBackoff),
		MaxAge: time.Duration(cfg.Delivery.MaxAge), Timeout: time.Duration(cfg.Delivery.Timeout), Log: s.log,
	})
	return nil
}

func (s *Server) config() Config {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conf
}

// Run delivers, and forgets what is older than Keep, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for {
			before := time.Now().Add(-time.Duration(s.config().Keep))
			if err := errors.Join(s.store.prune(ctx, before), s.box.Prune(ctx, before)); err != nil && ctx.Err() == nil {
				s.log.Error("pruning failed", "err", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Hour):
			}
		}
	})
	return s.box.Run(ctx)
}

// Close ends the use of the database. Run must have returned.
func (s *Server) Close() error {
	return errors.Join(s.store.wrap(s.store.db.Close()), s.unlock())
}

// Receive stores g and queues what is new in it; it returns how many alerts were new. When
// it returns without error, all of it is on disk.
func (s *Server) Receive(ctx context.Context, g alert.Group) (news int, err error) {
	cfg := s.config()
	now := time.Now()
	fresh, err := s.store.save(ctx, g, now, func(tx *sql.Tx, fresh []alert.Alert) error {
		for _, ch := range cfg.Channels {
			var wanted []alert.Alert
			for _, a := range fresh {
				if ch.wants(a.Labels, a.Status == alert.Resolved) {
					wanted = append(wanted, a)
				}
			}
			if len(wanted) == 0 {
				continue
			}
			if err := s.box.Enqueue(ctx, tx, ch.Name, g.Select(wanted), now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	s.metrics.received(g.Alerts, fresh)
	s.box.Wake()
	return len(fresh), nil
}

// Alerts lists stored alerts, the last changed first.
func (s *Server) Alerts(ctx context.Context, q ListQuery) (records []Record, next string, err error) {
	return s.store.list(ctx, q)
}

// Notifications lists up to limit notifications, newest first.
func (s *Server) Notifications(ctx context.Context, state, channel string, before int64, limit int) ([]outbox.Item, error) {
	return s.box.List(ctx, state, channel, before, limit)
}

// Counts returns the number of stored alerts by status.
func (s *Server) Counts(ctx context.Context) (map[string]int64, error) { return s.store.counts(ctx) }

// Handler serves the API, the page and the probes; see docs/alert-webhook.md.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	guard := func(h http.HandlerFunc) http.Handler { return s.authorize(h) }
	mux.Handle("POST /api/v1/alerts", guard(s.receive))
	mux.Handle("POST /webhook", guard(s.receive))
	mux.Handle("GET /api/v1/alerts", guard(s.listAlerts))
	mux.Handle("GET /api/v1/notifications", guard(s.listNotifications))
	mux.Handle("GET /{$}", guard(s.page))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alert-webhook is healthy.") })
	mux.HandleFunc("GET /-/ready", s.ready)
	return mux
}
