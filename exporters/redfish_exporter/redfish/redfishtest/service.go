// Package redfishtest is a Redfish service for tests: any tree of resources over HTTPS,
// with sessions, $expand, latency, limits and faults.
package redfishtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// User and Password are what services ask for.
const (
	User     = "monitor"
	Password = "open-sesame"
)

// Service serves a tree. Set the fields before Start.
type Service struct {
	Tree        map[string]any // decoded resources by path without trailing slash
	Delay       time.Duration  // before every answer
	MaxInFlight int            // more get HTTP 503; 0 means any number
	MaxSessions int            // more are refused as iDRAC does; 0 means any number
	ExpandLevel int            // of $expand; 0 refuses it with HTTP 501
	NoSessions  bool           // only basic authentication
	Open        bool           // no authentication at all
	// Fault, when not nil, may answer in place of the service and then returns true.
	Fault func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	sessions map[string]string // token by id
	made     int
	stats    Stats
}

// Stats is what a service saw.
type Stats struct {
	Requests    int
	Peak        int // most requests at a time
	Paths       []string
	Sessions    int // open now
	MadeSession int // ever
	flying      int
}

// Start serves over TLS with httptest's certificate.
func (s *Service) Start() *httptest.Server {
	s.sessions = map[string]string{}
	web := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // clients that give up are part of the tests
	web.StartTLS()
	return web
}

// Stats copies the counters.
func (s *Service) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Paths = append([]string{}, st.Paths...)
	st.Sessions, st.MadeSession = len(s.sessions), s.made
	return st
}

// Reset forgets the requests counted so far.
func (s *Service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats = Stats{flying: s.stats.flying}
}

// Edit changes the tree while the service runs.
func (s *Service) Edit(change func(tree map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.Tree)
}

// EndSessions forgets all sessions, as a rebooted BMC does.
func (s *Service) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.stats.Requests++
	s.stats.Paths = append(s.stats.Paths, r.Method+" "+r.URL.RequestURI())
	s.stats.flying++
	s.stats.Peak = max(s.stats.Peak, s.stats.flying)
	busy := s.MaxInFlight > 0 && s.stats.flying > s.MaxInFlight
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.stats.flying--
		s.mu.Unlock()
	}()
	time.Sleep(s.Delay)
	path := strings.TrimRight(r.URL.Path, "/")
	switch {
	case busy:
		http.Error(w, `{"error":{}}`, http.StatusServiceUnavailable)
	case s.Fault != nil && s.Fault(w, r):
	case r.Method == http.MethodPost:
		s.login(w, r, path)
	case path != "/redfish/v1" && !s.allowed(r):
		http.Error(w, `{"error":{}}`, http.StatusUnauthorized)
	case r.Method == http.MethodDelete:
		s.logout(w, path)
	case r.Method == http.MethodGet:
		s.resource(w, r, path)
	default:
		http.Error(w, `{"error":{}}`, http.StatusMethodNotAllowed)
	}
}

func (s *Service) allowed(r *http.Request) bool {
	if s.Open {
		return true
	}
	if user, password, ok := r.BasicAuth(); ok {
		return user == User && password == Password
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, token := range s.sessions {
		if token == r.Header.Get("X-Auth-Token") {
			return true
		}
	}
	return false
}

func (s *Service) login(w http.ResponseWriter, r *http.Request, path string) {
	var in struct{ UserName, Password string }
	switch err := json.NewDecoder(r.Body).Decode(&in); {
	case s.NoSessions || path != "/redfish/v1/SessionService/Sessions":
		http.Error(w, `{"error":{}}`, http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, `{"error":{}}`, http.StatusBadRequest)
		return
	case in.UserName != User || in.Password != Password:
		http.Error(w, `{"error":{}}`, http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.MaxSessions > 0 && len(s.sessions) >= s.MaxSessions {
		http.Error(w, `{"error":{"@Message.ExtendedInfo":[{"MessageId":"IDRAC.2.8.RAC0218"}]}}`, http.StatusUnauthorized)
		return
	}
	s.made++
	id, token := fmt.Sprint(s.made), fmt.Sprintf("token-%d", s.made)
	s.sessions[id] = token
	w.Header().Set("X-Auth-Token", token)
	w.Header().Set("Location", path+"/"+id)
	w.WriteHeader(http.StatusCreated)
}

func (s *Service) logout(w http.ResponseWriter, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := strings.CutPrefix(path, "/redfish/v1/SessionService/Sessions/")
	if _, known := s.sessions[id]; !ok || !known {
		http.Error(w, `{"error":{}}`, http.StatusNotFound)
		return
	}
	delete(s.sessions, id)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) resource(w http.ResponseWriter, r *http.Request, path string) {
	var out bytes.Buffer
	if status := s.render(&out, r, path); status != http.StatusOK {
		http.Error(w, `{"error":{}}`, status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = out.WriteTo(w)
}

// render writes a resource as it is now and says with which status to answer.
func (s *Service) render(out *bytes.Buffer, r *http.Request, path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.Tree[path]
	if !ok {
		return http.StatusNotFound
	}
	query := r.URL.RawQuery
	if strings.Contains(query, "$expand") {
		if s.ExpandLevel == 0 {
			return http.StatusNotImplemented
		}
		levels := 1
		if strings.Contains(query, "levels=2") {
			levels = min(2, s.ExpandLevel)
		}
		v = s.expand(v, levels, true)
	}
	if names := r.URL.Query().Get("$select"); names != "" {
		v = pick(v, strings.Split(names, ","))
	}
	if err := json.NewEncoder(out).Encode(v); err != nil {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

// pick keeps the named properties of a resource, and what DSP0266 always keeps.
func pick(v any, names []string) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, e := range m {
		if slices.Contains(names, k) || strings.HasPrefix(k, "@odata.") {
			out[k] = e
		}
	}
	return out
}

// expand replaces references by what they refer to, except below Links, as DSP0266 says of
// "$expand=.".
func (s *Service) expand(v any, levels int, top bool) any {
	switch v := v.(type) {
	case map[string]any:
		if id, ok := v["@odata.id"].(string); ok && len(v) == 1 && !top && levels > 0 {
			if target, ok := s.Tree[strings.TrimRight(id, "/")]; ok {
				return s.expand(target, levels-1, true)
			}
		}
		out := maps.Clone(v)
		for k, e := range v {
			if k != "Links" && k != "Oem" && levels > 0 {
				out[k] = s.expand(e, levels, false)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s.expand(e, levels, false)
		}
		return out
	}
	return v
}

// OfferExpand writes into the tree's service root that $expand works, to most levels.
func (s *Service) OfferExpand(levels int) {
	s.ExpandLevel = levels
	root, _ := s.Tree["/redfish/v1"].(map[string]any)
	if root == nil {
		root = map[string]any{"@odata.id": "/redfish/v1", "RedfishVersion": "1.15.0"}
	}
	root = maps.Clone(root)
	root["ProtocolFeaturesSupported"] = map[string]any{"ExpandQuery": map[string]any{
		"ExpandAll": true, "NoLinks": true, "Levels": true, "MaxLevels": float64(levels),
	}}
	if levels == 0 {
		delete(root, "ProtocolFeaturesSupported")
	}
	s.Tree["/redfish/v1"] = root
}
