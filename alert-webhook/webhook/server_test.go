package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/outbox"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/sqlitefile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReceiveIsIdempotentAndDeliversNews(t *testing.T) {
	far := newSink(t)
	_, h := start(t, toSink(far.URL), t.TempDir())
	for _, step := range []struct{ body, want string }{
		{payload(t, alert.Firing, "a", "b"), `"new":2,"received":2`},
		{payload(t, alert.Firing, "a", "b"), `"new":0,"received":2`},
		{payload(t, alert.Firing, "a", "b", "c"), `"new":1,"received":3`},
		{payload(t, alert.Resolved, "a"), `"new":1,"received":1`},
		{payload(t, alert.Resolved, "a"), `"new":0,"received":1`},
		{payload(t, alert.Firing, "a"), `"new":0,"received":1`}, // late: the episode is over
	} {
		if got := post(t, h, step.body); !strings.Contains(got, step.want) {
			t.Errorf("got %s, want %s", got, step.want)
		}
	}
	want := "a/firing b/firing c/firing a/resolved"
	eventually(t, want, func() bool { return strings.Join(far.seen(), " ") == want })
	time.Sleep(50 * time.Millisecond)
	if got := strings.Join(far.seen(), " "); got != want {
		t.Errorf("delivered %s, want %s", got, want)
	}
}

// A resolved must wait for its firing, even when only the firing has to be retried.
func TestOrderHoldsThroughAnOutage(t *testing.T) {
	far := newSink(t)
	far.set(http.StatusServiceUnavailable)
	s, h := start(t, toSink(far.URL), t.TempDir())
	post(t, h, payload(t, alert.Firing, "a"))
	eventually(t, "two failed tries", func() bool {
		items, err := s.Notifications(t.Context(), outbox.Pending, "ops", 0, 10)
		return err == nil && len(items) == 1 && items[0].Attempts >= 2 && strings.Contains(items[0].LastError, "503")
	})
	post(t, h, payload(t, alert.Resolved, "a"))
	far.set(http.StatusOK)
	eventually(t, "both", func() bool { return strings.Join(far.seen(), " ") == "a/firing a/resolved" })
}

func TestDeadLetters(t *testing.T) {
	far := newSink(t)
	far.set(http.StatusBadRequest)
	s, h := start(t, toSink(far.URL), t.TempDir())
	post(t, h, payload(t, alert.Firing, "a"))
	var items []outbox.Item
	eventually(t, "a dead letter", func() bool {
		var err error
		items, err = s.Notifications(t.Context(), outbox.Dead, "", 0, 10)
		return err == nil && len(items) == 1
	})
	if items[0].Attempts != 1 || !strings.Contains(items[0].LastError, "400") {
		t.Errorf("got %+v", items[0])
	}
	w := call(h, "GET", "/api/v1/notifications?state=dead", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"channel":"ops"`) {
		t.Errorf("API: %d %s", w.Code, w.Body)
	}
}

func TestRefusals(t *testing.T) {
	cfg := Config{Receive: Receive{MaxBodyBytes: 4096}}
	s, h := start(t, cfg, t.TempDir())
	for _, tc := range []struct {
		name, method, path, body string
		code                     int
		want                     string
	}{
		{"no JSON", "POST", "/webhook", "hello", 400, "not JSON"},
		{"wrong version", "POST", "/webhook", `{"version":"3"}`, 400, `want \"4\"`},
		{"too large", "POST", "/webhook", strings.Repeat(" ", 5000), 413, "receive.max_body_bytes"},
		{"bad status", "GET", "/api/v1/alerts?status=loud", "", 400, "want firing or resolved"},
		{"bad limit", "GET", "/api/v1/alerts?limit=-1", "", 400, "want a number from 1 to 1000"},
		{"bad label", "GET", "/api/v1/alerts?label=x", "", 400, "want name=value"},
		{"bad cursor", "GET", "/api/v1/alerts?after=x", "", 400, "cursor"},
		{"bad state", "GET", "/api/v1/notifications?state=x", "", 400, "want pending"},
		{"method", "DELETE", "/api/v1/alerts", "", 405, ""},
	} {
		w := call(h, tc.method, tc.path, tc.body)
		if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("%s: %d %s", tc.name, w.Code, w.Body)
		}
	}
	if counts, err := s.Counts(t.Context()); err != nil || counts[alert.Firing] != 0 {
		t.Errorf("refused payloads left %v, %v", counts, err)
	}
}

// 200 means on disk: if the store fails, Alertmanager has to come again.
func TestStoreFailureIsNotAcknowledged(t *testing.T) {
	s, err := New(Config{}, Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.db.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if w := call(s.Handler(), "POST", "/webhook", payload(t, alert.Firing, "a")); w.Code != 503 {
		t.Errorf("answer %d: %s", w.Code, w.Body)
	}
	if w := call(s.Handler(), "GET", "/-/ready", ""); w.Code != 503 {
		t.Errorf("ready: %d", w.Code)
	}
}

func TestListPagesAndFilters(t *testing.T) {
	_, h := start(t, Config{}, t.TempDir())
	for i := range 25 {
		post(t, h, payload(t, alert.Firing, fmt.Sprintf("%02d", i)))
	}
	post(t, h, payload(t, alert.Resolved, "07"))
	seen := map[string]bool{}
	next, pages := "", 0
	for {
		w := call(h, "GET", "/api/v1/alerts?limit=10&after="+next, "")
		var got struct {
			Alerts []Record
			Next   string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Alerts {
			if seen[r.Episode] {
				t.Errorf("%s twice", r.Episode)
			}
			seen[r.Episode] = true
		}
		pages++
		if next = got.Next; next == "" {
			break
		}
	}
	if len(seen) != 25 || pages != 3 {
		t.Errorf("%d alerts on %d pages", len(seen), pages)
	}
	for query, want := range map[string]int{"status=resolved": 1, "label=n=07": 1, "label=n=07&status=firing": 0, "label=severity=critical&limit=1000": 25} {
		w := call(h, "GET", "/api/v1/alerts?"+query, "")
		if got := strings.Count(w.Body.String(), `"episode"`); got != want {
			t.Errorf("%s: %d alerts, want %d", query, got, want)
		}
	}
}

func TestPageEscapes(t *testing.T) {
	_, h := start(t, Config{}, t.TempDir())
	post(t, h, payload(t, alert.Firing, `"><img src=x>`))
	w := call(h, "GET", "/", "")
	body := w.Body.String()
	if w.Code != 200 || strings.Contains(body, "<script>") || strings.Contains(body, "<img") || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("%d %s", w.Code, body)
	}
}

func TestBearerToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, h := start(t, Config{Receive: Receive{BearerTokenFile: file}}, t.TempDir())
	for _, tc := range []struct {
		path, header string
		code         int
	}{
		{"/api/v1/alerts", "", 401},
		{"/api/v1/alerts", "Bearer wrong", 401},
		{"/api/v1/alerts", "Basic s3cret", 401},
		{"/api/v1/alerts", "Bearer s3cret", 200},
		{"/", "", 401},
		{"/-/healthy", "", 200},
		{"/-/ready", "", 200},
	} {
		if w := call(h, "GET", tc.path, "", "Authorization", tc.header); w.Code != tc.code {
			t.Errorf("%s with %q: %d, want %d", tc.path, tc.header, w.Code, tc.code)
		}
	}
}

func TestReloadRoutesAndKeepsTheQueue(t *testing.T) {
	one, two := newSink(t), newSink(t)
	one.set(http.StatusServiceUnavailable)
	no := false
	s, h := start(t, toSink(one.URL), t.TempDir())
	post(t, h, payload(t, alert.Firing, "a"))
	cfg := toSink(two.URL)
	cfg.Channels = append(cfg.Channels, Channel{Name: "b-only", SendResolved: &no, Match: map[string]string{"n": "b"}, Webhook: cfg.Channels[0].Webhook})
	bad := toSink("ftp://x")
	if err := s.Reload(bad); err == nil {
		t.Error("a wrong configuration is accepted")
	}
	if err := s.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the waiting alert on the new URL", func() bool { return strings.Join(two.seen(), " ") == "a/firing" })
	post(t, h, payload(t, alert.Firing, "b"))
	eventually(t, "b on both channels", func() bool { return strings.Join(two.seen(), " ") == "a/firing b/firing b/firing" })
	post(t, h, payload(t, alert.Resolved, "b"))
	eventually(t, "b resolved on one", func() bool { return strings.Join(two.seen(), " ") == "a/firing b/firing b/firing b/resolved" })
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	s, err := New(toSink("http://127.0.0.1:1"), Options{Dir: t.TempDir(), Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	post(t, s.Handler(), payload(t, alert.Firing, "a", "b"))
	post(t, s.Handler(), payload(t, alert.Resolved, "a"))
	want := `# HELP alert_webhook_alerts Alerts in the store.
# TYPE alert_webhook_alerts gauge
alert_webhook_alerts{status="firing"} 1
alert_webhook_alerts{status="resolved"} 1
# HELP alert_webhook_dead_letters Notifications that were given up and are still kept.
# TYPE alert_webhook_dead_letters gauge
alert_webhook_dead_letters{channel="ops"} 0
# HELP alert_webhook_queue_length Notifications that wait to be delivered.
# TYPE alert_webhook_queue_length gauge
alert_webhook_queue_length{channel="ops"} 2
# HELP alert_webhook_stored_alerts_total Alerts whose state was new and was stored.
# TYPE alert_webhook_stored_alerts_total counter
alert_webhook_stored_alerts_total{status="firing"} 2
alert_webhook_stored_alerts_total{status="resolved"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "alert_webhook_alerts", "alert_webhook_dead_letters", "alert_webhook_queue_length", "alert_webhook_stored_alerts_total"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"alert_webhook_last_success_timestamp_seconds", "alert_webhook_delivery_attempts_total", "alert_webhook_queue_oldest_age_seconds"} {
		if n, err := testutil.GatherAndCount(reg, name); err != nil || n == 0 {
			t.Errorf("%s: %d series before anything was delivered, %v", name, n, err)
		}
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestPruneForgetsOldAlerts(t *testing.T) {
	s, h := start(t, Config{}, t.TempDir())
	post(t, h, payload(t, alert.Firing, "a"))
	if err := s.store.prune(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c[alert.Firing] != 1 {
		t.Errorf("kept %v, %v", c, err)
	}
	if err := s.store.prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c[alert.Firing] != 0 {
		t.Errorf("kept %v, %v", c, err)
	}
}

func TestBadStorage(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Config{}, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{}, Options{Dir: dir}); !errors.Is(err, job.ErrHeld) {
		t.Errorf("second instance: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName)
	if err := os.WriteFile(file, []byte(strings.Repeat("garbage ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	var d *sqlitefile.DamagedError
	if _, err := New(Config{}, Options{Dir: dir}); !errors.As(err, &d) || d.File != file || strings.Contains(err.Error(), "\n") {
		t.Errorf("damaged: %v", err)
	}
}
