package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify/webhook"
)

// sink is a channel's far end: it keeps what arrives and answers as told.
type sink struct {
	*httptest.Server
	mu     sync.Mutex
	groups []alert.Group
	answer int
}

func newSink(t *testing.T) *sink {
	s := &sink{answer: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.WriteHeader(s.answer)
		if s.answer != http.StatusOK {
			return
		}
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		g, err := alert.Parse(raw)
		if err != nil {
			t.Errorf("a channel got what Alertmanager would not send: %v", err)
		}
		s.groups = append(s.groups, g)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) set(answer int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// seen lists what arrived as name/status.
func (s *sink) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, g := range s.groups {
		for _, a := range g.Alerts {
			out = append(out, a.Labels["n"]+"/"+a.Status)
		}
	}
	return out
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not in 15 s: %s", what)
}

func toSink(url string) Config {
	return Config{
		Delivery: Delivery{MinBackoff: model.Duration(5 * time.Millisecond), MaxBackoff: model.Duration(20 * time.Millisecond)},
		Channels: []Channel{{Name: "ops", Webhook: &webhook.Config{URL: commoncfg.Secret(url), HTTPConfig: commoncfg.DefaultHTTPClientConfig}}},
	}
}

func start(t testing.TB, cfg Config, dir string) (*Server, http.Handler) {
	t.Helper()
	s, err := New(cfg, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, s.Handler()
}

var started = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

func payload(t testing.TB, status string, names ...string) string {
	t.Helper()
	g := alert.Group{Version: "4", GroupKey: "{}:{}", Receiver: "am", Status: status}
	for _, n := range names {
		a := alert.Alert{
			Status: status, StartsAt: started, Fingerprint: "fp-" + n, Labels: map[string]string{"alertname": "Disk", "n": n, "severity": "critical"},
			Annotations: map[string]string{"summary": "<script>alert(1)</script>"},
		}
		if status == alert.Resolved {
			a.EndsAt = started.Add(time.Hour)
		}
		g.Alerts = append(g.Alerts, a)
	}
	raw, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func call(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func post(t *testing.T, h http.Handler, body string) string {
	t.Helper()
	w := call(h, "POST", "/api/v1/alerts", body)
	if w.Code != 200 {
		t.Fatalf("answer %d: %s", w.Code, w.Body)
	}
	return strings.TrimSpace(w.Body.String())
}
