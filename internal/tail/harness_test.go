package tail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// bench is a directory of logs, a store and the tailer between them, which can be stopped
// and started.
type bench struct {
	*testing.T
	dir   string
	conf  Config
	store logstore.Store
	log   *slog.Logger
	stop  func()
	tail  *Tailer
}

func newBench(t *testing.T, globs ...string) *bench {
	t.Helper()
	root := t.TempDir()
	b := &bench{T: t, dir: filepath.Join(root, "log"), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	if err := os.Mkdir(b.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b.conf = Config{StateDir: filepath.Join(root, "state"), Host: "here", Poll: 5 * time.Millisecond, Discover: 10 * time.Millisecond, Idle: 300 * time.Millisecond, Linger: 400 * time.Millisecond}
	for _, g := range globs {
		b.conf.Files = append(b.conf.Files, filepath.Join(b.dir, g))
	}
	st, err := sqlite.Open(filepath.Join(root, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.store = st
	t.Cleanup(func() {
		b.halt()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) start() {
	b.Helper()
	tl, err := New(b.conf, b.store, b.log)
	if err != nil {
		b.Fatal(err)
	}
	b.tail = tl
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tl.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

func (b *bench) halt() {
	if b.stop != nil {
		b.stop()
		b.stop = nil
	}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) append(name string, text string) {
	b.Helper()
	f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// stored counts the messages in the store.
func (b *bench) stored() map[string]int {
	b.Helper()
	out := map[string]int{}
	for q := (logstore.Query{Index: logstore.IndexLogs}); ; {
		p, err := b.store.Read(context.Background(), q)
		if err != nil {
			b.Fatal(err)
		}
		if len(p.Documents) == 0 {
			return out
		}
		for _, d := range p.Documents {
			out[d.Message]++
		}
		q.After = p.Next
	}
}

// want waits until exactly these messages are stored, each once, and no other comes.
func (b *bench) want(messages ...string) {
	b.Helper()
	want := map[string]int{}
	for _, m := range messages {
		want[m]++
	}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if n, err := b.store.Count(context.Background(), logstore.Query{Index: logstore.IndexLogs}); err != nil || int(n) >= len(messages) {
			break
		}
	}
	time.Sleep(50 * time.Millisecond)
	got := b.stored()
	if !maps.Equal(want, got) {
		b.Fatalf("stored (-want +got):\n%s", cmp.Diff(want, got))
	}
}

func lines(from, to int) (text string, list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf("line %04d of the log, long enough to tell one from another", i))
	}
	return strings.Join(list, "\n") + "\n", list
}
