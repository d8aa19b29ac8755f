//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBadInput starts the all-in-one on what it cannot work with. Each case wants one line
// on stderr that names the thing and the remedy, the exit status, and every file as it was.
func TestBadInput(t *testing.T) {
	bin := binary(t, "inframind")
	occupied, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer occupied.Close()
	addr := occupied.Addr().String()

	edit := func(name, old, new string) func(t *testing.T, dir string) []string {
		return func(t *testing.T, dir string) []string {
			file := filepath.Join(dir, "config", name)
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(raw), old, new, 1)
			if changed == string(raw) {
				t.Fatalf("%s has no %q", name, old)
			}
			write(t, file, changed)
			return nil
		}
	}
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, dir string) (args []string)
		want  string // regular expression of the line, DIR stands for the data directory
		code  int
	}{
		{
			"unknown key in prometheus.yml", edit("prometheus.yml", "  scrape_interval:", "  scrape_intervall: 5s\n  scrape_interval:"),
			`DIR/config/prometheus.yml:4: unknown field "scrape_intervall" \(check its spelling and indentation\)`, 2,
		},
		{"broken YAML in prometheus.yml", edit("prometheus.yml", "rule_files:", "rule_files: ["), `DIR/config/prometheus.yml:\d+: .+`, 2},
		{
			"unknown key in alertmanager.yml", edit("alertmanager.yml", "  receiver: inframind", "  receivr: x\n  receiver: inframind"),
			`DIR/config/alertmanager.yml:4: unknown field "receivr" \(check its spelling and indentation\)`, 2,
		},
		{
			"unknown receiver in alertmanager.yml", edit("alertmanager.yml", "  receiver: inframind", "  receiver: nobody"),
			`DIR/config/alertmanager.yml: undefined receiver "nobody" used in route`, 2,
		},
		{"unknown key in inframind.yml", edit("inframind.yml", "logs:", "logz: {}\nlogs:"), `DIR/config/inframind.yml:\d+: unknown field "logz" \(check its spelling and indentation\)`, 2},
		{"wrong value in inframind.yml", edit("inframind.yml", "forecaster: {}", "forecaster: {history: 1d}"), `DIR/config/inframind.yml: forecaster: history: 1d is not between 7d and 400d`, 2},
		{"broken PromQL in a rule", func(t *testing.T, dir string) []string {
			write(t, filepath.Join(dir, "config/rules/own.yml"), "groups:\n  - name: own\n    rules:\n      - record: x\n        expr: sum(\n")
			return nil
		}, `DIR/config/rules/own.yml:5: .*parse error.*`, 2},
		{"config file is missing", func(_ *testing.T, dir string) []string {
			return []string{"--config.dir=" + filepath.Join(dir, "pushgateway.bin", "x")}
		}, `configuration: .*pushgateway.bin/x/prometheus.yml: not a directory`, 1},
		{
			"port in use", func(*testing.T, string) []string { return []string{"--web.listen-address=" + addr} },
			`address ` + regexp.QuoteMeta(addr) + ` is in use: stop the program that listens there, or choose another with --web.listen-address`, 1,
		},
		{"address that is none", func(*testing.T, string) []string { return []string{"--web.listen-address=nonsense"} }, `address "nonsense": .+ \(want host:port in --web.listen-address\)`, 2},
		{"data directory is a file", func(_ *testing.T, dir string) []string {
			return []string{"--data.dir=" + filepath.Join(dir, "pushgateway.bin")}
		}, `data directory DIR/pushgateway.bin is not writable for user id \d+: not a directory \(choose another with --data.dir\)`, 1},
		{"real data with --demo", func(*testing.T, string) []string { return []string{"--demo"} }, `data directory DIR holds real data: leave --demo out, or choose another with --data.dir`, 2},
		{"pushed metrics are damaged", func(t *testing.T, dir string) []string {
			write(t, filepath.Join(dir, "pushgateway.bin"), "garbage")
			return nil
		}, `pushed metrics DIR/pushgateway.bin are damaged: .+ \(move the file away to start without them\)`, 1},
		{"silences are damaged", func(t *testing.T, dir string) []string {
			write(t, filepath.Join(dir, "alertmanager/silences"), "garbage")
			return nil
		}, `alertmanager state DIR/alertmanager/silences is damaged: .+ \(move it away to start without it\)`, 1},
		{"TSDB block without meta.json", func(t *testing.T, dir string) []string {
			write(t, filepath.Join(dir, "tsdb/01KA6N9M8BTGSMZXJ1P6ZZZZZZ/index"), "x")
			return nil
		}, `TSDB block DIR/tsdb/01KA6N9M8BTGSMZXJ1P6ZZZZZZ is damaged: .+ \(nothing was deleted; move that directory away .+\)`, 1},
		{"TSDB block with a damaged index", func(t *testing.T, dir string) []string {
			block := filepath.Join(dir, "tsdb/01KA6N9M8BTGSMZXJ1P6ZZZZZZ")
			write(t, filepath.Join(block, "meta.json"), `{"ulid":"01KA6N9M8BTGSMZXJ1P6ZZZZZZ","minTime":1,"maxTime":2,"version":1}`)
			write(t, filepath.Join(block, "index"), "x")
			write(t, filepath.Join(block, "chunks/000001"), "x")
			return nil
		}, `TSDB block DIR/tsdb/01KA6N9M8BTGSMZXJ1P6ZZZZZZ is damaged: .+ \(nothing was deleted; move that directory away .+\)`, 1},
		{"alert database is damaged", spoilDatabases("alerts"), `.*DIR/alerts/\S+.*damaged.*`, 1},
		{"log database is damaged", spoilDatabases("logs"), `.*DIR/logs/\S+.*damaged.*`, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := usedDirectory(t, bin)
			args := []string{"run", "--data.dir=" + dir, "--web.listen-address=127.0.0.1:0"}
			for _, arg := range tc.spoil(t, dir) {
				name, _, _ := strings.Cut(arg, "=")
				args = slices.DeleteFunc(args, func(a string) bool { return strings.HasPrefix(a, name+"=") })
				args = append(args, arg)
			}
			before := snapshot(t, dir)
			code, _, stderr := run(t, 30*time.Second, bin, args...)
			lines := significant(stderr)
			want := regexp.MustCompile("^inframind: " + strings.ReplaceAll(tc.want, "DIR", regexp.QuoteMeta(dir)) + "$")
			if code != tc.code || len(lines) != 1 || !want.MatchString(lines[0]) {
				t.Errorf("exit status %d, want %d; stderr:\n%s\nwant one line that matches %s", code, tc.code, stderr, want)
			}
			for name, content := range snapshot(t, dir) {
				if old, ok := before[name]; ok && old != content {
					t.Errorf("%s was changed", name)
				}
				delete(before, name)
			}
			for name := range before {
				t.Errorf("%s is gone", name)
			}
		})
	}
}

// usedDirectory is a data directory in which an inframind has run and ended.
func usedDirectory(t *testing.T, bin string) string {
	t.Helper()
	dir, app := t.TempDir(), filepath.Join(t.TempDir(), "app.log")
	write(t, app, "2026-03-01T10:00:00Z a line that is kept\n")
	write(t, filepath.Join(dir, "config/inframind.yml"), fmt.Sprintf("logs: {files: [%s], journal: false}\nforecaster: {}\n", app))
	p, base := startInfraMind(t, bin, dir)
	eventually(t, 20*time.Second, "a log line is stored", func() error {
		found, err := filepath.Glob(filepath.Join(dir, "logs/logs/*.db"))
		if err == nil && len(found) == 0 {
			err = errors.New("no database of log lines")
		}
		return err
	}, p)
	if _, err := request("POST", base+"/pushgateway/metrics/job/kept", "text/plain", "kept 1\n"); err != nil {
		t.Fatal(err)
	}
	if code := p.stop(t); code != 0 {
		t.Fatalf("exit status %d after SIGTERM:\n%s", code, p.out)
	}
	return dir
}

// spoilDatabases overwrites the middle of every database below name, which must have one.
func spoilDatabases(name string) func(t *testing.T, dir string) []string {
	return func(t *testing.T, dir string) []string {
		found := 0
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".db" {
				return err
			}
			found++
			return os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o644)
		})
		if err != nil || found == 0 {
			t.Fatalf("%d databases below %s, %v", found, name, err)
		}
		return nil
	}
}

// snapshot reads every file that holds data. Locks and the query journal change with each
// start, and a valid pushgateway.bin is written again at each end, in gob's random map order.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch name := filepath.Base(path); {
		case name == "lock", name == "queries.active", strings.HasSuffix(name, "-shm"), strings.HasSuffix(name, "-wal"), strings.Contains(path, "/self/"):
			return nil
		}
		raw, err := os.ReadFile(path)
		if out[path] = string(raw); strings.HasSuffix(path, "pushgateway.bin") && strings.Contains(out[path], "kept") {
			out[path] = "holds the push"
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// significant leaves away structured log lines: a case wants one plain line.
func significant(stderr string) []string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimSpace(stderr), "\n") {
		if !strings.HasPrefix(line, "time=") && line != "" {
			out = append(out, line)
		}
	}
	return out
}
