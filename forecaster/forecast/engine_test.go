package forecast

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/promapi"
)

var testNow = time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)

// fakeServer answers range queries with the series of values, which maps the text of a
// series' labels (JSON) to its value at a time, and counts pushes.
type fakeServer struct {
	*httptest.Server
	values map[string]func(t time.Time) float64
	down   atomic.Bool
	pushes atomic.Int32
	pushed atomic.Value // string: the body of the last push
}

func newServer(t *testing.T, values map[string]func(time.Time) float64) *fakeServer {
	f := &fakeServer{values: values}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeServer) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/metrics/job/") {
		body, err := io.ReadAll(r.Body)
		if err != nil || f.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		f.pushed.Store(string(body))
		f.pushes.Add(1)
		return
	}
	if f.down.Load() {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/api/v1/query" { // how many series are there?
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"%d"]}]}}`, len(f.values))
		return
	}
	var start, end, step float64
	for name, v := range map[string]*float64{"start": &start, "end": &end, "step": &step} {
		if _, err := fmt.Sscan(r.FormValue(name), v); err != nil {
			http.Error(w, "no "+name, http.StatusBadRequest)
			return
		}
	}
	fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[`)
	sep := ""
	for metric, value := range f.values {
		fmt.Fprintf(w, `%s{"metric":%s,"values":[`, sep, metric)
		sep = ","
		inner := ""
		for ts := start; ts <= end; ts += step {
			fmt.Fprintf(w, `%s[%.3f,"%g"]`, inner, ts, value(time.Unix(int64(ts), 0)))
			inner = ","
		}
		fmt.Fprint(w, `]}`)
	}
	fmt.Fprint(w, `]}}`)
}

func daily(level float64) func(time.Time) float64 {
	return func(t time.Time) float64 { return level + 0.1*math.Sin(2*math.Pi*float64(t.Unix()%86400)/86400) }
}

func testConfig(f *fakeServer) Config {
	return Config{
		Prometheus: promapi.Server{URL: f.URL}, Pushgateway: &promapi.Server{URL: f.URL}, NoDefaults: true,
		Step: pmodel.Duration(time.Hour), Targets: []Target{{Name: "cpu_ratio", Query: "up", Unit: UnitRatio}},
	}
}

func newEngine(t *testing.T, cfg Config, opts Options) *Engine {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return testNow }
	}
	e, err := New(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestRunOncePublishesGaugesAndCurves(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a","job":"node"}`: daily(0.4), `{"instance":"b","job":"node"}`: daily(0.6)})
	e := newEngine(t, testConfig(f), Options{StateDir: t.TempDir()})
	res, err := e.RunOnce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := (job.Result{Read: 2, Written: 2}); res != want {
		t.Fatalf("got %+v, want %+v", res, want)
	}
	if f.pushes.Load() != 1 || !strings.Contains(f.pushed.Load().(string), "forecast_cpu_ratio") {
		t.Errorf("%d pushes, want 1 with the forecast", f.pushes.Load())
	}
	problems, err := testutil.GatherAndLint(e.Gatherer())
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		// promlint keeps the label for summaries; a quantile of a forecast is what it is.
		if !strings.Contains(p.Text, `should not have "quantile" label`) {
			t.Error(p)
		}
	}
	if got := len(e.opts.Curves.Labels()); got != 2 {
		t.Errorf("%d curves, want 2", got)
	}
	// Nothing new came: the second run does no work and pushes nothing.
	res, err = e.RunOnce(t.Context())
	if want := (job.Result{Read: 2, Skipped: 2}); err != nil || res != want {
		t.Errorf("second run: got %+v, %v; want %+v", res, err, want)
	}
}

func TestRestrictReachesEverySelector(t *testing.T) {
	got, err := restrict(DefaultTargets()[0].Query, "instance", []string{"a:9100", "b.example:9100"})
	if err != nil {
		t.Fatal(err)
	}
	const sel = `instance=~"a:9100|b\\.example:9100"`
	if strings.Count(got, sel) != 2 {
		t.Errorf("got %s, want %s twice", got, sel)
	}
}

func TestFillingDiskIsSeen(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{
		`{"instance":"a","mountpoint":"/"}`: func(at time.Time) float64 { return 0.8 - 0.01*testNow.Sub(at).Hours()/24 },
		`{"instance":"b","mountpoint":"/"}`: func(time.Time) float64 { return 0.8 },
	})
	e := newEngine(t, testConfig(f), Options{StateDir: t.TempDir()})
	if _, err := e.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	full, flat := e.Results()[0], e.Results()[1]
	x := full.Exhaustion[0]
	if x.Threshold != "0.85" || x.Median == nil || math.Abs(*x.Median/86400-5) > 0.5 {
		t.Errorf("got %+v, want 0.85 in 5 days", x)
	}
	if x.Within["7d"] < 0.9 || !strings.Contains(full.Trend, "grows 1 % a day") {
		t.Errorf("got %v, %q", x.Within, full.Trend)
	}
	if flat.Exhaustion[0].Median != nil || flat.Exhaustion[0].Within["30d"] != 0 {
		t.Errorf("a flat series exhausts: %+v", flat.Exhaustion[0])
	}
	text := f.pushed.Load().(string)
	for _, name := range []string{"forecast_exhaustion_seconds", "forecast_exhaustion_probability_ratio", "forecast_backtest_mape_ratio", "forecast_interval_coverage_ratio", "forecast_model_info"} {
		if !strings.Contains(text, name) {
			t.Errorf("%s was not pushed", name)
		}
	}
}

func TestFailureReplacesNothing(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: daily(0.4)})
	dir := t.TempDir()
	first := newEngine(t, testConfig(f), Options{StateDir: dir})
	if _, err := first.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := f.pushes.Load()
	f.down.Store(true)
	if _, err := first.RunOnce(t.Context()); err == nil || !strings.Contains(err.Error(), "query count by (instance) (up)") {
		t.Errorf("got %v, want an error that names the query", err)
	}
	f.down.Store(false)
	f.values = map[string]func(time.Time) float64{`{"instance":"a"}`: func(time.Time) float64 { return math.NaN() }}
	first.opts.Now = func() time.Time { return testNow.Add(time.Hour) }
	res, err := first.RunOnce(t.Context())
	if err != nil || res.Failed != 1 {
		t.Fatalf("got %+v, %v; want one failed series", res, err)
	}
	if f.pushes.Load() != before {
		t.Error("an empty run pushed over the good forecast")
	}
	r := first.Results()[0]
	if r.Status != "failed" || r.Horizons["7d"][q50] == 0 {
		t.Errorf("the last good forecast is gone: %+v", r)
	}
}

func TestShardsMakeTheWhole(t *testing.T) {
	values := map[string]func(time.Time) float64{}
	for i := range 30 {
		values[fmt.Sprintf(`{"instance":"host%d"}`, i)] = daily(0.2 + float64(i)/50)
	}
	f := newServer(t, values)
	cfg := testConfig(f)
	cfg.Pushgateway = nil
	whole := newEngine(t, cfg, Options{})
	if _, err := whole.RunOnce(context.Background()); err != nil {
		t.Fatal(err)
	}
	parts := map[string]*Result{}
	for i := range 3 {
		e := newEngine(t, cfg, Options{Shard: job.Shard{Index: i, Count: 3}})
		if _, err := e.RunOnce(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(e.Results()) == 30 || len(e.Results()) == 0 {
			t.Errorf("shard %d has %d of 30 series", i, len(e.Results()))
		}
		for _, r := range e.Results() {
			k := key(r.Target, r.Labels)
			if parts[k] != nil {
				t.Errorf("%s is in two shards", k)
			}
			parts[k] = r
		}
	}
	for _, r := range whole.Results() {
		p := parts[key(r.Target, r.Labels)]
		if p == nil || fmt.Sprint(p.Horizons) != fmt.Sprint(r.Horizons) {
			t.Errorf("%s: shard %v, whole %v", r.Labels, p, r)
		}
	}
	if len(parts) != 30 {
		t.Errorf("shards have %d series, want 30", len(parts))
	}
}

// TestGoneSeriesAreForgotten has a machine whose numbers end: it keeps its forecast for
// three days, and then takes its gauges and its curve along.
func TestGoneSeriesAreForgotten(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{
		`{"instance":"a"}`: daily(0.4),
		`{"instance":"b"}`: func(at time.Time) float64 {
			if at.After(testNow) {
				return math.NaN()
			}
			return daily(0.5)(at)
		},
	})
	now := testNow
	e := newEngine(t, testConfig(f), Options{StateDir: t.TempDir(), Now: func() time.Time { return now }})
	for _, tc := range []struct {
		after time.Duration
		want  job.Result
		kept  int
	}{
		{0, job.Result{Read: 2, Written: 2}, 2},
		{12 * time.Hour, job.Result{Read: 2, Written: 1, Skipped: 1}, 2},
		{48 * time.Hour, job.Result{Read: 2, Written: 1, Skipped: 1}, 2},
		{73 * time.Hour, job.Result{Read: 2, Written: 1, Skipped: 1}, 1},
	} {
		now = testNow.Add(tc.after)
		res, err := e.RunOnce(t.Context())
		if err != nil || res != tc.want || len(e.Results()) != tc.kept || len(e.opts.Curves.Labels()) != tc.kept {
			t.Errorf("after %s: %+v, %v, %d results, %d curves; want %+v, %d", tc.after, res, err, len(e.Results()), len(e.opts.Curves.Labels()), tc.want, tc.kept)
		}
		// Label values are pushed with their length before them.
		if pushed := strings.Contains(f.pushed.Load().(string), "\x01b"); pushed != (tc.kept == 2) {
			t.Errorf("after %s: b was pushed: %v", tc.after, pushed)
		}
	}
}

// TestLastSuccessOutlivesTheProcess: a first run that fails does not push that none ever
// succeeded.
func TestLastSuccessOutlivesTheProcess(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: daily(0.4)})
	dir := t.TempDir()
	for _, down := range []bool{false, true} {
		f.down.Store(down)
		e, err := New(testConfig(f), Options{StateDir: dir, Now: func() time.Time { return testNow }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.RunOnce(t.Context()); (err != nil) != down {
			t.Errorf("down %v: %v", down, err)
		}
		want := fmt.Sprintf("# HELP forecaster_last_success_timestamp_seconds Unix time of the last run that succeeded, 0 if none has.\n# TYPE forecaster_last_success_timestamp_seconds gauge\nforecaster_last_success_timestamp_seconds %d\n", testNow.Unix())
		if err := testutil.GatherAndCompare(e.Metrics().Registry(), strings.NewReader(want), "forecaster_last_success_timestamp_seconds"); down && err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
