package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/sqlitefile"
)

var day0 = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func line(id string, at time.Time) logstore.Document {
	return logstore.Document{ID: id, Time: at, Message: "line " + id}
}

func mustOpen(t *testing.T, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustWrite(t *testing.T, s *Store, docs ...logstore.Document) {
	t.Helper()
	if rejected, err := s.Write(t.Context(), "logs", docs); err != nil || len(rejected) > 0 {
		t.Fatal(rejected, err)
	}
}

// TestChildWriter is the process that TestKill kills: it prints each batch it was told is
// durable.
func TestChildWriter(t *testing.T) {
	dir := os.Getenv("SQLITE_TEST_CHILD_DIR")
	if dir == "" {
		t.Skip("runs only as the child of TestKill")
	}
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if _, err := s.Write(context.Background(), "logs", killBatch(n)); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\nstored %d\n", n)
	}
}

func killBatch(n int) []logstore.Document {
	var docs []logstore.Document
	for i := range 20 {
		docs = append(docs, line(fmt.Sprintf("%06d-%02d", n, i), day0.AddDate(0, 0, -(i%3))))
	}
	return docs
}

func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := -1
	for round := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChildWriter$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), "SQLITE_TEST_CHILD_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(out)
		for seen := 0; seen < 15+7*round && sc.Scan(); {
			var n int
			if _, err := fmt.Sscanf(sc.Text(), "stored %d", &n); err == nil {
				acknowledged = max(acknowledged, n)
				seen++
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for sc.Scan() { // what was acknowledged before the signal arrived counts as well
			var n int
			if _, err := fmt.Sscanf(sc.Text(), "stored %d", &n); err == nil {
				acknowledged = max(acknowledged, n)
			}
		}
		_ = cmd.Wait() // killed
	}
	if acknowledged < 14 {
		t.Fatalf("the child acknowledged %d batches", acknowledged)
	}
	s := mustOpen(t, dir, Options{})
	seen := map[string]int{}
	for q := (logstore.Query{Index: "logs", Limit: 500}); ; {
		p, err := s.Read(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Documents) == 0 {
			break
		}
		for _, d := range p.Documents {
			seen[d.ID]++
		}
		q.After = p.Next
	}
	for n := range acknowledged + 1 {
		for _, d := range killBatch(n) {
			if seen[d.ID] != 1 {
				t.Fatalf("%s is there %d times; %d batches were acknowledged", d.ID, seen[d.ID], acknowledged+1)
			}
		}
	}
	count, err := s.Count(t.Context(), logstore.Query{Index: "logs", Text: "line"})
	if err != nil || int(count) != len(seen) {
		t.Errorf("full-text index has %d rows, documents %d, err %v", count, len(seen), err)
	}
}

func TestDamage(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, f string){
		"garbage": func(t *testing.T, f string) { write(t, f, []byte(strings.Repeat("not a database ", 1000))) },
		"cut short": func(t *testing.T, f string) {
			if err := os.Truncate(f, 5000); err != nil {
				t.Fatal(err)
			}
		},
		"header": func(t *testing.T, f string) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			copy(raw[100:], strings.Repeat("\xff", 60))
			write(t, f, raw)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir, Options{})
			for n := range 30 {
				mustWrite(t, s, killBatch(n)...)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			f := filepath.Join(dir, "logs", "2026-11-17.db")
			spoil(t, f)
			before, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(dir, Options{})
			var d *sqlitefile.DamagedError
			if !errors.As(err, &d) || d.File != f {
				t.Fatalf("open: %v", err)
			}
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "mv "+f) {
				t.Errorf("message: %s", err)
			}
			after, err := os.ReadFile(f)
			if err != nil || string(after) != string(before) {
				t.Errorf("the damaged file was touched, err %v", err)
			}
			// The remedy works, and the other days are there.
			if err := os.Rename(f, f+".damaged"); err != nil {
				t.Fatal(err)
			}
			s = mustOpen(t, dir, Options{})
			if n, err := s.Count(t.Context(), logstore.Query{Index: "logs"}); err != nil || n != 30*13 {
				t.Errorf("%d documents are left, err %v", n, err)
			}
		})
	}
}

// Damage inside a file shows when the page is read, and names the file as well.
func TestDamageFoundLater(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	for n := range 60 {
		mustWrite(t, s, killBatch(n)...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f := filepath.Join(dir, "logs", "2026-11-18.db")
	raw, err := os.ReadFile(f)
	if err != nil {
		t.Fatal(err)
	}
	for p := 4096 * 2; p+4096 < len(raw); p += 4096 {
		copy(raw[p:], strings.Repeat("\xff", 200))
	}
	write(t, f, raw)
	s, err = Open(dir, Options{})
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
		_, err = s.Read(t.Context(), logstore.Query{Index: "logs"})
	}
	var d *sqlitefile.DamagedError
	if !errors.As(err, &d) || d.File != f {
		t.Fatalf("got %v", err)
	}
}

func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSecondInstanceIsRefused(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, job.ErrHeld) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v", err)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if _, err := Open(filepath.Join(file, "store"), Options{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Fatalf("got %v", err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	mustWrite(t, s, line("a", day0))
	sh := s.shelves["logs"]
	if _, err := sh.days["2026-11-18"].db.Exec("PRAGMA user_version = 9"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "newer release") {
		t.Fatalf("got %v", err)
	}
}

func TestRetentionRemovesDaysNotWrittenTo(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{Retention: 48 * time.Hour})
	mustWrite(t, s, line("old", day0.AddDate(-10, 0, 0)), line("a", day0), line("b", day0.AddDate(0, 0, 1)))
	cursor, err := s.Read(t.Context(), logstore.Query{Index: "logs"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Only what was stored long ago goes; a line of ten years ago that was stored today stays.
	past := time.Now().Add(-72 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "logs", "2026-11-18.db"), past, past); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{Retention: 48 * time.Hour})
	docs, err := s.Latest(t.Context(), logstore.Query{Index: "logs"})
	if err != nil || len(docs) != 2 || docs[0].ID != "b" || docs[1].ID != "old" {
		t.Fatalf("left: %v, %v", docs, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "logs", "2026-11-18.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	mustWrite(t, s, line("late", day0))
	p, err := s.Read(t.Context(), logstore.Query{Index: "logs", After: cursor.Next})
	if err != nil || len(p.Documents) != 1 || p.Documents[0].ID != "late" {
		t.Errorf("after the cursor: %v, %v", p, err)
	}
}

// More days than files that stay open, in one write and in one read.
func TestManyDays(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	var docs []logstore.Document
	for i := range 5 * maxOpen {
		docs = append(docs, line(fmt.Sprintf("%03d", i), day0.AddDate(0, 0, i*37%(3*maxOpen))))
	}
	mustWrite(t, s, docs...)
	var got []string
	for q := (logstore.Query{Index: "logs", Limit: 7}); ; {
		p, err := s.Read(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Documents) == 0 {
			break
		}
		for _, d := range p.Documents {
			got = append(got, d.ID)
		}
		q.After = p.Next
	}
	for i, d := range docs {
		if i >= len(got) || got[i] != d.ID {
			t.Fatalf("place %d: want %s in %v", i, d.ID, got)
		}
	}
	open := 0
	for _, d := range s.shelves["logs"].days {
		if d.db != nil {
			open++
		}
	}
	if open > maxOpen {
		t.Errorf("%d files are open", open)
	}
}

func BenchmarkWrite(b *testing.B) {
	s, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const batch = 500
	n := 0
	for b.Loop() {
		docs := make([]logstore.Document, batch)
		for i := range docs {
			n++
			docs[i] = logstore.Document{
				ID: fmt.Sprintf("%032d", n), Time: day0, Message: fmt.Sprintf("sshd[%d]: Failed password for invalid user u%d from 192.0.2.%d port %d ssh2", n, n%50, n%250, n%60000),
				Fields: map[string]any{"host.name": "web-1", "service.name": "sshd", "process.pid": n, "log.level": "warning", "log.file.path": "/var/log/auth.log"},
			}
		}
		if _, err := s.Write(b.Context(), "logs", docs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "docs/s")
}
