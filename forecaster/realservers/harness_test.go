package realservers

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/promapi"
)

// base is when the forecasts are made. Samples lie before it, and some up to five days
// after it, all of them in the past.
var base = time.Now().Add(-6 * 24 * time.Hour).Truncate(time.Hour).UTC()

const sampleStep = 5 * time.Minute

// sample is one series of the tests: no value where ok is false.
type sample struct {
	labels string
	value  func(at time.Time) (v float64, ok bool)
}

func steady(level float64) func(time.Time) (float64, bool) {
	return func(at time.Time) (float64, bool) {
		return level + 0.1*math.Sin(2*math.Pi*float64(at.Unix()%86400)/86400) + 0.01*float64(at.Unix()/300*7919%101)/101, true
	}
}

// text writes the samples of days before base up to until in the exposition format, with
// timestamps in units of unit.
func text(list []sample, days int, until time.Time, unit time.Duration) string {
	var b strings.Builder
	b.WriteString("# TYPE disk_used_ratio gauge\n")
	for _, s := range list {
		for at := base.AddDate(0, 0, -days); !at.After(until); at = at.Add(sampleStep) {
			if v, ok := s.value(at); ok {
				fmt.Fprintf(&b, "disk_used_ratio{%s} %.6f %d\n", s.labels, v, at.UnixNano()/int64(unit))
			}
		}
	}
	return b.String()
}

// program finds a Debian package's program or skips the test.
func program(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install %s", name, pkg)
	}
	return path
}

// fromEnv takes a program from the environment or skips the test.
func fromEnv(t *testing.T, name, how string) string {
	t.Helper()
	path := os.Getenv(name)
	if path == "" {
		t.Skipf("%s is not set: %s", name, how)
	}
	return path
}

func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a server until the test ends, and waits until ready answers 200.
func start(t *testing.T, ready, path string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &log, &log, t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		<-ended
	})
	for range 600 {
		if resp, err := http.Get(ready); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s: %v\n%s", path, err, log.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("%s is not ready", path)
}

// startPrometheus starts the Debian Prometheus with the samples in its storage.
func startPrometheus(t *testing.T, openMetrics string, args ...string) (url, dir string) {
	t.Helper()
	prom, promtool := program(t, "prometheus", "prometheus"), program(t, "promtool", "prometheus")
	dir = t.TempDir()
	write(t, filepath.Join(dir, "samples.om"), openMetrics+"# EOF\n")
	if out, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=720h", filepath.Join(dir, "samples.om"), filepath.Join(dir, "tsdb")).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, "global: {scrape_interval: 1m, external_labels: {replica: a}}\n")
	at := address(t)
	start(t, "http://"+at+"/-/ready", prom, append([]string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "tsdb"), "--storage.tsdb.retention.time=500d", "--web.listen-address=" + at,
	}, args...)...)
	return "http://" + at, dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", url, resp.Status, raw, err)
	}
	return string(raw)
}

func config(prometheus string) forecast.Config {
	return forecast.Config{
		Prometheus: promapi.Server{URL: prometheus}, NoDefaults: true, History: pmodel.Duration(30 * 24 * time.Hour),
		Targets: []forecast.Target{{Name: "disk_used_ratio", Query: "disk_used_ratio", Unit: forecast.UnitRatio}},
	}
}

func engine(t *testing.T, cfg forecast.Config, opts forecast.Options) *forecast.Engine {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return base }
	}
	e, err := forecast.New(cfg, opts)
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
