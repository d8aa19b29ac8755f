package series

import (
	"slices"
	"testing"
)

func TestSortIsStable(t *testing.T) {
	s := Series{Times: []int64{3, 1, 3, 2}, Values: []float64{30, 10, 31, 20}}
	if !s.Sort() || !slices.Equal(s.Times, []int64{1, 2, 3, 3}) || !slices.Equal(s.Values, []float64{10, 20, 30, 31}) {
		t.Errorf("got %+v", s)
	}
	if s.Sort() {
		t.Error("a sorted series was out of order")
	}
}
