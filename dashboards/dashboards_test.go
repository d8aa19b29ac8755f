package dashboards

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	for _, d := range All() {
		want, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Files.ReadFile("json/" + d.UID + ".json")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: json/%s.json is not what the code makes (%v): run make generate", d.Title, d.UID, err)
		}
	}
}

func TestPanels(t *testing.T) {
	p := parser.NewParser(parser.Options{})
	for _, d := range All() {
		taken := map[GridPos]string{}
		for _, panel := range d.Panels {
			if panel.GridPos.X+panel.GridPos.W > 24 {
				t.Errorf("%s: %s leaves the grid", d.Title, panel.Title)
			}
			at := GridPos{X: panel.GridPos.X, Y: panel.GridPos.Y}
			if other, ok := taken[at]; ok {
				t.Errorf("%s: %s lies on %s", d.Title, panel.Title, other)
			}
			taken[at] = panel.Title
			if panel.Description == "" || len(panel.Targets) == 0 {
				t.Errorf("%s: %s has no description or no query", d.Title, panel.Title)
			}
		}
		for _, panel := range d.Panels {
			for _, e := range panel.Queries() {
				if _, err := p.ParseExpr(e); err != nil {
					t.Errorf("%s: %s: %s: %v", d.Title, panel.Title, e, err)
				}
			}
		}
	}
}

// TestDevicesNamesExist: the demo has no BMCs, so that an end-to-end test cannot see that a
// name is wrong. Recorded answers of the exporters can.
func TestDevicesNamesExist(t *testing.T) {
	known := recorded(t, "../exporters/*/*/testdata/*.prom", "../exporters/*/*/testdata/*/*.prom")
	for _, name := range []string{ // made by the frame, or on /metrics
		"redfish_up", "ipmi_up", "snmp_up", "probe_duration_seconds", "probe_failure_info", "collector_failure_info",
		"redfish_exporter_log_entries_total",
	} {
		known[name] = true
	}
	p := parser.NewParser(parser.Options{})
	for _, panel := range Hardware().Panels {
		for _, q := range panel.Queries() {
			expr, err := p.ParseExpr(q)
			if err != nil {
				t.Fatal(err)
			}
			parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
				if v, ok := n.(*parser.VectorSelector); ok && v.Name != "" && !known[v.Name] {
					t.Errorf("%s: no exporter gives %s", panel.Title, v.Name)
				}
				return nil
			})
		}
	}
}

// recorded returns the metric names in the expositions that the patterns match.
func recorded(t *testing.T, patterns ...string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no file (%v)", pattern, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(raw)) {
				names[line[:strings.IndexAny(line+" ", "{ ")]] = true
			}
		}
	}
	return names
}
