package exporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
)

func writeFile(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSecretFilesRotate: every file is read at every probe; one that is gone fails the
// probe and not the next.
func TestSecretFilesRotate(t *testing.T) {
	password, user, kg := writeFile(t, "p", "one\n", 0o600), writeFile(t, "u", "alice\n", 0o600), writeFile(t, "kg", "k1", 0o600)
	a := &Auth{UsernameFile: user, PasswordFile: password, SecretFiles: map[string]string{"kg": kg}}
	resolve := func() string {
		c, err := a.resolve(t.Context(), "x", "h")
		if err != nil {
			return Reason(err)
		}
		return fmt.Sprintf("%s:%s:%s", c.Username, string(c.Password), string(c.Secrets["kg"]))
	}
	steps := []struct {
		file, text string
		want       string
	}{
		{password, "one\n", "alice:one:k1"},
		{password, "two\r\n", "alice:two:k1"},
		{user, "bob", "bob:two:k1"},
		{kg, "k2\n", "bob:two:k2"},
		{kg, strings.Repeat("x", maxSecret+1), ReasonCredentials},
		{kg, "k3", "bob:two:k3"},
	}
	for _, s := range steps {
		if err := os.WriteFile(s.file, []byte(s.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := resolve(); got != s.want {
			t.Errorf("got %.60s, want %s", got, s.want)
		}
	}
	if err := os.Remove(kg); err != nil {
		t.Fatal(err)
	}
	if got := resolve(); got != ReasonCredentials {
		t.Errorf("without the file: %s", got)
	}
}

// TestExecProvider runs real programs: a good one, and each way to fail. A program that hangs
// is killed in time, with its children.
func TestExecProvider(t *testing.T) {
	script := func(body string) *ExecProvider {
		return &ExecProvider{Command: []string{writeFile(t, "provider", "#!/bin/sh\n"+body, 0o700)}}
	}
	for _, tc := range []struct {
		name, body string
		want       string // of the error
	}{
		{"good", `echo "{\"username\":\"u\",\"password\":\"for-$1\",\"secrets\":{\"kg\":\"k\"}}"`, ""},
		{"exit status", `echo hunter2 >&2; exit 3`, "exit status 3"},
		{"no JSON", `echo hunter2`, "not the expected JSON"},
		{"wrong type", `echo '{"password":{"hunter2":1}}'`, "not the expected JSON"},
		{"empty", `echo '{}'`, "holds no password"},
		{"too much", `yes hunter2 | head -c 200000`, "exit status"},
		{"hangs", `sleep 60 & sleep 60`, "signal: killed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			a := &Auth{Username: "default", Exec: script(tc.body)}
			start := time.Now()
			c, err := a.resolve(ctx, "x", "bmc7")
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %s", took)
			}
			if tc.want == "" {
				if err != nil || c.Username != "u" || string(c.Password) != "for-bmc7" || string(c.Secrets["kg"]) != "k" {
					t.Errorf("%s %v", c.Username, err)
				}
				return
			}
			if err == nil || Reason(err) != ReasonCredentials || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("the error shows what the program said: %v", err)
			}
		})
	}
}

// TestProviderCache: answers are kept, an outage is bridged for an hour, a refused answer is
// not used again, and targets do not share.
func TestProviderCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cache secretCache
		calls, down := 0, false
		fetch := func(context.Context) (answer, error) {
			calls++
			if down {
				return answer{}, errors.New("vault is sealed")
			}
			return parseAnswer(fmt.Appendf(nil, `{"password":"p%d","secrets":{"kg":"k"}}`, calls))
		}
		get := func(target string) (Credential, error) {
			var c Credential
			err := cache.get(t.Context(), target, time.Minute, &c, fetch)
			return c, err
		}
		expect := func(step, target, password string, stale bool) {
			t.Helper()
			c, err := get(target)
			if string(c.Password) != password || (c.stale != nil) != stale || (err == nil) != (password != "") {
				t.Errorf("%s: password %q, stale %v, %v; want %q", step, string(c.Password), c.stale, err, password)
			}
			if c.Secrets != nil {
				c.Secrets["mine"] = "x" // the caller's own copy
			}
		}
		expect("first", "a", "p1", false)
		expect("kept", "a", "p1", false)
		expect("other target", "b", "p2", false)
		time.Sleep(61 * time.Second)
		expect("refreshed", "a", "p3", false)
		if c, _ := get("a"); len(c.Secrets) != 1 {
			t.Errorf("a caller changed the cache: %v", c.Secrets)
		}
		down = true
		time.Sleep(61 * time.Second)
		expect("outage", "a", "p3", true)
		expect("outage, unknown target", "c", "", false)
		time.Sleep(maxStale + time.Minute)
		expect("long outage", "a", "", false)
		down = false
		expect("over", "a", "p7", false)
		cache.forget("a")
		expect("refused by the device", "a", "p8", false)
	})
}

// TestProviderIsNotFlooded: many targets at once are a few calls at a time.
func TestProviderIsNotFlooded(t *testing.T) {
	var cache secretCache
	var flying, most atomic.Int32
	fetch := func(context.Context) (answer, error) {
		most.Store(max(most.Load(), flying.Add(1)))
		defer flying.Add(-1)
		time.Sleep(5 * time.Millisecond)
		return answer{Password: "p"}, nil
	}
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			var c Credential
			if err := cache.get(t.Context(), fmt.Sprint(i), time.Minute, &c, fetch); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > providersAtOnce {
		t.Errorf("%d calls at a time", most.Load())
	}
}

// picky is a device that takes one password only.
type picky struct {
	thermometer
	want atomic.Value
}

func (d *picky) Open(ctx context.Context, p *Probe) (*Device, error) {
	if string(p.Auth.Password) != d.want.Load() {
		return nil, Failf(ReasonUnauthorized, "401")
	}
	return d.thermometer.Open(ctx, p)
}

// TestRotationByProvider: after a rotation one probe is refused, and the next one has the new
// password although the answer was to be kept. No output shows either.
func TestRotationByProvider(t *testing.T) {
	var now atomic.Value
	now.Store("hunter2")
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if now.Load() == "broken" {
			http.Error(w, "internal: hunter3 hunter2", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"username":"u","password":%q}`, now.Load())
	}))
	defer vault.Close()
	conf := Config{Auths: map[string]*Auth{"default": {HTTP: &HTTPProvider{URL: vault.URL + "?token=hunter4", Refresh: model.Duration(time.Hour)}}}}
	if err := conf.Validate(); err != nil {
		t.Fatal(err)
	}
	dev := &picky{}
	dev.want.Store("hunter2")
	var out bytes.Buffer
	s := &server{spec: Spec{Namespace: "thermo"}, log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	s.metrics = newServerMetrics(prometheus.NewRegistry())
	s.current = &generation{conf: conf, driver: dev, flights: newFlights(conf.Limits)}
	defer s.close()
	srv := httptest.NewServer(http.HandlerFunc(s.probe))
	defer srv.Close()
	probe := func(step, query, want string) {
		t.Helper()
		code, body := get(t, srv.URL+"/probe?target=fine"+query, "")
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, lacks %q:\n%s", step, code, want, body)
		}
		out.WriteString(body)
	}
	probe("first", "", "thermo_up 1")
	dev.want.Store("hunter3")
	now.Store("hunter3")
	probe("rotated", "", `probe_failure_info{reason="unauthorized"} 1`)
	probe("renewed", "", "thermo_up 1")
	conf.Auths["default"].refused("fine")
	now.Store("broken")
	probe("provider fails", "", `probe_failure_info{reason="credentials"} 1`)
	probe("debug of it", "&debug=true", `reason="credentials"`)
	now.Store("hunter3")
	probe("debug", "&debug=true", "thermo_up 1")
	vault.Close()
	conf.Auths["default"].refused("fine")
	probe("no provider", "", `probe_failure_info{reason="credentials"} 1`)
	// The device itself logs its password, as a careless driver would: only the report of
	// ?debug=true has a log, and that is redacted.
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "hunter") && !strings.Contains(line, "msg=\"logging in\"") {
			t.Errorf("a secret is shown: %s", line)
		}
	}
}
