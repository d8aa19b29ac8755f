package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

func group() alert.Group {
	return alert.Group{Version: "4", GroupKey: "k", Alerts: []alert.Alert{{Status: alert.Firing, StartsAt: time.Unix(1e9, 0).UTC(), Fingerprint: "f", Labels: map[string]string{"alertname": "A"}}}}
}

func TestNotify(t *testing.T) {
	for _, tc := range []struct {
		name   string
		code   int
		header http.Header
		retry  bool
		wait   time.Duration
		want   string
	}{
		{"ok", 204, nil, false, 0, ""},
		{"bad request", 400, nil, false, 0, "400"},
		{"redirect", 302, http.Header{"Location": {"http://127.0.0.1:1/stolen"}}, false, 0, "redirects are not followed"},
		{"timeout there", 408, nil, true, 0, "408"},
		{"limited", 429, http.Header{"Retry-After": {"7"}}, true, 7 * time.Second, "429"},
		{"limited without a time", 429, nil, true, 0, "429"},
		{"limited beyond reason", 429, http.Header{"Retry-After": {"99999999"}}, true, time.Hour, "429"},
		{"down", 503, http.Header{"Retry-After": {"nonsense"}}, true, 0, "503"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var keys []string
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var g alert.Group
				if err := json.NewDecoder(r.Body).Decode(&g); err != nil || g.Version != "4" || len(g.Alerts) != 1 {
					t.Errorf("body: %+v, %v", g, err)
				}
				keys = append(keys, r.Header.Get("Idempotency-Key"))
				maps.Copy(w.Header(), tc.header)
				w.WriteHeader(tc.code)
			}))
			defer srv.Close()
			n, err := New(Config{URL: commoncfg.Secret(srv.URL + "/hidden"), HTTPConfig: commoncfg.DefaultHTTPClientConfig})
			if err != nil {
				t.Fatal(err)
			}
			retry, err := n.Notify(t.Context(), group())
			if retry != tc.retry || (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("retry %v, err %v", retry, err)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("the URL is in the error: %v", err)
			}
			var w *notify.Wait
			if errors.As(err, &w) && w.For != tc.wait || !errors.As(err, &w) && tc.wait != 0 {
				t.Errorf("wait %+v, want %s", w, tc.wait)
			}
			if _, err := n.Notify(t.Context(), group()); (err == nil) != (tc.want == "") {
				t.Error(err)
			}
			if len(keys) != 2 || keys[0] != keys[1] || keys[0] == "" {
				t.Errorf("keys %q", keys)
			}
		})
	}
}

func TestUnreachableAndSlow(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	for url, want := range map[string]string{srv.URL: "deadline exceeded", "http://127.0.0.1:1/hidden": "refused"} {
		n, err := New(Config{URL: commoncfg.Secret(url), HTTPConfig: commoncfg.DefaultHTTPClientConfig})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		retry, err := n.Notify(ctx, group())
		cancel()
		if !retry || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("retry %v, err %v", retry, err)
		}
	}
}

func TestURLFileIsReadEachTime(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "url")
	n, err := New(Config{URLFile: file, HTTPConfig: commoncfg.DefaultHTTPClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	if retry, err := n.Notify(t.Context(), group()); !retry || err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("without the file: %v, %v", retry, err)
	}
	if err := os.WriteFile(file, []byte(srv.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Notify(t.Context(), group()); err != nil || hits != 1 {
		t.Errorf("with the file: %v, %d hits", err, hits)
	}
}
