package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/inframind/inframind/internal/sqlitefile"
)

// schemaVersion is kept in PRAGMA user_version.
const schemaVersion = 1

// The words table is contentless: it only answers which rows have which words, and rows are
// never changed. seq orders all documents of an index, over its days.
const schema = `
CREATE TABLE docs (
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	time    INTEGER NOT NULL, -- of the event, Unix nanoseconds
	message TEXT NOT NULL,
	fields  TEXT NOT NULL     -- JSON object
);
CREATE INDEX docs_time ON docs (time);
CREATE VIRTUAL TABLE words USING fts5 (message, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0');`

// day is one file: the documents whose event time is on that UTC day.
type day struct {
	name  string // 2006-01-02
	start time.Time
	path  string

	// Guarded by shelf.mu.
	db     *sql.DB // nil while closed
	gone   bool    // removed by retention
	users  int
	used   time.Time
	lo, hi int64 // range of seq in the file, 0 while empty
	stored time.Time
}

func (d *day) end() time.Time { return d.start.AddDate(0, 0, 1) }

// open opens the file, creating it with its schema if needed.
func (d *day) open() error {
	db, err := sqlitefile.Open(d.path, schemaVersion, schema)
	if err != nil {
		return fmt.Errorf("log store: %w", err)
	}
	db.SetMaxOpenConns(4)
	if err := db.QueryRow("SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM docs").Scan(&d.lo, &d.hi); err != nil {
		return errors.Join(d.fail(err), db.Close())
	}
	d.db = db
	return nil
}

func (d *day) fail(err error) error { return fmt.Errorf("log store: %w", sqlitefile.Wrap(d.path, err)) }

// lastStored is when the closed file or its write-ahead log last changed. SQLite creates an
// empty log for a mere reader; that one does not count.
func lastStored(path string) (time.Time, error) {
	st, err := os.Stat(path)
	if err != nil {
		return time.Time{}, err
	}
	wal, err := os.Stat(path + "-wal")
	if err == nil && wal.Size() > 0 && wal.ModTime().After(st.ModTime()) {
		return wal.ModTime(), nil
	}
	return st.ModTime(), nil
}

// remove deletes the closed file. The write-ahead log goes first: SQLite would replay one
// that is left behind into the next file of that name.
func (d *day) remove() error {
	for _, p := range []string{d.path + "-wal", d.path + "-shm", d.path} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
