package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/internal/logstore"
)

func roundTrip(e *env) {
	in := doc("a", noon.Add(123456*time.Microsecond), "link down",
		"host.name", "web-1", "process.pid", 4711, "score", 0.25, "retry", true, "tags", []string{"x", "y"},
		"ports", []int{1, 2}, "big", int64(1)<<60, "whole", 3.0, "empty", "", "odd-name_1", "v")
	want := in
	want.Fields = map[string]any{
		"host.name": "web-1", "process.pid": int64(4711), "score": 0.25, "retry": true, "tags": []any{"x", "y"},
		"ports": []any{int64(1), int64(2)}, "big": int64(1) << 60, "whole": int64(3), "empty": "", "odd-name_1": "v",
	}
	e.write(in)
	got, ok, err := e.store.Get(e.ctx(), e.index, "a")
	if err != nil || !ok {
		e.Fatalf("get: %v, %v", ok, err)
	}
	for what, d := range map[string]logstore.Document{"Get": got, "Read": e.read(logstore.Query{}).Documents[0]} {
		if diff := cmp.Diff(want, d); diff != "" {
			e.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if _, ok, err := e.store.Get(e.ctx(), e.index, "b"); ok || err != nil {
		e.Errorf("get of an unknown id: %v, %v", ok, err)
	}
}

func idempotent(e *env) {
	e.write(doc("a", noon, "first"), doc("b", noon, "second"), doc("a", noon, "first"))
	cursor := e.read(logstore.Query{}).Next
	e.write(doc("a", noon, "changed"), doc("b", noon, "second"))
	if p := e.read(logstore.Query{After: cursor}); len(p.Documents) != 0 || p.Next != cursor {
		e.Errorf("a repeated write shows up again: %+v", p)
	}
	e.reopen()
	e.write(doc("a", noon, "first"), doc("c", noon, "third"))
	e.wantIDs("after the cursor", e.read(logstore.Query{After: cursor}).Documents, "c")
	if n, err := e.store.Count(e.ctx(), logstore.Query{Index: e.index}); n != 3 || err != nil {
		e.Errorf("count %d, %v; want 3", n, err)
	}
	if d, _, err := e.store.Get(e.ctx(), e.index, "a"); err != nil || d.Message != "first" {
		e.Errorf("a is now %q, %v", d.Message, err)
	}
	if n, err := e.store.Count(e.ctx(), logstore.Query{Index: e.index, Text: "changed"}); n != 0 || err != nil {
		e.Errorf("text of a write that changed nothing is found %d times, %v", n, err)
	}
}

func durable(e *env) {
	e.write(doc("a", noon, "kept"), doc("b", noon.AddDate(0, 0, -1), "kept too"))
	cursor := e.read(logstore.Query{Limit: 1}).Next
	before, _ := e.drain(logstore.Query{After: cursor})
	e.reopen()
	after, _ := e.drain(logstore.Query{After: cursor})
	if diff := cmp.Diff(before, after); diff != "" || len(after) != 1 {
		e.Errorf("a cursor does not survive a restart (-before +after):\n%s", diff)
	}
	if n, err := e.store.Count(e.ctx(), logstore.Query{Index: e.index, Text: "kept"}); n != 2 || err != nil {
		e.Errorf("count %d, %v", n, err)
	}
}

// batch makes documents over three days, so that a write touches several partitions.
func batch(writer, round, n int) []logstore.Document {
	docs := make([]logstore.Document, n)
	for i := range docs {
		at := noon.AddDate(0, 0, -(i % 3)).Add(time.Duration(round) * time.Second)
		docs[i] = doc(fmt.Sprintf("w%d-%03d-%03d", writer, round, i), at, "line of a writer")
	}
	return docs
}

func concurrentWriters(e *env) {
	const writers, rounds, each = 4, 5, 30
	ctx := e.ctx()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for r := range rounds {
				// Every batch is written twice, as after a timeout.
				for range 2 {
					if rejected, err := e.store.Write(ctx, e.index, batch(w, r, each)); err != nil || len(rejected) > 0 {
						e.Errorf("writer %d: %v, %v", w, rejected, err)
					}
				}
			}
		})
	}
	wg.Wait()
	e.wantEach(writers, rounds, each, logstore.Query{Limit: 70})
}

func (e *env) wantEach(writers, rounds, each int, q logstore.Query) {
	e.Helper()
	docs, _ := e.drain(q)
	seen := map[string]int{}
	for _, d := range docs {
		seen[d.ID]++
	}
	for w := range writers {
		for r := range rounds {
			for _, d := range batch(w, r, each) {
				if seen[d.ID] != 1 {
					e.Fatalf("%s is read %d times; %d documents in all", d.ID, seen[d.ID], len(docs))
				}
			}
		}
	}
}

// A cursor that runs behind several writers must meet every document exactly once.
func readWhileWriting(e *env) {
	const writers, rounds, each = 3, 8, 9
	ctx, stop := context.WithCancel(e.ctx())
	seen := map[string]int{}
	cursor := ""
	poll := func() error {
		p, err := e.store.Read(ctx, logstore.Query{Index: e.index, After: cursor, Limit: 7})
		if err != nil {
			return err
		}
		for _, d := range p.Documents {
			seen[d.ID]++
		}
		cursor = p.Next
		return nil
	}
	var reader, wg sync.WaitGroup
	reader.Go(func() {
		for ctx.Err() == nil {
			if err := poll(); err != nil && !errors.Is(err, context.Canceled) {
				e.Errorf("read: %v", err)
				return
			}
		}
	})
	for w := range writers {
		wg.Go(func() {
			for r := range rounds {
				if _, err := e.store.Write(e.ctx(), e.index, batch(w, r, each)); err != nil {
					e.Errorf("write: %v", err)
				}
			}
		})
	}
	wg.Wait()
	stop()
	reader.Wait()
	rest, _ := e.drain(logstore.Query{After: cursor})
	for _, d := range rest {
		seen[d.ID]++
	}
	for id, n := range seen {
		if n != 1 {
			e.Errorf("%s was read %d times", id, n)
		}
	}
	if len(seen) != writers*rounds*each {
		e.Errorf("%d documents were read, want %d", len(seen), writers*rounds*each)
	}
}

func rejects(e *env) {
	good := doc("good", noon, "fine")
	bad := []logstore.Document{
		doc("", noon, "no id"),
		doc(strings.Repeat("x", logstore.MaxID+1), noon, "long id"),
		doc("no-time", time.Time{}, "no time"),
		doc("far-time", time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC), "far"),
		doc("nan", noon, "bad value", "score", math.NaN()),
		doc("map", noon, "bad value", "x", map[string]string{"a": "b"}),
		doc("field", noon, "bad name", `a"b`, 1),
		doc("dots", noon, "bad name", "a..b", 1),
		doc("own", noon, "bad name", "@timestamp", 1),
		doc("huge", noon, strings.Repeat("m", logstore.MaxMessage+1)),
	}
	want := []string{}
	for _, d := range bad {
		want = append(want, d.ID)
	}
	rejected, err := e.store.Write(e.ctx(), e.index, append([]logstore.Document{good}, bad...))
	if err != nil {
		e.Fatalf("one bad document fails the call: %v", err)
	}
	got := []string{}
	for _, r := range rejected {
		got = append(got, r.ID)
		if r.Reason == "" {
			e.Errorf("%s is rejected without a reason", r.ID)
		}
	}
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		e.Errorf("rejected (-want +got):\n%s", diff)
	}
	docs, _ := e.drain(logstore.Query{})
	e.wantIDs("stored", docs, "good")
}

func cancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx())
	cancel()
	if _, err := e.store.Write(ctx, e.index, []logstore.Document{doc("a", noon, "x")}); !errors.Is(err, context.Canceled) {
		e.Errorf("write with a cancelled context: %v", err)
	}
	e.write(doc("a", noon, "x"))
	if _, err := e.store.Read(ctx, logstore.Query{Index: e.index}); !errors.Is(err, context.Canceled) {
		e.Errorf("read with a cancelled context: %v", err)
	}
}
