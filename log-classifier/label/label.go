// Package label holds the four categories of a log line and labelled examples.
package label

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Category says what an operator does with a line.
type Category uint8

// The categories, most severe first.
const (
	Critical      Category = iota // a person is needed now: service down, data lost, hardware dead
	Warning                       // a person should look: something failed, or will
	Informational                 // an event in the life of the service
	Noise                         // of use to the program's developer only
	Count         = 4
)

var names = [Count]string{"critical", "warning", "informational", "noise"}

func (c Category) String() string {
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("category %d", uint8(c))
}

// Alarm tells whether a person should see the line: critical or warning.
func (c Category) Alarm() bool { return c <= Warning }

// Parse reads a category's name.
func Parse(s string) (Category, error) {
	for i, n := range names {
		if strings.EqualFold(strings.TrimSpace(s), n) {
			return Category(i), nil
		}
	}
	return 0, fmt.Errorf("category %q: want one of %s", s, strings.Join(names[:], ", "))
}

// Example is one labelled message.
type Example struct {
	Category Category
	System   string // where it comes from; examples of one system share a weight
	Message  string
}

// Test is a named set of examples that no model is trained on.
type Test struct {
	Name     string
	Examples []Example
}

// Read reads a CSV whose header names the columns label, message and optionally system, in
// any order. Errors name the line.
func Read(r io.Reader) ([]Example, error) {
	cr := csv.NewReader(r)
	cr.FieldsPerRecord = -1
	cr.LazyQuotes = true
	head, err := cr.Read()
	if err != nil {
		return nil, fmt.Errorf("labels: no header: %w", err)
	}
	col := map[string]int{}
	for i, h := range head {
		col[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))] = i
	}
	li, okL := col["label"]
	mi, okM := col["message"]
	si, okS := col["system"]
	if !okL || !okM {
		return nil, fmt.Errorf("labels: header %q: want columns label and message", strings.Join(head, ","))
	}
	var out []Example
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("labels: %w", err)
		}
		line, _ := cr.FieldPos(0)
		if len(rec) <= max(li, mi) {
			return nil, fmt.Errorf("labels: line %d has %d columns, want %d", line, len(rec), max(li, mi)+1)
		}
		c, err := Parse(rec[li])
		if err != nil {
			return nil, fmt.Errorf("labels: line %d: %w", line, err)
		}
		e := Example{Category: c, Message: rec[mi]}
		if okS && si < len(rec) {
			e.System = rec[si]
		}
		out = append(out, e)
	}
}

// Write writes examples as Read reads them.
func Write(w io.Writer, examples []Example) error {
	cw := csv.NewWriter(w)
	if err := cw.Write([]string{"label", "system", "message"}); err != nil {
		return err
	}
	for _, e := range examples {
		if err := cw.Write([]string{e.Category.String(), e.System, e.Message}); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}
