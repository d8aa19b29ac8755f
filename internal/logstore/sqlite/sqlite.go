// Package sqlite is the log store of the all-in-one: one folder an index, one SQLite file
// (WAL, FTS5) a day of event time. Retention is the removal of files. See docs/logstore.md.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
)

// Options tune a Store. The zero value keeps everything and logs nothing.
type Options struct {
	// Retention removes a day's file when nothing was stored in it for this long; 0 keeps
	// all. What counts is when a line was stored, not the time it carries.
	Retention time.Duration
	Log       *slog.Logger
}

// Store implements logstore.Store in a directory that it locks for itself.
type Store struct {
	dir    string
	opts   Options
	unlock func() error

	mu      sync.Mutex
	shelves map[string]*shelf
	swept   string // UTC day of the last retention sweep
	closed  bool
}

var _ logstore.Store = (*Store)(nil)

// errClosed is returned by every method after Close.
var errClosed = errors.New("log store is closed")

// Open opens or creates the store in dir. A damaged file ends it with a *sqlitefile.DamagedError; a
// second process in the same directory with job.ErrHeld.
func Open(dir string, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	unlock, err := job.Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("log store: %w", err)
	}
	s := &Store{dir: dir, opts: opts, unlock: unlock, shelves: map[string]*shelf{}}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.sweep(time.Now())
	return s, nil
}

func (s *Store) load() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("log store: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || logstore.CheckIndex(e.Name()) != nil {
			continue
		}
		sh, err := openShelf(filepath.Join(s.dir, e.Name()))
		if err != nil {
			return err
		}
		s.shelves[e.Name()] = sh
	}
	return nil
}

// Close waits for running calls and frees the directory.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, sh := range s.shelves {
		errs = append(errs, sh.close())
	}
	return errors.Join(append(errs, s.unlock())...)
}

// shelf returns the folder of index, nil if there is none and create is false.
func (s *Store) shelf(index string, create bool) (*shelf, error) {
	if err := logstore.CheckIndex(index); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	sh := s.shelves[index]
	if sh != nil || !create {
		return sh, nil
	}
	sh, err := openShelf(filepath.Join(s.dir, index))
	if err != nil {
		return nil, err
	}
	s.shelves[index] = sh
	return sh, nil
}

// Write implements logstore.Store.
func (s *Store) Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error) {
	sh, err := s.shelf(index, true)
	if err != nil {
		return nil, err
	}
	s.sweep(time.Now())
	rows := make([]row, 0, len(docs))
	var rejected []logstore.Rejected
	for _, d := range docs {
		r, err := encode(d)
		if err != nil {
			rejected = append(rejected, logstore.Rejected{ID: d.ID, Reason: err.Error()})
			continue
		}
		rows = append(rows, r)
	}
	if err := sh.write(ctx, rows); err != nil {
		return nil, err
	}
	return rejected, nil
}

// sweep removes what is past its retention, at most once a day. A file that cannot be
// removed is reported and tried again the next day: it is no reason to refuse lines.
func (s *Store) sweep(now time.Time) {
	today := now.UTC().Format(time.DateOnly)
	s.mu.Lock()
	due := s.opts.Retention > 0 && s.swept != today && !s.closed
	s.swept = today
	shelves := make([]*shelf, 0, len(s.shelves))
	for _, sh := range s.shelves {
		shelves = append(shelves, sh)
	}
	s.mu.Unlock()
	if !due {
		return
	}
	for _, sh := range shelves {
		removed, err := sh.expire(now.Add(-s.opts.Retention))
		if len(removed) > 0 {
			s.opts.Log.Info("log store retention removed days", "index", filepath.Base(sh.dir), "days", strings.Join(removed, " "))
		}
		if err != nil {
			s.opts.Log.Warn("log store retention failed", "index", filepath.Base(sh.dir), "err", err)
		}
	}
}
