package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// pageBytes ends a page early, so that 10,000 large messages are never held at once.
const pageBytes = 16 << 20

// filter is the WHERE clause of one query.
type filter struct {
	sql  []string
	args []any
}

func (f *filter) add(sql string, args ...any) {
	f.sql = append(f.sql, sql)
	f.args = append(f.args, args...)
}

func (f *filter) where() string {
	if len(f.sql) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(f.sql, " AND ")
}

// valueText is the text of the JSON value that json_each calls j, equal to what Match holds.
const valueText = "CASE j.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(j.value AS TEXT) END"

func jsonPath(field string) string { return `$."` + field + `"` }

func newFilter(q logstore.Query) *filter {
	f := &filter{}
	if !q.From.IsZero() {
		f.add("time >= ?", q.From.UnixNano())
	}
	if !q.To.IsZero() {
		f.add("time < ?", q.To.UnixNano())
	}
	if words := q.Words(); len(words) > 0 {
		f.add("seq IN (SELECT rowid FROM words WHERE words MATCH ?)", `"`+strings.Join(words, `" AND "`)+`"`)
	}
	for name, want := range q.Match {
		f.add("EXISTS (SELECT 1 FROM json_each(fields, ?) j WHERE "+valueText+" = ?)", jsonPath(name), want)
	}
	return f
}

// span is one day as a query sees it.
type span struct {
	*day
	lo, hi int64
}

// spans returns the days that q's times touch and that have documents.
func (s *shelf) spans(q logstore.Query) []span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []span
	for _, d := range s.days {
		if d.hi == 0 || !q.From.IsZero() && !d.end().After(q.From) || !q.To.IsZero() && !d.start.Before(q.To) {
			continue
		}
		out = append(out, span{d, d.lo, d.hi})
	}
	return out
}

// query checks q and returns its index's folder, nil if nothing was ever stored there.
func (s *Store) query(q logstore.Query) (*shelf, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	return s.shelf(q.Index, false)
}

// numbered is a document with its place in the index.
type numbered struct {
	seq int64
	doc logstore.Document
}

// Read implements logstore.Store. Cursors are seq numbers.
func (s *Store) Read(ctx context.Context, q logstore.Query) (logstore.Page, error) {
	sh, err := s.query(q)
	if err != nil || sh == nil {
		return logstore.Page{Next: q.After}, err
	}
	var after int64
	if q.After != "" {
		if after, err = strconv.ParseInt(q.After, 10, 64); err != nil || after < 0 {
			return logstore.Page{}, fmt.Errorf("cursor %.40q is not one of this store", q.After)
		}
	}
	end := sh.committed.Load()
	bound := end
	spans := sh.spans(q)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	// Lines mostly come in the order of their time, so the days' ranges hardly overlap:
	// once a page is full, days that begin behind it need no look.
	var found []numbered
	for _, d := range spans {
		if d.hi <= after || d.lo > bound {
			continue
		}
		f := newFilter(q)
		f.add("seq > ?", after)
		f.add("seq <= ?", bound)
		got, full, err := sh.fetch(ctx, d.day, f, "seq", q.Max())
		if err != nil {
			return logstore.Page{}, err
		}
		found = append(found, got...)
		slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.seq, b.seq) })
		if full {
			bound = got[len(got)-1].seq
		}
		if len(found) > q.Max() {
			found = found[:q.Max()]
			bound = found[len(found)-1].seq
		}
		found = slices.DeleteFunc(found, func(n numbered) bool { return n.seq > bound })
	}
	page := logstore.Page{Next: q.After}
	if q.Selective() && bound == end && end > after {
		page.Next = strconv.FormatInt(end, 10) // what was not selected is not looked at again
		for _, n := range found {
			page.Documents = append(page.Documents, n.doc)
		}
		return page, nil
	}
	for _, n := range found {
		page.Documents = append(page.Documents, n.doc)
		page.Next = strconv.FormatInt(n.seq, 10)
	}
	return page, nil
}

// fetch reads up to limit documents of one day. full means that there may be more.
func (s *shelf) fetch(ctx context.Context, d *day, f *filter, order string, limit int) (out []numbered, full bool, err error) {
	err = s.use(d, func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, "SELECT seq, id, time, message, fields FROM docs"+f.where()+" ORDER BY "+order+" LIMIT ?", append(f.args, limit)...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		bytes := 0
		for rows.Next() {
			var n numbered
			var at int64
			var fields []byte
			if err := rows.Scan(&n.seq, &n.doc.ID, &at, &n.doc.Message, &fields); err != nil {
				return err
			}
			n.doc.Time = time.Unix(0, at).UTC()
			if string(fields) != "{}" {
				if n.doc.Fields, err = logstore.DecodeFields(fields); err != nil {
					return err
				}
			}
			out = append(out, n)
			if bytes += len(n.doc.Message) + len(fields); bytes > pageBytes {
				full = true
				return nil
			}
		}
		full = len(out) == limit
		return rows.Err()
	})
	return out, full, err
}

// Latest implements logstore.Store.
func (s *Store) Latest(ctx context.Context, q logstore.Query) ([]logstore.Document, error) {
	sh, err := s.query(q)
	if err != nil || sh == nil {
		return nil, err
	}
	spans := sh.spans(q)
	slices.SortFunc(spans, func(a, b span) int { return b.start.Compare(a.start) })
	var docs []logstore.Document
	for _, d := range spans {
		got, _, err := sh.fetch(ctx, d.day, newFilter(q), "time DESC, seq DESC", q.Max()-len(docs))
		if err != nil {
			return nil, err
		}
		for _, n := range got {
			docs = append(docs, n.doc)
		}
		if len(docs) == q.Max() {
			break
		}
	}
	return docs, nil
}

// Get implements logstore.Store. An id that is stored for several days gives the newest.
func (s *Store) Get(ctx context.Context, index, id string) (logstore.Document, bool, error) {
	sh, err := s.query(logstore.Query{Index: index})
	if err != nil || sh == nil {
		return logstore.Document{}, false, err
	}
	spans := sh.spans(logstore.Query{})
	slices.SortFunc(spans, func(a, b span) int { return b.start.Compare(a.start) })
	for _, d := range spans {
		f := &filter{}
		f.add("id = ?", id)
		got, _, err := sh.fetch(ctx, d.day, f, "seq", 1)
		if err != nil {
			return logstore.Document{}, false, err
		}
		if len(got) == 1 {
			return got[0].doc, true, nil
		}
	}
	return logstore.Document{}, false, nil
}

// Count implements logstore.Store.
func (s *Store) Count(ctx context.Context, q logstore.Query) (int64, error) {
	sh, err := s.query(q)
	if err != nil || sh == nil {
		return 0, err
	}
	var total int64
	for _, d := range sh.spans(q) {
		f := newFilter(q)
		err := sh.use(d.day, func(db *sql.DB) error {
			var n int64
			err := db.QueryRowContext(ctx, "SELECT count(*) FROM docs"+f.where(), f.args...).Scan(&n)
			total += n
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}

// Histogram implements logstore.Store.
func (s *Store) Histogram(ctx context.Context, q logstore.Query, every time.Duration, field string) ([]logstore.Bucket, error) {
	if err := logstore.CheckHistogram(every, field); err != nil {
		return nil, err
	}
	sh, err := s.query(q)
	if err != nil || sh == nil {
		return nil, err
	}
	type key struct {
		start int64
		value string
	}
	counts := map[key]int64{}
	for _, d := range sh.spans(q) {
		f := newFilter(q)
		text, args := "SELECT time / ? * ?, '', count(*) FROM docs"+f.where(), []any{int64(every), int64(every)}
		if field != "" {
			text = "SELECT time / ? * ?, coalesce(" + valueText + ", ''), count(*) FROM docs LEFT JOIN json_each(fields, ?) j" + f.where()
			args = append(args, jsonPath(field))
		}
		err := sh.use(d.day, func(db *sql.DB) error {
			rows, err := db.QueryContext(ctx, text+" GROUP BY 1, 2 LIMIT ?", append(append(args, f.args...), logstore.MaxBuckets+1)...)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var k key
				var n int64
				if err := rows.Scan(&k.start, &k.value, &n); err != nil {
					return err
				}
				counts[k] += n
			}
			return rows.Err()
		})
		if err != nil {
			return nil, err
		}
		if len(counts) > logstore.MaxBuckets {
			return nil, logstore.ErrTooManyBuckets
		}
	}
	out := make([]logstore.Bucket, 0, len(counts))
	for k, n := range counts {
		out = append(out, logstore.Bucket{Start: time.Unix(0, k.start).UTC(), Value: k.value, Count: n})
	}
	logstore.SortBuckets(out)
	return out, nil
}
