package redfish

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/exporter"
)

func TestAuthentication(t *testing.T) {
	for _, tc := range []struct {
		name     string
		svc      *redfishtest.Service
		cred     exporter.Credential
		up       float64
		reason   string
		sessions int // ever made
	}{
		{"session", &redfishtest.Service{}, credential(), 1, "", 1},
		{"no session service", &redfishtest.Service{NoSessions: true}, credential(), 1, "", 0},
		{"open service", &redfishtest.Service{Open: true}, exporter.Credential{}, 1, "", 0},
		{"no credential", &redfishtest.Service{}, exporter.Credential{}, 0, "unauthorized", 0},
		{"wrong password", &redfishtest.Service{}, exporter.Credential{Username: redfishtest.User, Password: "x"}, 0, "unauthorized", 0},
		{"wrong password, basic only", &redfishtest.Service{NoSessions: true}, exporter.Credential{Username: redfishtest.User, Password: "x"}, 0, "unauthorized", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.svc.Tree = redfishtest.Full()
			web := serve(t, tc.svc)
			d := newDriver(t, nil)
			var out bytes.Buffer
			_ = exporter.ProbeOnce(context.Background(), d, "redfish", &exporter.Probe{Target: web.URL, Auth: tc.cred, Log: quiet()}, &out)
			f := families(t, out.String())
			if up, _ := value(f, "redfish_up"); up != tc.up {
				t.Fatalf("up %v:\n%s", up, out.String())
			}
			if tc.reason != "" {
				if _, ok := value(f, "probe_failure_info", "reason", tc.reason); !ok {
					t.Errorf("reason: %s", grep(out.String(), "failure"))
				}
			}
			if st := tc.svc.Stats(); st.MadeSession != tc.sessions || st.Sessions != 0 {
				t.Errorf("%d sessions made, %d left; want %d and 0", st.MadeSession, st.Sessions, tc.sessions)
			}
			if tc.up == 1 {
				return
			}
			if n := tc.svc.Stats().Requests; n > 8 {
				t.Errorf("%d requests with a refused credential: accounts get locked", n)
			}
		})
	}
}

// TestSessionsExhausted: a BMC without room for a session is read with basic authentication.
func TestSessionsExhausted(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), MaxSessions: 1}
	web := serve(t, svc)
	full(t, scrapeText(t, newDriver(t, nil), web, 10*time.Second)) // takes the only session
	full(t, scrapeText(t, newDriver(t, nil), web, 10*time.Second))
	if n := svc.Stats().MadeSession; n != 1 {
		t.Errorf("%d sessions made, want 1", n)
	}
}

// TestSessionIsRenewed: after the BMC forgot the session, the next scrape makes one new one.
func TestSessionIsRenewed(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := serve(t, svc)
	d := newDriver(t, nil)
	full(t, scrapeText(t, d, web, 10*time.Second))
	svc.EndSessions()
	full(t, scrapeText(t, d, web, 10*time.Second))
	if st := svc.Stats(); st.MadeSession != 2 || st.Sessions != 1 {
		t.Errorf("%d sessions made, %d open; want 2 and 1", st.MadeSession, st.Sessions)
	}
}

// TestDeniedResource: a resource that answers 401 to every session costs one renewal, once.
func TestDeniedResource(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/Memory/3") {
			http.Error(w, "{}", http.StatusUnauthorized)
			return true
		}
		return false
	}
	web := serve(t, svc)
	d := newDriver(t, nil)
	for range 3 {
		f := families(t, scrapeText(t, d, web, 10*time.Second))
		if n := count(f, "hw_memory_size_bytes", "hw_type", "memory"); n != 31 {
			t.Errorf("%d DIMMs, want 31", n)
		}
	}
	if st := svc.Stats(); st.MadeSession > 2 || st.Sessions != 1 {
		t.Errorf("%d sessions made, %d open; want at most 2 and 1", st.MadeSession, st.Sessions)
	}
}

// TestChangedPassword: a rotated secret ends the old client's session.
func TestChangedPassword(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := serve(t, svc)
	d := newDriver(t, nil)
	probe := func(password string) {
		cred := credential()
		if password != "" {
			cred.Password = "other"
		}
		_ = exporter.ProbeOnce(context.Background(), keep{d}, "redfish", &exporter.Probe{Target: web.URL, Auth: cred, Log: quiet()}, io.Discard)
	}
	probe("")
	probe("other")
	deadline := time.Now().Add(5 * time.Second)
	for svc.Stats().Sessions != 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := svc.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions left of the old password", n)
	}
}

// TestCancelledScrapeLeavesNoSession: the client goes away in the middle of a scrape, or
// before the answer to the login has come.
func TestCancelledScrapeLeavesNoSession(t *testing.T) {
	for _, delay := range []time.Duration{20 * time.Millisecond, 800 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: delay}
			web := serve(t, svc)
			d := newDriver(t, nil)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for svc.Stats().Requests < 2 || delay < 100*time.Millisecond && svc.Stats().MadeSession == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(50 * time.Millisecond)
				cancel()
			}()
			start := time.Now()
			_ = exporter.ProbeOnce(ctx, keep{d}, "redfish", &exporter.Probe{Target: web.URL, Auth: credential(), Log: quiet()}, io.Discard)
			if took := time.Since(start); delay > 100*time.Millisecond && took > delay {
				t.Errorf("the scrape waited for the login: %s", took)
			}
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if st := svc.Stats(); st.MadeSession != 1 || st.Sessions != 0 {
				t.Errorf("%d sessions made, %d left; want 1 and 0", st.MadeSession, st.Sessions)
			}
		})
	}
}

// TestCertificateIsVerified: without a word in the configuration, an unknown certificate is
// refused and no password is sent.
func TestCertificateIsVerified(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := serve(t, svc)
	d := newDriver(t, func(c *Config) { c.Modules["default"].TLS.InsecureSkipVerify = false })
	text := scrapeText(t, d, web, 5*time.Second)
	if !strings.Contains(text, `probe_failure_info{reason="tls"} 1`) || svc.Stats().Requests != 0 {
		t.Errorf("%d requests got through:\n%s", svc.Stats().Requests, text)
	}
}

// TestRedirects are followed on the same host only: a token must not leave it.
func TestRedirects(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was contacted") }))
	defer thief.Close()
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/Thermal"):
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		case r.URL.Path == "/redfish/v1": // iLO and others want a slash there
			http.Redirect(w, r, "/redfish/v1/", http.StatusMovedPermanently)
		default:
			return false
		}
		return true
	}
	web := serve(t, svc)
	f := families(t, scrapeText(t, newDriver(t, nil), web, 5*time.Second))
	if v, _ := value(f, "collector_success", "collector", "thermal"); v != 0 {
		t.Error("a redirect to another host counts as success")
	}
	if n := count(f, "hw_physical_disk_size_bytes"); n != 24 {
		t.Errorf("%d drives, want 24", n)
	}
}

// TestRootWithSlash: a service that knows its root only with a slash is still read with
// everything the root offers.
func TestRootWithSlash(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	svc.OfferExpand(1)
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/redfish/v1" {
			http.Error(w, "{}", http.StatusNotFound)
			return true
		}
		return false
	}
	web := serve(t, svc)
	full(t, scrapeText(t, newDriver(t, nil), web, 10*time.Second))
	if n := svc.Stats().Requests; n > 60 {
		t.Errorf("%d requests: $expand was not noticed", n)
	}
}

func TestIdleClientsExpire(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := serve(t, svc)
	d := newDriver(t, nil)
	scrapeText(t, d, web, 5*time.Second)
	d.expireIdle(context.Background(), time.Now().Add(idleFor/2))
	if n := len(d.clients); n != 1 {
		t.Fatalf("%d clients, want 1: not idle yet", n)
	}
	d.expireIdle(context.Background(), time.Now().Add(2*idleFor))
	if err := d.Close(context.Background()); err != nil { // waits for the logout
		t.Error(err)
	}
	if st := svc.Stats(); st.Sessions != 0 || len(d.clients) != 0 {
		t.Errorf("%d sessions and %d clients left", st.Sessions, len(d.clients))
	}
}
