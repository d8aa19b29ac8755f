// Package forecast is the forecaster's engine: it asks Prometheus for history, forecasts
// each series, and publishes gauges, curves and documents.
package forecast

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/pushgw"
	"github.com/inframind/inframind/internal/series"
)

// JobResults is the Pushgateway job of the forecasts. The job's own health is pushed
// apart from them, so that a run that failed cannot wipe out what an earlier one found.
const JobResults = "forecasts"

// Options is what the process gives the engine beside its configuration.
type Options struct {
	Log      *slog.Logger
	StateDir string         // empty: nothing is remembered between processes
	Shard    job.Shard      // zero: everything
	Curves   *curves.Store  // nil: StateDir/curves, or none without a StateDir
	Store    logstore.Store // nil: no forecasts index
	DryRun   bool           // nothing is written or pushed
	Now      func() time.Time
	// Progress is called after each series with the number done and known so far.
	Progress func(done, known int)
}

// Engine runs the configured targets. Close it to give the state directory free.
type Engine struct {
	cfg     Config
	opts    Options
	prom    *promapi.Client
	push    job.Publisher
	metrics *job.Metrics
	unlock  func() error

	mu      sync.Mutex
	results map[string]*Result // by target and labels
}

// New checks cfg, takes the state directory and reads what earlier runs left there.
func New(cfg Config, opts Options) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	e := &Engine{cfg: cfg, opts: opts, results: map[string]*Result{}, unlock: func() error { return nil }}
	var err error
	if e.prom, err = promapi.New(cfg.Prometheus); err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	if cfg.Pushgateway != nil {
		hc, err := cfg.Pushgateway.HTTPClient("pushgateway")
		if err != nil {
			return nil, fmt.Errorf("pushgateway: %w", err)
		}
		if e.push, err = pushgw.New(cfg.Pushgateway.URL, hc); err != nil {
			return nil, err
		}
	}
	e.metrics = job.NewMetrics("forecaster", "forecaster", opts.Shard)
	if opts.StateDir == "" {
		return e, nil
	}
	if e.unlock, err = job.Lock(opts.StateDir); err != nil {
		return nil, err
	}
	if err := e.restore(); err != nil {
		return nil, errors.Join(err, e.unlock())
	}
	return e, nil
}

func (e *Engine) restore() error {
	if e.opts.Curves == nil {
		s, err := curves.Open(filepath.Join(e.opts.StateDir, "curves"))
		if err != nil {
			return err
		}
		e.opts.Curves = s
	}
	var last time.Time
	if err := job.LoadJSON(filepath.Join(e.opts.StateDir, successFile), &last); err != nil {
		return err
	}
	e.metrics.RestoreSuccess(last)
	return e.load()
}

// Close ends the engine's use of the state directory.
func (e *Engine) Close() error {
	e.prom.Close()
	return e.unlock()
}

// Metrics are the job's health, for job.Once.
func (e *Engine) Metrics() *job.Metrics { return e.metrics }

// Publisher is the configured Pushgateway, nil when there is none.
func (e *Engine) Publisher() job.Publisher { return e.push }

// RunOnce forecasts every series of every target once. Series that cannot be forecast are
// counted and reported and keep their last good forecast; the error tells of what kept
// whole targets from being done.
func (e *Engine) RunOnce(ctx context.Context) (job.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(e.cfg.Timeout))
	defer cancel()
	r := &run{e: e, now: e.opts.Now()}
	var errs []error
	for i := range e.cfg.Targets {
		if err := r.target(ctx, &e.cfg.Targets[i]); err != nil {
			if dial := unreachable(err); dial != nil { // the other targets would wait for nothing
				errs = append(errs, fmt.Errorf("prometheus %s cannot be reached: %w (is it running? see prometheus.url)", e.cfg.Prometheus.URL, dial))
				break
			}
			errs = append(errs, fmt.Errorf("target %s: %w", e.cfg.Targets[i].Name, err))
			e.opts.Log.Error("target failed", "target", e.cfg.Targets[i].Name, "err", err)
		}
	}
	errs = append(errs, e.finish(ctx, r))
	if err := errors.Join(errs...); err != nil || e.opts.DryRun || e.opts.StateDir == "" {
		return r.res, err
	}
	return r.res, job.SaveJSON(filepath.Join(e.opts.StateDir, successFile), r.now)
}

// unreachable is the part of err that says that no connection could be made, or nil.
func unreachable(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return op
	}
	return nil
}

// finish keeps and publishes what the run found.
func (e *Engine) finish(ctx context.Context, r *run) error {
	err := e.forget(r.now)
	if e.opts.DryRun {
		return nil
	}
	serr := e.save()
	if serr == nil {
		serr = e.logTraining(r.now)
	}
	err = errors.Join(err, serr)
	if e.opts.Curves != nil {
		_, perr := e.opts.Curves.Prune(r.now)
		err = errors.Join(err, perr)
	}
	if e.opts.Store != nil {
		err = errors.Join(err, e.index(ctx, r.now))
	}
	if e.push == nil || r.res.Written == 0 {
		return err
	}
	// The run's own deadline may be used up; what it found still has to go out.
	pctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return errors.Join(err, e.push.Publish(pctx, JobResults, e.metrics.Grouping(), e.Gatherer()))
}

// run is one pass over the targets.
type run struct {
	e     *Engine
	now   time.Time
	mu    sync.Mutex
	res   job.Result
	known int
}

// target asks for the history of one target and forecasts its series as they arrive.
func (r *run) target(ctx context.Context, t *Target) error {
	caps, err := r.e.capacities(ctx, t, r.now)
	if err != nil {
		// Forecasts are of use without it; only exhaustion needs the capacity.
		r.e.opts.Log.Warn("no capacity", "target", t.Name, "err", err)
	}
	work := make(chan series.Series)
	var wg sync.WaitGroup
	workers := r.e.cfg.Concurrency
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range workers {
		wg.Go(func() {
			for s := range work {
				r.series(ctx, t, s, caps)
			}
		})
	}
	n := 0
	err = r.e.fetch(ctx, t, r.now, func(s series.Series) error {
		if !r.e.opts.Shard.Owns(key(t.Name, s.Labels)) {
			return nil
		}
		if n++; n > r.e.cfg.MaxSeries {
			return fmt.Errorf("more than max_series (%d) series: narrow the query, raise max_series or shard", r.e.cfg.MaxSeries)
		}
		r.mu.Lock()
		r.known++
		r.mu.Unlock()
		select {
		case work <- s:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	close(work)
	wg.Wait()
	return err
}

// series forecasts one series and keeps the outcome.
func (r *run) series(ctx context.Context, t *Target, s series.Series, caps capacities) {
	out, curve, err := r.e.forecast(t, s, caps, r.now)
	outcome := func(res *job.Result) *int { return &res.Written }
	switch {
	case errors.Is(err, errUnchanged), errors.Is(err, errGone):
		outcome = func(res *job.Result) *int { return &res.Skipped }
		r.e.opts.Log.Debug("series left alone", "target", t.Name, "series", s.Labels.String(), "reason", err)
		err = nil
	case err == nil:
		if len(out.Corrections) > 0 {
			r.e.opts.Log.Debug("series cleaned", "target", t.Name, "series", s.Labels.String(), "corrections", clean.Words(out.Corrections))
		}
		err = r.e.keep(ctx, out, curve)
	}
	if err != nil {
		outcome = func(res *job.Result) *int { return &res.Failed }
		r.e.fail(t, s.Labels, err, r.now)
		r.e.opts.Log.Warn("series failed", "target", t.Name, "series", s.Labels.String(), "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.res.Read++
	*outcome(&r.res)++
	if r.e.opts.Progress != nil {
		r.e.opts.Progress(r.res.Read, r.known)
	}
}
