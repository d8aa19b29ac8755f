package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/outbox"
)

func (s *Server) authorize(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		want := s.token
		s.mu.RUnlock()
		if want != "" {
			got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
			if !ok || subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
				w.Header().Set("WWW-Authenticate", "Bearer")
				s.fail(w, r, http.StatusUnauthorized, errors.New("the bearer token is missing or wrong"))
				return
			}
		}
		next(w, r)
	})
}

// fail answers with a JSON error and counts refused payloads.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, code int, err error) {
	if r.Method == http.MethodPost {
		s.metrics.requests.WithLabelValues(strconv.Itoa(code)).Inc()
		s.log.Warn("payload refused", "code", code, "remote", r.RemoteAddr, "err", err)
	}
	reply(w, code, map[string]string{"status": "error", "error": err.Error()})
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client has gone if this fails
}

// receive is Alertmanager's side. 4xx makes Alertmanager give up, which is right for a
// payload that will never be good; 5xx makes it come again.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	s.mu.RLock()
	limit, slots := s.conf.Receive.MaxBodyBytes, s.slots
	s.mu.RUnlock()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-r.Context().Done():
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		s.fail(w, r, http.StatusRequestEntityTooLarge, fmt.Errorf("the body has more than %d bytes (receive.max_body_bytes)", limit))
		return
	case err != nil:
		s.fail(w, r, http.StatusBadRequest, fmt.Errorf("the body broke off: %w", err))
		return
	}
	g, err := alert.Parse(body)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err)
		return
	}
	news, err := s.Receive(r.Context(), g)
	if err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, err)
		return
	}
	s.metrics.requests.WithLabelValues("200").Inc()
	reply(w, http.StatusOK, map[string]any{"status": "success", "received": len(g.Alerts), "new": news})
}

// maxPage is the longest list one request gets.
const maxPage = 1000

func intParam(v url.Values, name string, def, lo, hi int64) (int64, error) {
	raw := v.Get(name)
	if raw == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("%s is %.20q, want a number from %d to %d", name, raw, lo, hi)
	}
	return n, nil
}

// parseList reads status, label=name=value (repeatable), limit and after.
func parseList(v url.Values) (ListQuery, error) {
	q := ListQuery{Status: v.Get("status"), After: v.Get("after"), Labels: map[string]string{}}
	if q.Status != "" && q.Status != alert.Firing && q.Status != alert.Resolved {
		return q, fmt.Errorf("status is %.20q, want firing or resolved", q.Status)
	}
	if len(v["label"]) > 20 {
		return q, errors.New("more than 20 label filters")
	}
	for _, l := range v["label"] {
		name, value, ok := strings.Cut(l, "=")
		if !ok || name == "" {
			return q, fmt.Errorf("label is %.40q, want name=value", l)
		}
		q.Labels[name] = value
	}
	n, err := intParam(v, "limit", 100, 1, maxPage)
	q.Limit = int(n)
	return q, err
}

func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request) {
	q, err := parseList(r.URL.Query())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err)
		return
	}
	records, next, err := s.Alerts(r.Context(), q)
	switch {
	case errors.Is(err, errCursor):
		s.fail(w, r, http.StatusBadRequest, err)
	case err != nil:
		s.fail(w, r, http.StatusServiceUnavailable, err)
	default:
		reply(w, http.StatusOK, map[string]any{"status": "success", "alerts": records, "next": next})
	}
}

func (s *Server) listNotifications(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	state := v.Get("state")
	limit, err := intParam(v, "limit", 100, 1, maxPage)
	before, err2 := intParam(v, "before", 0, 1, 1<<62)
	if err = errors.Join(err, err2); err == nil && state != "" && state != outbox.Pending && state != outbox.Delivered && state != outbox.Dead {
		err = fmt.Errorf("state is %.20q, want pending, delivered or dead", state)
	}
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err)
		return
	}
	items, err := s.Notifications(r.Context(), state, v.Get("channel"), before, int(limit))
	if err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, err)
		return
	}
	reply(w, http.StatusOK, map[string]any{"status": "success", "notifications": items})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Counts(r.Context()); err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, err)
		return
	}
	fmt.Fprintln(w, "alert-webhook is ready.")
}
