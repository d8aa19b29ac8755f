package classify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
	"github.com/inframind/inframind/log-classifier/label"
)

var now = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func openStore(t *testing.T) *sqlite.Store {
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

func doc(i int, host, msg string) logstore.Document {
	return logstore.Document{
		ID: fmt.Sprintf("doc-%05d", i), Time: now.Add(time.Duration(i) * time.Second), Message: msg,
		Fields: map[string]any{"host.name": host, "service.name": "app"},
	}
}

func put(t *testing.T, s logstore.Store, docs ...logstore.Document) {
	t.Helper()
	if rejected, err := s.Write(t.Context(), logstore.IndexLogs, docs); err != nil || len(rejected) > 0 {
		t.Fatal(rejected, err)
	}
}

func engine(t *testing.T, s logstore.Store, dir string, shard job.Shard) *Engine {
	t.Helper()
	e, err := New(Config{BatchSize: 7}, Options{Store: s, StateDir: dir, Shard: shard, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func lines(n int) []logstore.Document {
	out := make([]logstore.Document, n)
	for i := range out {
		msg := fmt.Sprintf("Accepted publickey for deploy from 10.0.0.%d port %d ssh2", i%250, 40000+i)
		if i%10 == 3 {
			msg = fmt.Sprintf("Out of memory: Killed process %d (java)", i)
		}
		out[i] = doc(i, fmt.Sprintf("web-%d", i%3), msg)
	}
	return out
}

func TestRunOnceLabelsEachLineOnce(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	put(t, s, lines(50)...)
	e := engine(t, s, dir, job.Shard{})
	res, err := e.RunOnce(t.Context())
	if err != nil || res.Read != 50 || res.Written != 50 {
		t.Fatalf("%+v %v", res, err)
	}
	d, ok, err := s.Get(t.Context(), logstore.IndexClassified, "doc-00003")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if d.Fields["ml_category"] != "critical" || d.Fields["host.name"] != "web-0" || d.Fields["ml_model"] != "shipped" {
		t.Errorf("fields %v", d.Fields)
	}
	if r := fmt.Sprint(d.Fields["ml_reasons"]); !strings.Contains(r, "like") {
		t.Errorf("reasons %s name no example", r)
	}
	invented := doc(50, "web-9", "Out of memory: Killed process 7 (java)")
	invented.Fields["labels.demo"] = "true"
	put(t, s, invented)
	again := engine(t, s, dir, job.Shard{}) // a new process
	res, err = again.RunOnce(t.Context())
	if err != nil || res.Read != 1 || res.Written != 1 {
		t.Fatalf("second run: %+v %v", res, err)
	}
	n, err := s.Count(t.Context(), logstore.Query{Index: logstore.IndexClassified})
	if err != nil || n != 51 {
		t.Fatalf("%d documents, want 51, %v", n, err)
	}
	want := `# HELP log_classifier_templates Templates known.
# TYPE log_classifier_templates gauge
log_classifier_templates 2
# HELP logs_classified_total Log lines labelled since the state directory was made.
# TYPE logs_classified_total counter
logs_classified_total{demo="",host="web-0",ml_category="critical",service="app"} 2
logs_classified_total{demo="",host="web-0",ml_category="informational",service="app"} 15
logs_classified_total{demo="",host="web-1",ml_category="critical",service="app"} 2
logs_classified_total{demo="",host="web-1",ml_category="informational",service="app"} 15
logs_classified_total{demo="",host="web-2",ml_category="critical",service="app"} 1
logs_classified_total{demo="",host="web-2",ml_category="informational",service="app"} 15
logs_classified_total{demo="true",host="web-9",ml_category="critical",service="app"} 1
`
	if err := testutil.GatherAndCompare(again.Metrics().Registry(), strings.NewReader(want), "log_classifier_templates", "logs_classified_total"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(again.Metrics().Registry()); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

// flaky fails its n-th write after it was done, as a cut connection does.
type flaky struct {
	logstore.Store
	failAt int
}

var errCut = errors.New("connection cut")

func (f *flaky) Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error) {
	f.failAt--
	rejected, err := f.Store.Write(ctx, index, docs)
	if f.failAt == 0 {
		return nil, errCut
	}
	return rejected, err
}

func TestFailedWriteLosesAndDoublesNothing(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	put(t, s, lines(50)...)
	e := engine(t, &flaky{s, 4}, dir, job.Shard{})
	if _, err := e.RunOnce(t.Context()); !errors.Is(err, errCut) {
		t.Fatalf("err %v, want the cut connection", err)
	}
	if _, err := e.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, n := range e.st.Lines {
		total += n
	}
	n, err := s.Count(t.Context(), logstore.Query{Index: logstore.IndexClassified})
	if err != nil || n != 50 || total != 50 {
		t.Fatalf("%d documents and %d counted, want 50 and 50, %v", n, total, err)
	}
	var seen int64
	for _, tpl := range e.miner.All() {
		seen += tpl.Count
	}
	if seen != 50 {
		t.Errorf("templates count %d lines, want 50", seen)
	}
}

func TestShardsTogetherLabelEverything(t *testing.T) {
	s := openStore(t)
	put(t, s, lines(60)...)
	written := 0
	for i := range 3 {
		res, err := engine(t, s, t.TempDir(), job.Shard{Index: i, Count: 3}).RunOnce(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		written += res.Written
	}
	if written != 60 {
		t.Errorf("shards wrote %d lines, want 60", written)
	}
}

func TestReviewTakesEffectAtOnce(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	put(t, s, doc(1, "a", "zorp frobnicated quux 12"))
	unsure := Config{Review: Review{Confidence: 1}}
	e, err := New(unsure, Options{Store: s, StateDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := e.Pending(10)
	if len(p) != 1 {
		t.Fatalf("%d templates to review, want 1", len(p))
	}
	if err := e.Review(p[0].ID, label.Critical, "alice"); err != nil {
		t.Fatal(err)
	}
	put(t, s, doc(2, "a", "zorp frobnicated quux 13"))
	e = engine(t, s, dir, job.Shard{})
	if _, err := e.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, ok, err := s.Get(t.Context(), logstore.IndexClassified, "doc-00002")
	if err != nil || !ok || d.Fields["ml_category"] != "critical" || d.Fields["ml_review"] != false {
		t.Fatalf("%v %v %v", d.Fields, ok, err)
	}
	if len(e.Pending(10)) != 0 {
		t.Error("a labelled template is still pending")
	}
}

// TestChangesSurviveRestarts: what is usual is learnt over days, by several processes.
func TestChangesSurviveRestarts(t *testing.T) {
	s, dir := openStore(t), t.TempDir()
	at, n := now, 0
	var e *Engine
	hour := func(lines int) (last logstore.Document) {
		for range lines {
			n++
			d := doc(n, "db-03", fmt.Sprintf("Out of memory: Killed process %d (java)", n))
			d.Time = at
			put(t, s, d)
		}
		if e == nil || at.Hour()%8 == 0 {
			var err error
			if e, err = New(Config{}, Options{Store: s, StateDir: dir, Now: func() time.Time { return at }}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		d, ok, err := s.Get(t.Context(), logstore.IndexClassified, fmt.Sprintf("doc-%05d", n))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		at = at.Add(time.Hour)
		return d
	}
	if got := hour(3).Fields["ml_change"]; got != "first seen 12:00, 3 times since, on db-03" {
		t.Errorf("new: %v", got)
	}
	for range 30 {
		hour(3)
	}
	if got := hour(3).Fields["ml_change"]; got != nil {
		t.Errorf("as usual: %v", got)
	}
	if got := hour(36).Fields["ml_change"]; got != "12 times more than usual (36 this hour)" {
		t.Errorf("spike: %v", got)
	}
	e, err := New(Config{}, Options{Store: s, StateDir: dir, Now: func() time.Time { return at.Add(24 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	want := `# HELP log_classifier_changed_templates Templates that are unusual now: new within a day, a spike against their own mean, or silent.
# TYPE log_classifier_changed_templates gauge
log_classifier_changed_templates{change="new"} 0
log_classifier_changed_templates{change="silent"} 0
log_classifier_changed_templates{change="spike"} 0
`
	if err := testutil.GatherAndCompare(e.Metrics().Registry(), strings.NewReader(want), "log_classifier_changed_templates"); err != nil {
		t.Error(err) // three an hour are too few for their silence to say something
	}
}

// slow lets a review come in between two pages of a run.
type slow struct {
	logstore.Store
	between func()
}

func (s slow) Read(ctx context.Context, q logstore.Query) (logstore.Page, error) {
	if q.After != "" {
		s.between()
	}
	return s.Store.Read(ctx, q)
}

func TestReviewDoesNotWaitForARun(t *testing.T) {
	s := openStore(t)
	put(t, s, lines(30)...)
	var e *Engine
	asked := 0
	store := slow{s, func() {
		asked++
		top := e.Pending(1)
		if err := e.Review(top[0].ID, label.Noise, "alice"); err != nil {
			t.Error(err)
		}
	}}
	e, err := New(Config{BatchSize: 15, Review: Review{Confidence: 1}}, Options{Store: store, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := e.RunOnce(t.Context()); err != nil || res.Written != 30 || asked == 0 {
		t.Errorf("%+v, asked %d times, %v", res, asked, err)
	}
}

func TestConfigValidate(t *testing.T) {
	for name, c := range map[string]Config{
		"same index": {Index: "x", Output: "x"},
		"confidence": {Review: Review{Confidence: 2}},
		"batch":      {BatchSize: 50_000},
		"gateway":    {Pushgateway: Pushgateway{URL: "nonsense"}},
		"limits":     {Limits: Limits{Hosts: -1}},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var zero Config
	if err := zero.Validate(); err != nil || zero.BatchSize != 5000 {
		t.Errorf("zero value: %+v %v", zero, err)
	}
}
