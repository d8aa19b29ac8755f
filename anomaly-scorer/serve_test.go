package main

import (
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/httpserve"
)

// Feedback with a password: without it the scorer refuses, and the command says so.
func TestFeedbackNeedsThePassword(t *testing.T) {
	dir := t.TempDir()
	webConfig, client, wrong := filepath.Join(dir, "web.yml"), filepath.Join(dir, "http.yml"), filepath.Join(dir, "wrong.yml")
	// The password is "test", at the lowest cost.
	put(t, webConfig, "basic_auth_users:\n  console: $2a$04$eFL7f2F/y/YMlV68HcBosuh9.rsdtS3/486UC/MpDCRFmZDTvIuFK\n")
	put(t, client, "basic_auth: {username: console, password: test}\n")
	put(t, wrong, "basic_auth: {username: console, password: guess}\n")
	l, err := net.Listen("tcp", "127.0.0.1:0") // a free port
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got := 0
	stop, err := httpserve.Start(slog.New(slog.DiscardHandler), addr, webConfig, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got++ }))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	args := []string{"feedback", "--url", "http://" + addr, "scan-1", "true"}
	if status, _, stderr := run(t, "", args...); status != 1 || !strings.Contains(stderr, "401") {
		t.Errorf("without a password: %d %s", status, stderr)
	}
	if status, _, stderr := run(t, "", append(args, "--http.config.file", wrong)...); status != 1 || !strings.Contains(stderr, "401") || strings.Contains(stderr, "guess") {
		t.Errorf("with a wrong password: %d %s", status, stderr)
	}
	if status, _, stderr := run(t, "", append(args, "--http.config.file", client)...); status != 0 || got != 1 {
		t.Errorf("with the password: %d %s, %d requests arrived", status, stderr, got)
	}
	if _, err := httpserve.Start(slog.New(slog.DiscardHandler), addr, filepath.Join(dir, "none.yml"), nil); err == nil {
		t.Error("a missing web configuration was accepted")
	}
}
