package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inframind/inframind/internal/cli"
)

// promServer answers every query with one series that has a daily pattern.
func promServer(t *testing.T) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, err := strconv.ParseFloat(r.FormValue("start"), 64)
		if err != nil { // an instant query
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
			return
		}
		var values []string
		for i := range 720 {
			at := start + float64(3600*i)
			values = append(values, fmt.Sprintf(`[%.0f,"%.4f"]`, at, 0.4+0.1*math.Sin(2*math.Pi*at/86400)))
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"instance":"a"},"values":[%s]}]}}`, strings.Join(values, ","))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// syncBuffer may be read while the job writes its log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// get returns a page, or "" while nothing answers.
func get(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return string(raw)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1200 { // half a minute: machines are busy at times
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("waited in vain for: " + what)
}

// TestReload changes the configuration of a running job, wrongly and rightly.
func TestReload(t *testing.T) {
	prom, address, dir := promServer(t), freeAddress(t), t.TempDir()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer http.DefaultClient.CloseIdleConnections()
	file := filepath.Join(dir, "forecaster.yml")
	write := func(targets string) {
		t.Helper()
		text := fmt.Sprintf("prometheus: {url: %q}\nstep: 1h\nno_default_targets: true\n%s\n", prom, targets)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("targets: [{name: first_ratio, query: up, unit: ratio}]")
	ctx, cancel := context.WithCancel(t.Context())
	var log syncBuffer
	ended := make(chan error, 1)
	go func() {
		env := cli.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), Stdout: io.Discard, Stderr: io.Discard}
		ended <- runJob(ctx, env, runFlags{file: file, state: filepath.Join(dir, "state"), web: listenFlags{address: address}})
	}()
	eventually(t, "the first forecast", func() bool { return strings.Contains(get("http://"+address+"/metrics"), "forecast_first_ratio{") })

	for text, want := range map[string]string{
		"targets: [{name: x, query: 'rate('}]": "unclosed left parenthesis",
		"nonsense: 1":                          "nonsense",
		"pushgateway: {url: 'http://x', http_client_config: {tls_config: {ca_file: /no/such/file}}}\ntargets: [{name: x, query: up}]": "/no/such/file",
	} {
		write(text)
		resp, err := http.Post("http://"+address+"/-/reload", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusInternalServerError || !strings.Contains(string(raw), want) {
			t.Errorf("%s: got %s %s, %v; want %s", text, resp.Status, raw, err, want)
		}
	}
	if !strings.Contains(log.String(), "the old configuration stays in service") || !strings.Contains(get("http://"+address+"/metrics"), "forecast_first_ratio{") {
		t.Error("a wrong configuration was not told of, or took the old one's place")
	}

	write("targets: [{name: second_ratio, query: up, unit: ratio}]")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second forecast alone", func() bool {
		page := get("http://" + address + "/metrics")
		return strings.Contains(page, "forecast_second_ratio{") && !strings.Contains(page, "forecast_first_ratio{")
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestServeReloads shows a curve that was written after the start.
func TestServeReloads(t *testing.T) {
	prom, address, dir := promServer(t), freeAddress(t), t.TempDir()
	file := filepath.Join(dir, "forecaster.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "prometheus: {url: %q}\nstep: 1h\nno_default_targets: true\ntargets: [{name: cpu_ratio, query: up, unit: ratio}]\n", prom), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() {
		status, _, _ := run(t, "", "serve", "--state.dir", dir, "--web.listen-address", address)
		done <- status
	}()
	names := "http://" + address + "/api/v1/label/__name__/values"
	eventually(t, "the server", func() bool { return strings.Contains(get(names), `"data":[]`) })
	if status, _, errs := run(t, "", "run", "--once", "--config.file", file, "--state.dir", dir); status != 0 {
		t.Fatal(errs)
	}
	resp, err := http.Post("http://"+address+"/-/reload", "", nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	if got := get(names); !strings.Contains(got, "forecast_curve_cpu_ratio") {
		t.Errorf("got %s", got)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != 0 {
		t.Errorf("status %d", status)
	}
}

// TestRunStatus: one failed series of two is reported and no failure, unless asked for;
// nothing but failures is one.
func TestRunStatus(t *testing.T) {
	for _, tc := range []struct {
		good, bad int
		strict    bool
		status    int
	}{{1, 1, false, 0}, {1, 1, true, 1}, {0, 2, false, 1}, {2, 0, true, 0}} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start, err := strconv.ParseFloat(r.FormValue("start"), 64)
			if err != nil {
				fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
				return
			}
			var list []string
			for i := range tc.good + tc.bad {
				var values []string
				for h := range 720 {
					v := "0.5"
					if i >= tc.good {
						v = "NaN"
					}
					values = append(values, fmt.Sprintf(`[%.0f,"%s"]`, start+float64(3600*h), v))
				}
				list = append(list, fmt.Sprintf(`{"metric":{"instance":"%d"},"values":[%s]}`, i, strings.Join(values, ",")))
			}
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(list, ","))
		}))
		dir := t.TempDir()
		file := filepath.Join(dir, "forecaster.yml")
		if err := os.WriteFile(file, fmt.Appendf(nil, "prometheus: {url: %q}\nstep: 1h\nno_default_targets: true\ntargets: [{name: cpu_ratio, query: up}]\n", srv.URL), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"run", "--once", "--config.file", file, "--state.dir", dir}
		if tc.strict {
			args = append(args, "--strict")
		}
		status, _, errs := run(t, "", args...)
		srv.Close()
		if status != tc.status || strings.Count(errs, "all values are NaN or infinite") != tc.bad {
			t.Errorf("%+v: status %d\n%s", tc, status, errs)
		}
	}
}
