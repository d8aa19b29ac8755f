package scorer

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/zeek"
)

// maxUnusual is how many of the strangest unflagged connections of a run are listed.
const maxUnusual = 20

// run is one pass over what is new.
type run struct {
	e        *Engine
	result   job.Result
	dead     deadLetters
	scored   int
	flagged  int
	by       map[string]int // flagged connections by detector
	docs     []logstore.Document
	omitted  int // flagged connections beyond the documents of a run
	unusual  []logstore.Document
	findings []detect.Finding
	rows     rowSample
	metrics  []metricScore
}

func newRun(e *Engine) *run {
	return &run{e: e, by: map[string]int{}, dead: deadLetters{path: filepath.Join(e.opts.StateDir, "dead-letter.log")}}
}

// read judges every new record of every log.
func (r *run) read(ctx context.Context) error {
	h := zeek.Handler{
		Conn: func(c *zeek.Conn, o zeek.Origin) error { r.conn(c, o); return nil },
		App: func(a *zeek.App, k zeek.Kind, o zeek.Origin) error {
			r.result.Read++
			r.e.pipe.App(a, k, o)
			return nil
		},
		Bad: r.bad,
	}
	if dir := r.e.cfg.Zeek.Dir; dir != "" {
		for _, k := range kinds {
			next, err := zeek.Scanner{Dir: dir, Now: r.e.opts.Now}.Scan(ctx, k, r.e.state.Cursors[k.String()], h)
			if err != nil {
				return err
			}
			r.e.state.Cursors[k.String()] = next
		}
	}
	if err := r.readStore(ctx); err != nil {
		return err
	}
	return r.dead.close()
}

func (r *run) bad(o zeek.Origin, text []byte, err error) error {
	r.result.Failed++
	if o.Line == 0 {
		r.e.opts.Log.Warn("log skipped", "file", o.Path, "err", err)
	}
	if r.e.opts.DryRun {
		return nil
	}
	return r.dead.add(o.String(), err.Error(), text)
}

func (r *run) conn(c *zeek.Conn, o zeek.Origin) {
	r.result.Read++
	r.scored++
	v := r.e.pipe.Conn(c, o)
	r.rows.add(v.Score, v.Flagged)
	if !v.Flagged {
		r.strange(c, o, &v)
		return
	}
	if r.e.allowed(v.Detector, c) {
		r.result.Skipped++
		return
	}
	r.flagged++
	r.by[v.Detector]++
	switch {
	case !r.e.opts.Shard.Owns(c.UID):
	case len(r.docs) < r.e.cfg.MaxRows:
		r.docs = append(r.docs, r.e.connDocument(c, o, &v))
	default:
		r.omitted++
	}
}

// strange keeps the unflagged connections that the forest finds strangest.
func (r *run) strange(c *zeek.Conn, o zeek.Origin, v *Verdict) {
	if !(v.Unusual > .999) || len(r.unusual) >= maxUnusual || !r.e.opts.Shard.Owns(c.UID) {
		return
	}
	r.unusual = append(r.unusual, r.e.connDocument(c, o, v))
}

// group collects the findings that are new or changed.
func (r *run) group() {
	for _, f := range r.e.pipe.Findings() {
		if r.e.suppressed(&f) {
			r.result.Skipped++
			continue
		}
		f.Labels = r.e.cfg.Labels
		r.findings = append(r.findings, f)
		r.e.state.Recent[f.ID] = recent{f.Detector, f.Severity, f.Source, f.Score, f.End}
	}
	if n := r.e.pipe.dropped; n > 0 {
		r.e.opts.Log.Warn("a detector has room for 4,096 findings a day: further ones are left out", "connections", n)
		r.e.pipe.dropped = 0
	}
	cutoff := r.e.clock().Add(-24 * time.Hour)
	for id, f := range r.e.state.Recent {
		if f.End.Before(cutoff) {
			delete(r.e.state.Recent, id)
		}
	}
	if over := len(r.e.state.Recent) - maxRecent; over > 0 {
		ids := make([]string, 0, len(r.e.state.Recent))
		for id := range r.e.state.Recent {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b string) int {
			return cmp.Or(r.e.state.Recent[a].End.Compare(r.e.state.Recent[b].End), cmp.Compare(a, b))
		})
		for _, id := range ids[:over] {
			delete(r.e.state.Recent, id)
		}
	}
}

// clock is the time that "the last 24 hours" end at: now, or, when old logs are scored,
// the newest record's.
func (e *Engine) clock() time.Time {
	newest, now := time.Unix(0, e.pipe.now), e.opts.Now()
	if now.Sub(newest) > 7*24*time.Hour {
		return newest
	}
	return now
}

// batch is how many documents are written at a time.
const batch = 500

// store writes the documents. What the store refuses for good goes to the dead letters.
func (r *run) store(ctx context.Context) error {
	if r.e.opts.Store == nil {
		return nil
	}
	docs := make([]logstore.Document, 0, len(r.findings)+len(r.docs)+len(r.unusual))
	for i := range r.findings {
		if f := &r.findings[i]; f.Grown && r.e.opts.Shard.Owns(f.ID) {
			docs = append(docs, r.e.findingDocument(f))
		}
	}
	docs = append(append(docs, r.docs...), r.unusual...)
	for part := range slices.Chunk(docs, batch) {
		rejected, err := r.e.opts.Store.Write(ctx, logstore.IndexAnomalies, part)
		if err != nil {
			return fmt.Errorf("write anomalies: %w", err)
		}
		r.result.Written += len(part) - len(rejected)
		r.result.Failed += len(rejected)
		for _, x := range rejected {
			r.e.opts.Log.Warn("document rejected", "id", x.ID, "reason", x.Reason)
			i := slices.IndexFunc(part, func(d logstore.Document) bool { return d.ID == x.ID })
			if i < 0 {
				continue
			}
			if err := r.dead.add("document "+x.ID, x.Reason, fmt.Append(nil, part[i].Fields)); err != nil {
				return err
			}
		}
	}
	if r.omitted > 0 {
		r.e.opts.Log.Info("more flagged connections than documents of one run; their findings count them all", "omitted", r.omitted)
	}
	return r.dead.close()
}
