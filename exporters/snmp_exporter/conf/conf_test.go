package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const good = `auths:
  core: {version: 3, username: u, security_level: authPriv, password: p, auth_protocol: SHA256, priv_protocol: AES256, priv_password: q}
modules:
  m:
    walk: [1.3.6.1]
    max_repetitions: 10
    retries: 0
    timeout: 3s
    metrics:
      - {name: x, oid: 1.3.6.1.1, type: gauge, help: h, indexes: [{labelname: i, type: gauge}], lookups: [{labels: [i], labelname: n, oid: 1.3.6.1.2, type: DisplayString}]}
    filters: [{oid: 1.3.6.1.3, targets: [1.3.6.1.1], values: ["^eth"]}]
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	c, err := Load([]string{write(t, "snmp.yml", good)}, false)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Modules["m"]
	if *m.WalkParams.Retries != 0 || m.WalkParams.MaxRepetitions != 10 || !m.Filters[0].Matches("eth0") || m.Filters[0].Matches("lo") {
		t.Errorf("%+v", m)
	}
	for _, reveal := range []bool{false, true} {
		raw, err := c.Write(reveal)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), "password: p\n") != reveal {
			t.Errorf("reveal %v: %s", reveal, raw)
		}
		if !reveal {
			continue
		}
		again, err := Parse("again", raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.Auths, again.Auths); d != "" {
			t.Error(d)
		}
	}
}

func TestErrors(t *testing.T) {
	metric := func(s string) string {
		return "modules: {m: {walk: ['1'], metrics: [{name: x, oid: 1.1, help: h, " + s + "}]}}"
	}
	for _, tc := range []struct{ name, text, want string }{
		{"unknown key", "modules:\n  m:\n    wlak: [1.3]\n", `:3: unknown field "wlak"`},
		{"bad OID", "modules: {m: {walk: [ifTable]}}", `"ifTable" is not a numeric OID`},
		{"unknown type", metric("type: String"), `unknown type "String"`},
		{"bad name", "modules: {m: {metrics: [{name: a b, oid: 1.1, type: gauge, help: h}]}}", "not a valid metric name"},
		{"bad regex", metric(`type: DisplayString, regex_extracts: {"": [{regex: "("}]}`), "missing closing )"},
		{"bad index type", metric("type: gauge, indexes: [{labelname: i, type: Foo}]"), `index i: unknown type "Foo"`},
		{"unknown lookup label", metric("type: gauge, lookups: [{labels: [i], labelname: n, oid: 1.2}]"), `label "i" is neither an index nor an earlier lookup`},
		{"empty module", "modules: {m: }", "m is empty"},
		{"version", "auths: {a: {version: 4}}", "version must be 1, 2 or 3"},
		{"no user", "auths: {a: {version: 3}}", "username is missing"},
		{"no password", "auths: {a: {version: 3, username: u, security_level: authNoPriv}}", "password is missing"},
		{"bad protocol", "auths: {a: {version: 3, username: u, security_level: authNoPriv, password: p, auth_protocol: SHA1}}", "auth_protocol must be one of MD5, SHA"},
		{"bad filter", "modules: {m: {filters: [{oid: 1.1, values: ['(']}]}}", "filter on 1.1"},
		{"negative retries", "modules: {m: {retries: -1}}", "retries must not be negative"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("snmp.yml", []byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "snmp.yml") {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yml": "modules: {a: {walk: [1.3]}}", "b.yml": "modules: {b: {walk: [1.3]}}\ntargets: {allow: [10.0.0.0/8]}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load([]string{filepath.Join(dir, "*.yml")}, false)
	if err != nil || len(c.Modules) != 2 || len(c.Targets.Allow) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Load([]string{filepath.Join(dir, "*.yml"), filepath.Join(dir, "a.yml")}, false); err == nil || !strings.Contains(err.Error(), `module "a" is already defined`) {
		t.Errorf("twice: %v", err)
	}
	if _, err := Load([]string{filepath.Join(dir, "*.yaml")}, false); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("none: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	file := write(t, "snmp.yml", "auths: {a: {version: 2, community: '${TEST_COMMUNITY}'}}")
	if _, err := Load([]string{file}, true); err == nil || !strings.Contains(err.Error(), "TEST_COMMUNITY is not set") {
		t.Errorf("unset: %v", err)
	}
	t.Setenv("TEST_COMMUNITY", "secret")
	c, err := Load([]string{file}, true)
	if err != nil || c.Auths["a"].Community != "secret" {
		t.Errorf("set: %v", err)
	}
	if c, err = Load([]string{file}, false); err != nil || c.Auths["a"].Community != "${TEST_COMMUNITY}" {
		t.Errorf("not expanded: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("modules: {m: {metrics: [null]}}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Parse("f", raw)
		if err != nil {
			return
		}
		if _, err := c.Write(true); err != nil {
			t.Error(err)
		}
	})
}
