// Package curves keeps whole forecasts, whose samples lie in the future, and shows them as
// a Prometheus storage.Queryable: neither a TSDB nor a Pushgateway may hold such samples.
//
// A forecast called x becomes the series forecast_curve_x{quantile="0.5",...} and
// forecast_event{kind="changepoint|crossing",text="..."}.
package curves

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Names of what the store serves.
const (
	MetricPrefix = "forecast_curve_"
	EventMetric  = "forecast_event"
)

// Curve is one forecast: lines of equal length on one grid, and events on the time axis.
// Labels carry the metric name, MetricPrefix and the target's name.
type Curve struct {
	Labels labels.Labels
	Start  time.Time // of the first value
	Step   time.Duration
	Lines  []Line
	Events []Event
}

// Line is one quantile of the forecast, e.g. "0.5" or "0.975".
type Line struct {
	Quantile string
	Values   []float32
}

// Event is a moment worth an annotation.
type Event struct {
	TimeMS int64  `json:"time_ms"`
	Kind   string `json:"kind"` // changepoint or crossing
	Text   string `json:"text"`
}

func (c Curve) end() time.Time {
	n := 0
	if len(c.Lines) > 0 {
		n = len(c.Lines[0].Values)
	}
	return c.Start.Add(time.Duration(max(n-1, 0)) * c.Step)
}

// entry is what is kept in memory of a file: enough to match and to prune.
type entry struct {
	labels    labels.Labels
	quantiles []string
	events    []Event
	start     time.Time
	end       time.Time
	mod       time.Time
}

// Store is a directory of curves, one file each. It is safe for concurrent use, also by
// several processes: one writes, others see what it wrote after Refresh.
type Store struct {
	dir string

	mu      sync.RWMutex
	entries map[string]entry // by file name
}

// Open reads the index of dir, which is made when it does not exist.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("curve store: %w", err)
	}
	s := &Store{dir: dir, entries: map[string]entry{}}
	if err := s.Refresh(context.Background()); err != nil {
		return nil, err
	}
	return s, nil
}

// Refresh reads files that another process has written or removed since. Damaged files
// are left out.
func (s *Store) Refresh(ctx context.Context) error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("curve store: %w", err)
	}
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := f.Name()
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("curve store: %w", err)
		}
		seen[name] = true
		s.mu.RLock()
		old, ok := s.entries[name]
		s.mu.RUnlock()
		if ok && old.mod.Equal(info.ModTime()) {
			continue
		}
		c, err := readFile(filepath.Join(s.dir, name))
		if err != nil {
			delete(seen, name)
			continue
		}
		s.index(name, c, info.ModTime())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.entries {
		if !seen[name] {
			delete(s.entries, name)
		}
	}
	return nil
}

func (s *Store) index(name string, c Curve, mod time.Time) {
	e := entry{labels: c.Labels, events: c.Events, start: c.Start, end: c.end(), mod: mod}
	for _, l := range c.Lines {
		e.quantiles = append(e.quantiles, l.Quantile)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[name] = e
}

// Put stores curves, each replacing the one with the same labels. A curve without points
// is refused, so that a failure never wipes out an earlier forecast.
func (s *Store) Put(ctx context.Context, list []Curve) error {
	for _, c := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(c.Lines) == 0 || len(c.Lines[0].Values) == 0 {
			return fmt.Errorf("curve %s is empty", c.Labels)
		}
		if !strings.HasPrefix(c.Labels.Get(pmodel.MetricNameLabel), MetricPrefix) {
			return fmt.Errorf("curve %s: the name has to start with %s", c.Labels, MetricPrefix)
		}
		raw, err := encode(c)
		if err != nil {
			return err
		}
		name := fileName(c.Labels)
		if err := writeFile(s.dir, name, raw); err != nil {
			return fmt.Errorf("curve store: %w", err)
		}
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			return fmt.Errorf("curve store: %w", err)
		}
		s.index(name, c, info.ModTime())
	}
	return nil
}

// Prune removes curves that end before t and says how many.
func (s *Store) Prune(t time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for name, e := range s.entries {
		if !e.end.Before(t) {
			continue
		}
		if err := s.remove(name); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Remove drops the curve with exactly these labels, if there is one.
func (s *Store) Remove(ls labels.Labels) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(fileName(ls))
}

// remove drops one file. Callers hold s.mu.
func (s *Store) remove(name string) error {
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("curve store: %w", err)
	}
	delete(s.entries, name)
	return nil
}

// Get returns the curve with exactly these labels.
func (s *Store) Get(ls labels.Labels) (Curve, bool, error) {
	name := fileName(ls)
	s.mu.RLock()
	_, ok := s.entries[name]
	s.mu.RUnlock()
	if !ok {
		return Curve{}, false, nil
	}
	c, err := readFile(filepath.Join(s.dir, name))
	return c, err == nil, err
}

// Labels lists the label sets of all curves in order.
func (s *Store) Labels() []labels.Labels {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]labels.Labels, 0, len(s.entries))
	for _, e := range s.entries {
		out = append(out, e.labels)
	}
	slices.SortFunc(out, labels.Compare)
	return out
}
