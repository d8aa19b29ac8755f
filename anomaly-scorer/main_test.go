package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/inject"
)

// run runs the program as a shell would.
func run(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = app().Run(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

// watcher tells whether a file is there when the first is printed.
type watcher struct {
	path  string
	there bool
	wrote bool
}

func (w *watcher) Write(b []byte) (int, error) {
	if !w.wrote {
		_, err := os.Stat(w.path)
		w.there, w.wrote = err == nil, true
	}
	return len(b), nil
}

// TestFilesAreWholeBeforeTheSummary: a pipe into head ends the process while it prints.
func TestFilesAreWholeBeforeTheSummary(t *testing.T) {
	dir := t.TempDir()
	if err := inject.Office(dir, 500, 1); err != nil {
		t.Fatal(err)
	}
	out, errs := &watcher{path: filepath.Join(dir, "rows.csv")}, &bytes.Buffer{}
	if status := app().Run([]string{"run", "--once", "--zeek", dir, "--rows", out.path}, strings.NewReader(""), out, errs); status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	if !out.wrote || !out.there {
		t.Errorf("printed: %v, rows were there: %v", out.wrote, out.there)
	}
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	status, stdout, stderr := run(t, "", args...)
	if status != 0 {
		t.Fatalf("%s: status %d: %s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

func TestFilesInFilesOut(t *testing.T) {
	dir := t.TempDir()
	site, attacked := filepath.Join(dir, "site"), filepath.Join(dir, "attacked")
	if err := os.Mkdir(site, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := inject.Office(site, 5000, 1); err != nil {
		t.Fatal(err)
	}
	model, rows, findings := filepath.Join(dir, "m.iforest"), filepath.Join(dir, "rows.csv"), filepath.Join(dir, "findings.jsonl")
	mustRun(t, "inject", "--zeek", site, "--out", attacked, "--kinds", "vertical_scan,beacon,dns_tunnel")
	mustRun(t, "train", "--zeek", site, "--model", model)
	out := mustRun(t, "run", "--once", "--zeek", attacked, "--model", model, "--rows", rows, "--findings", findings)
	if !strings.Contains(out, "scan") || !strings.Contains(out, "SEVERITY") {
		t.Errorf("summary:\n%s", out)
	}
	f, err := os.Open(rows)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	recs, err := csv.NewReader(f).ReadAll()
	if err != nil || strings.Join(recs[0], ",") != "uid,ts,id.orig_h,id.resp_h,score,flagged" {
		t.Fatalf("header %v, %v", recs[0], err)
	}
	log, err := os.ReadFile(filepath.Join(attacked, "conn.log"))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for line := range strings.Lines(string(log)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		i++
		v := strings.Split(line, "\t")
		if r := recs[i]; r[0] != v[1] || r[1] != v[0] || r[2] != v[2] || r[3] != v[4] {
			t.Fatalf("row %d is %v, the log has %v", i, r, v)
		}
		if s, err := strconv.ParseFloat(recs[i][4], 64); err != nil || s < 0 || s > 1 || (s >= .5) != (recs[i][5] == "1") {
			t.Fatalf("row %d: %v", i, recs[i])
		}
	}
	if i != len(recs)-1 {
		t.Errorf("%d rows for %d connections", len(recs)-1, i)
	}
	raw, err := os.ReadFile(findings)
	if err != nil {
		t.Fatal(err)
	}
	var first detect.Finding
	if err := json.Unmarshal([]byte(strings.SplitN(string(raw), "\n", 2)[0]), &first); err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, "explain", "--findings", findings, first.ID); !strings.Contains(out, first.Title) || !strings.Contains(out, first.Reasons[0]) {
		t.Errorf("explain:\n%s", out)
	}
	if out := mustRun(t, "feedback", "--state.dir", dir, "--findings", findings, first.ID, "true"); !strings.Contains(out, "1 were right") {
		t.Errorf("feedback: %s", out)
	}
	labels := filepath.Join(attacked, "labels.csv")
	if out := mustRun(t, "evaluate", "--zeek", attacked, "--labels", labels, "--model", model); !strings.Contains(out, "vertical_scan") || !strings.Contains(out, "found 100.00 %") {
		t.Errorf("evaluate:\n%s", out)
	}
	page, table := filepath.Join(dir, "s.html"), filepath.Join(dir, "s.csv")
	if out := mustRun(t, "sweep", "--zeek", attacked, "--labels", labels, "--model", model, "--html", page, "--csv", table); !strings.Contains(out, "<- chosen") {
		t.Errorf("sweep:\n%s", out)
	}
	if raw, err := os.ReadFile(page); err != nil || !strings.Contains(string(raw), "<polyline") {
		t.Errorf("page: %v", err)
	}
	if raw, err := os.ReadFile(table); err != nil || strings.Count(string(raw), "\n") != 21 {
		t.Errorf("table: %v\n%s", err, raw)
	}
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	model, train, test := filepath.Join(dir, "m"), filepath.Join(dir, "train.csv"), filepath.Join(dir, "test.csv")
	var b strings.Builder
	rng := rand.New(rand.NewPCG(1, 1))
	b.WriteString("x,y\n")
	for range 500 {
		fmt.Fprintf(&b, "%g,%g\n", rng.NormFloat64(), rng.NormFloat64())
	}
	put(t, train, b.String())
	put(t, test, "x,y\n0,0\n9,9\n,0.1\n")
	for _, flags := range [][]string{{}, {"--standard"}, {"--split-features=2", "--scoring=density"}} {
		mustRun(t, append([]string{"table", "fit", "--model", model, train}, flags...)...)
		lines := strings.Fields(mustRun(t, "table", "score", "--model", model, test))
		if len(lines) != 3 {
			t.Fatalf("%v: %d lines for 3 rows", flags, len(lines))
		}
		usual, _ := strconv.ParseFloat(lines[0], 64)
		odd, _ := strconv.ParseFloat(lines[1], 64)
		if !(odd > usual+.15 && odd <= 1 && usual >= 0) {
			t.Errorf("%v: the centre scores %v, a distant point %v", flags, usual, odd)
		}
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What people get wrong ends with a message that says what to do, and the right status.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	text, words, ragged, numbers, model := filepath.Join(dir, "conn.log"), filepath.Join(dir, "w.csv"), filepath.Join(dir, "r.csv"), filepath.Join(dir, "n.csv"), filepath.Join(dir, "t.iforest")
	put(t, text, "Lorem ipsum\n")
	put(t, words, "a,b\n1,2\n3,four\n")
	put(t, ragged, "1,2\n3\n")
	put(t, numbers, "1,2,3\n4,5,6\n7,8,9\n")
	put(t, filepath.Join(dir, "one.csv"), "1,2,3\n")
	mustRun(t, "table", "fit", "--model", model, numbers)
	conf := filepath.Join(dir, "bad.yml")
	put(t, conf, "zeek:\n  dri: x\n")
	rows := filepath.Join(dir, "rows.csv")
	for _, tc := range []struct {
		status int
		want   string
		args   []string
	}{
		{1, "no connections found", []string{"run", "--once", "--zeek", empty, "--rows", rows}},
		{1, "no such file", []string{"run", "--once", "--zeek", dir + "/none", "--rows", rows}},
		{2, "does not exist", []string{"run", "--once", "--zeek", empty, "--model", dir + "/none", "--rows", rows}},
		{1, "other features", []string{"run", "--once", "--zeek", empty, "--model", model, "--rows", rows}},
		{1, "not a usable model file", []string{"run", "--once", "--zeek", empty, "--model", numbers, "--rows", rows}},
		{2, "nothing to read", []string{"run", "--once"}},
		{2, `unknown field "dri"`, []string{"run", "--once", "--config.file", conf}},
		{2, "no such file", []string{"check-config", "--config.file", dir + "/none.yml"}},
		{2, "--zeek is needed", []string{"train"}},
		{1, "too few connections", []string{"train", "--zeek", empty, "--model", dir + "/m"}},
		{1, `w.csv:3: column 2: "four" is not a number`, []string{"table", "fit", "--model", dir + "/m", words}},
		{1, "wrong number of fields", []string{"table", "fit", "--model", dir + "/m", ragged}},
		{1, "at least 2", []string{"table", "fit", "--model", dir + "/m", dir + "/one.csv"}},
		{1, "rows of 2 columns", []string{"table", "score", "--model", model, words[:len(words)-5] + "p.csv"}},
		{2, "unknown long flag", []string{"run", "--nonsense"}},
		{2, "want i/n", []string{"run", "--once", "--zeek", empty, "--state.dir", dir + "/s", "--shard", "3"}},
		{1, "no labels", []string{"evaluate", "--zeek", empty, "--labels", text}},
		{2, "another directory", []string{"inject", "--zeek", empty, "--out", empty}},
	} {
		put(t, filepath.Join(dir, "p.csv"), "1,2\n")
		status, _, stderr := run(t, "", tc.args...)
		if status != tc.status || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s:\n status %d, want %d\n said %q, want %q", strings.Join(tc.args, " "), status, tc.status, stderr, tc.want)
		}
	}
	site := filepath.Join(dir, "site")
	if err := os.Mkdir(site, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := inject.Office(site, 2000, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		if status, _, stderr := run(t, "", "run", "--once", "--zeek", site, "--rows", "/dev/full"); status != 1 || !strings.Contains(stderr, "no space left") {
			t.Errorf("a full disk: %d %q", status, stderr)
		}
	}
	if _, err := os.Stat(rows); err == nil {
		t.Error("a run that failed left a file of rows")
	}
	// A file that is no log is skipped with a warning; alone it is a mistake.
	status, _, stderr := run(t, "", "run", "--once", "--zeek", text, "--rows", rows)
	if status != 1 || !strings.Contains(stderr, "neither a Zeek TSV log nor JSON lines") || !strings.Contains(stderr, "no connections found") {
		t.Errorf("text: %d %q", status, stderr)
	}
	put(t, filepath.Join(site, "conn.text.log"), "Lorem ipsum\n")
	status, stdout, stderr := run(t, "", "run", "--once", "--zeek", site, "--rows", rows)
	if status != 0 || !strings.Contains(stdout, "1 malformed") || !strings.Contains(stderr, "conn.text.log") {
		t.Errorf("text among logs: %d %q %q", status, stdout, stderr)
	}
}
