package exporter

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
)

func spec(th *thermometer) Spec {
	return Spec{Namespace: "thermo", Listen: "127.0.0.1:0", Load: func(_ context.Context, file string, _ *slog.Logger, _ prometheus.Registerer) (Config, Driver, error) {
		var c Config
		err := c.Validate()
		if file != "" {
			err = config.Load(file, &c)
		}
		return c, th, err
	}}
}

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yml"), filepath.Join(dir, "bad.yml")
	for file, text := range map[string]string{good: "auths: {default: {username: u, password: hunter2}}\n", bad: "auths: 1\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(dir, "d.tar.gz")
	for _, tc := range []struct {
		args string
		want int
		msg  string
	}{
		{"check-config --config.file " + good, cli.ExitOK, "good.yml: ok"},
		{"check-config --config.file " + bad, cli.ExitUsage, "bad.yml:1: cannot unmarshal"},
		{"--config.file " + bad, cli.ExitUsage, "bad.yml:1: cannot unmarshal"},
		{"diagnose fine --config.file " + good + " --output " + archive, cli.ExitOK, "1 recorded answers"},
		{"diagnose fine --module nope", cli.ExitUsage, "unknown module"},
	} {
		a := cli.New("thermo_exporter", "Thermometers.")
		AddCommands(a, spec(&thermometer{}))
		var out bytes.Buffer
		if got := a.Run(strings.Fields(tc.args), strings.NewReader(""), &out, &out); got != tc.want || !strings.Contains(out.String(), tc.msg) {
			t.Errorf("%s: status %d, output %s", tc.args, got, out.String())
		}
	}
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("hunter2")) {
		t.Error("the archive holds the password")
	}
	tr := tar.NewReader(bytes.NewReader(raw))
	for _, want := range []string{"report.txt", "root.json"} {
		if h, err := tr.Next(); err != nil || h.Name != want {
			t.Errorf("archive: %v %v, want %s", h, err, want)
		}
	}
}

// TestServeUntilSIGTERM runs the real command: it reloads at SIGHUP, and at SIGTERM ends the driver.
func TestServeUntilSIGTERM(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	th := &thermometer{}
	a := cli.New("thermo_exporter", "Thermometers.")
	AddCommands(a, spec(th))
	status := make(chan int)
	go func() {
		status <- a.Run([]string{"--web.listen-address", addr, "--log.level", "error"}, strings.NewReader(""), io.Discard, io.Discard)
	}()
	waitFor(t, func() bool {
		resp, err := http.Get("http://" + addr + "/-/healthy")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return th.closes.Load() == 1 })
	http.DefaultClient.CloseIdleConnections()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := <-status; got != cli.ExitOK || th.closes.Load() != 2 {
		t.Errorf("status %d, %d drivers closed, want 0 and 2", got, th.closes.Load())
	}
}

func TestProbeOnce(t *testing.T) {
	for _, tc := range []struct {
		target string
		want   string
		down   bool
	}{{"fine", "thermo_up 1", false}, {"dead", "thermo_up 0", true}} {
		th := &thermometer{}
		var out bytes.Buffer
		err := ProbeOnce(t.Context(), th, "thermo", &Probe{Target: tc.target, Log: slog.New(slog.DiscardHandler)}, &out)
		if errors.Is(err, ErrDown) != tc.down || !strings.Contains(out.String(), tc.want) || th.closes.Load() != 1 {
			t.Errorf("%s: %v, closed %d times, output %s", tc.target, err, th.closes.Load(), out.String())
		}
	}
	if err := ProbeOnce(t.Context(), &thermometer{}, "thermo", &Probe{Target: "u:p@h"}, io.Discard); cli.ExitCode(err) != cli.ExitUsage {
		t.Errorf("password in target: %v", err)
	}
}
