package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFollowsGrowthAndRestart(t *testing.T) {
	b := newBench(t, "*.log")
	text, all := lines(0, 50)
	b.append("a.log", text)
	b.start()
	b.want(all...)
	text, more := lines(50, 60)
	b.append("a.log", text)
	b.append("b.log", "a new file\n")
	all = append(append(all, more...), "a new file")
	b.want(all...)
	b.halt()
	b.append("a.log", "written while nobody looked\n")
	b.start()
	b.want(append(all, "written while nobody looked")...)
}

func TestRenameAndCreate(t *testing.T) {
	for _, glob := range []string{"app.log", "app.log*"} {
		t.Run(glob, func(t *testing.T) {
			b := newBench(t, glob)
			b.append("app.log", "the first\n")
			b.start()
			all := []string{"the first"}
			b.want(all...)
			for round := range 5 {
				text, list := lines(round*20, round*20+20)
				b.append("app.log", text)
				all = append(all, list...)
				// The writer keeps its descriptor a while, as daemons do until they are told.
				old, err := os.OpenFile(b.path("app.log"), os.O_APPEND|os.O_WRONLY, 0)
				b.must(err)
				if _, err := os.Stat(b.path("app.log.1")); err == nil {
					b.must(os.Rename(b.path("app.log.1"), b.path("app.log.2")))
				}
				b.must(os.Rename(b.path("app.log"), b.path("app.log.1")))
				late := fmt.Sprintf("late line %d to the renamed file", round)
				_, err = io.WriteString(old, late+"\n")
				b.must(errors.Join(err, old.Close()))
				all = append(all, late)
				b.append("app.log", fmt.Sprintf("first of generation %d\n", round+1))
				all = append(all, fmt.Sprintf("first of generation %d", round+1))
				time.Sleep(40 * time.Millisecond)
			}
			b.want(all...)
			b.halt()
			b.start()
			b.want(all...)
		})
	}
}

func TestRotationsWhileDown(t *testing.T) {
	for _, glob := range []string{"app.log", "app.log*"} {
		t.Run(glob, func(t *testing.T) {
			b := newBench(t, glob)
			text, all := lines(0, 10)
			b.append("app.log", text)
			b.start()
			b.want(all...)
			b.halt()
			text, more := lines(10, 20)
			b.append("app.log", text)
			b.must(os.Rename(b.path("app.log"), b.path("app.log.2")))
			text, middle := lines(20, 30)
			b.append("app.log", text) // a whole generation that nobody saw
			b.must(os.Rename(b.path("app.log"), b.path("app.log.1")))
			text, last := lines(30, 40)
			b.append("app.log", text)
			b.start()
			b.want(slices.Concat(all, more, middle, last)...)
			b.halt()
			b.start()
			b.want(slices.Concat(all, more, middle, last)...)
		})
	}
}

func (b *bench) copyTruncate(name, to string) {
	b.Helper()
	raw, err := os.ReadFile(b.path(name))
	b.must(err)
	b.must(os.WriteFile(b.path(to), raw, 0o644))
	b.must(os.Truncate(b.path(name), 0))
}

func TestCopyTruncate(t *testing.T) {
	for _, glob := range []string{"app.log", "app.log*"} {
		t.Run(glob, func(t *testing.T) {
			b := newBench(t, glob)
			b.append("app.log", "the first\n")
			b.start()
			all := []string{"the first"}
			b.want(all...)
			for round := range 4 {
				text, list := lines(round*30, round*30+30)
				b.append("app.log", text)
				all = append(all, list...)
				if round%2 == 0 {
					b.want(all...) // else: rotated before it could be read
				}
				b.copyTruncate("app.log", fmt.Sprintf("app.log.%d", round+1))
				time.Sleep(30 * time.Millisecond)
			}
			b.append("app.log", "after\n")
			b.want(append(all, "after")...)
			b.halt()
			b.start()
			b.want(append(all, "after")...)
		})
	}
}

// Truncated and written beyond the old offset before anybody looked again.
func TestTruncatedAndRegrown(t *testing.T) {
	b := newBench(t, "app.log")
	text, all := lines(0, 10)
	b.append("app.log", text)
	b.start()
	b.want(all...)
	b.halt()
	b.must(os.Truncate(b.path("app.log"), 0))
	text, more := lines(100, 130)
	b.append("app.log", text)
	b.start()
	b.want(append(all, more...)...)
}

func TestOddLines(t *testing.T) {
	b := newBench(t, "app.log")
	long := strings.Repeat("x", maxLine) + strings.Repeat("y", 1000)
	b.append("app.log", "dos\r\n\r\n\n   \n"+strings.Repeat("\x00", 5000)+"after a hole\nbad \xff\xfe utf-8\nnul \x00 inside\n"+long+"\nno newline")
	b.start()
	b.want("dos", "after a hole", "bad \uFFFD utf-8", "nul \x00 inside", strings.Repeat("x", maxLine), strings.Repeat("y", 1000), "no newline")
	b.append("app.log", " yet\n")
	b.want("dos", "after a hole", "bad \uFFFD utf-8", "nul \x00 inside", strings.Repeat("x", maxLine), strings.Repeat("y", 1000), "no newline", " yet")
}

func TestBinaryFilesAreLeftAlone(t *testing.T) {
	b := newBench(t, "*")
	for _, name := range []string{"wtmp", "btmp.1", "lastlog", "term.log", "faillog", "app.log.2.gz"} {
		b.append(name, "binary\n")
	}
	b.append("archive.log", "\x1f\x8bgzip\n")
	b.must(os.Mkdir(b.path("dir.log"), 0o755))
	b.append("app.log", "text\n")
	b.start()
	b.want("text")
}

func TestFieldsAndTimes(t *testing.T) {
	b := newBench(t, "*.log")
	b.conf.Labels = map[string]string{"demo": "true"}
	b.append("app.log", "2026-11-20T10:00:00Z ERROR boom\n  at main.go:1\n")
	b.start()
	b.want("2026-11-20T10:00:00Z ERROR boom", "  at main.go:1")
	docs, err := b.store.Latest(t.Context(), logstore.Query{Index: logstore.IndexLogs})
	b.must(err)
	for _, d := range docs {
		if !d.Time.Equal(at("2026-11-20T10:00:00Z")) || d.Fields["labels.demo"] != "true" || d.Fields["log.file.path"] != b.path("app.log") || d.Fields["host.name"] != "here" {
			t.Errorf("got %+v", d)
		}
	}
	before := time.Now().Add(-time.Second)
	b.append("new.log", "no time at all\n")
	b.want("2026-11-20T10:00:00Z ERROR boom", "  at main.go:1", "no time at all")
	docs, err = b.store.Latest(t.Context(), logstore.Query{Index: logstore.IndexLogs, Limit: 1})
	b.must(err)
	if d := docs[0]; d.Message != "no time at all" || d.Time.Before(before) || d.Time.After(time.Now()) {
		t.Errorf("got %+v", d)
	}
}

// flaky is a store that is out of order for a while.
type flaky struct {
	logstore.Store
	fail atomic.Bool
}

func (f *flaky) Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error) {
	if f.fail.Load() {
		return nil, errors.New("no space left on device")
	}
	return f.Store.Write(ctx, index, docs)
}

func TestStoreOutage(t *testing.T) {
	b := newBench(t, "app.log")
	st := &flaky{Store: b.store}
	st.fail.Store(true)
	b.store = st
	text, all := lines(0, 20)
	b.append("app.log", text)
	b.start()
	time.Sleep(100 * time.Millisecond)
	b.append("app.log", "during\n")
	st.fail.Store(false)
	b.want(append(all, "during")...)
}

func TestMetrics(t *testing.T) {
	b := newBench(t, "app.log")
	b.append("app.log", "one\ntwo\n")
	b.start()
	b.want("one", "two")
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(b.tail)
	b.halt()
	want := `# HELP log_tail_lines_total Lines written to the log store.
# TYPE log_tail_lines_total counter
log_tail_lines_total 2
# HELP log_tail_unread_bytes Bytes of the followed files that are not yet stored.
# TYPE log_tail_unread_bytes gauge
log_tail_unread_bytes 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "log_tail_lines_total", "log_tail_unread_bytes"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, "app.log")
	b.start()
	if _, err := New(b.conf, b.store, b.log); !errors.Is(err, job.ErrHeld) {
		t.Errorf("second tailer: %v", err)
	}
	b.halt()
	for name, change := range map[string]func(*Config){
		"glob":  func(c *Config) { c.Files = []string{"[a"} },
		"label": func(c *Config) { c.Labels = map[string]string{`a"b`: "x"} },
		"state": func(c *Config) { c.StateDir = "" },
	} {
		conf := b.conf
		change(&conf)
		if _, err := New(conf, b.store, b.log); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	b.must(os.WriteFile(filepath.Join(b.conf.StateDir, "positions.json"), []byte("{garbage"), 0o600))
	if _, err := New(b.conf, b.store, b.log); err == nil || !strings.Contains(err.Error(), "positions.json is damaged") {
		t.Errorf("damaged positions: %v", err)
	}
}

func TestUnreadableFileIsToldOnce(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can read everything")
	}
	b := newBench(t, "*.log")
	var out bytes.Buffer
	b.log = slog.New(slog.NewTextHandler(&out, nil))
	b.append("secret.log", "x\n")
	b.must(os.Chmod(b.path("secret.log"), 0))
	b.append("app.log", "y\n")
	b.start()
	b.want("y")
	time.Sleep(100 * time.Millisecond)
	b.halt()
	if n := strings.Count(out.String(), "secret.log"); n != 1 {
		t.Errorf("told %d times:\n%s", n, out.String())
	}
}
