//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// row is one line of `inframind status --json`.
type row struct {
	Component, State, Value, Query, Link string
}

// startInfraMind starts the all-in-one on a free port and returns its base URL once it is ready.
func startInfraMind(t *testing.T, bin, dir string, args ...string) (*process, string) {
	t.Helper()
	base := fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	p := start(t, bin, append([]string{"run", "--data.dir=" + dir, "--web.listen-address=" + strings.TrimPrefix(base, "http://")}, args...)...)
	eventually(t, 30*time.Second, "inframind is ready", func() error { _, err := get(base + "/-/ready"); return err }, p)
	return p, base
}

// TestDemoOnce runs one whole cycle of everything, as a new user would.
func TestDemoOnce(t *testing.T) {
	bin := binary(t, "inframind")
	began := time.Now()
	code, stdout, stderr := run(t, 3*time.Minute, bin, "run", "--demo", "--once", "--data.dir="+t.TempDir(), "--web.listen-address=127.0.0.1:0")
	took := time.Since(began)
	if code != 0 {
		t.Fatalf("exit status %d\n%s\n%s", code, stdout, stderr)
	}
	for _, name := range []string{"targets up", "host metrics", "log lines stored", "forecasts made", "anomalies found", "logs labelled", "alerts firing", "alerts delivered"} {
		if !regexp.MustCompile(`(?m)^` + name + ` +ok +[1-9]`).MatchString(stdout) {
			t.Errorf("the table has no living row %q:\n%s", name, stdout)
		}
	}
	t.Log("\n" + stdout)
	bar(t, "demo: first whole cycle", took.Round(100*time.Millisecond).String(), "< 60 s", took < time.Minute)
}

// TestDemoBars measures a running demo: start, memory, links of the status table.
func TestDemoBars(t *testing.T) {
	bin, dir := binary(t, "inframind"), t.TempDir()
	p, base := startInfraMind(t, bin, dir, "--demo")
	cpu := cpuTime(t, p)
	var rows []row
	eventually(t, 2*time.Minute, "every row is alive", func() (err error) { rows, err = livingRows(t, bin, base); return err }, p)
	for _, r := range rows {
		if body, err := get(r.Link); err != nil || !strings.Contains(body, "<html") {
			t.Errorf("link of %s: %v", r.Component, err)
		}
	}
	for _, path := range []string{"/", "/alerts/", "/jobs/log-classifier/review", "/chart/logs.svg", "/prometheus/api/v1/rules", "/alertmanager/api/v2/alerts", "/pushgateway/", "/metrics", "/node/metrics", "/demo/metrics"} {
		if _, err := get(base + path); err != nil {
			t.Error(err)
		}
	}
	ready := readyAfter(t, p)
	bar(t, "demo: start to ready, first time", fmt.Sprintf("%s (%s of CPU)", ready, cpu), "< 2 s", ready < 2*time.Second)
	rss := residentMiB(t, p)
	bar(t, "demo: resident memory", fmt.Sprintf("%d MiB", rss), "< 400 MB", rss < 381)

	if code := p.stop(t); code != 0 {
		t.Errorf("exit status %d after SIGTERM", code)
	}
	again, _ := startInfraMind(t, bin, dir, "--demo")
	cpu = cpuTime(t, again)
	ready = readyAfter(t, again)
	bar(t, "demo: start to ready, with its data", fmt.Sprintf("%s (%s of CPU)", ready, cpu), "< 2 s", ready < 2*time.Second)
}

// livingRows asks for the status; it is an error if a row is not alive.
func livingRows(t *testing.T, bin, base string) (rows []row, err error) {
	t.Helper()
	code, stdout, stderr := run(t, time.Minute, bin, "status", "--json", "--url="+base)
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr)
	}
	for _, r := range rows {
		if r.State != "ok" || code != 0 {
			return nil, fmt.Errorf("%s is %s, exit status %d: %s", r.Component, r.State, code, stderr)
		}
	}
	return rows, nil
}

// readyAfter is what the process itself says it took.
func readyAfter(t *testing.T, p *process) time.Duration {
	t.Helper()
	var d time.Duration
	eventually(t, 10*time.Second, "the ready line", func() error {
		m := regexp.MustCompile(`msg=ready .*took=(\S+)`).FindStringSubmatch(p.out.String())
		if m == nil {
			return fmt.Errorf("not written")
		}
		var err error
		d, err = time.ParseDuration(m[1])
		return err
	}, p)
	return d
}

// cpuTime is what the process has used so far, in user and system mode.
func cpuTime(t *testing.T, p *process) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(raw), ") ") // the name before it may hold spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		t.Fatalf("stat of the process: %s", raw)
	}
	ticks := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func residentMiB(t *testing.T, p *process) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(raw)
	if m == nil {
		t.Fatal("no VmRSS")
	}
	kib, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib / 1024
}

// TestSecondInstance wants the second process to name the first and to leave it alone.
func TestSecondInstance(t *testing.T) {
	bin, dir := binary(t, "inframind"), t.TempDir()
	p, base := startInfraMind(t, bin, dir)
	code, _, stderr := run(t, 30*time.Second, bin, "run", "--data.dir="+dir, "--web.listen-address=127.0.0.1:0")
	want := fmt.Sprintf(`^inframind: data directory %s is held by another process \(pid %d on .*\): stop it or use another directory$`, regexp.QuoteMeta(dir), p.cmd.Process.Pid)
	if lines := significant(stderr); code != 1 || len(lines) != 1 || !regexp.MustCompile(want).MatchString(lines[0]) {
		t.Errorf("exit status %d, stderr:\n%s", code, stderr)
	}
	if _, err := get(base + "/-/ready"); err != nil {
		t.Error(err)
	}
}

// TestReload edits the files of a running process: a mistake changes nothing and is named,
// a good change is in force, by POST and by SIGHUP.
func TestReload(t *testing.T) {
	bin, dir := binary(t, "inframind"), t.TempDir()
	p, base := startInfraMind(t, bin, dir)
	file := filepath.Join(dir, "config/prometheus.yml")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	targets := func(job string) error {
		body, err := get(base + "/prometheus/api/v1/status/config")
		if err == nil && !strings.Contains(body, "job_name: "+job) {
			err = fmt.Errorf("no job %s", job)
		}
		return err
	}
	write(t, file, string(good)+"\n  - job_nam: mine\n")
	_, err = request("POST", base+"/-/reload", "", "")
	if want := file + `:\d+: unknown field "job_nam"`; err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
		t.Errorf("reload of a wrong file: %v, want %s", err, want)
	}
	if err := targets("node"); err != nil {
		t.Errorf("after a wrong file: %v", err)
	}
	write(t, file, string(good)+"\n  - job_name: mine\n    static_configs: [{targets: ['127.0.0.1:1']}]\n")
	if _, err := request("POST", base+"/-/reload", "", ""); err != nil {
		t.Fatal(err)
	}
	if err := targets("mine"); err != nil {
		t.Error(err)
	}
	write(t, file, string(good)+"\n  - job_name: yours\n    static_configs: [{targets: ['127.0.0.1:1']}]\n")
	p.signal(syscall.SIGHUP)
	eventually(t, 10*time.Second, "SIGHUP is obeyed", func() error { return targets("yours") }, p)

	// A channel in inframind.yml wakes the part that delivers.
	delivers := func() error {
		body, err := get(base + "/metrics")
		if err == nil && !strings.Contains(body, `inframind_component_state{component="alert-webhook",state="ok"} 1`) {
			err = fmt.Errorf("alert-webhook is not ok")
		}
		return err
	}
	if delivers() == nil {
		t.Error("alert-webhook delivers without a channel")
	}
	write(t, filepath.Join(dir, "config/inframind.yml"), "alert_webhook: {channels: [{name: chat, webhook: {url: 'http://127.0.0.1:1/'}}]}\n")
	if _, err := request("POST", base+"/-/reload", "", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the channel is in force", delivers, p)
}

// TestUnreachable asks for the status of nothing.
func TestUnreachable(t *testing.T) {
	url := fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	code, _, stderr := run(t, 30*time.Second, binary(t, "inframind"), "status", "--url="+url)
	want := `^inframind: cannot read the status from ` + url + `: .*connection refused.* \(is inframind running\? start it with: inframind run\)\n$`
	if code != 1 || !regexp.MustCompile(want).MatchString(stderr) {
		t.Errorf("exit status %d, stderr:\n%s", code, stderr)
	}
}
