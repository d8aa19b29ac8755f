package demo

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

var start = time.Date(2026, 3, 18, 14, 30, 0, 0, time.UTC)

func TestSameSeedSameStreams(t *testing.T) {
	a, b := run(t, 1), run(t, 1)
	if !bytes.Equal(a, b) {
		t.Error("the same seed gave two different streams")
	}
	if bytes.Equal(a, run(t, 2)) {
		t.Error("another seed gave the same streams")
	}
}

// run writes one day of streams and returns them.
func run(t *testing.T, seed uint64) []byte {
	t.Helper()
	dir := t.TempDir()
	if _, err := New(Options{Dir: dir, Seed: seed, Now: func() time.Time { return start }}); err != nil {
		t.Fatal(err)
	}
	return readAll(t, dir)
}

func readAll(t *testing.T, dir string) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "zeek", "*.log"))
	if err != nil || len(files) < 24 {
		t.Fatalf("%d conn.log files, %v", len(files), err)
	}
	var all bytes.Buffer
	for _, f := range append(files, SyslogFile(dir)) {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.Bytes()
}

func TestStreamsHoldWhatTheyPromise(t *testing.T) {
	all := string(run(t, 1))
	for what, want := range map[string]int{
		"\t10.20.0.66\t":       12 * scanPorts, // a scan every two hours for a day
		"\t198.51.100.77\t443": 280,
		"\t203.0.113.200\t443": 40,
		"PANIC: could not":     1,
		"Out of memory":        1,
		"Failed password":      20,
		"Accepted publickey":   100,
		"sync of pod volume":   100,
	} {
		if got := strings.Count(all, what); got < want {
			t.Errorf("%q: %d times, want at least %d", what, got, want)
		}
	}
	if strings.ContainsAny(all, "{}") {
		t.Error("a placeholder was left in a line")
	}
}

// A crash in the middle of a line, then a restart: the streams are as if nothing happened.
func TestStreamsResumeAfterCrash(t *testing.T) {
	dir, now := t.TempDir(), start
	opts := Options{Dir: dir, Seed: 1, Now: func() time.Time { return now }}
	if _, err := New(opts); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{SyslogFile(dir), filepath.Join(ZeekDir(dir), "conn.log")} {
		st, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(f, st.Size()-7); err != nil {
			t.Fatal(err)
		}
	}
	now = start.Add(time.Hour)
	if _, err := New(opts); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, dir)
	var last time.Time
	for line := range strings.SplitSeq(strings.TrimSpace(string(got)), "\n") {
		if !strings.HasPrefix(line, "<") {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, strings.Fields(line)[1])
		if err != nil {
			t.Fatal(err)
		}
		if at.Truncate(time.Second).Before(last.Truncate(time.Second)) {
			t.Fatalf("%s comes after %s", at, last)
		}
		last = at
	}
	if now.Sub(last) > time.Minute {
		t.Errorf("the syslog ends at %s, %s before now", last, now.Sub(last))
	}
}

func TestHistory(t *testing.T) {
	dir, fleet := t.TempDir(), NewFleet(1, start)
	log := slog.New(slog.DiscardHandler)
	if err := fleet.WriteHistory(t.Context(), dir, "demo", log); err != nil {
		t.Fatal(err)
	}
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (31 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(dir, log, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, tc := range []struct {
		metric, host    string
		first, last, by float64
		samples         int
	}{
		{recFS, "db-1", 0.46, 0.829, 0.01, 8640 - 9},
		{recMem, "cache-1", 0.41, 0.836, 0.03, 8640},
		{recCPU, "web-2", 0.70, 0.70, 0.10, 8640 - 58},
	} {
		t.Run(tc.metric+" "+tc.host, func(t *testing.T) {
			ms := []*labels.Matcher{
				labels.MustNewMatcher(labels.MatchEqual, "__name__", tc.metric), labels.MustNewMatcher(labels.MatchEqual, "instance", tc.host),
				labels.MustNewMatcher(labels.MatchEqual, "demo", "true"), labels.MustNewMatcher(labels.MatchRegexp, "mountpoint", "|/var/lib/postgresql"),
			}
			n, first, last := read(t, db, ms)
			if math.Abs(float64(n-tc.samples)) > 2 {
				t.Errorf("%d samples, want %d", n, tc.samples)
			}
			if math.Abs(first-tc.first) > tc.by || math.Abs(last-tc.last) > tc.by {
				t.Errorf("from %.3f to %.3f, want about %.3f to %.3f", first, last, tc.first, tc.last)
			}
		})
	}
}

func read(t *testing.T, db *tsdb.DB, ms []*labels.Matcher) (n int, first, last float64) {
	t.Helper()
	q, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ss := q.Select(t.Context(), true, nil, ms...)
	for ss.Next() {
		for it := ss.At().Iterator(nil); it.Next() == chunkenc.ValFloat; n++ {
			if _, last = it.At(); n == 0 {
				first = last
			}
		}
	}
	if ss.Err() != nil {
		t.Fatal(ss.Err())
	}
	return n, first, last
}

func TestLiveMetrics(t *testing.T) {
	fleet := NewFleet(1, start)
	clock := start
	fleet.live.now = func() time.Time { return clock }
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(fleet)
	before := idle(t, reg)
	clock = clock.Add(time.Minute)
	if got := idle(t, reg) - before; got < 10 || got > 58 {
		t.Errorf("a busy CPU was idle for %.1f of 60 seconds", got)
	}
}

// idle is cpu 0's idle time on web-1.
func idle(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	mfs, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, mf := range mfs {
		if mf.GetName() != "node_cpu_seconds_total" {
			continue
		}
		for _, m := range mf.GetMetric() {
			var l strings.Builder
			for _, p := range m.GetLabel() {
				l.WriteString(p.GetValue() + " ")
			}
			if l.String() == "0 web-1 idle " || l.String() == "0 web-1 idle" {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatal("no idle time of web-1")
	return 0
}
