package scorer

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// TestMain lets the test binary be the process that TestKill kills: it scores what is new
// in the directory it is given, once.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ANOMALY_SCORER_CHILD"); dir != "" {
		if err := child(dir); err != nil {
			slog.Error("child", "err", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(dir string) error {
	store, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close()
	e, err := New(Config{Zeek: ZeekConfig{Dir: filepath.Join(dir, "zeek")}}, Options{StateDir: filepath.Join(dir, "state"), Store: store, Now: func() time.Time { return start.Add(24 * time.Hour) }})
	if err != nil {
		return err
	}
	defer e.Close()
	_, err = e.RunOnce(context.Background())
	return err
}

// TestKill kills runs at random moments while the log grows and is rotated and compressed:
// in the end the store holds what it holds without a kill, each document once.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	calm, rough := t.TempDir(), t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	killed := 0
	for stage := range 3 {
		for _, dir := range []string{calm, rough} {
			grow(t, filepath.Join(dir, "zeek"), stage)
		}
		took := spawn(t, calm, time.Minute)
		for range 4 {
			if spawn(t, rough, time.Duration(rng.Int64N(int64(took)))) < 0 {
				killed++
			}
		}
		if spawn(t, rough, time.Minute) < 0 {
			t.Fatal("the run after the kills did not end")
		}
	}
	want, got := documents(t, calm), documents(t, rough)
	if len(want) < 500 || !maps.Equal(want, got) {
		t.Errorf("after %d kills the store holds %d documents, without %d", killed, len(got), len(want))
	}
	if killed == 0 {
		t.Error("nothing was killed")
	}
}

// spawn runs a child for at most limit and returns how long it took, negative when it was
// killed.
func spawn(t *testing.T, dir string, limit time.Duration) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "ANOMALY_SCORER_CHILD="+dir)
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return -1
	case err != nil:
		t.Fatalf("child: %v: %s", err, out)
	}
	return time.Since(begin)
}

// grow is an hour of logs more: the hour before is rotated and compressed.
func grow(t *testing.T, dir string, stage int) {
	t.Helper()
	current := filepath.Join(dir, "conn.log")
	if old, err := os.ReadFile(current); err == nil {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := w.Write(old); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "2026-11-20", fmt.Sprintf("conn.%02d:00:00-%02d:00:00.log.gz", 8+stage, 9+stage)), z.String())
	}
	at := start.Add(time.Duration(stage) * time.Hour)
	write(t, current, connHeader+normal(5000, at, uint64(stage))+portScan(300, at.Add(30*time.Minute)))
}

// documents are those of the store, by id, as text.
func documents(t *testing.T, dir string) map[string]string {
	t.Helper()
	s, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	docs, err := s.Latest(t.Context(), logstore.Query{Index: logstore.IndexAnomalies, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, d := range docs {
		if _, twice := out[d.ID]; twice {
			t.Errorf("%s is there twice", d.ID)
		}
		out[d.ID] = fmt.Sprint(d.Message, d.Fields["anomaly.score"], d.Fields["anomaly.type"])
	}
	return out
}
