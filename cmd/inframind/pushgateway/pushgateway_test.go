package pushgateway

import (
	"bytes"
	"compress/gzip"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/internal/pushgw"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, file string) (*Server, *httptest.Server) {
	t.Helper()
	s, err := New(Options{File: file, Prefix: "/pushgateway", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return s, srv
}

func do(t *testing.T, method, url, encoding, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Encoding", encoding)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return res.StatusCode, buf.String()
}

func compressed(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

// TestPushesSurviveACrash never closes the first server: what was acknowledged must be on
// disk already.
func TestPushesSurviveACrash(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pushed.bin")
	first, srv := open(t, file)
	t.Cleanup(func() { _ = first.Close() })
	base := srv.URL + "/pushgateway"
	for _, tc := range []struct {
		name, path, encoding, body string
		code                       int
	}{
		{"text", "/metrics/job/text", "", "from_text 1\n", 200},
		{"gzip", "/metrics/job/gzip/instance/a", "gzip", compressed("from_gzip 2\n"), 200},
		{"base64 job", "/metrics/job@base64/YjY0", "", "from_b64 3\n", 200},
		{"not text", "/metrics/job/bad", "", "no number here\n", 400},
		{"not gzip", "/metrics/job/bad", "gzip", "plain", 400},
		{"timestamps", "/metrics/job/bad", "", "x 1 1000\n", 400},
	} {
		if code, body := do(t, http.MethodPost, base+tc.path, tc.encoding, tc.body); code != tc.code {
			t.Errorf("%s: status %d, want %d: %s", tc.name, code, tc.code, body)
		}
	}
	c, err := pushgw.New(base, http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "from_client"}, func() float64 { return 4 }))
	if err := c.Publish(t.Context(), "client", map[string]string{"shard": "0/2"}, reg); err != nil {
		t.Fatal(err)
	}

	second, srv2 := open(t, file)
	defer func() {
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, metrics := do(t, http.MethodGet, srv2.URL+"/pushgateway/metrics", "", "")
	for _, want := range []string{`from_text{instance="",job="text"} 1`, `from_gzip{instance="a",job="gzip"} 2`, `from_b64{instance="",job="b64"} 3`, `from_client{instance="",job="client",shard="0/2"} 4`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("after the crash %s is missing:\n%s", want, metrics)
		}
	}
	if strings.Contains(metrics, `x{`) {
		t.Error("a refused push was stored")
	}
}

func TestDamagedFileIsNamedAndKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pushed.bin")
	if err := os.WriteFile(file, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{File: file, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "move the file away") {
		t.Errorf("error %v", err)
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "garbage" {
		t.Errorf("file %q, %v", raw, err)
	}
}

func TestBodyIsBounded(t *testing.T) {
	s, srv := open(t, filepath.Join(t.TempDir(), "pushed.bin"))
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	bomb := compressed("# " + strings.Repeat("x", maxBody))
	if code, _ := do(t, http.MethodPost, srv.URL+"/pushgateway/metrics/job/bomb", "gzip", bomb); code != http.StatusBadRequest {
		t.Errorf("%d bytes that grow to %d: status %d", len(bomb), maxBody, code)
	}
}
