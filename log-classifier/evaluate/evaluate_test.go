package evaluate

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/testdata"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/model"
)

func TestConfusion(t *testing.T) {
	var m Confusion
	m.Add(label.Critical, label.Critical, 3)
	m.Add(label.Critical, label.Warning, 1)
	m.Add(label.Warning, label.Warning, 4)
	m.Add(label.Noise, label.Critical, 1)
	p, r, f1 := m.Class(label.Critical)
	if p != 0.75 || r != 0.75 || f1 != 0.75 {
		t.Errorf("critical %v %v %v", p, r, f1)
	}
	if _, _, f1 := m.Class(label.Informational); !math.IsNaN(f1) {
		t.Errorf("a category that does not occur has F1 %v", f1)
	}
	if want := (0.75 + 8.0/9 + 0) / 3; math.Abs(m.Macro()-want) > 1e-12 {
		t.Errorf("macro %v, want %v", m.Macro(), want)
	}
	if p, r, _ := m.Alarm(); r != 1 || math.Abs(p-8.0/9) > 1e-12 {
		t.Errorf("alarm %v %v", p, r)
	}
}

func TestECE(t *testing.T) {
	var r Reliability
	for i := range 10 {
		r.Add(0.75, i < 5, 1)
	}
	if got := r.ECE(); math.Abs(got-0.25) > 1e-12 {
		t.Errorf("ECE %v, want 0.25", got)
	}
	if (&Reliability{}).ECE() != 0 {
		t.Error("ECE of nothing")
	}
}

func TestGroupingAccuracy(t *testing.T) {
	truth := []string{"a", "a", "b", "b", "c", "c"}
	for want, got := range map[float64][]string{
		1:         {"1", "1", "2", "2", "3", "3"},
		2.0 / 6.0: {"1", "1", "2", "2", "2", "2"}, // b and c joined
		4.0 / 6.0: {"1", "1", "2", "2", "3", "4"}, // c split
	} {
		if ga := GroupingAccuracy(truth, got); math.Abs(ga-want) > 1e-12 {
			t.Errorf("%v: %v, want %v", got, ga, want)
		}
	}
}

// TestTemplatesOfOpenSystems holds the bar of the template mining.
func TestTemplatesOfOpenSystems(t *testing.T) {
	systems, err := LoadSystems(testdata.Dir(t, "logs"))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, g := range Group(systems) {
		t.Logf("%s %.3f, with ids as given out %.3f, %d templates of %d", g.System, g.Accuracy, g.AtOnce, g.Found, g.True)
		sum += g.Accuracy / float64(len(systems))
	}
	if sum < 0.97 {
		t.Errorf("mean grouping accuracy %.3f, want 0.97", sum)
	}
}

// writer returns a function that writes files below dir.
func writer(t *testing.T, dir string) func(path, text string) {
	return func(path, text string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// fixture writes two small labelled systems.
func fixture(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := writer(t, dir)
	for _, s := range []string{"A", "B"} {
		write("labels/"+s+".csv", "EventId,label\nE1,critical\nE2,warning\nE3,informational\nE4,noise\nE5,noise\n")
		write("loghub/"+s+"/"+s+"_2k.log_structured.csv", "EventId,Content\nE1,kernel panic on "+s+"\nE2,request timeout 12\nE2,request timeout 13\nE3,service "+s+" started\nE4,cache size 4\nE5,tick 1\n")
	}
	return dir
}

// TestServices: they come from the log as it was written, and else from the table.
func TestServices(t *testing.T) {
	dir := t.TempDir()
	write := writer(t, dir)
	write("labels/A.csv", "EventId,label\nE1,noise\n")
	write("loghub/A/A_2k.log_structured.csv", "EventId,Content,Component\nE1,tick 1,x\nE1,tick 2,y\n")
	for raw, want := range map[string]string{
		"": "x y", "one line only\n": "x y",
		"Nov 21 10:22:01 h web[1]: tick 1\r\nNov 21 10:22:01 h db: tick 2\r\n": "web db",
	} {
		if raw != "" {
			write("loghub/A/A_2k.log", raw)
		} else if err := os.RemoveAll(filepath.Join(dir, "loghub/A/A_2k.log")); err != nil {
			t.Fatal(err)
		}
		systems, err := LoadSystems(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(systems[0].Services, " "); got != want {
			t.Errorf("log %q: services %q, want %q", raw, got, want)
		}
	}
}

func TestSuite(t *testing.T) {
	dir := fixture(t)
	writer(t, dir)("loghub/A/A_2k.log", strings.Repeat("a line\n", 6))
	systems, err := LoadSystems(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := model.DefaultParams()
	p.Calibration, p.MinDF = 0, 1
	steps := 0
	rep, err := Suite{
		Systems: systems, Params: p, Tests: []label.Test{{Name: "own", Examples: []label.Example{{Category: label.Critical, Message: "kernel panic"}}}},
		Pipe:     func(raw []string) ([]model.Prediction, error) { return make([]model.Prediction, len(raw)), nil },
		Programs: []label.Example{{Category: label.Noise, System: "one", Message: "tick"}, {Category: label.Noise, System: "two", Message: "tock"}},
		Progress: func(int, int) { steps++ },
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if steps != 4 {
		t.Errorf("%d steps of progress, want 4", steps)
	}
	for _, r := range rep.Results {
		if r.Name == resLOSO && (r.Lines.Total() != 12 || r.Templates.Macro() < 0.9) {
			t.Errorf("%s: %v lines, macro-F1 %v over templates that both systems have", r.Name, r.Lines.Total(), r.Templates.Macro())
		}
		if r.Name == resPipe && r.Lines.Total() != 6 {
			t.Errorf("%s: %v lines, one system has a log of 6", r.Name, r.Lines.Total())
		}
		if r.Name == resPrograms && r.Templates.Total() != 2 {
			t.Errorf("%v messages of programs were scored, want 2", r.Templates.Total())
		}
		if r.Name == budgetName(10) && r.Templates.Macro() != 1 {
			t.Errorf("every template is labelled, yet macro-F1 is %v", r.Templates.Macro())
		}
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text": func(b *bytes.Buffer) error { return rep.WriteText(b) },
		"csv":  func(b *bytes.Buffer) error { return rep.WriteCSV(b) },
		"html": func(b *bytes.Buffer) error { return rep.WriteHTML(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil || !strings.Contains(b.String(), "leave one kind out") {
			t.Errorf("%s: %v\n%s", name, err, b.String())
		}
	}
}

func TestLoadSystemsSaysWhatIsWrong(t *testing.T) {
	dir := fixture(t)
	if err := os.WriteFile(filepath.Join(dir, "labels", "A.csv"), []byte("EventId,label\nE1,urgent\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSystems(dir); err == nil || !strings.Contains(err.Error(), `category "urgent": want one of critical`) {
		t.Errorf("unknown class: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "labels", "A.csv"), []byte("EventId,label\nE1,noise\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSystems(dir); err == nil || !strings.Contains(err.Error(), "event E2 has no label") {
		t.Errorf("missing label: %v", err)
	}
	if _, err := LoadSystems(t.TempDir()); err == nil {
		t.Error("empty folder: no error")
	}
}

// TestGroupsOfImitatedPrograms holds what is reached on the logs of programs whose authors did
// not know the miner.
func TestGroupsOfImitatedPrograms(t *testing.T) {
	programs, err := Imitated(2000, 1)
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for _, g := range Group(programs) {
		mean += g.Accuracy / float64(len(programs))
		t.Logf("%-16s %.3f, %d templates of %d", g.System, g.Accuracy, g.Found, g.True)
	}
	t.Logf("mean %.3f", mean)
	if mean < 0.74 {
		t.Errorf("mean grouping accuracy %.3f, want 0.74", mean)
	}
}
