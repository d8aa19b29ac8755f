package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// thermometer is a small protocol: its devices are dead, slow, broken or fine by name.
type thermometer struct {
	opens, closes atomic.Int32
	user          atomic.Value
	gate          chan struct{} // when not nil, collectors of "gated" wait for it
}

func (*thermometer) Names() (modules, auths []string) {
	return []string{"default", "full"}, []string{"own"}
}

func (th *thermometer) Close(context.Context) error { th.closes.Add(1); return nil }

var temperature = prometheus.NewDesc("temperature_celsius", "Temperature.", []string{"id"}, nil)

func reading(id string, v float64) prometheus.Metric {
	return prometheus.MustNewConstMetric(temperature, prometheus.GaugeValue, v, id)
}

func (th *thermometer) Open(ctx context.Context, p *Probe) (*Device, error) {
	th.opens.Add(1)
	th.user.Store(p.Auth.Name + "/" + p.Auth.Username + ":" + string(p.Auth.Password))
	p.Trace.Add("GET /", time.Now(), "200", 7)
	p.Trace.Record("root.json", []byte(`{"password":"`+string(p.Auth.Password)+`"}`))
	p.Log.Debug("logging in", "password", string(p.Auth.Password))
	ok := Collector{Name: "fast", Collect: func(_ context.Context, ch chan<- prometheus.Metric) error {
		ch <- reading("a", 21)
		return nil
	}}
	second := Collector{Name: "slow"}
	switch Host(p.Target) {
	case "dead":
		return nil, Failf(ReasonRefused, "connect: refused")
	case "mute":
		<-ctx.Done()
		return nil, ctx.Err()
	case "deaf": // ignores its context for a while
		time.Sleep(time.Second)
		return &Device{}, nil
	case "slow":
		second.Collect = func(ctx context.Context, ch chan<- prometheus.Metric) error {
			ch <- reading("b", 1)
			<-ctx.Done()
			return ctx.Err()
		}
	case "broken":
		second.Collect = func(context.Context, chan<- prometheus.Metric) error { panic("odd answer") }
	case "twice":
		second.Collect = func(_ context.Context, ch chan<- prometheus.Metric) error {
			ch <- reading("a", 21)
			ch <- reading("c", 3)
			return nil
		}
	case "text":
		second = Collector{Name: "slow", Write: func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, "raw_value 1\nraw_cut{a=")
			return err
		}}
	case "gated":
		second.Collect = func(ctx context.Context, _ chan<- prometheus.Metric) error {
			select {
			case <-th.gate:
			case <-ctx.Done():
			}
			return ctx.Err()
		}
	default:
		second.Collect = func(context.Context, chan<- prometheus.Metric) error { return nil }
	}
	return &Device{Collectors: []Collector{ok, second}}, nil
}

func start(t *testing.T, yml string) (*httptest.Server, *server, *thermometer) {
	t.Helper()
	th := &thermometer{gate: make(chan struct{})}
	spec := Spec{Namespace: "thermo", About: "Thermometers.", Load: func(_ context.Context, _ string, _ *slog.Logger, reg prometheus.Registerer) (Config, Driver, error) {
		var c Config
		reg.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "thermo_sessions", Help: "Sessions."}))
		err := config.Parse("x.yml", []byte(yml), &c)
		return c, th, err
	}}
	s, err := newServer(t.Context(), spec, Options{TimeoutOffset: 10 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.handler()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(h)
	t.Cleanup(func() { web.Close(); s.close(); http.DefaultClient.CloseIdleConnections() })
	return web, s, th
}

func get(t *testing.T, u, timeout string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	if timeout != "" {
		req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", timeout)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestProbeResults(t *testing.T) {
	web, _, _ := start(t, "")
	for _, tc := range []struct {
		target string
		has    []string
		hasNot string
	}{
		{"fine", []string{"thermo_up 1", `temperature_celsius{id="a"} 21`, `collector_success{collector="slow"} 1`, "probe_rejected_samples 0"}, "failure_info"},
		{"dead", []string{"thermo_up 0", `probe_failure_info{reason="refused"} 1`}, "collector_success"},
		{"mute", []string{"thermo_up 0", `probe_failure_info{reason="timeout"} 1`}, "temperature"},
		{"deaf", []string{"thermo_up 0", `probe_failure_info{reason="timeout"} 1`}, "temperature"},
		{"slow", []string{"thermo_up 1", `temperature_celsius{id="b"} 1`, `collector_success{collector="fast"} 1`, `collector_failure_info{collector="slow",reason="timeout"} 1`}, "probe_failure_info"},
		{"broken", []string{"thermo_up 1", `temperature_celsius{id="a"} 21`, `collector_failure_info{collector="slow",reason="panic"} 1`}, ""},
		{"twice", []string{`temperature_celsius{id="a"} 21`, `temperature_celsius{id="c"} 3`, "probe_rejected_samples 1"}, ""},
		{"text", []string{`temperature_celsius{id="a"} 21`, "raw_value 1\n"}, "raw_cut"},
	} {
		t.Run(tc.target, func(t *testing.T) {
			begin := time.Now()
			code, body := get(t, web.URL+"/probe?target="+tc.target, "0.2")
			if code != http.StatusOK {
				t.Fatalf("status %d: %s", code, body)
			}
			if took := time.Since(begin); took > 500*time.Millisecond {
				t.Errorf("took %s with a deadline of 200 ms", took)
			}
			for _, want := range tc.has {
				if !strings.Contains(body, want) {
					t.Errorf("lacks %q in:\n%s", want, body)
				}
			}
			if tc.hasNot != "" && strings.Contains(body, tc.hasNot) {
				t.Errorf("must not have %q:\n%s", tc.hasNot, body)
			}
		})
	}
	time.Sleep(time.Second) // "deaf" comes back; goleak sees to it that it has ended
}

func TestProbeRefusals(t *testing.T) {
	web, _, th := start(t, `
auths: {lab: {username: u, password: p}}
targets: {allow: [192.0.2.0/24, 'bmc-\d+\.example']}
`)
	for _, tc := range []struct{ query, want string }{
		{"", `"target" is missing`},
		{"target=198.51.100.1", `"198.51.100.1" is not allowed`},
		{"target=bmc-1.example.evil", "is not allowed"},
		{"target=[::1]:443", `"::1" is not allowed`},
		{"target=root:secret@192.0.2.1", "must not hold a user"},
		{"target=192.0.2.1&module=nope", `unknown module "nope"; known: default, full`},
		{"target=192.0.2.1&module=full,nope", `unknown module "nope"`},
		{"target=192.0.2.1&auth=nope", `unknown auth "nope"; known: lab, own`},
		{"target=192.0.2.1&target=192.0.2.2", "given 2 times"},
		{"target=a%20b", "is not a host"},
	} {
		code, body := get(t, web.URL+"/probe?"+tc.query, "")
		if code != http.StatusBadRequest || !strings.Contains(body, tc.want) {
			t.Errorf("%s: %d %s, want 400 with %s", tc.query, code, body, tc.want)
		}
		if strings.Contains(body, "secret") {
			t.Errorf("%s: answer quotes a secret: %s", tc.query, body)
		}
	}
	if n := th.opens.Load(); n != 0 {
		t.Errorf("%d refused targets were contacted", n)
	}
	for _, ok := range []string{"192.0.2.1", "192.0.2.1:8443", "https://BMC-7.example/", "bmc-7.example&module=full&auth=own"} {
		if code, body := get(t, web.URL+"/probe?target="+ok, ""); code != 200 {
			t.Errorf("%s: %d %s", ok, code, body)
		}
	}
}

func TestConcurrentProbesShareOne(t *testing.T) {
	web, s, th := start(t, "limits: {per_target: 1, global: 1}")
	results := make(chan string, 20)
	for range 20 {
		go func() {
			_, body := get(t, web.URL+"/probe?target=gated", "5")
			results <- body
		}()
	}
	waitFor(t, func() bool {
		s.current.flights.mu.Lock()
		defer s.current.flights.mu.Unlock()
		for _, f := range s.current.flights.byKey {
			return f.waiters == 20
		}
		return false
	})
	// Another module of the same target has to wait, and gives up at its deadline.
	if _, body := get(t, web.URL+"/probe?target=gated&module=full", "0.1"); !strings.Contains(body, `probe_failure_info{reason="busy"} 1`) {
		t.Errorf("limit is not enforced:\n%s", body)
	}
	close(th.gate)
	for range 20 {
		if body := <-results; !strings.Contains(body, "thermo_up 1") {
			t.Fatalf("merged probe: %s", body)
		}
	}
	if n := th.opens.Load(); n != 1 {
		t.Errorf("%d probes for 20 requests, want 1", n)
	}
	if got := testutil.ToFloat64(s.metrics.merged); got != 19 {
		t.Errorf("exporter_probes_merged_total %v, want 19", got)
	}
	waitFor(t, func() bool {
		s.current.flights.mu.Lock()
		defer s.current.flights.mu.Unlock()
		return len(s.current.flights.byKey)+len(s.current.flights.targets) == 0
	})
}

func waitFor(t *testing.T, cond func() bool) {
	t.Helper()
	for range 500 {
		if cond() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("condition not reached in 5 s")
}

func TestDiscover(t *testing.T) {
	web, _, _ := start(t, `
discovery:
  - {class: dell, targets: [10.0.0.0/29, bmc.example], module: full, auth: "", labels: {rack: r1}}
  - {class: hpe, targets: ["2001:db8::/127"]}
`)
	_, body := get(t, web.URL+"/discover?class=dell", "")
	want := `[{"targets":["10.0.0.1","10.0.0.2","10.0.0.3","10.0.0.4","10.0.0.5","10.0.0.6","bmc.example"],"labels":{"__meta_class":"dell","__param_module":"full","rack":"r1"}}]`
	if strings.TrimSpace(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	if code, body := get(t, web.URL+"/discover?class=x", ""); code != 400 || !strings.Contains(body, "dell, hpe") {
		t.Errorf("unknown class: %d %s", code, body)
	}
	// What discovery names is allowed, other hosts are not.
	if code, _ := get(t, web.URL+"/probe?target=10.0.0.3", ""); code != 200 {
		t.Errorf("discovered target: %d", code)
	}
	if code, _ := get(t, web.URL+"/probe?target=10.0.0.9", ""); code != 400 {
		t.Errorf("other target: %d", code)
	}
}

func TestReloadEndsTheOldDriver(t *testing.T) {
	web, s, th := start(t, "")
	resp, err := http.Post(web.URL+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	s.closing.Wait()
	if n := th.closes.Load(); resp.StatusCode != 200 || n != 1 {
		t.Errorf("reload: %s, %d drivers closed, want 1", resp.Status, n)
	}
	for path, want := range map[string]string{
		"/":          "thermo_exporter",
		"/-/healthy": "Healthy",
		"/metrics":   "thermo_sessions 0",
	} {
		if code, body := get(t, web.URL+path, ""); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want %q", path, code, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, tc := range []struct{ yml, want string }{
		{"auths: {a: {password: x, password_file: y}}", "auths.a: give password or password_file, not both"},
		{"auths: {a: {password: x, exec: {command: [y]}}}", "auths.a: give one of"},
		{"auths: {a: {exec: {}}}", "auths.a.exec: command is missing"},
		{"auths: {a: {http: {url: 'https://u:p@x'}}}", "auths.a.http: url holds a user"},
		{"auths: {a: {targets: ['(']}}", "auths.a.targets"},
		{"targets: {allow: ['[']}", "targets.allow"},
		{"discovery: [{targets: [10.0.0.0/8]}]", "holds more than 65536"},
		{"discovery: [{targets: []}]", "discovery[0].targets: is empty"},
		{"auths: {a: {}}\ndiscovery: [{targets: [x], auth: b}]", `no auth is named "b"`},
		{"colour: red", `x.yml:1: unknown field "colour"`},
	} {
		err := config.Parse("x.yml", []byte(tc.yml), &Config{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.yml, err, tc.want)
		}
	}
}

func TestTimeout(t *testing.T) {
	for _, tc := range []struct {
		header string
		want   time.Duration
	}{
		{"", defaultTimeout},
		{"x", defaultTimeout},
		{"-1", defaultTimeout},
		{"NaN", defaultTimeout},
		{"10", 9500 * time.Millisecond},
		{"0.8", 400 * time.Millisecond},
	} {
		h := http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {tc.header}}
		if got := timeout(h, 500*time.Millisecond); got != tc.want {
			t.Errorf("%q: %s, want %s", tc.header, got, tc.want)
		}
	}
}

func TestHostAndReason(t *testing.T) {
	for in, want := range map[string]string{
		"h": "h", "H:1": "h", "https://h:1/x": "h", "[::1]:1": "::1", "::1": "::1", "https://[fe80::1]/": "fe80::1", "10.0.0.1:1": "10.0.0.1",
	} {
		if got := Host(in); got != want {
			t.Errorf("Host(%q) = %q, want %q", in, got, want)
		}
	}
	dns := &url.Error{Op: "parse", URL: "x", Err: errors.New("y")}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{dns, ReasonError},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), ReasonTimeout},
		{fmt.Errorf("x: %w", Failf(ReasonBusy, "y")), ReasonBusy},
		{errors.New("z"), ReasonError},
	} {
		if got := Reason(tc.err); got != tc.want {
			t.Errorf("Reason(%v) = %q, want %q", tc.err, got, tc.want)
		}
	}
}

func TestMetricsAreWellNamed(t *testing.T) {
	web, s, _ := start(t, "")
	get(t, web.URL+"/probe?target=slow", "0.1")
	problems, err := testutil.GatherAndLint(s.reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	_, body := get(t, web.URL+"/probe?target=slow", "0.1")
	problems, err = promlint.New(strings.NewReader(body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}
