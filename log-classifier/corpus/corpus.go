// Package corpus holds the labelled messages the shipped model is trained on, and the model.
// The messages were written by the project's authors from knowledge of how systems speak.
package corpus

import (
	"bytes"
	_ "embed" // the files below
	"fmt"

	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/model"
)

//go:generate go run github.com/inframind/inframind/log-classifier train --shipped --output=shipped.model

//go:embed core.csv
var core []byte

//go:embed extra.csv
var extra []byte

//go:embed field.csv
var field []byte

//go:embed broad.csv
var broad []byte

//go:embed programs.csv
var programs []byte

//go:embed programs_test.csv
var programsTest []byte

//go:embed wide.csv
var wide []byte

//go:embed critical_test.csv
var criticalTest []byte

//go:embed further_test.csv
var furtherTest []byte

//go:embed shipped.model
var shipped []byte

// Rows returns the training examples of the shipped model. Their systems start with
// "corpus/".
func Rows() ([]model.Row, error) {
	full := [model.Heads]float64{1, 1, 1}
	// The wide part was written to be hard, with many look-alikes: it lowers what is right on
	// other systems, except that it teaches what critical looks like.
	critical := [model.Heads]float64{0, 0.03, 0}
	// The broad part brings words and ways to break, but its messages are more dramatic than
	// logs are. Programs speak as logs do, in the mixture that logs have, yet invented: what
	// nobody reads is rarer in them than in recorded logs.
	dramatic := [model.Heads]float64{0.05, 0.2, 0.05}
	invented := [model.Heads]float64{0.1, 0.3, 0.1}
	var out []model.Row
	for _, part := range []struct {
		name   string
		raw    []byte
		weight [model.Heads]float64
	}{{"core", core, full}, {"extra", extra, full}, {"field", field, full}, {"broad", broad, dramatic}, {"programs", programs, invented}, {"wide", wide, critical}} {
		examples, err := label.Read(bytes.NewReader(part.raw))
		if err != nil {
			return nil, fmt.Errorf("corpus %s: %w", part.name, err)
		}
		for _, e := range examples {
			e.System = "corpus/" + e.System
			out = append(out, model.Row{Example: e, Weight: part.weight})
		}
	}
	return out, nil
}

// Tests returns the project's own test messages, of kinds that Rows does not hold. The first
// set was written before any training, the second one before the corpus was made half as
// large again.
func Tests() ([]label.Test, error) {
	tests := []label.Test{{Name: "critical test"}, {Name: "further test"}}
	for i, raw := range [][]byte{criticalTest, furtherTest} {
		examples, err := label.Read(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tests[i].Name, err)
		}
		tests[i].Examples = examples
	}
	return tests, nil
}

// TestPrograms returns the log statements of invented programs that Rows does not hold, by
// authors who knew neither the classifier nor the other parts, labelled by two raters.
func TestPrograms() ([]label.Example, error) {
	examples, err := label.Read(bytes.NewReader(programsTest))
	if err != nil {
		return nil, fmt.Errorf("programs test: %w", err)
	}
	return examples, nil
}

// Shipped returns the model that works out of the box.
func Shipped() (*model.Model, error) {
	m, err := model.Decode(shipped)
	if err != nil {
		return nil, fmt.Errorf("shipped model: %w", err)
	}
	return m, nil
}
