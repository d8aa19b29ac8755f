package collect

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

var update = flag.Bool("update", false, "write the golden files")

// steady removes what changes from run to run.
var steady = regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?(probe_duration_seconds|collector_duration_seconds|ipmi_data_age_seconds|ipmi_bmc_clock_offset_seconds|ipmi_sel_latest_entry_timestamp_seconds|ipmi_session_packets|ipmi_session_retries).*\n`)

// TestGolden compares whole expositions and lints them.
func TestGolden(t *testing.T) {
	for _, name := range []string{"bmc-a", "bmc-b", "bmc-c"} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, Config{})
			text := mustProbe(t, d, ipmitest.Sim(t, filepath.Join("..", "testdata", name+".emu")))
			lint(t, text)
			got := steady.ReplaceAllString(text, "")
			golden := filepath.Join("testdata", name+".prom")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			wantText, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(wantText), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("run with -update and look at the difference:\n%s", diff)
			}
		})
	}
}

// TestEveryType has every unit and sensor type of the specification in valid series.
func TestEveryType(t *testing.T) {
	text := mustProbe(t, newDriver(t, Config{}), ipmitest.Sim(t, filepath.Join("..", "testdata", "bmc-d.emu")))
	lint(t, text)
	want(t, text, "probe_rejected_samples 0", `ipmi_sensors{result="read"} 232`, `ipmi_sensors{result="failed"} 0`)
	part := `{hw_id="20.0.af",hw_name="Fixed",hw_parent="system_board_1",hw_type="temperature",source="ipmi",limit_type="high.`
	want(t, text, "hw_temperature_limit_celsius"+part+`degraded"} 70`, "hw_temperature_limit_celsius"+part+`critical"} 80`)
}

func lint(t *testing.T, text string) {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	units := []string{
		"celsius", "rpm", "ratio", "volts", "amperes", "watts", "joules_total", "hertz", "pascals", "per_second", "seconds", "seconds_total", "bytes",
		"info", "status", "state", "on", "detected", "up", "success", "samples", "entries", "total", "overflow", "fault", "running", "expired", "passed",
		"sensors", "packets", "retries", "damaged", "reading", "limit",
	}
	for l := range strings.SplitSeq(text, "\n") {
		name, ok := strings.CutPrefix(l, "# TYPE ")
		if !ok {
			continue
		}
		name = strings.Fields(name)[0]
		if !slices.ContainsFunc(units, func(u string) bool {
			return strings.HasSuffix(name, "_"+u) || strings.HasSuffix(name, u) && name == "ipmi_"+u
		}) {
			t.Errorf("%s ends in no known unit", name)
		}
	}
}
