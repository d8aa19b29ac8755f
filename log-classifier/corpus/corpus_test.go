package corpus

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/inframind/inframind/internal/testdata"
	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/model"
	"github.com/inframind/inframind/log-classifier/token"
)

func TestTestsAreOfOtherKinds(t *testing.T) {
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	first, further := tests(t)
	if len(first) < 300 || len(further) < 150 {
		t.Errorf("%d and %d test messages, want 300 and 150", len(first), len(further))
	}
	kinds, masked := map[string]bool{}, map[string]bool{}
	m := token.NewMasker()
	for _, r := range rows {
		kinds[strings.TrimPrefix(r.System, "corpus/")] = true
		masked[string(m.Mask(r.Message))] = true
	}
	programs, err := TestPrograms()
	if err != nil {
		t.Fatal(err)
	}
	if len(programs) < 800 {
		t.Errorf("%d messages of test programs, want 800", len(programs))
	}
	for _, e := range slices.Concat(first, further, programs) {
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
	_, further := tests(t)
	for _, e := range further {
		x, y := a.Predict(e.Message), b.Predict(e.Message)
		if d := x.Confidence - y.Confidence; d > 0.01 || d < -0.01 {
			t.Fatalf("%q: shipped %.3f %s, trained %.3f %s: run go generate", e.Message, x.Confidence, x.Category, y.Confidence, y.Category)
		}
	}
}

// tests returns the project's two tests.
func tests(t *testing.T) (first, further []label.Example) {
	t.Helper()
	all, err := Tests()
	if err != nil {
		t.Fatal(err)
	}
	return all[0].Examples, all[1].Examples
}

func TestShippedMeetsItsBars(t *testing.T) {
	ship, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	all, err := Tests()
	if err != nil {
		t.Fatal(err)
	}
	p := model.NewPredictor(ship)
	for _, test := range all {
		var c evaluate.Confusion
		for _, e := range test.Examples {
			c.Add(e.Category, p.Predict(e.Message).Remix(model.LoneMix()).Category, 1)
		}
		precision, recall, _ := c.Class(label.Critical)
		t.Logf("%s: critical recall %.3f precision %.3f macro-F1 %.3f", test.Name, recall, precision, c.Macro())
		if recall < 0.90 || precision < 0.60 {
			t.Errorf("%s: critical recall %.3f, want 0.90; precision %.3f, want 0.60", test.Name, recall, precision)
		}
	}
}

// TestLevelsSayWhatTheyDo counts the levels of the programs in the corpus and compares what
// follows, by the rule that stands beside the model's table, with what the model makes of an
// even prediction.
func TestLevelsSayWhatTheyDo(t *testing.T) {
	r := csv.NewReader(bytes.NewReader(programs))
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"trace": "DEBUG", "debug": "DEBUG", "info": "INFO", "notice": "INFO", "warn": "WARN", "error": "ERROR", "fatal": "FATAL"}
	count, total := map[string]*[label.Count]float64{}, [label.Count]float64{}
	for _, rec := range records[1:] {
		c, err := label.Parse(rec[0])
		if err != nil {
			t.Fatal(err)
		}
		level := names[rec[2]]
		if level == "" {
			continue
		}
		if count[level] == nil {
			count[level] = new([label.Count]float64)
		}
		count[level][c]++
		total[c]++
	}
	for level, n := range count {
		var p, want [label.Count]float64
		mean, sum := 0.0, 0.0
		for c := range p {
			p[c] = (n[c] + 1) / (total[c] + float64(len(count)))
			mean += p[c] / label.Count
		}
		for c := range want {
			want[c] = math.Sqrt(0.8*p[c] + 0.2*mean)
			sum += want[c]
		}
		even := model.Prediction{Probability: [label.Count]float64{0.25, 0.25, 0.25, 0.25}}
		got := model.LearnSite(nil).Predict(even, model.EvidenceOf(level, ""), "").Probability
		for c := range want {
			if d := got[c] - want[c]/sum; d > 0.01 || d < -0.01 {
				t.Errorf("%s: %s gets %.3f of an even prediction, its programs say %.3f", level, label.Category(c), got[c], want[c]/sum)
			}
		}
	}
}

// TestNoLineOfPublicLogs compares the corpus with recorded logs: no message may share seven
// tenths of its words, endings apart, with one of their templates.
func TestNoLineOfPublicLogs(t *testing.T) {
	systems, err := evaluate.LoadSystems(testdata.Dir(t, "logs"))
	if err != nil {
		t.Fatal(err)
	}
	m := token.NewMasker()
	words := func(s string) map[string]bool {
		out := map[string]bool{}
		for _, w := range feature.Words(m.Mask(s)) {
			if w[0] != '<' && len(w) > 1 {
				for _, ending := range []string{"s", "e", "ed", "ing"} {
					if bare, ok := strings.CutSuffix(w, ending); ok && len(bare) > 2 {
						w = bare
					}
				}
				out[w] = true
			}
		}
		return out
	}
	type line struct {
		row   model.Row
		words map[string]bool
	}
	public := map[string][]line{} // by word
	for _, r := range evaluate.TemplateRows(systems...) {
		l := line{r, words(r.Message)}
		for w := range l.words {
			public[w] = append(public[w], l)
		}
	}
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	first, further := tests(t)
	programs, err := TestPrograms()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Concat(first, further, programs) {
		rows = append(rows, model.Row{Example: e})
	}
	for _, r := range rows {
		own, shared := words(r.Message), map[string]int{}
		for w := range own {
			for _, l := range public[w] {
				shared[l.row.Message]++
				n := shared[l.row.Message]
				if union := len(own) + len(l.words) - n; n >= 3 && float64(n) >= 0.7*float64(union) {
					t.Errorf("%s: %q is a line of %s: %q", r.System, r.Message, l.row.System, l.row.Message)
				}
			}
		}
	}
}
