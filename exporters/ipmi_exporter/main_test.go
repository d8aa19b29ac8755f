package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

func passwordFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(ipmitest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = newApp().Run(args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestProbeCommand(t *testing.T) {
	sim := ipmitest.Sim(t, filepath.Join("testdata", "bmc-a.emu"))
	own := (&ipmitest.BMC{}).Start(t)
	pw := passwordFile(t)
	cases := []struct {
		name string
		args []string
		code int
		out  string
		err  string
	}{
		{"up", []string{sim, "--user", "admin", "--password-file", pw}, 0, `hw_temperature_celsius{hw_id="20.0.01",hw_name="CPU1 Temp",hw_parent="processor_1",hw_type="temperature",source="ipmi"} 51`, ""},
		{"suite 3", []string{sim, "-u", "admin", "--password-file", pw, "--cipher-suite", "3", "--privilege", "admin"}, 0, "ipmi_up 1", ""},
		{"1.5", []string{sim, "-u", "admin", "--password-file", pw, "--ipmi-version", "1.5"}, 0, `interface="lan 1.5"`, ""},
		{"suite 17", []string{own, "-u", "admin", "--password-file", pw, "--cipher-suite", "17"}, 0, `cipher_suite="17"`, ""},
		{"one collector", []string{sim, "-u", "admin", "--password-file", pw, "--collector", "chassis"}, 0, "hw_power_on{", ""},
		{"suite refused", []string{sim, "-u", "admin", "--password-file", pw, "--cipher-suite", "17"}, 1, `probe_failure_info{reason="unsupported"} 1`, "no common cipher suite"},
		{"wrong user", []string{sim, "-u", "nobody", "--password-file", pw}, 1, "ipmi_up 0", "unauthorized name"},
		{"down", []string{"127.0.0.1:9", "-u", "admin", "--password-file", pw, "--timeout", "2s"}, 1, "ipmi_up 0", "is IPMI over LAN enabled?"},
		{"no local BMC", []string{"local"}, 1, "ipmi_up 0", "ipmi_devintf"},
		{"no password file", []string{sim, "--password-file", "/nonexistent"}, 2, "", "no such file"},
		{"bad suite", []string{sim, "--cipher-suite", "5"}, 2, "", "is not 3, 17"},
		{"bad privilege", []string{sim, "--privilege", "root"}, 2, "", "must be one of"},
		{"user in target", []string{"admin:secret@192.0.2.1"}, 2, "", "must not hold a user"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "no local BMC" {
				if _, err := os.Stat("/dev/ipmi0"); err == nil {
					t.Skip("this machine has a BMC")
				}
			}
			code, out, errs := run(append([]string{"probe"}, tc.args...)...)
			if code != tc.code || !strings.Contains(out, tc.out) || !strings.Contains(errs, tc.err) {
				t.Errorf("exit status %d, want %d with %q and %q\n%s%s", code, tc.code, tc.out, tc.err, out, errs)
			}
			if out != "" {
				if _, err := promlint.New(strings.NewReader(out)).Lint(); err != nil {
					t.Errorf("not an exposition: %v", err)
				}
			}
			if strings.Contains(out+errs, ipmitest.Password+"\"") {
				t.Error("the password is shown")
			}
		})
	}
}

func TestCheckConfig(t *testing.T) {
	for name, want := range map[string]struct {
		yml  string
		code int
		err  string
	}{
		"good":    {"auths: {default: {username: a, password_file: b}}\nmodules: {old: {version: '1.5', quirks: [one_at_a_time]}}\n", 0, ""},
		"unknown": {"modules:\n  default:\n    cipher: 3\n", 2, `:3: unknown field "cipher"`},
		"store":   {"elasticsearch: {urls: []}\n", 2, "name at least one node"},
		"bad":     {"modules: {x: {collectors: [cpu]}}\n", 2, "modules.x.collectors: unknown collector"},
	} {
		path := filepath.Join(t.TempDir(), name+".yml")
		if err := os.WriteFile(path, []byte(want.yml), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, errs := run("check-config", "--config.file", path); code != want.code || !strings.Contains(errs, want.err) {
			t.Errorf("%s: %d %s%s", name, code, out, errs)
		}
	}
}

// TestDiagnose loads what diagnose wrote, as a bug report's reader does.
func TestDiagnose(t *testing.T) {
	sim := ipmitest.Sim(t, filepath.Join("testdata", "bmc-b.emu"))
	dir := t.TempDir()
	conf, archive := filepath.Join(dir, "c.yml"), filepath.Join(dir, "a.tar.gz")
	if err := os.WriteFile(conf, []byte("auths: {default: {username: admin, password_file: "+passwordFile(t)+"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := run("diagnose", sim, "--config.file", conf, "--output", archive); code != 0 {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	files := untar(t, archive)
	if report := files["report.txt"]; !strings.Contains(report, "ipmi_up 1") || strings.Contains(report, ipmitest.Password) {
		t.Errorf("report:\n%s", report)
	}
	replay, err := ipmi.NewReplay(strings.NewReader(files["ipmi.jsonl"]))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := ipmi.GetDeviceID(t.Context(), replay); err != nil || id.Manufacturer != 4753 {
		t.Errorf("%+v %v", id, err)
	}
	if f, err := ipmi.ReadFRU(t.Context(), replay, 0); err != nil || f.ProductName != "EdgeNode 2U" || f.ProductSerial != "XXXXXXXXX" {
		t.Errorf("%+v %v", f, err)
	}
	if report := files["report.txt"]; !strings.Contains(report, `product_name="EdgeNode 2U"`) || strings.Contains(report, "SN00B0002") {
		t.Errorf("report:\n%s", report)
	}
}

func untar(t *testing.T, name string) map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(gz); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(raw)
	}
}

// TestServe runs the real binary: it probes, keeps one session, reads the log to stdout and
// ends the session on SIGTERM.
func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	dir := t.TempDir()
	bmc := &ipmitest.BMC{SEL: [][16]byte{{1, 0, 2, 0, 0, 0, 0x60, 0x20, 0, 4, 8, 0x61, 0x6f, 1, 0xff, 0xff}}}
	addr := bmc.Start(t)
	conf := filepath.Join(dir, "c.yml")
	store := newFakeElasticsearch(t)
	yml := fmt.Sprintf("auths: {default: {username: admin, password_file: %s}}\ntargets: {allow: [127.0.0.1]}\nlogs: {output: stdout}\nelasticsearch: {urls: [%q]}\nstate_directory: %s\n", passwordFile(t), store.url, dir)
	if err := os.WriteFile(conf, []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, build(t), conf)
	base := p.base
	for range 2 {
		if body := get(t, base+"/probe?target="+addr, 200); !strings.Contains(body, "ipmi_up 1\n") || !strings.Contains(body, `severity="failed"} 1`) {
			t.Errorf("%s", body)
		}
	}
	if body := get(t, base+"/metrics", 200); !strings.Contains(body, "ipmi_sessions 1\n") || !strings.Contains(body, "ipmi_sessions_opened_total 1\n") {
		t.Errorf("%s", body)
	}
	get(t, base+"/probe?target=192.0.2.1", 400)
	if body := get(t, base+"/probe?debug=true&target="+addr, 200); !strings.Contains(body, "sensor readings") || strings.Contains(body, "= secret") {
		t.Errorf("%s", body)
	}
	resp, err := http.Post(base+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if open, _ := bmc.Sessions(); open == 0 {
			break
		}
	}
	if open, ever := bmc.Sessions(); open != 0 || ever != 1 {
		t.Errorf("%d sessions open of %d after a reload, want 0 of 1", open, ever)
	}
	get(t, base+"/probe?target="+addr, 200)
	err = p.end(t, syscall.SIGTERM)
	if open, ever := bmc.Sessions(); err != nil || open != 0 || ever != 2 {
		t.Errorf("%v, %d sessions open of %d\n%s", err, open, ever, p.stderr.String())
	}
	if n := store.count(t, addr); n != 1 {
		t.Errorf("%d documents in the log store, want 1", n)
	}
	stdout := p.stdout.String()
	if lines := strings.Count(stdout, "\n"); lines != 1 || !strings.Contains(stdout, `"message":"power supply #0x61: failure detected asserted"`) {
		t.Errorf("%d lines\n%s", lines, stdout)
	}
}

func get(t *testing.T, url string, status int) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Errorf("%s: %d, want %d, %v", url, resp.StatusCode, status, err)
	}
	return string(body)
}
