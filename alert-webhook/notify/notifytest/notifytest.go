// Package notifytest holds what the tests of all channels need.
package notifytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inframind/inframind/alert-webhook/alert"
)

// Group is a group of n alerts, the last of them resolved if n > 1, with texts that want to
// be markup, mentions or headers.
func Group(n int) alert.Group {
	var alerts []alert.Alert
	for i := range n {
		a := alert.Alert{
			Status: alert.Firing, Fingerprint: fmt.Sprintf("fp%05d", i), StartsAt: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
			Labels:       map[string]string{"alertname": "Disk<!channel>", "severity": "critical", "instance": fmt.Sprintf("db-%d:9100", i)},
			Annotations:  map[string]string{"summary": "full @everyone *now* 🔥\r\nBcc: <x@example.org> & " + strings.Repeat("long ", 30)},
			GeneratorURL: "http://prometheus:9090/graph",
		}
		if n > 1 && i == n-1 {
			a.Status, a.EndsAt = alert.Resolved, a.StartsAt.Add(time.Hour)
		}
		alerts = append(alerts, a)
	}
	g := alert.Group{Version: "4", GroupKey: "{}:{alertname=\"Disk\"}", Receiver: "am", GroupLabels: map[string]string{"alertname": "Disk<!channel>"}}
	return g.Select(alerts)
}

// Server is the far end of an HTTP channel. Check returns what the real service would refuse
// about a request, nil if nothing; Answer overrules it.
type Server struct {
	*httptest.Server
	Check  func(r *http.Request, body map[string]any) error
	Answer func(w http.ResponseWriter) bool

	mu     sync.Mutex
	bodies []map[string]any
}

// New starts a Server whose success is status.
func New(t *testing.T, status int, check func(r *http.Request, body map[string]any) error) *Server {
	s := &Server{Check: check}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.Answer != nil && s.Answer(w) {
			return
		}
		var body map[string]any
		err := json.NewDecoder(r.Body).Decode(&body)
		if err == nil && r.Header.Get("Content-Type") != "application/json" {
			err = fmt.Errorf("content type %q", r.Header.Get("Content-Type"))
		}
		if err == nil {
			err = s.Check(r, body)
		}
		if err != nil {
			t.Logf("refused: %v", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.bodies = append(s.bodies, body)
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s
}

// Bodies returns what was accepted.
func (s *Server) Bodies() []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies
}

// Reply makes every answer this one.
func (s *Server) Reply(status int, header, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Answer = func(w http.ResponseWriter) bool {
		if k, v, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// Length says what is too long about s, counted in UTF-16 code units.
func Length(what string, v any, limit int) error {
	s, ok := v.(string)
	if !ok || s == "" {
		return fmt.Errorf("%s is missing", what)
	}
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	if n > limit {
		return fmt.Errorf("%s has %d characters, more than %d", what, n, limit)
	}
	return nil
}
