package main

import (
	"testing"

	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/label"
)

// TestThroughPipe: one answer for every line, in order, blank and damaged ones too.
func TestThroughPipe(t *testing.T) {
	m, err := corpus.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	raw := []string{"2026-11-21 10:22:01 ERROR kernel panic: out of memory, system halted", "", "\xff\x00 \x1b[31mred", "2026-11-21 10:22:02 DEBUG enter readLoop() idx=3 ptr=0x1f"}
	got, err := throughPipe(t.Context(), m, raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(raw) || got[0].Category != label.Critical || got[3].Category != label.Noise {
		t.Errorf("%+v", got)
	}
	for i, p := range got {
		if p.Confidence <= 0 || p.Confidence > 1 {
			t.Errorf("line %d: confidence %v", i+1, p.Confidence)
		}
	}
}
