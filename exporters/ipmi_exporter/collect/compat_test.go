package collect

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

// promtoolTest is a file for promtool test rules; JSON is YAML.
type promtoolTest struct {
	RuleFiles []string       `json:"rule_files"`
	Tests     []promtoolCase `json:"tests"`
}

type promtoolCase struct {
	Interval string           `json:"interval"`
	Series   []promtoolSeries `json:"input_series"`
	Exprs    []promtoolExpr   `json:"promql_expr_test"`
}

type promtoolSeries struct {
	Series string `json:"series"`
	Values string `json:"values"`
}

type promtoolExpr struct {
	Expr    string           `json:"expr"`
	Samples []promtoolSample `json:"exp_samples"`
}

type promtoolSample struct {
	Labels string  `json:"labels"`
	Value  float64 `json:"value"`
}

// samples calls each for every sample of an exposition, under the job and instance that
// Prometheus adds.
func samples(t *testing.T, text string, each func(name string, labels model.LabelSet, value float64)) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range families {
		for _, m := range f.Metric {
			labels := model.LabelSet{"job": "ipmi", "instance": "bmc1"}
			for _, l := range m.Label {
				labels[model.LabelName(l.GetName())] = model.LabelValue(l.GetValue())
			}
			each(name, labels, value(m))
		}
	}
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Counter != nil:
		return m.Counter.GetValue()
	}
	return m.Untyped.GetValue()
}

// TestCompatibilityRules feeds what we expose of a BMC to the compatibility rules and
// compares the result with what prometheus-community/ipmi_exporter 1.6.1 exposes of the same
// BMC (testdata/upstream-bmc-a.prom).
func TestCompatibilityRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian package prometheus)")
	}
	rules, err := filepath.Abs("../compat-ipmi.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	c := promtoolCase{Interval: "1m"}
	ours := mustProbe(t, newDriver(t, Config{}), ipmitest.Sim(t, "../testdata/bmc-a.emu"))
	samples(t, ours, func(name string, labels model.LabelSet, v float64) {
		labels[model.MetricNameLabel] = model.LabelValue(name)
		c.Series = append(c.Series, promtoolSeries{model.Metric(labels).String(), fmt.Sprintf("%.2f", v)}) // FreeIPMI rounds
	})
	theirs, err := os.ReadFile("testdata/upstream-bmc-a.prom")
	if err != nil {
		t.Fatal(err)
	}
	// Our judgement of some states, and a BMC without DCMI, which is no failure.
	differ := map[string]float64{"Intrusion": 1, "PSU Redundancy": 1}
	want := map[string][]promtoolSample{}
	samples(t, string(theirs), func(name string, labels model.LabelSet, v float64) {
		delete(labels, "id")
		if worst, ok := differ[string(labels["name"])]; ok && name == "ipmi_sensor_state" {
			v = worst
		}
		if kind, ok := labels["type"]; ok {
			labels["type"] = model.LabelValue(strings.ReplaceAll(strings.ToLower(string(kind)), " ", "_"))
		}
		if labels["collector"] == "dcmi" {
			v = 1
		}
		if math.IsNaN(v) || name == "ipmi_scrape_duration_seconds" || name == "ipmi_bmc_info" {
			return
		}
		want[name] = append(want[name], promtoolSample{labels.String(), v})
	})
	if len(want) < 14 {
		t.Errorf("only %d families to compare", len(want))
	}
	for name, exp := range want {
		if name == "ipmi_up" { // we have more collectors
			name = `ipmi_up{collector=~"bmc|chassis|dcmi|ipmi|sel"}`
		}
		c.Exprs = append(c.Exprs, promtoolExpr{"sum without (id) (" + name + ")", exp})
	}
	run(t, promtool, promtoolTest{RuleFiles: []string{rules}, Tests: []promtoolCase{c}})
}

func run(t *testing.T, promtool string, test promtoolTest) {
	t.Helper()
	raw, err := json.Marshal(test)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
