package classify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/pushgw"
	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/model"

	promconfig "github.com/prometheus/common/config"
)

// Options are what a caller passes in besides the configuration.
type Options struct {
	Log      *slog.Logger
	StateDir string         // cursor, templates, labels, models; "" keeps everything in memory
	Shard    job.Shard      // by host
	Store    logstore.Store // required
	DryRun   func(logstore.Document) error
	Now      func() time.Time // for tests; default time.Now
}

// Engine labels new lines of a log store.
type Engine struct {
	cfg     Config
	opt     Options
	pub     job.Publisher
	metrics *job.Metrics

	running  sync.Mutex // one run at a time
	mu       sync.Mutex // what follows: review and metrics work beside a run
	st       *state
	model    *model.Model
	miner    *mine.Miner
	labeler  *Labeler
	labels   *labelStore
	hosts    *bounded
	services *bounded
	saved    time.Time // the state, last
	traces   traces
}

// New returns an engine. cfg is validated; opt.Store must be set.
func New(cfg Config, opt Options) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opt.Store == nil {
		return nil, errors.New("no log store")
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	e := &Engine{
		cfg: cfg, opt: opt, metrics: job.NewMetrics("log-classifier", "log_classifier", opt.Shard),
		hosts: newBounded(cfg.Limits.Hosts), services: newBounded(cfg.Limits.Services),
	}
	if err := e.open(); err != nil {
		return nil, err
	}
	if cfg.Pushgateway.URL != "" {
		hc, err := promconfig.NewClientFromConfig(cfg.Pushgateway.HTTPClient, "log-classifier")
		if err != nil {
			return nil, fmt.Errorf("pushgateway.http_client_config: %w", err)
		}
		pub, err := pushgw.New(cfg.Pushgateway.URL, hc)
		if err != nil {
			return nil, err
		}
		e.pub = pub
	}
	e.metrics.Registry().MustRegister(&collector{e: e})
	e.metrics.RestoreSuccess(e.st.LastSuccess)
	return e, nil
}

// open loads state, model and labels.
func (e *Engine) open() (err error) {
	if e.st, err = loadState(e.opt.StateDir, e.cfg.Index); err != nil {
		return err
	}
	e.st.known(e.hosts, e.services)
	if e.miner, err = mine.Restore(e.st.Mined, mine.Options{MaxTemplates: e.cfg.Limits.Templates}); err != nil {
		return fmt.Errorf("%s: %w", statePath(e.opt.StateDir), err)
	}
	if e.model, err = LoadModel(e.cfg.Model, e.opt.StateDir); err != nil {
		return err
	}
	if e.labels, err = openLabels(e.opt.StateDir); err != nil {
		return err
	}
	e.reload()
	return nil
}

// LoadModel returns the model at path; without a path the one that was trained below
// stateDir and is in service; without that the shipped one.
func LoadModel(path, stateDir string) (*model.Model, error) {
	if path == "" && stateDir != "" {
		p := filepath.Join(stateDir, "models", "current.model")
		if _, err := os.Stat(p); err == nil {
			path = p
		}
	}
	if path == "" {
		return corpus.Shipped()
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := model.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w (\"train\" replaces it, \"rollback shipped\" does without)", path, err)
	}
	return m, nil
}

// reload makes a labeler from the model and the labels people gave.
func (e *Engine) reload() {
	e.traces = newTraces()
	e.labeler = NewLabeler(e.model, e.miner, e.labels.byTemplate(e.miner))
}

// Metrics returns what the engine publishes.
func (e *Engine) Metrics() *job.Metrics { return e.metrics }

// Run labels what is new, records the run and pushes the metrics.
func (e *Engine) Run(ctx context.Context) error {
	return job.Once(ctx, e.opt.Log, e.metrics, e.pub, e.RunOnce)
}

// Close releases what New opened. The store belongs to the caller.
func (e *Engine) Close() error { return nil }

// RunOnce labels every line stored since the last run. The cursor is saved after the lines
// it stands for were written, and documents keep their ids: lines are neither lost nor
// labelled twice, however a run ends.
func (e *Engine) RunOnce(ctx context.Context) (res job.Result, err error) {
	e.running.Lock()
	defer e.running.Unlock()
	if err := e.locked(e.refresh); err != nil {
		return res, err
	}
	for res.Read < e.cfg.Limits.PerRun {
		page, err := e.opt.Store.Read(ctx, logstore.Query{Index: e.cfg.Index, After: e.st.Cursor, Limit: e.cfg.BatchSize})
		if err != nil {
			return res, errors.Join(fmt.Errorf("read %s: %w", e.cfg.Index, err), e.locked(e.save))
		}
		if len(page.Documents) == 0 {
			break
		}
		if err := e.locked(func() error { return e.page(ctx, page, &res) }); err != nil {
			return res, err
		}
	}
	return res, e.locked(func() error {
		e.st.LastSuccess = e.opt.Now()
		return errors.Join(e.retrain(), e.save())
	})
}

// locked calls f alone: review and metrics get their turn between the pages of a run.
func (e *Engine) locked(f func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return f()
}

// refresh takes in labels that came since.
func (e *Engine) refresh() error {
	changed, err := e.labels.refresh()
	if err != nil || !changed {
		return err
	}
	e.reload()
	return nil
}

// retrain trains anew when the labels people gave say that it is time, at most once a week.
func (e *Engine) retrain() error {
	now := e.opt.Now()
	if e.opt.StateDir == "" || e.opt.DryRun != nil || now.Sub(e.st.Retrained) < 7*24*time.Hour || !drift(e.labels.list, e.cfg.Drift.Drop, now).due {
		return nil
	}
	e.st.Retrained = now
	rep, err := Train(e.opt.StateDir, nil, "")
	if err != nil {
		return fmt.Errorf("retrain: %w", err)
	}
	e.opt.Log.Info("labels drifted, trained anew", "model", rep.Model, "promoted", rep.Promoted, "reason", rep.Reason)
	if e.model, err = LoadModel(e.cfg.Model, e.opt.StateDir); err != nil {
		return err
	}
	e.reload()
	return nil
}

// page labels and writes one page. A page that cannot be written leaves the counters as they
// were: they are restored from the saved state.
func (e *Engine) page(ctx context.Context, page logstore.Page, res *job.Result) error {
	lines := make([]line, 0, len(page.Documents))
	for _, d := range page.Documents {
		res.Read++
		l := newLine(d, e.cfg.MessageField)
		switch {
		case !e.opt.Shard.Owns(l.host):
			res.Skipped++
		case l.Message == "":
			res.Skipped++
			e.st.NoMessage++
		default:
			e.take(&l)
			lines = append(lines, l)
		}
	}
	docs := make([]logstore.Document, 0, len(lines))
	for i := range lines {
		docs = append(docs, e.label(&lines[i]))
	}
	if e.opt.DryRun != nil {
		for _, d := range docs {
			if err := e.opt.DryRun(d); err != nil {
				return err
			}
		}
		e.st.Cursor = page.Next
		return nil
	}
	rejected, err := e.opt.Store.Write(ctx, e.cfg.Output, docs)
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", e.cfg.Output, err), e.open())
	}
	for _, r := range rejected[:min(len(rejected), 5)] {
		e.opt.Log.Warn("line refused by the store", "id", r.ID, "reason", r.Reason)
	}
	e.st.Rejected += int64(len(rejected))
	res.Failed += len(rejected)
	res.Written += len(docs) - len(rejected)
	e.st.Cursor = page.Next
	if e.opt.Now().Sub(e.saved) < saveEvery {
		return nil
	}
	return e.save()
}

// saveEvery bounds the work that a crash repeats. Repeating is safe: the counts go back with
// the cursor, and the documents have the same ids.
const saveEvery = 5 * time.Second

func (e *Engine) save() error {
	if e.opt.StateDir == "" || e.opt.DryRun != nil {
		return nil
	}
	e.st.Mined = e.miner.State()
	raw, err := json.Marshal(e.st)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	e.saved = e.opt.Now()
	return job.SaveFile(statePath(e.opt.StateDir), raw)
}
