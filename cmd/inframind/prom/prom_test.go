package prom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/forecaster/curves"
	ourconfig "github.com/inframind/inframind/internal/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Started once a process by packages of Prometheus, for good.
		goleak.IgnoreAnyFunction("github.com/prometheus/prometheus/util/logging.(*Deduper).run"),
		goleak.IgnoreAnyFunction("k8s.io/klog/v2.(*flushDaemon).run.func1"),
		// tsdb.Open leaves its log's goroutine behind when a block is damaged. A TSDB that
		// was left open would show by others.
		goleak.IgnoreTopFunction("github.com/prometheus/prometheus/tsdb/wlog.(*WL).run"))
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve runs a Prometheus on the files in dir until the returned function is called.
func serve(t *testing.T, dir string, extra storage.Queryable) (s *Server, api string, stop func()) {
	t.Helper()
	s, err := New(Options{
		ConfigFile: filepath.Join(dir, "prometheus.yml"), Dir: filepath.Join(dir, "tsdb"), Retention: 30 * 24 * time.Hour, Extra: extra,
		External: &url.URL{Scheme: "http", Host: "prom.test", Path: "/prometheus"}, Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	return s, srv.URL + "/prometheus", func() {
		http.DefaultClient.CloseIdleConnections()
		srv.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// until asks again until the answer holds want.
func until(t *testing.T, url, want string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		body := get(t, url)
		if strings.Contains(body, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never gave %s: %s", url, want, body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

const good = `global: {scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: app
    static_configs: [{targets: ['%s']}]
`

func TestScrapesEvaluatesReloadsAndRemembers(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "answer 42") }))
	defer app.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(good, strings.TrimPrefix(app.URL, "http://")))
	write(t, filepath.Join(dir, "rules/a.yml"), "groups: [{name: a, rules: [{record: twice, expr: answer * 2}]}]")
	s, api, stop := serve(t, dir, nil)
	until(t, api+"/api/v1/query?query=twice", `"84"`)
	for path, want := range map[string]string{"/-/ready": "Ready", "/api/v1/status/runtimeinfo": `"reloadConfigSuccess":true`, "/federate?match[]=answer": "answer{"} {
		if body := get(t, api+path); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}

	write(t, filepath.Join(dir, "rules/a.yml"), "groups: [{name: a, rules: [{record: thrice, expr: answer *}]}]")
	var bad *ourconfig.Error
	if err := s.Reload(); !errors.As(err, &bad) || bad.File != filepath.Join(dir, "rules/a.yml") || bad.Line != 1 {
		t.Errorf("reload of a wrong rule: %v", err)
	}
	if body := get(t, api+"/api/v1/rules"); !strings.Contains(body, `"twice"`) {
		t.Errorf("the running rules are gone: %s", body)
	}
	write(t, filepath.Join(dir, "rules/a.yml"), "groups: [{name: a, rules: [{record: thrice, expr: answer * 3}]}]")
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	until(t, api+"/api/v1/query?query=thrice", `"126"`)
	stop()

	_, api, stop = serve(t, dir, nil)
	defer stop()
	until(t, api+"/api/v1/query?query=count_over_time(twice[5m])", `"value"`) // written by the first process only
}

func TestMergesForecastCurves(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "prometheus.yml"), "global: {}\n")
	store, err := curves.Open(filepath.Join(dir, "curves"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Hour)
	err = store.Put(t.Context(), []curves.Curve{curve(now)})
	if err != nil {
		t.Fatal(err)
	}
	_, api, stop := serve(t, dir, store)
	defer stop()
	q := url.Values{"query": {`{__name__=~"forecast.*"}`}, "start": {fmt.Sprint(now.Add(time.Hour).Unix())}, "end": {fmt.Sprint(now.Add(20 * time.Hour).Unix())}, "step": {"3600"}}
	if body := get(t, api+"/api/v1/query_range?"+q.Encode()); !strings.Contains(body, `"disk-1"`) {
		t.Errorf("no series of the future: %s", body)
	}
}

// TestDamagedBlocks wants each block that cannot be read to be named and left as it is.
func TestDamagedBlocks(t *testing.T) {
	const id = "01KA6N9M8BTGSMZXJ1P6ZZZZZZ"
	meta := `{"ulid":"` + id + `","minTime":1,"maxTime":2,"version":1}`
	for name, files := range map[string]map[string]string{
		"no meta.json":    {"index": "x"},
		"broken meta":     {"meta.json": "{"},
		"truncated index": {"meta.json": meta, "index": "x", "chunks/000001": "x"},
		"no index":        {"meta.json": meta, "chunks/000001": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "prometheus.yml"), "global: {}\n")
			block := filepath.Join(dir, "tsdb", id)
			for f, content := range files {
				write(t, filepath.Join(block, f), content)
			}
			_, err := New(Options{
				ConfigFile: filepath.Join(dir, "prometheus.yml"), Dir: filepath.Join(dir, "tsdb"), Retention: time.Hour,
				Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
			})
			var damaged *BlockError
			if !errors.As(err, &damaged) || damaged.Dir != block || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v", err)
			}
			for f, content := range files {
				if raw, err := os.ReadFile(filepath.Join(block, f)); err != nil || string(raw) != content {
					t.Errorf("%s: %q, %v", f, raw, err)
				}
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, config, rule string
		file               string
		line               int
		msg                string
	}{
		{"unknown field", "global:\n  scrape_intervall: 5s\n", "", "prometheus.yml", 2, `unknown field "scrape_intervall"`},
		{"not YAML", "global: [\n", "", "prometheus.yml", 1, "did not find expected"},
		{"unknown field in a rule", "rule_files: [r.yml]\n", "groups:\n  - name: a\n    rulez: []\n", "r.yml", 3, `unknown field "rulez"`},
		{"broken expression", "rule_files: [r.yml]\n", "groups:\n  - name: a\n    rules:\n      - record: x\n        expr: sum(\n", "r.yml", 5, "parse error"},
		{"two jobs of one name", "scrape_configs: [{job_name: a}, {job_name: a}]\n", "", "prometheus.yml", 0, "multiple scrape configs with job name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "prometheus.yml")
			write(t, path, tc.config)
			write(t, filepath.Join(dir, "r.yml"), tc.rule)
			_, err := Check(path)
			var e *ourconfig.Error
			if !errors.As(err, &e) || e.File != filepath.Join(dir, tc.file) || e.Line != tc.line || !strings.Contains(e.Msg, tc.msg) {
				t.Errorf("error %v, want %s:%d: %s", err, tc.file, tc.line, tc.msg)
			}
		})
	}
}

// curve is a day of a forecast, from now on.
func curve(now time.Time) curves.Curve {
	return curves.Curve{
		Labels: labels.FromStrings(model.MetricNameLabel, curves.MetricPrefix+"disk", "instance", "disk-1"), Start: now, Step: time.Hour,
		Lines: []curves.Line{{Quantile: "0.5", Values: make([]float32, 24)}},
	}
}
