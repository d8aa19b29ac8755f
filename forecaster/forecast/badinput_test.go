package forecast

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/promapi"
)

// TestBadInput gives one awkward series beside a good one: the good one is forecast in
// any case, and the awkward one is, or says why not.
func TestBadInput(t *testing.T) {
	hour := func(at time.Time) int { return int(testNow.Sub(at).Hours()) }
	for _, tc := range []struct {
		name   string
		value  func(time.Time) float64
		reason string // of the failure; empty: it is forecast
		note   string // among the corrections
	}{
		{"all NaN", func(time.Time) float64 { return math.NaN() }, "all values are NaN or infinite", ""},
		{"all infinite", func(time.Time) float64 { return math.Inf(1) }, "all values are NaN or infinite", ""},
		{"constant", func(time.Time) float64 { return 0.5 }, "", ""},
		{"zero", func(time.Time) float64 { return 0 }, "", ""},
		{"one point", func(at time.Time) float64 {
			if at.Equal(testNow) {
				return 0.5
			}
			return math.NaN()
		}, "history is too short: 1 points, needs 2", ""},
		{"a few hours", func(at time.Time) float64 {
			if hour(at) < 5 {
				return 0.5
			}
			return math.NaN()
		}, "", "not finite"},
		{"negative ratio", func(at time.Time) float64 {
			if hour(at)%50 == 0 {
				return -1
			}
			return 0.5
		}, "", "impossible"},
		{"outage of a day", func(at time.Time) float64 {
			if h := hour(at); h > 100 && h < 124 {
				return math.NaN()
			}
			return daily(0.5)(at)
		}, "", "gap: 1"},
		{"outlier", func(at time.Time) float64 {
			if hour(at) == 200 {
				return 0.99
			}
			return daily(0.5)(at)
		}, "", "outlier: 1 (the farthest 0.99 instead of about 0.5966"},
		{"level shift", func(at time.Time) float64 {
			if hour(at) > 200 {
				return daily(0.2)(at)
			}
			return daily(0.8)(at)
		}, "", "level shift"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: tc.value, `{"instance":"good"}`: daily(0.5)})
			e := newEngine(t, testConfig(f), Options{})
			res, err := e.RunOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := job.Result{Read: 2, Written: 2}
			if tc.reason != "" {
				want = job.Result{Read: 2, Written: 1, Failed: 1}
			}
			if res != want {
				t.Errorf("got %+v, want %+v", res, want)
			}
			bad, good := e.Results()[0], e.Results()[1]
			if good.Status != statusOK {
				t.Errorf("the good series failed: %s", good.Reason)
			}
			if tc.reason != "" {
				if bad.Status != statusFailed || bad.Reason != tc.reason {
					t.Errorf("got %s %q, want %q", bad.Status, bad.Reason, tc.reason)
				}
				return
			}
			for h, q := range bad.Horizons {
				if !(q[q025] >= 0 && q[q025] <= q[q10] && q[q10] <= q[q50] && q[q50] <= q[q90] && q[q90] <= q[q975] && q[q975] <= 1) {
					t.Errorf("%s: %v is out of order or bounds", h, q)
				}
			}
			if words := clean.Words(bad.Corrections); !strings.Contains(words, tc.note) {
				t.Errorf("corrections %q do not tell of %q", words, tc.note)
			}
		})
	}
}

// TestOneTargetFailsOthersGoOn has a query error in the first of two targets.
func TestOneTargetFailsOthersGoOn(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: daily(0.4)})
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("query"), "broken") {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}`)
			return
		}
		f.serve(w, r)
	}))
	defer broken.Close()
	cfg := testConfig(f)
	cfg.Prometheus = promapi.Server{URL: broken.URL}
	cfg.Targets = append([]Target{{Name: "broken_ratio", Query: "broken"}}, cfg.Targets...)
	e := newEngine(t, cfg, Options{})
	res, err := e.RunOnce(t.Context())
	if err == nil || !strings.Contains(err.Error(), "target broken_ratio") || !strings.Contains(err.Error(), "many-to-many") {
		t.Errorf("got %v, want the target and the server's words", err)
	}
	if res.Written != 1 || f.pushes.Load() != 1 {
		t.Errorf("%d written, %d pushes; want 1, 1", res.Written, f.pushes.Load())
	}
}

// TestPushgatewayDown keeps what was found, in the state directory and in the curves.
func TestPushgatewayDown(t *testing.T) {
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: daily(0.4)})
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	cfg := testConfig(f)
	cfg.Pushgateway = &promapi.Server{URL: dead.URL}
	dir := t.TempDir()
	e := newEngine(t, cfg, Options{StateDir: dir})
	if _, err := e.RunOnce(t.Context()); err == nil || !strings.Contains(err.Error(), "push job forecasts") {
		t.Errorf("got %v, want the push to fail", err)
	}
	if list, err := LoadResults(dir); err != nil || len(list) != 1 || list[0].Horizons["7d"][q50] == 0 {
		t.Errorf("saved %v, %v", list, err)
	}
	if len(e.opts.Curves.Labels()) != 1 {
		t.Error("no curve")
	}
}

func TestConfigErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no URL", Config{}, "prometheus: url: want http://host:port[/prefix]"},
		{"history", Config{History: 1}, "history: 0s is not between 7d and 400d"},
		{"reserved name", Config{NoDefaults: true, Targets: []Target{{Name: "model_info", Query: "up"}}}, `targets[0] "model_info": name: is reserved`},
		{"bad name", Config{NoDefaults: true, Targets: []Target{{Name: "CPU", Query: "up"}}}, `targets[0] "CPU": name: want lower-case letters, digits and _`},
		{"bad query", Config{NoDefaults: true, Targets: []Target{{Name: "a", Query: "rate("}}}, `targets[0] "a": query: 1:6: parse error: unclosed left parenthesis`},
		{"bad unit", Config{NoDefaults: true, Targets: []Target{{Name: "a", Query: "up", Unit: "percent"}}}, `targets[0] "a": unit: "percent" is none of ratio, bytes, bytes_per_second, count`},
		{"no targets", Config{NoDefaults: true}, "targets: none, and no_default_targets is set"},
	} {
		if tc.name != "no URL" {
			tc.cfg.Prometheus.URL = "http://localhost:9090"
		}
		if err := tc.cfg.Validate(); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", tc.name, err, tc.want)
		}
	}
	good := Config{Prometheus: promapi.Server{URL: "http://localhost:9090"}}
	if err := good.Validate(); err != nil || len(good.Targets) != len(DefaultTargets()) {
		t.Errorf("%d targets, %v", len(good.Targets), err)
	}
}
