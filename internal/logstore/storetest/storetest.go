// Package storetest is the contract of logstore.Store as a test suite. Every adapter runs it.
package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/internal/logstore"
)

// Opener opens the store under test; a second call, after Close, opens the same data again.
type Opener func() (logstore.Store, error)

// Run runs the suite. Every subtest calls newOpener once and uses an index of its own.
func Run(t *testing.T, newOpener func(t *testing.T) Opener) {
	for name, test := range map[string]func(*env){
		"RoundTrip":         roundTrip,
		"Idempotent":        idempotent,
		"StoredOrder":       storedOrder,
		"LateDocuments":     lateDocuments,
		"Paging":            paging,
		"FilteredCursor":    filteredCursor,
		"Durable":           durable,
		"ConcurrentWriters": concurrentWriters,
		"ReadWhileWriting":  readWhileWriting,
		"TextSearch":        textSearch,
		"Match":             match,
		"Latest":            latest,
		"Histogram":         histogram,
		"HistogramBounds":   histogramBounds,
		"Rejects":           rejects,
		"Unicode":           unicodeText,
		"BigMessages":       bigMessages,
		"Empty":             empty,
		"BadQueries":        badQueries,
		"Cancelled":         cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			open := newOpener(t)
			e := &env{T: t, open: open, index: "t-" + strings.ToLower(rand.Text()[:12])}
			e.reopen()
			t.Cleanup(func() {
				if err := e.store.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(e)
		})
	}
}

// env is one subtest: its store and its own index.
type env struct {
	*testing.T
	open  Opener
	store logstore.Store
	index string
}

func (e *env) reopen() {
	e.Helper()
	if e.store != nil {
		if err := e.store.Close(); err != nil {
			e.Fatalf("close: %v", err)
		}
	}
	var err error
	if e.store, err = e.open(); err != nil {
		e.Fatalf("open: %v", err)
	}
}

func (e *env) ctx() context.Context {
	ctx, cancel := context.WithTimeout(e.Context(), time.Minute)
	e.Cleanup(cancel)
	return ctx
}

func (e *env) write(docs ...logstore.Document) {
	e.Helper()
	rejected, err := e.store.Write(e.ctx(), e.index, docs)
	if err != nil || len(rejected) > 0 {
		e.Fatalf("write: rejected %v, err %v", rejected, err)
	}
}

func (e *env) read(q logstore.Query) logstore.Page {
	e.Helper()
	q.Index = e.index
	p, err := e.store.Read(e.ctx(), q)
	if err != nil {
		e.Fatalf("read %+v: %v", q, err)
	}
	return p
}

// drain reads pages after cursor until one is empty.
func (e *env) drain(q logstore.Query) (docs []logstore.Document, next string) {
	e.Helper()
	for range 10_000 {
		p := e.read(q)
		if len(p.Documents) > q.Max() {
			e.Fatalf("page of %d documents, limit %d", len(p.Documents), q.Max())
		}
		if len(p.Documents) == 0 {
			return docs, p.Next
		}
		docs = append(docs, p.Documents...)
		q.After = p.Next
	}
	e.Fatal("reading never ends")
	return nil, ""
}

func (e *env) wantIDs(what string, docs []logstore.Document, want ...string) {
	e.Helper()
	got := []string{}
	for _, d := range docs {
		got = append(got, d.ID)
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		e.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// noon is the event time most documents are made from.
var noon = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func doc(id string, at time.Time, message string, kv ...any) logstore.Document {
	d := logstore.Document{ID: id, Time: at, Message: message}
	for i := 0; i+1 < len(kv); i += 2 {
		if d.Fields == nil {
			d.Fields = map[string]any{}
		}
		d.Fields[kv[i].(string)] = kv[i+1]
	}
	return d
}

func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%05d", prefix, i)
	}
	return out
}
