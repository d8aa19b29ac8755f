// Package sqlitefile opens the SQLite files of this project: WAL, every commit on disk
// before it returns, a schema version, and one clear error when a file is damaged.
package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"modernc.org/sqlite"
)

// DamagedError says that SQLite cannot read a file. Nothing is ever deleted because of it.
type DamagedError struct {
	File string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%[1]s is damaged (%[2]s): stop the program, move the file away together with its -wal and -shm (mv %[1]s %[1]s.damaged) and start again; "+
		"sqlite3 %[1]s.damaged .recover reads what is left of it", e.File, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Primary result codes of SQLite that mean a damaged file: SQLITE_CORRUPT, SQLITE_NOTADB.
const (
	codeCorrupt = 11
	codeNotADB  = 26
)

// Wrap names the file in err and tells damage from other trouble.
func Wrap(path string, err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == codeCorrupt || e.Code()&0xff == codeNotADB) {
		return &DamagedError{File: path, Err: err}
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Open opens the file at path and creates it by schema if it is new. version is kept in
// PRAGMA user_version; a file of a later one is refused.
func Open(path string, version int, schema string) (*sql.DB, error) {
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "journal_size_limit(67108864)"},
	}.Encode()}).String()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, Wrap(path, err)
	}
	if err := prepare(db, version, schema); err != nil {
		return nil, errors.Join(Wrap(path, err), db.Close())
	}
	return db, nil
}

func prepare(db *sql.DB, version int, schema string) error {
	// Opening is not part of one caller's request: the file serves them all.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var have int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	if have > version {
		return fmt.Errorf("has schema version %d, this program knows %d: use a newer release", have, version)
	}
	if have == version {
		return nil
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit this is a no-op
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
