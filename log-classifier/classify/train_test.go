package classify

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/logline"
)

func TestTrainPromotesAndRollsBack(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	dir := t.TempDir()
	var own []label.Example
	for i := range 30 {
		own = append(own, label.Example{Category: label.Warning, System: "site", Message: fmt.Sprintf("flux gauge %s drifts", strings.Repeat("a", i+1))})
	}
	rep, err := Train(dir, own, "")
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Promoted || rep.Own != 30 || len(rep.Warnings) != 3 {
		t.Errorf("%+v", rep)
	}
	m, err := LoadModel("", dir)
	if err != nil || m.Name != rep.Model {
		t.Fatalf("in service: %v %v, want %s", m, err, rep.Model)
	}
	l, err := OpenLabeler(m, dir)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := l.Label(&logline.Line{Message: "flux gauge zzz drifts"}, ""); v.Category != label.Warning {
		t.Errorf("the site's own kind is %s", v.Category)
	}
	f, err := os.Open(filepath.Join(dir, "training_log.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if rows, err := csv.NewReader(f).ReadAll(); err != nil || len(rows) != 2 {
		t.Errorf("training log %v %v", rows, err)
	}
	if versions, err := Versions(dir); err != nil || len(versions) != 1 || versions[0] != rep.Model {
		t.Errorf("versions %v %v", versions, err)
	}
	if err := Rollback(dir, "shipped"); err != nil {
		t.Fatal(err)
	}
	if m, err := LoadModel("", dir); err != nil || m.Name != "shipped" {
		t.Errorf("after rollback %v %v", m, err)
	}
	if err := Rollback(dir, "../x"); err == nil {
		t.Error("a path is no version")
	}
	if err := Rollback(dir, rep.Model); err != nil {
		t.Error(err)
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	write := func(t *testing.T, dir, name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ file, text, want string }{
		{"state.json", "{", "state.json is damaged"},
		{"state.json", `{"form":9}`, "has form 9"},
		{"state.json", `{"form":1,"confidence":[]}`, "is damaged"},
		{"state.json", `{"form":1,"mined":{"templates":[{"id":"a","key":"x y","shown":["x"]}]}}`, "saved templates are damaged"},
		{"models/current.model", "IMLC", "not a usable model file"},
		{"models/current.model", "IMLC\x07aaaaaaaa", "form 7, this program reads form 4"},
		{"labels.csv", "a,b\n", "want \"label,system"},
		{"labels.csv", strings.Join(labelHeader, ",") + "\nurgent,s,m,,,2026-11-21T00:00:00Z,x\n", `category "urgent"`},
	} {
		dir := t.TempDir()
		write(t, dir, tc.file, tc.text)
		_, err := New(Config{}, Options{Store: openStore(t), StateDir: dir})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s with %.40q: %v, want %q", tc.file, tc.text, err, tc.want)
		}
	}
}

// TestTrainReplacesAnUnusableModel: the remedy that the error names works.
func TestTrainReplacesAnUnusableModel(t *testing.T) {
	if testing.Short() {
		t.Skip("trains; it runs without -short")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "models", "current.model")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("IMLC\x03aaaaaaaa"), 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := Train(dir, nil, "")
	if err != nil || !rep.Promoted || !strings.Contains(strings.Join(rep.Warnings, "\n"), "form 3") {
		t.Fatalf("%v %+v", err, rep)
	}
	if m, err := LoadModel("", dir); err != nil || m.Name != rep.Model {
		t.Errorf("in service: %v %v, want %s", m, err, rep.Model)
	}
}

func TestDrift(t *testing.T) {
	var list []Reviewed
	add := func(c, predicted label.Category, n int, age time.Duration) {
		for range n {
			list = append(list, Reviewed{Example: label.Example{Category: c}, Predicted: predicted.String(), Time: now.Add(-age)})
		}
	}
	add(label.Warning, label.Warning, 20, time.Hour)
	add(label.Noise, label.Noise, 20, time.Hour)
	if d := drift(list, 0.05, now); d.due || d.f1 != 1 || d.lines != 40 || d.baseline != 0 {
		t.Errorf("first week: %+v", d)
	}
	add(label.Noise, label.Noise, 100, 8*24*time.Hour)
	add(label.Noise, label.Warning, 20, time.Hour)
	if d := drift(list, 0.05, now); !d.due || math.Abs(d.f1-2.0/3) > 1e-9 || d.baseline != 1 {
		t.Errorf("bad week: %+v", d)
	}
	if ratio, n := Agreement(list); n != 160 || ratio != 0.875 {
		t.Errorf("agreement %v of %d", ratio, n)
	}
}

// TestDriftTrainsAnew: labels of the last week that contradict the model make a run train,
// once a week at most.
func TestDriftTrainsAnew(t *testing.T) {
	if testing.Short() {
		t.Skip("trains twice")
	}
	dir := t.TempDir()
	var list []Reviewed
	for i := range 2 * driftLines {
		age, said := 8*24*time.Hour, "warning"
		if i%2 == 0 {
			age, said = time.Hour, "noise"
		}
		list = append(list, Reviewed{label.Example{Category: label.Warning, System: "site", Message: "flux gauge drifts"}, "", said, now.Add(-age), "alice"})
	}
	if err := AppendReviewed(dir, list...); err != nil {
		t.Fatal(err)
	}
	e := engine(t, openStore(t), dir, job.Shard{})
	for range 2 {
		if _, err := e.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	versions, err := Versions(dir)
	if err != nil || len(versions) != 1 || e.model.Name != versions[0] {
		t.Errorf("versions %v, in service %s, %v", versions, e.model.Name, err)
	}
}
