package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v2"
)

// TestCompatRulesFindSeries evaluates every compatibility rule, by promtool, over what the
// exporter really sends for the services of all vendors: a rule that finds nothing would
// name a metric or a label value that does not exist.
func TestCompatRulesFindSeries(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool in PATH (Debian package prometheus)")
	}
	rules, err := filepath.Abs("compat-idrac.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	type series struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	type sample struct {
		Labels string  `yaml:"labels"`
		Value  float64 `yaml:"value"`
	}
	type expr struct {
		Expr       string   `yaml:"expr"`
		EvalTime   string   `yaml:"eval_time"`
		ExpSamples []sample `yaml:"exp_samples"`
	}
	var inputs []series
	goldens, err := filepath.Glob("redfish/testdata/vendors/*.prom")
	if err != nil || len(goldens) < 10 {
		t.Fatalf("%d golden files, %v", len(goldens), err)
	}
	for _, file := range goldens {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		p := expfmt.NewTextParser(model.UTF8Validation)
		families, err := p.TextToMetricFamilies(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for name, fam := range families {
			for _, m := range fam.GetMetric() {
				labels := []string{`job="bmc"`, fmt.Sprintf("instance=%q", filepath.Base(file))}
				for _, l := range m.GetLabel() {
					labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
				}
				v := m.GetGauge().GetValue() + m.GetCounter().GetValue()
				inputs = append(inputs, series{name + "{" + strings.Join(labels, ",") + "}", fmt.Sprintf("%gx3", v)})
			}
		}
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Record string `yaml:"record"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	raw, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	var exprs []expr
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			exprs = append(exprs, expr{fmt.Sprintf("count(%s) >= bool 1", r.Record), "2m", []sample{{"{}", 1}}})
		}
	}
	if len(exprs) < 30 {
		t.Fatalf("%d rules", len(exprs))
	}
	out, err := yaml.Marshal(map[string]any{
		"rule_files": []string{rules},
		"tests":      []any{map[string]any{"interval": "1m", "input_series": inputs, "promql_expr_test": exprs}},
	})
	if err != nil {
		t.Fatal(err)
	}
	test := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(test, out, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(promtool, "test", "rules", test).CombinedOutput(); err != nil {
		t.Errorf("%v\n%.4000s", err, out)
	}
}
