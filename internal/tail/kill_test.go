package tail

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// TestChildTailer is the process that TestKill kills.
func TestChildTailer(t *testing.T) {
	root := os.Getenv("TAIL_TEST_ROOT")
	if root == "" {
		t.Skip("runs only as the child of TestKill")
	}
	st, err := sqlite.Open(filepath.Join(root, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tl, err := New(Config{
		Files: []string{filepath.Join(root, "log", "*.log")}, StateDir: filepath.Join(root, "state"), Host: "here",
		Poll: time.Millisecond, Discover: 5 * time.Millisecond, Linger: 50 * time.Millisecond,
	}, st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(tl.Run(context.Background()))
}

// Lines are written, files rotated and truncated, and the tailer killed in the middle of it,
// again and again: every line is stored, and none twice.
func TestKill(t *testing.T) {
	b := newBench(t, "*.log")
	root := filepath.Dir(b.dir)
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	var all []string
	n, before := 0, int64(0)
	write := func(name string, count int) {
		_, list := lines(n, n+count)
		// Some with a time of their own, some without, some over two days.
		for i := range list {
			switch (n + i) % 3 {
			case 0:
				list[i] = "2026-11-20T10:00:00Z " + list[i]
			case 1:
				list[i] = "2026-11-19T10:00:00Z " + list[i]
			}
		}
		n += count
		all = append(all, list...)
		b.append(name, strings.Join(list, "\n")+"\n")
	}
	for round := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChildTailer$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), "TAIL_TEST_ROOT="+root)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// A file that is rotated before anybody has ever seen it is not this test's matter.
		write("a.log", 1)
		write("b.log", 1)
		before = b.working(filepath.Join(root, "state", "positions.json"), before)
		for i := range 12 {
			write("a.log", 20)
			write("b.log", 15)
			if i == 4 && round%2 == 1 {
				b.must(os.Rename(b.path("a.log"), b.path(fmt.Sprintf("a.log.%d", round))))
			}
			if i == 7 && round%3 == 2 {
				b.copyTruncate("b.log", fmt.Sprintf("b.log.%d", round))
			}
			time.Sleep(time.Duration(5+3*round) * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
	}
	write("a.log", 1)
	st, err := sqlite.Open(filepath.Join(root, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.halt()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	b.store = st
	b.start()
	b.want(all...)
}

// working waits until more is stored than before, and returns how much.
func (b *bench) working(positions string, before int64) int64 {
	b.Helper()
	for range 6000 {
		var total int64
		if st, err := loadState(positions); err == nil {
			for _, p := range st.Files {
				total += p.Offset
			}
		}
		if total > before {
			return total
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.Fatal("the child does nothing")
	return 0
}
