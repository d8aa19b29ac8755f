package tail

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// BenchmarkBacklog reads a syslog file into the SQLite store, as after a first start.
func BenchmarkBacklog(b *testing.B) {
	const count = 20_000
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "Nov 20 %02d:%02d:%02d web-1 sshd[%d]: Failed password for invalid user u%d from 192.0.2.%d port %d ssh2\n", i/3600%24, i/60%60, i%60, i, i%50, i%250, i)
	}
	for b.Loop() {
		dir := b.TempDir()
		st, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "syslog"), []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
		t, err := New(Config{Files: []string{filepath.Join(dir, "syslog")}, StateDir: filepath.Join(dir, "state")}, st, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		for more := true; more; {
			if more, err = t.round(ctx); err != nil {
				b.Fatal(err)
			}
		}
		n, err := st.Count(ctx, logstore.Query{Index: logstore.IndexLogs})
		if err != nil || n != count {
			b.Fatalf("%d lines, %v", n, err)
		}
		cancel()
		if err := t.Run(ctx); err != nil { // gives the lock and the files back
			b.Fatal(err)
		}
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "lines/s")
}
