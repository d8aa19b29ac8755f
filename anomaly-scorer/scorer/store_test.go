package scorer

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
)

// picky refuses findings for good, as a store with another mapping does.
type picky struct{ logstore.Store }

func (p picky) Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error) {
	var keep []logstore.Document
	var out []logstore.Rejected
	for _, d := range docs {
		if d.Fields["anomaly.type"] == "finding" {
			out = append(out, logstore.Rejected{ID: d.ID, Reason: "mapper_parsing_exception"})
		} else {
			keep = append(keep, d)
		}
	}
	more, err := p.Store.Write(ctx, index, keep)
	return append(out, more...), err
}

func TestRejectedDocumentsAreKept(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(300, start, 1)+portScan(100, start.Add(time.Hour)))
	e := newEngine(t, dir, state, picky{openStore(t)}, start.Add(2*time.Hour))
	res, err := e.RunOnce(context.Background())
	if err != nil || res.Failed != 1 || res.Written == 0 {
		t.Fatalf("%+v %v", res, err)
	}
	raw, err := os.ReadFile(filepath.Join(state, "dead-letter.log"))
	if err != nil || !strings.Contains(string(raw), "mapper_parsing_exception") || !strings.Contains(string(raw), "10.0.0.66") {
		t.Errorf("dead letters: %s %v", raw, err)
	}
}

func TestShardsTogetherAreTheWhole(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(300, start, 1)+portScan(200, start.Add(time.Hour)))
	ids := func(shard job.Shard) (out []string) {
		store := openStore(t)
		e, err := New(Config{Zeek: ZeekConfig{Dir: dir}}, Options{StateDir: t.TempDir(), Store: store, Shard: shard, Now: func() time.Time { return start.Add(2 * time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if _, err := e.RunOnce(ctx); err != nil {
			t.Fatal(err)
		}
		docs, err := store.Latest(ctx, logstore.Query{Index: logstore.IndexAnomalies, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			out = append(out, d.ID)
		}
		return out
	}
	whole, parts := ids(job.Shard{}), append(ids(job.Shard{Index: 0, Count: 2}), ids(job.Shard{Index: 1, Count: 2})...)
	slices.Sort(whole)
	slices.Sort(parts)
	if len(whole) < 100 || !slices.Equal(whole, parts) {
		t.Errorf("the whole has %d documents, the two shards %d", len(whole), len(parts))
	}
}

func TestASecondInstanceIsTurnedAway(t *testing.T) {
	state := t.TempDir()
	newEngine(t, t.TempDir(), state, nil, start)
	if _, err := New(Config{}, Options{StateDir: state}); err == nil || !strings.Contains(err.Error(), "pid") {
		t.Errorf("the second instance: %v", err)
	}
}

func TestADamagedStateIsNamed(t *testing.T) {
	state := t.TempDir()
	write(t, filepath.Join(state, "state.gob"), "not a state")
	if _, err := New(Config{}, Options{StateDir: state}); err == nil || !strings.Contains(err.Error(), "state.gob") || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("a damaged state: %v", err)
	}
}

// TestAFlippedBitIsNoticed damages a whole state at many places.
func TestAFlippedBitIsNoticed(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(300, start, 1)+portScan(100, start.Add(time.Hour)))
	e := newEngine(t, dir, state, openStore(t), start.Add(2*time.Hour))
	if _, err := e.RunOnce(context.Background()); err != nil {
		t.Fatal(err)
	}
	whole := slices.Clone(e.saved)
	for at := 0; at < len(whole); at += len(whole)/500 + 1 {
		e.saved = slices.Clone(whole)
		e.saved[at] ^= 0x10
		if err := e.goBack(); err == nil {
			t.Errorf("byte %d of %d: not noticed", at, len(whole))
		}
	}
	e.saved = whole[:len(whole)/2]
	if err := e.goBack(); err == nil {
		t.Error("half a state was taken for whole")
	}
	e.saved = whole
	if err := e.goBack(); err != nil {
		t.Error(err)
	}
}

func TestDryRunLeavesNothing(t *testing.T) {
	dir, state, store := t.TempDir(), t.TempDir(), openStore(t)
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(300, start, 1)+"garbage\n"+portScan(100, start.Add(time.Hour)))
	e, err := New(Config{Zeek: ZeekConfig{Dir: dir}}, Options{StateDir: state, Store: store, DryRun: true, Now: func() time.Time { return start.Add(2 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for range 2 {
		if res, err := e.RunOnce(context.Background()); err != nil || res.Read != 400 {
			t.Fatalf("%+v %v", res, err)
		}
	}
	n, err := store.Count(context.Background(), logstore.Query{Index: logstore.IndexAnomalies})
	files, _ := filepath.Glob(filepath.Join(state, "*"))
	if err != nil || n != 0 || len(files) != 1 { // the lock
		t.Errorf("%d documents, %v, %v", n, files, err)
	}
}
