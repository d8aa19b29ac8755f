package exporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "pw")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	vault := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"username":"v","password":"for-%s"}`, r.URL.Query().Get("target"))
	}))
	defer vault.Close()
	web, _, th := start(t, fmt.Sprintf(`
auths:
  default: {username: d, password: dp}
  net: {username: n, password_file: %s, targets: [10.0.0.0/8]}
  one: {username: o, password: op, targets: [10.1.1.1]}
  names: {username: r, password: rp, targets: ['rack.*']}
  script: {exec: {command: [/bin/sh, -c, 'echo "{\"username\":\"e\",\"password\":\"x-$0\"}"']}}
  vault: {http: {url: "%s/secret?a=b"}}
  gone: {username: g, password_file: %s/none}
targets: {allow: ['.*', '0.0.0.0/0']}
`, file, vault.URL, dir))
	for _, tc := range []struct{ query, want string }{
		{"target=host", "default/d:dp"},
		{"target=10.2.3.4:443", "net/n:first"},
		{"target=10.1.1.1", "one/o:op"},
		{"target=rack7", "names/r:rp"},
		{"target=10.1.1.1&auth=net", "net/n:first"},
		{"target=h&auth=script", "script/e:x-h"},
		{"target=h&auth=vault", "vault/v:for-h"},
		{"target=h&auth=own", "own/:"},
	} {
		if _, body := get(t, web.URL+"/probe?"+tc.query, ""); !strings.Contains(body, "thermo_up 1") {
			t.Errorf("%s: %s", tc.query, body)
		}
		if got := th.user.Load(); got != tc.want {
			t.Errorf("%s: credential %v, want %s", tc.query, got, tc.want)
		}
	}
	write("second\n")
	get(t, web.URL+"/probe?target=10.2.3.4", "")
	if got := th.user.Load(); got != "net/n:second" {
		t.Errorf("after rotation: %v", got)
	}
	if code, body := get(t, web.URL+"/probe?target=h&auth=gone", ""); code != 200 || !strings.Contains(body, `probe_failure_info{reason="credentials"} 1`) {
		t.Errorf("unreadable secret: %d %s", code, body)
	}
}

func TestDebugHidesSecrets(t *testing.T) {
	web, _, _ := start(t, "auths: {default: {username: u, password: hunter2}}")
	_, body := get(t, web.URL+"/probe?target=fine&debug=true", "")
	for _, want := range []string{"logging in", "GET /", "thermo_up 1", "<redacted>"} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "hunter2") {
		t.Errorf("shows the password:\n%s", body)
	}
}
