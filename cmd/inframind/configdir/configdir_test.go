package configdir

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/inframind/inframind/cmd/inframind/alertmgr"
)

func TestWritesWhatTheServersAccept(t *testing.T) {
	for _, demo := range []bool{false, true} {
		dir := t.TempDir()
		written, err := Write(Options{Dir: dir, Demo: demo})
		if err != nil || !slices.Contains(written, Prometheus) || !slices.Contains(written, "rules/node.yml") {
			t.Fatalf("wrote %v, %v", written, err)
		}
		if err := Announce(dir, "127.0.0.1:9600"); err != nil {
			t.Fatal(err)
		}
		// Not with amtool: the one that distributions ship is older than url_file.
		if _, err := alertmgr.Check(filepath.Join(dir, Alertmanager)); err != nil {
			t.Error(err)
		}
		promtool, err := exec.LookPath("promtool")
		if err != nil {
			t.Skip("promtool is missing: install the package prometheus")
		}
		if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", filepath.Join(dir, Prometheus)).CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}

func TestNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, Alertmanager)
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	written, err := Write(Options{Dir: dir})
	if err != nil || slices.Contains(written, Alertmanager) {
		t.Fatalf("wrote %v, %v", written, err)
	}
	if raw, err := os.ReadFile(mine); err != nil || string(raw) != "mine" {
		t.Errorf("%q, %v", raw, err)
	}
	if written, err = Write(Options{Dir: dir}); err != nil || len(written) > 0 {
		t.Errorf("the second time: %v, %v", written, err)
	}
}

func TestAnnounceLeavesRightFilesAlone(t *testing.T) {
	dir := t.TempDir()
	if err := Announce(dir, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, Self))
	if err != nil {
		t.Fatal(err)
	}
	if err := Announce(dir, "127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(dir, Self))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("written again, %v", err)
	}
	if err := AnnounceDefault(dir); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, Webhook)); err != nil || string(raw) != "http://127.0.0.1:1/alerts/api/v1/alerts" {
		t.Errorf("%s, %v", raw, err)
	}
}
