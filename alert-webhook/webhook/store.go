package webhook

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/outbox"
	"github.com/inframind/inframind/internal/sqlitefile"
)

// One row of alerts is one episode: one firing of one alert, from its start to its end.
const schema = `
CREATE TABLE alerts (
	episode       TEXT PRIMARY KEY, -- fingerprint@startsAt
	fingerprint   TEXT NOT NULL,
	status        TEXT NOT NULL,
	name          TEXT NOT NULL,
	labels        TEXT NOT NULL,
	annotations   TEXT NOT NULL,
	generator_url TEXT NOT NULL,
	receiver      TEXT NOT NULL,
	starts_at     INTEGER NOT NULL, -- all times Unix milliseconds
	ends_at       INTEGER NOT NULL,
	received_at   INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL, -- of the last change of status
	seen_at       INTEGER NOT NULL, -- of the last payload that named it
	repeats       INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX alerts_updated ON alerts (updated_at, episode);
CREATE INDEX alerts_fingerprint ON alerts (fingerprint, status);
` + outbox.Schema

const schemaVersion = 1

// FileName is the database in the storage directory.
const FileName = "alerts.db"

// Record is a stored episode.
type Record struct {
	alert.Alert
	Episode    string    `json:"episode"`
	Receiver   string    `json:"receiver"`
	ReceivedAt time.Time `json:"receivedAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
	SeenAt     time.Time `json:"seenAt"`
	Repeats    int64     `json:"repeats"` // payloads that said nothing new
}

type store struct {
	path string
	db   *sql.DB
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("alert store: %w", err)
	}
	path := filepath.Join(dir, FileName)
	db, err := sqlitefile.Open(path, schemaVersion, schema)
	if err != nil {
		return nil, fmt.Errorf("alert store: %w", err)
	}
	// One connection: writers take turns here instead of meeting SQLITE_BUSY.
	db.SetMaxOpenConns(1)
	return &store{path, db}, nil
}

func (s *store) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("alert store: %w", sqlitefile.Wrap(s.path, err))
}

// save stores the alerts of g and calls enqueue, in the same transaction, with those whose
// state is news. It returns once all of it is on disk.
func (s *store) save(ctx context.Context, g alert.Group, now time.Time, enqueue func(*sql.Tx, []alert.Alert) error) (news []alert.Alert, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, s.wrap(err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit this is a no-op
	for _, a := range g.Alerts {
		isNew, err := saveOne(ctx, tx, a, g.Receiver, now)
		if err != nil {
			return nil, s.wrap(err)
		}
		if isNew {
			news = append(news, a)
		}
	}
	if len(news) > 0 {
		if err := enqueue(tx, news); err != nil {
			return nil, s.wrap(err)
		}
	}
	return news, s.wrap(tx.Commit())
}

// saveOne returns whether a says something new about its episode. A resolved episode never
// fires again: what arrives late or out of order does not reopen it.
func saveOne(ctx context.Context, tx *sql.Tx, a alert.Alert, receiver string, now time.Time) (bool, error) {
	labels, err := json.Marshal(a.Labels)
	if err != nil {
		return false, err
	}
	annotations, err := json.Marshal(a.Annotations)
	if err != nil {
		return false, err
	}
	var status string
	err = tx.QueryRowContext(ctx, "SELECT status FROM alerts WHERE episode = ?", a.Episode()).Scan(&status)
	ms := now.UnixMilli()
	ends := int64(0)
	if a.Status == alert.Resolved {
		ends = a.EndsAt.UnixMilli()
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.ExecContext(ctx, `INSERT INTO alerts (episode, fingerprint, status, name, labels, annotations, generator_url, receiver, starts_at, ends_at, received_at, updated_at, seen_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			a.Episode(), a.Fingerprint, a.Status, a.Name(), labels, annotations, a.GeneratorURL, receiver, a.StartsAt.UnixMilli(), ends, ms, ms, ms)
		return true, err
	case err != nil:
		return false, err
	case status == alert.Firing && a.Status == alert.Resolved:
		_, err = tx.ExecContext(ctx, "UPDATE alerts SET status = ?, annotations = ?, ends_at = ?, updated_at = ?, seen_at = ? WHERE episode = ?",
			a.Status, annotations, ends, ms, ms, a.Episode())
		return true, err
	case status == a.Status:
		// Values in annotations change while an alert fires: the newest are kept.
		_, err = tx.ExecContext(ctx, "UPDATE alerts SET annotations = ?, seen_at = ?, repeats = repeats + 1 WHERE episode = ?", annotations, ms, a.Episode())
		return false, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE alerts SET seen_at = ?, repeats = repeats + 1 WHERE episode = ?", ms, a.Episode())
	return false, err
}

// ListQuery selects records. Zero fields do not restrict.
type ListQuery struct {
	Status string
	Labels map[string]string // all must be equal
	After  string            // Next of the page before
	Limit  int               // 100 if 0
}

// ListDir lists the alerts in dir, which a running server may be using.
func ListDir(ctx context.Context, dir string, q ListQuery) ([]Record, error) {
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		return nil, fmt.Errorf("alert store: %w (name the server's directory with --storage.path)", err)
	}
	st, err := openStore(dir)
	if err != nil {
		return nil, err
	}
	records, _, err := st.list(ctx, q)
	return records, errors.Join(err, st.db.Close())
}

// list returns records, the last changed first, and the cursor of the next page, "" at the
// end.
func (s *store) list(ctx context.Context, q ListQuery) (out []Record, next string, err error) {
	where, args := []string{"1"}, []any{}
	if q.Status != "" {
		where, args = append(where, "status = ?"), append(args, q.Status)
	}
	for k, v := range q.Labels {
		where, args = append(where, "EXISTS (SELECT 1 FROM json_each(labels) j WHERE j.key = ? AND j.value = ?)"), append(args, k, v)
	}
	if q.After != "" {
		at, episode, err := parseCursor(q.After)
		if err != nil {
			return nil, "", err
		}
		where, args = append(where, "(updated_at, episode) < (?, ?)"), append(args, at, episode)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := s.db.QueryContext(ctx, `SELECT episode, fingerprint, status, labels, annotations, generator_url, receiver, starts_at, ends_at, received_at, updated_at, seen_at, repeats
		FROM alerts WHERE `+strings.Join(where, " AND ")+" ORDER BY updated_at DESC, episode DESC LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, "", s.wrap(err)
	}
	defer func() { _ = rows.Close() }()
	out = []Record{}
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, "", s.wrap(err)
		}
		out = append(out, r)
	}
	if len(out) > limit {
		out = out[:limit]
		last := out[limit-1]
		next = fmt.Sprintf("%d.%s", last.UpdatedAt.UnixMilli(), last.Episode)
	}
	return out, next, s.wrap(rows.Err())
}

var errCursor = errors.New("cursor is not one of this list")

func parseCursor(c string) (at int64, episode string, err error) {
	head, episode, ok := strings.Cut(c, ".")
	if _, err := fmt.Sscanf(head, "%d", &at); err != nil || !ok {
		return 0, "", errCursor
	}
	return at, episode, nil
}

func scanRecord(rows *sql.Rows) (Record, error) {
	var r Record
	var labels, annotations []byte
	var starts, ends, received, updated, seen int64
	err := rows.Scan(&r.Episode, &r.Fingerprint, &r.Status, &labels, &annotations, &r.GeneratorURL, &r.Receiver, &starts, &ends, &received, &updated, &seen, &r.Repeats)
	if err != nil {
		return r, err
	}
	r.StartsAt, r.ReceivedAt, r.UpdatedAt, r.SeenAt = utc(starts), utc(received), utc(updated), utc(seen)
	if ends != 0 {
		r.EndsAt = utc(ends)
	}
	return r, errors.Join(json.Unmarshal(labels, &r.Labels), json.Unmarshal(annotations, &r.Annotations))
}

func utc(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// counts returns the number of records by status.
func (s *store) counts(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{alert.Firing: 0, alert.Resolved: 0}
	rows, err := s.db.QueryContext(ctx, "SELECT status, count(*) FROM alerts GROUP BY status")
	if err != nil {
		return nil, s.wrap(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var status string
		var n int64
		if err := rows.Scan(&status, &n); err != nil {
			return nil, s.wrap(err)
		}
		out[status] = n
	}
	return out, s.wrap(rows.Err())
}

// prune forgets episodes that were resolved before t, or that fire but were not named since:
// Alertmanager repeats what still fires.
func (s *store) prune(ctx context.Context, t time.Time) error {
	_, err := s.db.ExecContext(ctx, "DELETE FROM alerts WHERE max(updated_at, seen_at) < ?", t.UnixMilli())
	return s.wrap(err)
}
