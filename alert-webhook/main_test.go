package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/webhook"
)

func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = newApp().Run(args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alert-webhook.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckConfig(t *testing.T) {
	good := "channels:\n- name: ops\n  webhook:\n    url: http://127.0.0.1:9/x\n"
	for name, tc := range map[string]struct {
		conf   string
		status int
		want   string
	}{
		"good":          {good, 0, "ok, 1 channels"},
		"empty":         {"", 0, "ok, 0 channels"},
		"unknown key":   {good + "  colour: red\n", 2, `:5: unknown field "colour"`},
		"unknown deep":  {"channels:\n- name: ops\n  webhook:\n    uri: http://x\n", 2, `:4: unknown field "uri"`},
		"no kind":       {"channels:\n- name: ops\n", 2, "channel ops: has 0 kinds"},
		"twice":         {good + "- name: ops\n  webhook: {url: \"http://127.0.0.1:9\"}\n", 2, `"ops" is there twice`},
		"bad name":      {"channels:\n- name: a b\n", 2, "want letters, digits"},
		"bad url":       {"channels:\n- name: ops\n  webhook: {url: \"s3cret://x\"}\n", 2, "webhook.url is not an http or https URL"},
		"both urls":     {"channels:\n- name: ops\n  webhook: {url: \"http://x\", url_file: y}\n", 2, "set either webhook.url or webhook.url_file"},
		"backoff":       {"delivery: {min_backoff: 1h, max_backoff: 1m}\n", 2, "is longer than max_backoff"},
		"bad duration":  {"keep: soon\n", 2, "soon"},
		"missing token": {"receive: {bearer_token_file: /nowhere/token}\n", 2, "/nowhere/token"},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, tc.conf)
			status, out, errs := run(t, "check-config", "--config.file", path)
			if status != tc.status || !strings.Contains(out+errs, tc.want) {
				t.Errorf("status %d, %s%s", status, out, errs)
			}
			if status != 0 && (!strings.Contains(errs, path) || strings.Count(errs, "\n") != 1 || strings.Contains(errs, "s3cret")) {
				t.Errorf("message: %s", errs)
			}
		})
	}
}

func TestListWithoutStore(t *testing.T) {
	status, _, errs := run(t, "list", "--storage.path", filepath.Join(t.TempDir(), "none"))
	if status != 1 || !strings.Contains(errs, "--storage.path") {
		t.Errorf("status %d: %s", status, errs)
	}
}

func TestListBesideARunningServer(t *testing.T) {
	dir := t.TempDir()
	s, err := webhook.New(webhook.Config{}, webhook.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g := alert.Group{Version: "4", Alerts: []alert.Alert{{Status: alert.Firing, Fingerprint: "f", StartsAt: time.Unix(1e9, 0), Labels: map[string]string{"alertname": "Disk\x1b[31m", "host": "a"}}}}
	if _, err := s.Receive(context.Background(), g); err != nil {
		t.Fatal(err)
	}
	status, out, errs := run(t, "list", "--storage.path", dir, "--label", "host=a")
	if status != 0 || !strings.Contains(out, `firing  "Disk\x1b[31m"  2001-09-09T01:46:40Z  -      host="a"`) {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
}

func TestDeliver(t *testing.T) {
	answer := http.StatusOK
	var got alert.Group
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(answer)
	}))
	defer far.Close()
	conf := file(t, "channels:\n- name: ops\n  webhook:\n    url: "+far.URL+"/secret-path\n")
	if status, out, errs := run(t, "deliver", "--test", "ops", "--config.file", conf); status != 0 || !strings.Contains(out, "ops") || len(got.Alerts) != 1 {
		t.Errorf("status %d: %s%s, %+v", status, out, errs, got)
	}
	answer = http.StatusForbidden
	if status, _, errs := run(t, "deliver", "--test", "ops", "--config.file", conf); status != 1 || !strings.Contains(errs, "403") || strings.Contains(errs, "secret-path") {
		t.Errorf("status %d: %s", status, errs)
	}
	if status, _, errs := run(t, "deliver", "--test", "nobody", "--config.file", conf); status != 1 || !strings.Contains(errs, `no channel "nobody"; the configuration has: ops`) {
		t.Errorf("status %d: %s", status, errs)
	}
}

// The whole binary: starts, answers, reloads, tells of a used port, and stops on a signal.
func TestServe(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := busy.Addr().String()
	conf, dir := file(t, "channels: []\n"), t.TempDir()
	args := []string{"serve", "--config.file", conf, "--storage.path", dir, "--web.listen-address", addr}
	if status, _, errs := run(t, args...); status != 1 || !strings.Contains(errs, addr) || !strings.Contains(errs, "--web.listen-address") {
		t.Errorf("used port: status %d: %s", status, errs)
	}
	if err := busy.Close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() {
		status, _, _ := run(t, args...)
		done <- status
	}()
	get := func(method, path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, string(body)
	}
	for range 500 {
		if code, _ := get("GET", "/-/ready"); code == 200 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if code, body := get("GET", "/metrics"); code != 200 || !strings.Contains(body, "alert_webhook_build_info") {
		t.Errorf("metrics: %d %.200s", code, body)
	}
	if code, body := get("POST", "/-/reload"); code != 200 {
		t.Errorf("reload: %d %s", code, body)
	}
	if err := os.WriteFile(conf, []byte("channel: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, body := get("POST", "/-/reload"); code != 500 || !strings.Contains(body, `:1: unknown field "channel"`) {
		t.Errorf("reload of a wrong file: %d %s", code, body)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != 0 {
		t.Errorf("stopped with status %d", status)
	}
}
