package corpus

import (
	"bytes"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/testdata"
	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/model"
	"github.com/inframind/inframind/log-classifier/token"
)

func TestCriticalTestIsOfOtherKinds(t *testing.T) {
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	test, err := CriticalTest()
	if err != nil {
		t.Fatal(err)
	}
	if len(test) < 300 {
		t.Errorf("%d test messages, want 300", len(test))
	}
	kinds, masked := map[string]bool{}, map[string]bool{}
	m := token.NewMasker()
	for _, r := range rows {
		kinds[strings.TrimPrefix(r.System, "corpus/")] = true
		masked[string(m.Mask(r.Message))] = true
	}
	for _, e := range test {
		if kinds[e.System] || masked[string(m.Mask(e.Message))] {
			t.Errorf("%s: %q is in the training corpus too", e.System, e.Message)
		}
	}
}

// TestShippedIsTheCorpus trains again and compares predictions: the embedded model is the
// one that the embedded corpus gives.
func TestShippedIsTheCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("trains the shipped model")
	}
	ship, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	a, b := model.NewPredictor(ship), model.NewPredictor(model.Train(rows, model.DefaultParams()))
	test, err := CriticalTest()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range test {
		x, y := a.Predict(e.Message), b.Predict(e.Message)
		if d := x.Confidence - y.Confidence; d > 0.01 || d < -0.01 {
			t.Fatalf("%q: shipped %.3f %s, trained %.3f %s: run go generate", e.Message, x.Confidence, x.Category, y.Confidence, y.Category)
		}
	}
}

func TestShippedMeetsItsBars(t *testing.T) {
	ship, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	test, err := CriticalTest()
	if err != nil {
		t.Fatal(err)
	}
	p := model.NewPredictor(ship)
	var c evaluate.Confusion
	for _, e := range test {
		c.Add(e.Category, p.Predict(e.Message).Remix(model.LoneMix()).Category, 1)
	}
	precision, recall, _ := c.Class(label.Critical)
	t.Logf("critical recall %.3f precision %.3f macro-F1 %.3f", recall, precision, c.Macro())
	if recall < 0.90 || precision < 0.60 {
		t.Errorf("critical recall %.3f, want 0.90; precision %.3f, want 0.60", recall, precision)
	}
}

// TestNoLineOfPublicLogs compares the corpus with recorded logs: none of its messages may be
// one of their templates.
func TestNoLineOfPublicLogs(t *testing.T) {
	systems, err := evaluate.LoadSystems(testdata.Dir(t, "logs"))
	if err != nil {
		t.Fatal(err)
	}
	m := token.NewMasker()
	words := func(s string) string {
		var out []string
		for _, w := range feature.Words(m.Mask(s)) {
			if w[0] != '<' {
				out = append(out, w)
			}
		}
		return strings.Join(out, " ")
	}
	public := map[string]string{}
	for _, r := range evaluate.TemplateRows(systems...) {
		if w := words(r.Message); strings.Count(w, " ") >= 3 {
			public[w] = r.System
		}
	}
	for _, part := range [][]byte{core, extra, wide} {
		examples, err := label.Read(bytes.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range examples {
			if s, ok := public[words(e.Message)]; ok {
				t.Errorf("%q is a line of %s", e.Message, s)
			}
		}
	}
}
