package httpserve

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestStart(t *testing.T) {
	defer goleak.VerifyNone(t)
	conf := filepath.Join(t.TempDir(), "web.yml")
	// The password is "test", at the least cost.
	if err := os.WriteFile(conf, []byte("basic_auth_users:\n  console: $2a$04$AU6GO2FgXxVVTWLjuQgRkOOwl1wKxnSEotUVYCxrUHNOXDiW3JofK\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		conf, password string
		want           int
	}{
		"open":           {"", "", http.StatusOK},
		"no password":    {conf, "", http.StatusUnauthorized},
		"wrong password": {conf, "guess", http.StatusUnauthorized},
		"password":       {conf, "test", http.StatusOK},
	} {
		addr := freeAddress(t)
		stop, err := Start(slog.New(slog.DiscardHandler), addr, tc.conf, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
		}))
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tc.password != "" {
			req.SetBasicAuth("console", tc.password)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		stop()
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != tc.want {
			t.Errorf("%s: %d, want %d, %v", name, resp.StatusCode, tc.want, err)
		}
	}
	if _, err := Start(slog.New(slog.DiscardHandler), freeAddress(t), conf+".none", nil); err == nil {
		t.Error("a missing web configuration was accepted")
	}
}
