// Package scorer is the anomaly-scorer's engine: it reads what is new in the Zeek logs,
// judges every connection, groups what belongs together into findings, and publishes
// documents and gauges.
package scorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/pushgw"
	"github.com/inframind/inframind/internal/zeek"
)

// JobResults is the Pushgateway job of the findings. The job's own health is pushed apart
// from them, so that a run that failed cannot wipe out what an earlier one found.
const JobResults = "anomalies"

// Options is what the process gives the engine beside its configuration.
type Options struct {
	Log      *slog.Logger
	StateDir string         // required: the place in the logs, the memory, the model
	Shard    job.Shard      // zero: everything
	Store    logstore.Store // where anomalies go; nil: nowhere
	DryRun   bool           // nothing is written, pushed or remembered
	Now      func() time.Time
}

// Engine scores what is new, run after run. Close it to give the state directory free. It
// is not safe for concurrent use.
type Engine struct {
	cfg     Config
	opts    Options
	push    job.Publisher
	prom    *promapi.Client
	metrics *job.Metrics
	gauges  *gauges
	unlock  func() error

	pipe  *Pipeline
	state state
	saved []byte // the state as it is on disk, to go back to after a failed run
	feed  *Feedback
	// judging guards feedback.json between requests and runs of this process.
	judging sync.Mutex
	forest  *Forest
}

// New checks cfg, takes the state directory and reads what earlier runs left there.
func New(cfg Config, opts Options) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.StateDir == "" {
		return nil, errors.New("the scorer needs a state directory")
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if cfg.Model == "" {
		cfg.Model = filepath.Join(opts.StateDir, "model.iforest")
	}
	e := &Engine{cfg: cfg, opts: opts, metrics: job.NewMetrics("anomaly-scorer", "anomaly_scorer", opts.Shard)}
	if err := e.connect(); err != nil {
		return nil, err
	}
	e.gauges = newGauges(cfg.Labels)
	var err error
	if e.unlock, err = job.Lock(opts.StateDir); err != nil {
		return nil, err
	}
	if err := e.restore(); err != nil {
		return nil, errors.Join(err, e.unlock())
	}
	return e, nil
}

func (e *Engine) connect() error {
	if s := e.cfg.Pushgateway; s != nil {
		hc, err := s.HTTPClient("pushgateway")
		if err != nil {
			return fmt.Errorf("pushgateway: %w", err)
		}
		if e.push, err = pushgw.New(s.URL, hc); err != nil {
			return err
		}
	}
	if s := e.cfg.Prometheus; s != nil {
		var err error
		if e.prom, err = promapi.New(*s); err != nil {
			return fmt.Errorf("prometheus: %w", err)
		}
	}
	return nil
}

// Close ends the engine's use of the state directory.
func (e *Engine) Close() error {
	if e.prom != nil {
		e.prom.Close()
	}
	return e.unlock()
}

// Metrics are the job's health, for job.Once.
func (e *Engine) Metrics() *job.Metrics { return e.metrics }

// Publisher is the configured Pushgateway, nil when there is none.
func (e *Engine) Publisher() job.Publisher { return e.push }

// RunOnce scores what is new since the last run. The place in the logs moves only when
// everything was stored: after an error the next run reads the same again, and documents
// have ids that make writing them twice harmless.
func (e *Engine) RunOnce(ctx context.Context) (job.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(e.cfg.Timeout))
	defer cancel()
	r := newRun(e)
	err := e.once(ctx, r)
	if err != nil {
		err = errors.Join(err, e.goBack())
	}
	return r.result, err
}

func (e *Engine) once(ctx context.Context, r *run) error {
	if !e.opts.DryRun {
		e.train(ctx)
	}
	if err := e.reloadModel(); err != nil {
		// An unusable model costs the list of unusual connections, not the detection.
		e.opts.Log.Warn("scoring without the forest", "err", err)
	}
	if err := e.readFeedback(); err != nil {
		return err
	}
	e.pipe.threshold = e.feed.Threshold(evidence.Threshold)
	if err := r.read(ctx); err != nil {
		return err
	}
	r.group()
	if e.opts.DryRun {
		e.opts.Log.Info("dry run", "connections", r.result.Read, "flagged", r.flagged, "findings", len(r.findings))
		return e.goBack()
	}
	if err := r.store(ctx); err != nil {
		return err
	}
	if err := e.metricMode(ctx, r); err != nil {
		return err
	}
	if err := e.save(); err != nil {
		return err
	}
	e.gauges.set(e, r)
	if e.push == nil {
		return nil
	}
	return e.push.Publish(ctx, JobResults, e.metrics.Grouping(), e.gauges.reg)
}

// train learns a new model from the configured logs when the last training is longer ago
// than the retrain interval. That it fails must not cost the detection.
func (e *Engine) train(ctx context.Context) {
	if e.cfg.Zeek.Dir == "" || e.opts.Now().Sub(e.state.LastTrained) < time.Duration(e.cfg.Retrain) {
		return
	}
	t, err := Train(ctx, e.cfg, TrainOptions{Dir: e.cfg.Zeek.Dir, Model: e.cfg.Model, Window: time.Duration(e.cfg.TrainWindow), Log: e.opts.Log, Now: e.opts.Now, Seed: 1})
	switch {
	case errors.Is(err, ErrTooFew):
		e.opts.Log.Info("not trained yet", "reason", err)
	case err != nil:
		e.opts.Log.Error("training failed; scoring goes on with the model in service", "err", err)
	default:
		e.state.LastTrained = e.opts.Now()
		e.opts.Log.Info("trained", "rows", t.Used, "separation", t.Separation, "promoted", t.Promoted, "reason", t.Reason)
	}
}

func (e *Engine) reloadModel() error {
	f, err := LoadForest(e.cfg.Model, e.cfg.MaxEntries)
	if err != nil {
		return err
	}
	if f != nil && (e.forest == nil || f.hash != e.forest.hash) {
		e.forest, e.pipe.forest = f, f
	}
	return nil
}

// kinds are the logs a run reads, connections first.
var kinds = [...]zeek.Kind{zeek.KindConn, zeek.KindDNS, zeek.KindTLS, zeek.KindHTTP}
