package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// maxOpen is how many files of an index stay open when nobody uses them.
const maxOpen = 8

// shelf is the folder of one index.
type shelf struct {
	dir string

	// Writers take turns, so that seq grows in the order of commits.
	wmu sync.Mutex
	seq int64 // last one given out; guarded by wmu
	// Readers stop here: what lies above may be half written.
	committed atomic.Int64

	mu     sync.Mutex
	days   map[string]*day
	closed bool
	idle   sync.Cond // a user of a day left
}

func openShelf(dir string) (*shelf, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("log store: %w", err)
	}
	s := &shelf{dir: dir, days: map[string]*day{}}
	s.idle.L = &s.mu
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		return nil, fmt.Errorf("log store: %w", err)
	}
	for _, f := range files {
		d := s.day(strings.TrimSuffix(filepath.Base(f), ".db"))
		if d == nil {
			continue // not ours
		}
		if d.stored, err = lastStored(f); err != nil {
			return nil, errors.Join(fmt.Errorf("log store: %w", err), s.close())
		}
		if err := s.use(d, func(*sql.DB) error { return nil }); err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.seq = max(s.seq, d.hi)
	}
	s.committed.Store(s.seq)
	return s, nil
}

// day returns the day called name, nil if that is no date.
func (s *shelf) day(name string) *day {
	start, err := time.Parse(time.DateOnly, name)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.days[name]
	if d == nil {
		d = &day{name: name, start: start, path: filepath.Join(s.dir, name+".db")}
		s.days[name] = d
	}
	return d
}

// use runs do with d's file open. A day that retention has removed is left alone.
func (s *shelf) use(d *day, do func(*sql.DB) error) error {
	ok, err := s.acquire(d)
	if err != nil || !ok {
		return err
	}
	defer func() {
		s.mu.Lock()
		d.users--
		s.idle.Broadcast()
		s.mu.Unlock()
	}()
	if err := do(d.db); err != nil {
		return d.fail(err)
	}
	return nil
}

func (s *shelf) acquire(d *day) (ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false, errClosed
	case d.gone:
		return false, nil
	case d.db == nil:
		if err := s.evict(maxOpen - 1); err != nil {
			return false, err
		}
		if err := d.open(); err != nil {
			return false, err
		}
	}
	d.users++
	d.used = time.Now()
	return true, nil
}

// evict closes unused files, oldest use first, until at most keep are open. s.mu is held.
func (s *shelf) evict(keep int) error {
	var open []*day
	for _, d := range s.days {
		if d.db != nil {
			open = append(open, d)
		}
	}
	slices.SortFunc(open, func(a, b *day) int { return a.used.Compare(b.used) })
	for n := len(open); n > keep && len(open) > 0; open = open[1:] {
		d := open[0]
		if d.users > 0 {
			continue
		}
		if err := d.db.Close(); err != nil {
			return d.fail(err)
		}
		d.db = nil
		n--
	}
	return nil
}

// expire removes the days that nobody uses and nothing was stored in since before.
func (s *shelf) expire(before time.Time) (removed []string, err error) {
	// A writer must not be about to use the day.
	s.wmu.Lock()
	defer s.wmu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for name, d := range s.days {
		if d.users > 0 || !d.stored.Before(before) {
			continue
		}
		if d.db != nil {
			errs = append(errs, d.db.Close())
			d.db = nil
		}
		if err := d.remove(); err != nil {
			errs = append(errs, err)
			continue
		}
		d.gone = true
		delete(s.days, name)
		removed = append(removed, name)
	}
	slices.Sort(removed)
	return removed, errors.Join(errs...)
}

func (s *shelf) close() error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, d := range s.days {
		for d.users > 0 {
			s.idle.Wait()
		}
		if d.db != nil {
			errs = append(errs, d.db.Close())
			d.db = nil
		}
	}
	return errors.Join(errs...)
}

// row is a document as it is stored.
type row struct {
	id, day, message, fields string
	time                     int64
}

func encode(d logstore.Document) (row, error) {
	d, err := d.Clean()
	if err != nil {
		return row{}, err
	}
	fields := []byte("{}")
	if len(d.Fields) > 0 {
		if fields, err = json.Marshal(d.Fields); err != nil {
			return row{}, fmt.Errorf("encode fields: %w", err)
		}
	}
	return row{id: d.ID, day: d.Time.Format(time.DateOnly), message: d.Message, fields: string(fields), time: d.Time.UnixNano()}, nil
}

// write stores rows in one transaction a day. If it fails between two days, the call as a
// whole has failed and is repeated; ids keep the first day's rows from being stored twice.
func (s *shelf) write(ctx context.Context, rows []row) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	base := s.seq
	s.seq += int64(len(rows))
	defer s.committed.Store(s.seq)
	byDay := map[string][]int{}
	for i, r := range rows {
		byDay[r.day] = append(byDay[r.day], i)
	}
	for name, picks := range byDay {
		d := s.day(name)
		var lo, hi int64
		err := s.use(d, func(db *sql.DB) (err error) {
			lo, hi, err = insert(ctx, db, base, rows, picks)
			return err
		})
		if err != nil {
			return err
		}
		if hi > 0 {
			s.mu.Lock()
			d.hi, d.stored = hi, time.Now()
			if d.lo == 0 {
				d.lo = lo
			}
			s.mu.Unlock()
		}
	}
	return nil
}

// insert stores rows[picks] with seq = base + 1 + their place and returns the first and the
// last seq that were new, 0 and 0 if none was.
func insert(ctx context.Context, db *sql.DB, base int64, rows []row, picks []int) (lo, hi int64, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit this is a no-op
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO docs (seq, id, time, message, fields) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = stmt.Close() }()
	for _, i := range picks {
		r := rows[i]
		seq := base + 1 + int64(i)
		res, err := stmt.ExecContext(ctx, seq, r.id, r.time, r.message, r.fields)
		if err != nil {
			return 0, 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, 0, err
		}
		if n == 0 {
			continue
		}
		if lo == 0 {
			lo = seq
		}
		hi = seq
	}
	if hi == 0 {
		return 0, 0, nil
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO words (rowid, message) SELECT seq, message FROM docs WHERE seq >= ?", lo); err != nil {
		return 0, 0, err
	}
	return lo, hi, tx.Commit()
}
