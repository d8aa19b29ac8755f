package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
)

// DamagedError says that SQLite cannot read a file of the store. Nothing is ever deleted
// because of it.
type DamagedError struct {
	File string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("log store file %[1]s is damaged (%[2]s): stop the program, move the file away with its -wal and -shm (mv %[1]s %[1]s.damaged) and start again; "+
		"sqlite3 %[1]s.damaged .recover reads what is left of it, the other days are not affected", e.File, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Primary result codes of SQLite that mean a damaged file: SQLITE_CORRUPT, SQLITE_NOTADB.
const (
	codeCorrupt = 11
	codeNotADB  = 26
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
CREATE VIRTUAL TABLE words USING fts5 (message, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0');
PRAGMA user_version = 1;`

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
	// A commit has to survive the machine, not only the process: synchronous=FULL.
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: d.path, RawQuery: url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "journal_size_limit(67108864)"},
	}.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return fmt.Errorf("log store file %s: %w", d.path, err)
	}
	db.SetMaxOpenConns(4)
	if err := d.prepare(db); err != nil {
		return errors.Join(d.fail(err), db.Close())
	}
	d.db = db
	return nil
}

func (d *day) prepare(db *sql.DB) error {
	// Opening is not part of one caller's request: the file serves them all.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit this is a no-op
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case version > schemaVersion:
		return fmt.Errorf("has schema version %d, this program knows %d: use a newer release", version, schemaVersion)
	case version == 0:
		if _, err := tx.Exec(schema); err != nil {
			return err
		}
	}
	if err := tx.QueryRow("SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM docs").Scan(&d.lo, &d.hi); err != nil {
		return err
	}
	return tx.Commit()
}

// fail names the file in err and tells damage from other trouble.
func (d *day) fail(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == codeCorrupt || e.Code()&0xff == codeNotADB) {
		return &DamagedError{File: d.path, Err: err}
	}
	return fmt.Errorf("log store file %s: %w", d.path, err)
}

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
