package realservers

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/series"
)

// broken has an outage of half a day, and ten minutes without samples.
func broken(at time.Time) (float64, bool) {
	v, _ := steady(0.3)(at)
	ago := base.Sub(at)
	return v, (ago < 100*time.Hour || ago > 112*time.Hour) && (ago < 50*time.Hour || ago > 50*time.Hour+sampleStep)
}

func twoSeries() []sample {
	return []sample{{`instance="a",mountpoint="/"`, steady(0.4)}, {`instance="b",mountpoint="/"`, steady(0.6)}}
}

const howBuilt = "forecaster/bench/servers.sh builds it and runs these tests"

// startVictoria starts VictoriaMetrics with the samples in its storage.
func startVictoria(t *testing.T, path, exposition string, args ...string) string {
	t.Helper()
	at := address(t)
	start(t, "http://"+at+"/health", path, append([]string{"-httpListenAddr=" + at, "-storageDataPath=" + t.TempDir(), "-retentionPeriod=100y"}, args...)...)
	resp, err := http.Post("http://"+at+"/api/v1/import/prometheus", "text/plain", strings.NewReader(exposition))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	get(t, "http://"+at+"/internal/force_flush")
	return "http://" + at
}

// startThanos starts a sidecar beside the Prometheus at url, whose storage is below dir,
// and a querier that takes its replica label away.
func startThanos(t *testing.T, path, prom, dir string) string {
	t.Helper()
	store, sidecar, query := address(t), address(t), address(t)
	start(t, "http://"+sidecar+"/-/ready", path, "sidecar", "--prometheus.url="+prom, "--tsdb.path="+filepath.Join(dir, "tsdb"), "--grpc-address="+store, "--http-address="+sidecar)
	start(t, "http://"+query+"/-/ready", path, "query", "--endpoint="+store, "--http-address="+query, "--grpc-address="+address(t), "--query.replica-label=replica")
	for range 100 { // the endpoint is looked for every few seconds
		if strings.Contains(get(t, fmt.Sprintf("http://%s/api/v1/query?query=disk_used_ratio&time=%d", query, base.Unix())), "instance") {
			return "http://" + query
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatal("Thanos does not find its sidecar")
	return ""
}

// servers starts every kind that is there with the same samples, by name.
func servers(t *testing.T, list []sample, days int) map[string]string {
	t.Helper()
	victoria, thanos := os.Getenv(envVictoria), os.Getenv(envThanos)
	if victoria == "" && thanos == "" {
		t.Skipf("nothing to compare Prometheus with: set %s or %s; %s", envVictoria, envThanos, howBuilt)
	}
	prom, dir := startPrometheus(t, text(list, days, base, time.Second))
	out := map[string]string{"prometheus": prom}
	if victoria != "" {
		out["victoriametrics"] = startVictoria(t, victoria, text(list, days, base, time.Millisecond))
	}
	if thanos != "" {
		out["thanos"] = startThanos(t, thanos, prom, dir)
	}
	return out
}

// Where the binaries of servers are that no package has.
const (
	envVictoria = "INFRAMIND_TEST_VICTORIAMETRICS"
	envThanos   = "INFRAMIND_TEST_THANOS"
)

func results(t *testing.T, server string) []*forecast.Result {
	t.Helper()
	e := engine(t, config(server), forecast.Options{})
	if _, err := e.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e.Results()
}

func same(t *testing.T, name string, got, want []*forecast.Result) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d series, Prometheus has %d", name, len(got), len(want))
	}
	for i, r := range got {
		w := want[i]
		if r.Labels.Hash() != w.Labels.Hash() || r.Rows != w.Rows || !r.Last.Equal(w.Last) || fmt.Sprint(r.Horizons) != fmt.Sprint(w.Horizons) {
			t.Errorf("%s: %s %d rows to %s: %v; Prometheus %s %d rows to %s: %v", name, r.Labels, r.Rows, r.Last, r.Horizons, w.Labels, w.Rows, w.Last, w.Horizons)
		}
	}
}

// TestSameForecasts asks every server for the same samples: labels, rows and forecasts are
// the same to the last digit.
func TestSameForecasts(t *testing.T) {
	all := servers(t, twoSeries(), 30)
	want := results(t, all["prometheus"])
	if len(want) != 2 || want[0].Rows != 8640 {
		t.Fatalf("%d series, %d rows", len(want), want[0].Rows)
	}
	for name, addr := range all {
		same(t, name, results(t, addr), want)
	}
}

// TestGaps: an outage is one for all. Thanos, as Prometheus since 3.0, does not see a sample
// that is exactly five minutes old: its gap is a step longer.
func TestGaps(t *testing.T) {
	all := servers(t, []sample{{`instance="a"`, broken}}, 30)
	for name, addr := range all {
		r := results(t, addr)[0]
		words := clean.Words(r.Corrections)
		t.Logf("%s: %s", name, words)
		want := "longest 12h0m0s"
		if name == "thanos" {
			want = "longest 12h5m0s"
		}
		if !strings.Contains(words, want) {
			t.Errorf("%s: %s", name, words)
		}
	}
}

// TestMorePointsThanAllowed asks for 60 days at 5 minutes, 17,280 points: every server
// gives all, the same, in pieces of at most 11,000.
func TestMorePointsThanAllowed(t *testing.T) {
	all := servers(t, twoSeries()[:1], 60)
	got := map[string]string{}
	for name, addr := range all {
		var requests atomic.Int32
		target, err := url.Parse(addr)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		counter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			proxy.ServeHTTP(w, r)
		}))
		defer counter.Close()
		c, err := promapi.New(promapi.Server{URL: counter.URL})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		err = c.QueryRange(t.Context(), "disk_used_ratio", base.AddDate(0, 0, -60).Add(sampleStep), base, sampleStep, func(s series.Series) error {
			got[name] += fmt.Sprint(s.Len(), s.Times[0], s.Times[s.Len()-1], s.Values[11000], s.Labels)
			return nil
		})
		if err != nil || requests.Load() != 2 {
			t.Errorf("%s: %d requests, %v", name, requests.Load(), err)
		}
	}
	for name, g := range got {
		if !strings.HasPrefix(g, "17280 ") || g != got["prometheus"] {
			t.Errorf("%s: %s; Prometheus: %s", name, g, got["prometheus"])
		}
	}
}

// TestErrorsNameTheQuery: the servers refuse a bad query with different statuses, and the
// words of each reach the user.
func TestErrorsNameTheQuery(t *testing.T) {
	all := servers(t, twoSeries()[:1], 1)
	status := map[string]int{"prometheus": http.StatusBadRequest, "thanos": http.StatusBadRequest, "victoriametrics": http.StatusUnprocessableEntity}
	for name, addr := range all {
		want := status[name]
		c, err := promapi.New(promapi.Server{URL: addr})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		err = c.Query(t.Context(), "rate(up[5m]", base, func(series.Series) error { return nil })
		var e *promapi.Error
		if !errors.As(err, &e) || e.Status != want || e.Type == "" || !strings.Contains(err.Error(), "query rate(up[5m]: ") || strings.Contains(err.Error(), `{"`) {
			t.Errorf("%s: got %v (%+v), want status %d", name, err, e, want)
		}
		t.Logf("%s: %v", name, err)
	}
}

// TestLimits: a server's limit on the work of a query ends the target, with the server's
// own advice.
func TestLimits(t *testing.T) {
	advice := map[string]string{}
	if path := os.Getenv(envVictoria); path != "" {
		advice[startVictoria(t, path, text(twoSeries(), 30, base, time.Millisecond), "-search.maxSamplesPerQuery=1000")] = "maxSamplesPerQuery"
	}
	prom, _ := startPrometheus(t, text(twoSeries(), 30, base, time.Second), "--query.max-samples=1000")
	advice[prom] = "too many samples"
	for addr, want := range advice {
		res, err := engine(t, config(addr), forecast.Options{}).RunOnce(t.Context())
		var e *promapi.Error
		if !errors.As(err, &e) || e.Status != http.StatusUnprocessableEntity || res.Written != 0 || !strings.HasPrefix(err.Error(), "target disk_used_ratio: query ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %+v, %v", res, err)
		}
		t.Log(err)
	}
}

// TestOffTheGrid: VictoriaMetrics moves a range to multiples of the step, so the engine
// asks for such ranges only.
func TestOffTheGrid(t *testing.T) {
	all := servers(t, twoSeries()[:1], 2)
	first := map[string]int64{}
	for name, addr := range all {
		c, err := promapi.New(promapi.Server{URL: addr})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		from := base.Add(-24*time.Hour + 90*time.Second)
		if err := c.QueryRange(t.Context(), "disk_used_ratio", from, base, sampleStep, func(s series.Series) error {
			first[name] = s.Times[0] - from.UnixMilli()
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for name, moved := range first {
		if moved != map[string]int64{"victoriametrics": -90_000}[name] {
			t.Errorf("%s moved the range by %d ms", name, moved)
		}
	}
}
