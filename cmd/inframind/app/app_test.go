package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inframind/inframind/cmd/inframind/configdir"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Started once a process by packages of Prometheus and Kubernetes, for good.
		goleak.IgnoreAnyFunction("github.com/prometheus/prometheus/util/logging.(*Deduper).run"),
		goleak.IgnoreAnyFunction("k8s.io/klog/v2.(*flushDaemon).run.func1"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), // idle connections of the default client
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// TestRealMachineOnce runs one cycle on this machine, without the demo: every row must be
// alive though there is no history and nothing to alert on, and nothing may be left running.
func TestRealMachineOnce(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "config")
	if _, err := configdir.Write(configdir.Options{Dir: conf}); err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(dir, "app.log")
	for file, content := range map[string]string{
		app:                                      "Nov  1 00:00:00 web-1 sshd[1]: Accepted publickey for root\n",
		filepath.Join(conf, configdir.InfraMind): fmt.Sprintf("logs: {files: ['%s'], journal: false}\n", app),
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	faster(t, filepath.Join(conf, configdir.Prometheus))
	var out, log bytes.Buffer
	err := Run(t.Context(), Options{DataDir: dir, Listen: "127.0.0.1:0", Once: true, Timeout: time.Minute, Log: slog.New(slog.NewTextHandler(&log, nil)), Stdout: &out})
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	for _, want := range []string{"log lines stored  ok     1 lines", "anomalies found   off", "alerts delivered  off"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("errors were logged:\n%s", log.String())
	}
}

// faster makes a written prometheus.yml scrape each second.
func faster(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("15s"), []byte("1s")), []byte("10s"), []byte("1s"))
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
