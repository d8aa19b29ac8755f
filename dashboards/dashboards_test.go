package dashboards

import (
	"bytes"
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
		for title, exprs := range d.Queries() {
			for _, e := range exprs {
				if _, err := p.ParseExpr(e); err != nil {
					t.Errorf("%s: %s: %s: %v", d.Title, title, e, err)
				}
			}
		}
	}
}
