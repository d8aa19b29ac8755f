package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/snmp_exporter/agent"
	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
)

const testConfig = `auths:
  switches: {version: 2, community: sw}
modules:
  small:
    walk: [1.3.6.1.2.1.2.2.1.8, 1.3.6.1.2.1.31.1.1.1.1]
    metrics:
      - name: ifOperStatus
        oid: 1.3.6.1.2.1.2.2.1.8
        type: gauge
        help: State.
        indexes: [{labelname: ifIndex, type: gauge}]
        lookups: [{labels: [ifIndex], labelname: ifName, oid: 1.3.6.1.2.1.31.1.1.1.1, type: DisplayString}]
  filtered:
    walk: [1.3.6.1.2.1.2.2.1.8]
    metrics:
      - {name: ifOperStatus, oid: 1.3.6.1.2.1.2.2.1.8, type: gauge, help: State., indexes: [{labelname: ifIndex, type: gauge}]}
    filters:
      - {oid: 1.3.6.1.2.1.31.1.1.1.1, targets: [1.3.6.1.2.1.2.2.1.8], values: ['/2$']}
`

func startAgent(t *testing.T, s *agent.Server) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, wait, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); wait() })
	return addr
}

func switchAgent(t *testing.T, community string) string {
	t.Helper()
	d, err := agent.Switch(3)
	if err != nil {
		t.Fatal(err)
	}
	return startAgent(t, &agent.Server{Devices: map[string]*agent.Device{community: d}})
}

// build makes the binary once for the tests that run it.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "snmp_exporter")
	if out, err := exec.Command("go", "build", "-tags", "gosnmp_nodebug", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return bin
}

func TestCommands(t *testing.T) {
	bin := build(t)
	addr := switchAgent(t, "sw")
	dir := t.TempDir()
	config := filepath.Join(dir, "snmp.yml")
	if err := os.WriteFile(config, []byte(testConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.yml")
	if err := os.WriteFile(bad, []byte("modules: {m: {wlak: []}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	free := freePort(t)
	for _, tc := range []struct {
		name   string
		args   []string
		status int
		out    string // wanted on standard output or error
	}{
		{"probe", []string{"probe", addr, "--community", "sw", "--module", "small", "--config.file", config}, 0, `ifOperStatus{ifIndex="2",ifName="Gi1/0/2"} 1`},
		{"probe by auth", []string{"probe", addr, "--auth", "switches", "--module", "small", "--config.file", config}, 0, "snmp_up 1"},
		{"probe, built-in module", []string{"probe", addr, "--community", "sw", "--module", "if_mib"}, 0, `ifHCInOctets{ifAlias="port 1",ifDescr="GigabitEthernet1/0/1",ifIndex="1",ifName="Gi1/0/1"}`},
		{"filter", []string{"probe", addr, "--community", "sw", "--module", "filtered", "--config.file", config}, 0, `ifOperStatus{ifIndex="2"} 1`},
		{"unknown module", []string{"probe", addr, "--module", "nope"}, 2, `unknown module "nope"; known: auto, `},
		{"unknown auth", []string{"probe", addr, "--auth", "nope"}, 2, `no auth is called "nope"`},
		{"nobody there", []string{"probe", free, "--community", "sw", "--module", "if_mib", "--timeout", "2s"}, 1, "target is down"},
		{"bad target", []string{"probe", "a b", "--module", "if_mib"}, 2, "target"},
		{"check", []string{"check-config", "--config.file", config}, 0, "ok"},
		{"dry run", []string{"--dry-run", "--config.file", config}, 0, "ok"},
		{"bad config", []string{"check-config", "--config.file", bad}, 2, `unknown field "wlak"`},
		{"missing config", []string{"check-config", "--config.file", filepath.Join(dir, "none.yml")}, 2, "no such file"},
		{"walk", []string{"walk", addr, "1.3.6.1.2.1.2.1", "--community", "sw"}, 0, "1.3.6.1.2.1.2.1.0|2|3"},
		{"version 3 without user", []string{"walk", addr, "--snmp-version", "3"}, 2, "username is missing"},
		{"mib", []string{"mib", "bgpPeerState", "--mibs-dir", "snmp/profiles/mibs"}, 0, "established(6)"},
		{"mib, instance", []string{"mib", "1.3.6.1.2.1.15.3.1.2.192.0.2.1", "--mibs-dir", "snmp/profiles/mibs"}, 0, "192.0.2.1"},
		{"mib, unknown", []string{"mib", "nope", "--mibs-dir", "snmp/profiles/mibs"}, 2, "nothing is called nope"},
		{"help", []string{"probe", "--help"}, 0, "Examples:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := exec.Command(bin, tc.args...).CombinedOutput()
			status := 0
			if err != nil {
				exit := &exec.ExitError{}
				ok := errors.As(err, &exit)
				if !ok {
					t.Fatal(err)
				}
				status = exit.ExitCode()
			}
			if status != tc.status || !strings.Contains(string(out), tc.out) {
				t.Errorf("status %d, want %d; output lacks %q:\n%.2000s", status, tc.status, tc.out, out)
			}
		})
	}
	out, err := exec.Command(bin, "probe", addr, "--community", "sw", "--module", "filtered", "--config.file", config).Output()
	if err != nil || strings.Contains(string(out), `ifIndex="1"`) {
		t.Errorf("the filter let another row pass: %v", err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// TestServe runs the binary as people run the exporter they come from, and asks what Prometheus
// and their scrape configurations ask.
func TestServe(t *testing.T) {
	bin := build(t)
	addr := switchAgent(t, "sw")
	config := filepath.Join(t.TempDir(), "snmp.yml")
	if err := os.WriteFile(config, []byte(testConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := l.Addr().String()
	l.Close()
	cmd := exec.Command(bin, "--config.file="+config, "--web.listen-address="+web)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	get := func(path string) (int, string) {
		for range 100 {
			resp, err := http.Get("http://" + web + path)
			if err != nil {
				time.Sleep(50 * time.Millisecond)
				continue
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(body)
		}
		t.Fatalf("exporter does not answer: %s", log.String())
		return 0, ""
	}
	for _, tc := range []struct {
		path   string
		status int
		want   string
	}{
		{"/snmp?target=" + addr + "&module=small&auth=switches", 200, `ifOperStatus{ifIndex="3",ifName="Gi1/0/3"} 1`},
		{"/probe?target=" + addr + "&module=small,filtered&auth=switches&snmp_context=x", 200, `snmp_scrape_pdus_returned{module="filtered"} 1`},
		{"/snmp?target=" + addr + "&auth=switches", 200, `snmp_scrape_pdus_returned{module="auto"}`},
		{"/snmp?target=" + addr + "&module=nope", 400, "unknown module \"nope\"; known: auto,"},
		{"/snmp?target=" + addr + "&auth=nope", 400, "unknown auth \"nope\"; known: public_v1, public_v2, switches"},
		{"/snmp?module=small", 400, "target"},
		{"/snmp?target=" + freePort(t) + "&module=small", 200, "snmp_up 0"},
		{"/metrics", 200, "snmp_packets_total"},
		{"/", 200, "snmp_exporter"},
	} {
		if status, body := get(tc.path); status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s: status %d, body lacks %q:\n%.1500s", tc.path, status, tc.want, body)
		}
	}
}

func TestRecordAndReplay(t *testing.T) {
	addr := switchAgent(t, "public")
	var out bytes.Buffer
	n, err := record(t.Context(), &out, addr, &conf.Auth{Version: 2, Community: "public"}, []string{"1.3.6.1.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	d, skipped, err := agent.Read(&out)
	if err != nil || skipped != 0 || d.Len() != n || n != 4+3*41 {
		t.Fatalf("%d values recorded, %d skipped, %v", n, skipped, err)
	}
	want, err := agent.Switch(3)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range want.Objects() {
		got := d.Objects()[i]
		if fmt.Sprint(o.OID, o.Tag, string(o.Raw)) != fmt.Sprint(got.OID, got.Tag, string(got.Raw)) {
			t.Errorf("%s: recorded %v, want %v", o.OID, got, o)
		}
	}
}
