package alertmgr

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const yamlConfig = `route: {receiver: hook, group_wait: 1ms, group_interval: 1s}
receivers:
  - name: hook
    webhook_configs: [{url: '%s', http_config: {enable_http2: false}}]
`

func open(t *testing.T, dir, hook string) (*Server, string) {
	t.Helper()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, yamlConfig, hook), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{
		ConfigFile: file, Dir: filepath.Join(dir, "state"), External: &url.URL{Scheme: "http", Host: "am.test", Path: "/alertmanager"},
		Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return s, srv.URL + "/alertmanager/api/v2"
}

func call(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, url, res.Status, raw, err)
	}
	return string(raw)
}

const firing = `[{"labels":{"alertname":"DiskFull","instance":"a"}}]`

func silenceJSON(comment string) string {
	now := time.Now().UTC()
	return fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"DiskFull","isRegex":false}],"startsAt":%q,"endsAt":%q,"createdBy":"me","comment":%q}`,
		now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339), comment)
}

func TestNotifiesAndReloads(t *testing.T) {
	got := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			got <- r.URL.Path + " " + string(raw)
		}
	}))
	defer hook.Close()
	dir := t.TempDir()
	s, base := open(t, dir, hook.URL+"/one")
	call(t, "POST", base+"/alerts", firing)
	wait := func(path string) {
		t.Helper()
		select {
		case body := <-got:
			if !strings.HasPrefix(body, path) || !strings.Contains(body, "DiskFull") {
				t.Errorf("notification %s", body)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no notification")
		}
	}
	wait("/one")

	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte("route: {receiver: nobody}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("reload of a wrong file: %v", err)
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, yamlConfig, hook.URL+"/two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	call(t, "POST", base+"/alerts", `[{"labels":{"alertname":"DiskFull","instance":"b"}}]`)
	wait("/two")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestSilencesSurviveACrash opens the state a second time while the first server, which
// never got to its own snapshot, still holds it.
func TestSilencesSurviveACrash(t *testing.T) {
	dir := t.TempDir()
	first, base := open(t, dir, "http://127.0.0.1:1")
	defer func() { _ = first.Close() }()
	call(t, "POST", base+"/silences", silenceJSON("kept"))
	gone := regexp.MustCompile(`"silenceID":"([^"]+)"`).FindStringSubmatch(call(t, "POST", base+"/silences", silenceJSON("removed")))
	if gone == nil {
		t.Fatal("no silence id")
	}
	call(t, "DELETE", base+"/silence/"+gone[1], "")

	second, base := open(t, dir, "http://127.0.0.1:1")
	defer func() { _ = second.Close() }()
	list := call(t, "GET", base+"/silences", "")
	if !strings.Contains(list, `"comment":"kept"`) || strings.Count(list, `"state":"active"`) != 1 {
		t.Errorf("after the crash: %s", list)
	}
}
