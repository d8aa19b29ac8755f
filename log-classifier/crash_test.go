package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// TestMain lets the test binary be the log-classifier that TestKill kills.
func TestMain(m *testing.M) {
	if os.Getenv("LOG_CLASSIFIER_CHILD") != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestKill kills runs at random moments: in the end every line is labelled, and counted once.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := t.TempDir()
	store, state := filepath.Join(dir, "logs"), filepath.Join(dir, "state")
	const lines = 20_000
	fill(t, store, lines)
	cfg := filepath.Join(dir, "c.yml")
	if err := os.WriteFile(cfg, []byte("batch_size: 100\nstore: {path: "+store+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	child := func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, os.Args[0], "run", "--once", "--config.file", cfg, "--state.dir", state)
		cmd.Env = append(os.Environ(), "LOG_CLASSIFIER_CHILD=1")
		return cmd.Run()
	}
	killed := 0
	for i := range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(300+400*i)*time.Millisecond)
		if child(ctx) != nil {
			killed++
		}
		cancel()
	}
	if err := child(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(store, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := s.Count(t.Context(), logstore.Query{Index: logstore.IndexClassified})
	if err != nil || n != lines {
		t.Errorf("%d documents after %d kills, want %d, %v", n, killed, lines, err)
	}
	code, out, errs := run(t, "", "templates", "--json", "--state.dir", state)
	var id string
	if _, err := fmt.Sscanf(out, `{"id":%q`, &id); err != nil || code != 0 {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	if want := fmt.Sprintf(`"count":%d,`, lines); !strings.Contains(out, want) {
		t.Errorf("templates after %d kills: %s, want %s", killed, out, want)
	}
}

func fill(t *testing.T, store string, lines int) {
	t.Helper()
	s, err := sqlite.Open(store, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs := make([]logstore.Document, 0, 5000)
	for i := range lines {
		docs = append(docs, logstore.Document{ID: fmt.Sprintf("d%06d", i), Time: at, Message: fmt.Sprintf("request %d took %d ms", i, i%97)})
		if len(docs) == cap(docs) {
			if _, err := s.Write(t.Context(), logstore.IndexLogs, docs); err != nil {
				t.Fatal(err)
			}
			docs = docs[:0]
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
