package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

var at = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = app().Run(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestPipeAndExplain(t *testing.T) {
	code, out, errs := run(t, "Out of memory: Killed process 12 (java)\n", "pipe")
	if code != 0 || !strings.Contains(out, `"ml_category":"critical"`) {
		t.Errorf("pipe: %d %s %s", code, out, errs)
	}
	code, out, errs = run(t, "", "explain", "Accepted publickey for bob from 10.0.0.1")
	if code != 0 || !strings.HasPrefix(out, "informational") || !strings.Contains(out, "template ") {
		t.Errorf("explain: %d %s %s", code, out, errs)
	}
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for want, args := range map[string][]string{
		"name one log store":             {"check-config", "--config.file", write("none.yml", "interval: 5m\n")},
		`unknown field "intervall"`:      {"check-config", "--config.file", write("typo.yml", "intervall: 5m\nstore: {path: x}\n")},
		"labelled lines would be read":   {"check-config", "--config.file", write("loop.yml", "index: a\noutput: a\nstore: {path: x}\n")},
		"holds no labels":                {"evaluate", "--data", dir},
		"--shipped needs --output":       {"train", "--shipped"},
		`want a month such as 2026-11`:   {"review", "--month", "May", "--state.dir", dir},
		`category "urgent": want one of`: {"train", "--state.dir", dir, "--labels", write("bad.csv", "label,message\nurgent,x\n")},
		"want columns label and message": {"import", "--state.dir", dir, write("head.csv", "a,b\n1,2\n")},
	} {
		code, _, errs := run(t, "", args...)
		if code == cli.ExitOK || !strings.Contains(errs, want) {
			t.Errorf("%v: exit %d, %q; want %q", args, code, errs, want)
		}
	}
}

func TestRunReviewExport(t *testing.T) {
	dir := t.TempDir()
	state, store := filepath.Join(dir, "state"), filepath.Join(dir, "logs")
	s, err := sqlite.Open(store, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs := []logstore.Document{{ID: "a", Time: at, Message: "zorp frobnicated quux 12"}, {ID: "b", Time: at, Message: "kernel panic, machine halted"}}
	if _, err := s.Write(t.Context(), logstore.IndexLogs, docs); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := filepath.Join(dir, "c.yml")
	if err := os.WriteFile(cfg, []byte("store: {path: "+store+"}\nreview: {confidence: 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, "", "run", "--once", "--config.file", cfg, "--state.dir", state); code != 0 {
		t.Fatalf("run: %s", errs)
	}
	if code, out, errs := run(t, "", "templates", "--state.dir", state); code != 0 || !strings.Contains(out, "zorp frobnicated quux <num>") {
		t.Errorf("templates: %d %s %s", code, out, errs)
	}
	if code, out, errs := run(t, "w\nq\n", "review", "--state.dir", state); code != 0 || !strings.Contains(out, "1 labels stored") {
		t.Errorf("review: %d %s %s", code, out, errs)
	}
	code, out, errs := run(t, "", "review", "--month", "2026-11", "--state.dir", state)
	if code != 0 {
		t.Fatalf("review --month: %s", errs)
	}
	for _, want := range []string{"lines        0        2", "critical        0        1", "new templates        0        2", "labels people gave", "new: 1 lines since 2026-11-21 12:00"} {
		if !strings.Contains(out, want) {
			t.Errorf("review --month lacks %q:\n%s", want, out)
		}
	}
	code, out, errs = run(t, "", "export", "--pending", "--state.dir", state)
	if code != 0 || strings.Count(out, "\n") != 3 || !strings.Contains(out, "warning,site,") {
		t.Errorf("export: %d %s %s", code, out, errs)
	}
	back := filepath.Join(dir, "back.csv")
	if err := os.WriteFile(back, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := run(t, "", "import", "--state.dir", filepath.Join(dir, "other"), back); code != 0 || !strings.HasPrefix(out, "2 labels stored") {
		t.Errorf("import: %d %s %s", code, out, errs)
	}
}
