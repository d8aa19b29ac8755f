package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// build makes the binary once for all tests of the package.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "redfish_exporter")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "redfish_exporter")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

func binary(tb testing.TB) string {
	tb.Helper()
	bin, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	return bin
}

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// files writes a password and the certificate of web.
func files(tb testing.TB, web *httptest.Server) (password, ca string) {
	tb.Helper()
	dir := tb.TempDir()
	password, ca = filepath.Join(dir, "password"), filepath.Join(dir, "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	for name, content := range map[string][]byte{password: []byte(redfishtest.Password + "\n"), ca: cert} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return password, ca
}

func TestProbeCommand(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := svc.Start()
	defer web.Close()
	password, ca := files(t, web)
	login := []string{"--user", redfishtest.User, "--password-file", password}
	for _, tc := range []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string
	}{
		{"up", append([]string{web.URL, "--insecure"}, login...), 0, "redfish_up 1", ""},
		{"verified", append([]string{web.URL, "--tls.ca-file", ca}, login...), 0, "hw_temperature_celsius", ""},
		{"one collector", append([]string{web.URL, "--insecure", "--collector", "thermal"}, login...), 0, "hw_fan_speed_rpm", ""},
		{"complete", append([]string{web.URL, "--insecure", "--complete"}, login...), 0, `error_type="correctable_ecc"`, ""},
		{"unknown certificate", append([]string{web.URL}, login...), 1, "redfish_up 0", "certificate"},
		{"wrong user", []string{web.URL, "--insecure", "--user", "x", "--password-file", password}, 1, `reason="unauthorized"`, "401"},
		{"dead", []string{"127.0.0.1:1"}, 1, "redfish_up 0", "refused"},
		{"password in URL", []string{"https://u:p@127.0.0.1"}, 2, "", "must not hold a user"},
		{"no such file", []string{"h", "--password-file", "/none"}, 2, "", "--password-file"},
		{"unknown collector", []string{"h", "--collector", "x"}, 2, "", "known: thermal"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.Command(binary(t), append([]string{"probe"}, tc.args...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != tc.status || !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("status %d, want %d with %q and %q\n%s\n%s", got, tc.status, tc.stdout, tc.stderr, stdout.String(), stderr.String())
			}
			if strings.Contains(stdout.String()+stderr.String(), redfishtest.Password) {
				t.Error("the password is shown")
			}
			if n := svc.Stats().Sessions; n != 0 {
				t.Errorf("%d sessions left", n)
			}
		})
	}
}

// running is a `redfish_exporter serve`.
type running struct {
	cmd *exec.Cmd
	url string
}

func serveExporter(tb testing.TB, config string) *running {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	file := filepath.Join(tb.TempDir(), "redfish.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	e := &running{cmd: exec.Command(binary(tb), "--config.file", file, "--web.listen-address", addr, "--log.level", "error"), url: "http://" + addr}
	e.cmd.Stderr = os.Stderr
	if err := e.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = e.cmd.Process.Kill(); _ = e.cmd.Wait() })
	for range 200 {
		if resp, err := http.Get(e.url + "/-/healthy"); err == nil {
			resp.Body.Close()
			return e
		}
		time.Sleep(20 * time.Millisecond)
	}
	tb.Fatal("exporter does not answer")
	return nil
}

func (e *running) probe(tb testing.TB, target string) string {
	tb.Helper()
	resp, err := http.Get(e.url + "/probe?target=" + target)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		tb.Fatalf("%s: %s %v", target, resp.Status, err)
	}
	return string(body)
}

// TestNoSessionIsLeft: one session serves many scrapes; reload and SIGTERM delete it.
func TestNoSessionIsLeft(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := svc.Start()
	defer web.Close()
	password, ca := files(t, web)
	e := serveExporter(t, fmt.Sprintf(`
auths: {default: {username: %s, password_file: %s}}
modules: {default: {tls_config: {ca_file: %s}}}
targets: {allow: [127.0.0.1]}
`, redfishtest.User, password, ca))
	for range 3 {
		if text := e.probe(t, web.URL); !strings.Contains(text, "redfish_up 1") {
			t.Fatal(text)
		}
	}
	if st := svc.Stats(); st.MadeSession != 1 || st.Sessions != 1 {
		t.Errorf("after 3 scrapes %d sessions made, %d open; want 1 and 1", st.MadeSession, st.Sessions)
	}
	resp, err := http.Post(e.url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	wait(t, func() bool { return svc.Stats().Sessions == 0 }, "session after reload")
	e.probe(t, web.URL)
	if n := svc.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions open, want 1", n)
	}
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if n := svc.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions left after SIGTERM", n)
	}
}

func wait(t *testing.T, cond func() bool, what string) {
	t.Helper()
	for range 250 {
		if cond() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s: not within 5 s", what)
}

// TestDiagnoseReplays: the archive is a service that our tests can load, without secrets
// and without what identifies the machine, also where its serial number is its address.
func TestDiagnoseReplays(t *testing.T) {
	raw, err := json.Marshal(redfishtest.Full())
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(raw), "/redfish/v1/Systems/0", "/redfish/v1/Systems/WZP2249X0ZCU")), &tree); err != nil {
		t.Fatal(err)
	}
	system := tree["/redfish/v1/Systems/WZP2249X0ZCU"].(map[string]any)
	private := map[string]string{
		"SerialNumber": "WZP2249X0ZCU", "AssetTag": "rack-7-asset-0815", "HostName": "db17.corp.example", "UUID": "6fd0e5a4-9b6c-4b0e-8c67-000000000001",
		"Description": "ask noc@corp.example or look for aa:bb:cc:dd:ee:0f",
	}
	for key, v := range private {
		system[key] = v
	}
	svc := &redfishtest.Service{Tree: tree}
	web := svc.Start()
	defer web.Close()
	password, _ := files(t, web)
	dir := t.TempDir()
	conf, archive := filepath.Join(dir, "c.yml"), filepath.Join(dir, "d.tar.gz")
	text := fmt.Sprintf("auths: {default: {username: %s, password_file: %s}}\nmodules: {default: {tls_config: {insecure_skip_verify: true}}}\n", redfishtest.User, password)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(binary(t), "diagnose", web.URL, "--config.file", conf, "--output", archive).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := exec.Command("tar", "xzOf", archive).Output()
	if err != nil {
		t.Fatal(err)
	}
	names, err := exec.Command("tar", "tzf", archive).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{redfishtest.Password, "WZP2249X0ZCU", "rack-7", "db17", "6fd0e5a4", "noc@", "aa:bb:cc", web.Listener.Addr().(*net.TCPAddr).IP.String()} {
		if strings.Contains(string(content)+string(names), secret) {
			t.Errorf("the archive shows %s", secret)
		}
	}
	replayed, err := redfishtest.Load(archive)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for path, v := range replayed {
		if dimm, ok := v.(map[string]any); ok && strings.HasSuffix(path, "/Memory/3") {
			found = dimm["SerialNumber"] == "redacted" && dimm["CapacityMiB"] == 32768.0
		}
	}
	if !found {
		t.Error("the recorded DIMM is not as it was")
	}
	replay := &redfishtest.Service{Tree: replayed, Open: true}
	again := replay.Start()
	defer again.Close()
	stdout, err := exec.Command(binary(t), "probe", again.URL, "--insecure", "--complete").Output()
	for name, want := range map[string]int{"hw_physical_disk_size_bytes": 24, "hw_errors_total": 64, "hw_temperature_celsius": 10, "hw_firmware_info": 20} {
		if n := strings.Count(string(stdout), "\n"+name+"{"); err != nil || n != want {
			t.Errorf("replay: %v, %d samples of %s, want %d", err, n, name, want)
		}
	}
}
