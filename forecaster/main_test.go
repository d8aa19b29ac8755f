package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/cli"
)

// run starts the binary's commands as main does.
func run(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	a := cli.New("forecaster", "")
	addCommands(a)
	var out, errs bytes.Buffer
	status = a.Run(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

// month is 30 days of an hourly series, and a series of NaN.
func month() string {
	var b strings.Builder
	b.WriteString("series,timestamp,value\n")
	for i := range 720 {
		fmt.Fprintf(&b, "web,%d,%.4f\n", 1772323200+3600*i, 10+3*math.Sin(2*math.Pi*float64(i)/24)+0.1*float64(i*7919%13))
	}
	b.WriteString("dead,1772323200,NaN\n")
	return b.String()
}

func TestPredict(t *testing.T) {
	status, out, errs := run(t, month(), "predict", "--step", "1h", "--horizon", "2", "--levels", "80,95", "-")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != 0 || len(lines) != 3 || lines[0] != "series,timestamp,median,lower80,upper80,lower95,upper95" || !strings.HasPrefix(lines[1], "web,1774915200,") {
		t.Fatalf("status %d\n%s\n%s", status, out, errs)
	}
	if !strings.Contains(errs, "series=dead") || !strings.Contains(errs, "all values are NaN or infinite") {
		t.Errorf("the dead series is not reported: %s", errs)
	}
	for _, tc := range []struct {
		name   string
		in     string
		args   []string
		status int
		want   string
	}{
		{"strict", month(), []string{"predict", "--strict", "-"}, 1, "1 of 2 series could not be forecast"},
		{"nothing at all", "series,timestamp,value\na,1,NaN\n", []string{"predict", "-"}, 1, "1 of 1 series could not be forecast"},
		{"no file at all", "", []string{"predict", "-"}, 1, "the file is empty: want a header and the columns series,timestamp,value"},
		{"no data", "series,timestamp,value\n", []string{"predict", "-"}, 1, "no data: nothing follows the header"},
		{"no number", "series,timestamp,value\na,1,x\n", []string{"predict", "-"}, 1, `line 2: value "x" is not a number`},
		{"no time", "series,timestamp,value\na,now,1\n", []string{"predict", "-"}, 1, `line 2: timestamp "now": want Unix seconds or RFC 3339`},
		{"a short line", "series,timestamp,value\na,1\n", []string{"predict", "-"}, 1, "line 2: wrong number of fields"},
		{"one point", "series,timestamp,value\na,1,5\n", []string{"predict", "-"}, 1, "history is too short: 1 points, needs 2"},
		{"no such model", month(), []string{"predict", "--model", "oracle", "-"}, 2, `no model "oracle"`},
		{"levels", month(), []string{"predict", "--levels", "80,200", "-"}, 2, "want percentages between 0 and 100"},
		{"no such file", "", []string{"predict", "/does/not/exist.csv"}, 2, "no such file"},
		{"not our CSV", "a,b\n1,2\n", []string{"predict", "-"}, 1, `no column "series"`},
	} {
		if status, _, errs := run(t, tc.in, tc.args...); status != tc.status || !strings.Contains(errs, tc.want) {
			t.Errorf("%s: status %d, %s; want %d, %s", tc.name, status, errs, tc.status, tc.want)
		}
	}
}

// TestPredictPoorInput has what can be forecast all the same, and what is said of it.
func TestPredictPoorInput(t *testing.T) {
	lines := func(n int, step int, value func(i int) string) string {
		var b strings.Builder
		b.WriteString("series,timestamp,value\n")
		for i := range n {
			fmt.Fprintf(&b, "a,%d,%s\n", i*step, value(i))
		}
		return b.String()
	}
	five := func(int) string { return "5" }
	for _, tc := range []struct {
		name, in, first, said string
	}{
		{"two points", lines(2, 3600, func(i int) string { return fmt.Sprint(i + 1) }), "a,7200,3,", "history of 2h0m0s is too short for a backtest"},
		{"constant", lines(720, 3600, five), "a,2592000,5,5,5,5,5", ""},
		{"negative constant", lines(720, 3600, func(int) string { return "-5" }), "a,2592000,-5,-5,-5,-5,-5", ""},
		{"a step larger than any season", lines(60, 14*86400, five), "a,72576000,5,5,5,5,5", "too short for a backtest"},
		{"NaN and infinite", lines(6, 3600, func(i int) string { return []string{"1", "NaN", "Inf", "-Inf", "", "6"}[i] }), "a,21600,7,", "not finite: 4 (left out); gap: 1 (4 points"},
		{"duplicates", "series,timestamp,value\na,0,1\na,0,9\na,3600,2\n", "a,7200,3,", "duplicate: 1 (first kept)"},
		{"both kinds of timestamps", "series,timestamp,value\na,0,1\na,1970-01-01T01:00:00Z,2\n", "a,7200,3,", ""},
		{"columns of others", "value,x,timestamp,series\n1,y,0,a\n2,y,3600,a\n", "a,7200,3,", ""},
	} {
		status, out, errs := run(t, tc.in, "predict", "--horizon", "1", "-")
		if _, rest, _ := strings.Cut(out, "\n"); status != 0 || !strings.HasPrefix(rest, tc.first) || !strings.Contains(errs, tc.said) {
			t.Errorf("%s: status %d\n%s%s\nwant %s, %s", tc.name, status, out, errs, tc.first, tc.said)
		}
	}
}

func TestEveryModelPredicts(t *testing.T) {
	for _, m := range []string{"ensemble", "profile-ar", "theta", "ets", "mstl", "decomposable", "naive-daily", "naive-weekly", "drift"} {
		if status, out, errs := run(t, month(), "predict", "--horizon", "24", "--model", m, "-"); status != 0 || strings.Count(out, "\n") != 25 {
			t.Errorf("%s: status %d, %d lines: %s", m, status, strings.Count(out, "\n"), errs)
		}
	}
}

func TestPredictWithEvents(t *testing.T) {
	events := filepath.Join(t.TempDir(), "events.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(events, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("name,from,to\nbatch,2026-03-05T00:00:00Z,2026-03-05T06:00:00Z\n")
	if status, _, errs := run(t, month(), "predict", "--model", "decomposable", "--events", events, "-"); status != 0 {
		t.Error(errs)
	}
	write("name,from,to\nbatch,2026-03-05T00:00:00Z,2026-03-04T06:00:00Z\n")
	if status, _, errs := run(t, month(), "predict", "--events", events, "-"); status != 1 || !strings.Contains(errs, "events.csv:2: batch ends before it begins") {
		t.Errorf("status %d, %s", status, errs)
	}
}

func TestBacktestAndReport(t *testing.T) {
	html := filepath.Join(t.TempDir(), "report.html")
	status, out, errs := run(t, month(), "backtest", "--html", html, "-")
	if status != 0 || !strings.Contains(out, "MAPE") || !strings.Contains(out, "dead: failed: all values are NaN") {
		t.Fatalf("status %d\n%s\n%s", status, out, errs)
	}
	page, err := os.ReadFile(html)
	if err != nil || !bytes.Contains(page, []byte("<svg")) || bytes.Contains(page, []byte("<script")) {
		t.Errorf("no self-contained report: %v, %d bytes", err, len(page))
	}
	if status, out, _ := run(t, month(), "backtest", "--csv", "-"); status != 0 || !strings.HasPrefix(out, "series,origins,points,mape_ratio") {
		t.Errorf("status %d\n%s", status, out)
	}
}

func TestReportEscapesNames(t *testing.T) {
	html := filepath.Join(t.TempDir(), "report.html")
	in := strings.ReplaceAll(month(), "web,", "<script>alert(1)</script>,")
	if status, _, errs := run(t, in, "backtest", "--html", html, "-"); status != 0 {
		t.Fatal(errs)
	}
	if page, err := os.ReadFile(html); err != nil || bytes.Contains(page, []byte("<script>alert")) {
		t.Errorf("a name became markup: %v", err)
	}
}

func TestExplain(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.csv")
	svg := filepath.Join(t.TempDir(), "out.svg")
	if err := os.WriteFile(in, []byte(month()), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := run(t, "", "explain", "--file", in, "--svg", svg, "web")
	for _, want := range []string{"720 points of 1h0m0s", "model ", "backtest ", "trend      does not grow", "daily ", "forecast   in 7d", "o"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Fatalf("status %d, no %q\n%s\n%s", status, want, out, errs)
		}
	}
	if raw, err := os.ReadFile(svg); err != nil || !bytes.Contains(raw, []byte("<svg")) {
		t.Errorf("no picture: %v", err)
	}
}

func TestReview(t *testing.T) {
	dir := t.TempDir()
	log := "time,data_from,data_to,rows,hyperparameters,metrics,model,hash,promoted,reason\n" +
		"2026-10-05T00:00:00Z,,,1,target=cpu,mape=0.1 series=5,,,true,\n" +
		"2026-11-05T00:00:00Z,,,1,target=cpu,mape=0.08 series=5,,,true,\n" +
		"2026-11-06T00:00:00Z,,,1,target=cpu,mape=0.06 series=5,,,true,\n"
	if err := os.WriteFile(filepath.Join(dir, "training_log.csv"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errs := run(t, "", "review", "--month", "2026-11", "--state.dir", dir)
	if status != 0 || !strings.Contains(out, "cpu     mape        0.1      0.07     -0.03") {
		t.Errorf("status %d\n%s\n%s", status, out, errs)
	}
	if status, _, errs := run(t, "", "review", "--state.dir", t.TempDir()); status != 1 || !strings.Contains(errs, "run the forecaster first") {
		t.Errorf("status %d, %s", status, errs)
	}
}

func TestSteps(t *testing.T) {
	for in, want := range map[string]int{"48": 48, "7d": 168, "0": 0, "x": 0, "-3": 0} {
		if got, err := steps(in, time.Hour); got != want || (err == nil) != (want > 0) {
			if want > 0 || err == nil {
				t.Errorf("%s: got %d, %v; want %d", in, got, err, want)
			}
		}
	}
}
