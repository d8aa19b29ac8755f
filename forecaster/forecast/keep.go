package forecast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/internal/job"
)

const (
	stateFile = "forecasts.json.gz"
	maxState  = 2 << 30
	// successFile has the time of the last run without an error, for the job's metrics.
	successFile = "last_success.json"
	// forgetAfter is how long a series may stay away before its last forecast goes.
	forgetAfter = 3 * 24 * time.Hour
)

// keep remembers a good result and stores its curve.
func (e *Engine) keep(ctx context.Context, r *Result, c curves.Curve) error {
	if !e.opts.DryRun && e.opts.Curves != nil {
		if err := e.opts.Curves.Put(ctx, []curves.Curve{c}); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.results[key(r.Target, r.Labels)] = r
	return nil
}

// fail marks a series as failed and leaves its last good forecast in place.
func (e *Engine) fail(t *Target, ls labels.Labels, err error, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := key(t.Name, ls)
	r := &Result{Target: t.Name, Labels: ls, Made: now}
	if old := e.results[k]; old != nil {
		c := *old
		r = &c
	}
	r.Status, r.Reason = statusFailed, err.Error()
	e.results[k] = r
}

// forget drops series that have not been forecast for long, since their machines are gone,
// and those of targets that are not configured any more, with their curves.
func (e *Engine) forget(now time.Time) error {
	configured := map[string]bool{}
	for _, t := range e.cfg.Targets {
		configured[t.Name] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	maps.DeleteFunc(e.results, func(_ string, r *Result) bool {
		if configured[r.Target] && now.Sub(r.Made) <= forgetAfter {
			return false
		}
		if e.opts.Curves != nil && !e.opts.DryRun {
			err = errors.Join(err, e.opts.Curves.Remove(curveLabels(r.Target, r.Labels)))
		}
		return true
	})
	return err
}

// Results lists what is known, ordered by target and labels. The values must not be
// changed.
func (e *Engine) Results() []*Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := slices.Sorted(maps.Keys(e.results))
	out := make([]*Result, len(keys))
	for i, k := range keys {
		out[i] = e.results[k]
	}
	return out
}

func (e *Engine) save() error {
	if e.opts.StateDir == "" {
		return nil
	}
	return saveResults(e.opts.StateDir, e.Results())
}

func saveResults(dir string, list []*Result) error {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(zw).Encode(list), zw.Close()); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return job.SaveFile(filepath.Join(dir, stateFile), b.Bytes())
}

func (e *Engine) load() error {
	list, err := LoadResults(e.opts.StateDir)
	if err != nil {
		return err
	}
	for _, r := range list {
		e.results[key(r.Target, r.Labels)] = r
	}
	return nil
}

// LoadResults reads what runs left in a state directory; none is no error.
func LoadResults(dir string) ([]*Result, error) {
	list, err := readResults(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

func readResults(path string) (list []*Result, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("state %s: %w (move it away to start afresh)", path, err)
	}
	if err := json.NewDecoder(io.LimitReader(zr, maxState)).Decode(&list); err != nil {
		return nil, fmt.Errorf("state %s: %w (move it away to start afresh)", path, err)
	}
	return list, nil
}
