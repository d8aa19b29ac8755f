package tfidf

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"testing"

	"github.com/inframind/inframind/log-classifier/label"
)

// TestParity compares with what testdata/record.py had scikit-learn compute on the same text.
func TestParity(t *testing.T) {
	raw, err := os.ReadFile("testdata/sklearn.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Runs []struct {
			Sublinear     bool
			Features      int
			IDF           map[string]float64
			Probabilities [][]float64
		}
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("../corpus/core.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := label.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	digits := regexp.MustCompile(`\d+`)
	var train, test []string
	var y []int
	for i, r := range rows {
		text := digits.ReplaceAllString(r.Message, "num")
		if i%4 == 0 {
			train, y = append(train, text), append(y, int(r.Category))
		}
		if i%40 == 1 {
			test = append(test, text)
		}
	}
	for _, run := range golden.Runs {
		c := Train(train, y, label.Count, Options{Sublinear: run.Sublinear, MaxIter: 2000})
		if len(c.Vectorizer.IDF) != run.Features {
			t.Fatalf("%d features, scikit-learn has %d", len(c.Vectorizer.IDF), run.Features)
		}
		for w, want := range run.IDF {
			if got := c.Vectorizer.IDF[c.Vectorizer.Vocab[w]]; math.Abs(got-want) > 1e-8 {
				t.Errorf("idf of %q: %v, scikit-learn has %v", w, got, want)
			}
		}
		for i, want := range run.Probabilities {
			for k, got := range c.Probabilities(test[i]) {
				if math.Abs(got-want[k]) > 2e-4 {
					t.Errorf("sublinear %v, text %d class %d: %.5f, scikit-learn has %.5f", run.Sublinear, i, k, got, want[k])
				}
			}
		}
	}
}
