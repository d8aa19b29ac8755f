package scorer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

const connHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n"

// normal are n connections of ten hosts inside to five servers outside.
func normal(n int, from time.Time, seed uint64) string {
	var b strings.Builder
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		t := from.Add(time.Duration(i) * 3 * time.Second)
		in, out := 300+rng.IntN(600), 1000+rng.IntN(20000)
		fmt.Fprintf(&b, "%.6f\tN%d%d\t10.0.0.%d\t%d\t93.184.216.%d\t443\ttcp\tssl\t%.6f\t%d\t%d\tSF\tShADadFf\t%d\t%d\t%d\t%d\n",
			float64(t.UnixMicro())/1e6, seed, i, 10+rng.IntN(10), 20000+rng.IntN(30000), 1+rng.IntN(5), rng.Float64()*3, in, out, 8, in+320, 12, out+480)
	}
	return b.String()
}

// portScan is one host trying n ports of another.
func portScan(n int, from time.Time) string {
	var b strings.Builder
	for i := range n {
		t := from.Add(time.Duration(i) * 8 * time.Millisecond)
		fmt.Fprintf(&b, "%.6f\tS%d\t10.0.0.66\t%d\t10.0.0.5\t%d\ttcp\t-\t-\t-\t-\tREJ\tSr\t1\t60\t1\t40\n", float64(t.UnixMicro())/1e6, i, 40000+i%1000, 1+i)
	}
	return b.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T) logstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.TempDir(), sqlite.Options{})
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

func newEngine(t *testing.T, dir, state string, store logstore.Store, now time.Time) *Engine {
	t.Helper()
	e, err := New(Config{Zeek: ZeekConfig{Dir: dir}, Labels: map[string]string{"demo": "true"}},
		Options{StateDir: state, Store: store, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

var start = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

func TestRunOnceFindsAScanOnceAcrossRotation(t *testing.T) {
	ctx := context.Background()
	dir, state, store := t.TempDir(), t.TempDir(), openStore(t)
	e := newEngine(t, dir, state, store, start.Add(3*time.Hour))
	first := connHeader + normal(2000, start, 1) + portScan(500, start.Add(time.Hour))
	write(t, filepath.Join(dir, "conn.log"), first)
	res, err := e.RunOnce(ctx)
	if err != nil || res.Read != 2500 {
		t.Fatalf("read %d, %v", res.Read, err)
	}
	findings := func() []logstore.Document {
		docs, err := store.Latest(ctx, logstore.Query{Index: logstore.IndexAnomalies, Match: map[string]string{"anomaly.type": "finding"}})
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	docs := findings()
	if len(docs) != 1 || docs[0].Fields["anomaly.kind"] != "vertical scan" || docs[0].Fields["anomaly.source"] != "10.0.0.66" {
		t.Fatalf("findings: %+v", docs)
	}
	if !strings.Contains(docs[0].Message, "tried 500 ports of 10.0.0.5") || docs[0].Fields["labels.demo"] != "true" {
		t.Errorf("%s %v", docs[0].Message, docs[0].Fields)
	}
	if res, err = e.RunOnce(ctx); err != nil || res.Read != 0 || res.Written != 0 {
		t.Fatalf("second run read %d, wrote %d, %v", res.Read, res.Written, err)
	}
	// Rotation: the file gets a new name and is compressed, a new one begins, and another
	// process takes over.
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(first + portScan(700, start.Add(time.Hour))[len(portScan(500, start.Add(time.Hour))):])); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "2026-11-20", "conn.08:00:00-09:00:00.log.gz"), z.String())
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(100, start.Add(2*time.Hour), 2))
	e = newEngine(t, dir, state, store, start.Add(4*time.Hour))
	if res, err = e.RunOnce(ctx); err != nil || res.Read != 300 {
		t.Fatalf("after rotation read %d, want 300 (200 in the rotated file), %v", res.Read, err)
	}
	if docs = findings(); len(docs) != 1 {
		t.Fatalf("after rotation: %d findings, %+v", len(docs), docs)
	}
	update, ok, err := store.Get(ctx, logstore.IndexAnomalies, docs[0].ID+".r10")
	if err != nil || !ok || !strings.Contains(update.Message, "700 ports") || update.Fields["anomaly.type"] != "finding-update" {
		t.Errorf("the finding was not updated: %v %v %v", update, ok, err)
	}
	if n := testutil.ToFloat64(e.gauges.findings.WithLabelValues("scan", "high")); n != 1 {
		t.Errorf("gauge of findings = %v", n)
	}
	if _, err := os.Stat(filepath.Join(state, "model.iforest")); err != nil {
		t.Errorf("no model was trained: %v", err)
	}
	problems, err := promlint.NewWithMetricFamilies(gather(t, e)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

// failing is a store whose server is away.
type failing struct{ logstore.Store }

func (failing) Write(context.Context, string, []logstore.Document) ([]logstore.Rejected, error) {
	return nil, errors.New("429 too many requests")
}

func TestFailedWriteMovesNothing(t *testing.T) {
	ctx := context.Background()
	dir, state, store := t.TempDir(), t.TempDir(), openStore(t)
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(300, start, 1)+portScan(100, start.Add(time.Hour)))
	e := newEngine(t, dir, state, failing{store}, start.Add(2*time.Hour))
	if _, err := e.RunOnce(ctx); err == nil {
		t.Fatal("no error from a store that is away")
	}
	e.opts.Store = store
	res, err := e.RunOnce(ctx)
	if err != nil || res.Read != 400 {
		t.Fatalf("the next run read %d of 400: %v", res.Read, err)
	}
	n, err := store.Count(ctx, logstore.Query{Index: logstore.IndexAnomalies, Match: map[string]string{"anomaly.type": "finding"}})
	if err != nil || n != 1 {
		t.Errorf("%d findings, %v", n, err)
	}
}

func TestMalformedLinesAreKept(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(5, start, 1)+"garbage\n"+normal(5, start, 2)+"1.0\tcut")
	write(t, filepath.Join(dir, "conn.text.log"), "Lorem ipsum\ndolor\n")
	e := newEngine(t, dir, state, nil, start.Add(time.Hour))
	res, err := e.RunOnce(context.Background())
	if err != nil || res.Read != 10 || res.Failed != 2 {
		t.Fatalf("read %d, failed %d, %v; want 10 and 2: a line, and a file that is no log", res.Read, res.Failed, err)
	}
	raw, err := os.ReadFile(filepath.Join(state, "dead-letter.log"))
	if err != nil || !strings.Contains(string(raw), `"garbage"`) || !strings.Contains(string(raw), "conn.log:12\t") {
		t.Errorf("dead letters: %s %v", raw, err)
	}
}

// TestFindingsOfManyDays: a detector has room for 4,096 open findings; a month of logs that
// is read at once has more.
func TestFindingsOfManyDays(t *testing.T) {
	const days, perDay = 4, 2000
	var b strings.Builder
	b.WriteString(connHeader)
	for i := range days * perDay {
		at := start.Add(time.Duration(i) * 24 * time.Hour / perDay)
		fmt.Fprintf(&b, "%.6f\tL%d\t10.0.%d.%d\t40000\t93.184.%d.%d\t443\ttcp\tssl\t40000.0\t500\t500\tSF\tShADadFf\t8\t900\t12\t900\n",
			float64(at.UnixMicro())/1e6, i, i%perDay>>8, i%perDay&255, i%perDay>>8, i%perDay&255)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), b.String())
	sum, err := Files(context.Background(), Config{}, dir, nil, Sinks{})
	if err != nil {
		t.Fatal(err)
	}
	long := 0
	for _, f := range sum.Findings {
		if f.Detector == "long_connection" {
			long++
		}
	}
	if long != days*perDay {
		t.Errorf("%d findings in files, want %d", long, days*perDay)
	}
	e := newEngine(t, dir, t.TempDir(), openStore(t), start.Add(days*24*time.Hour))
	r := newRun(e)
	if err := e.once(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	long = 0
	for _, f := range r.findings {
		if f.Detector == "long_connection" && f.Grown && !f.Told {
			long++
		}
	}
	if long != days*perDay {
		t.Errorf("%d new findings of the service, want %d", long, days*perDay)
	}
}
