// Package series holds time series as they come from a query or a file: label set,
// timestamps, values. Nothing is assumed of them: order, gaps and steps are as found.
package series

import (
	"sort"

	"github.com/prometheus/prometheus/model/labels"
)

// Series is one labelled list of samples. Times are Unix milliseconds; Times and Values
// have the same length.
type Series struct {
	Labels labels.Labels
	Times  []int64
	Values []float64
}

// Len is the number of samples.
func (s *Series) Len() int { return len(s.Times) }

// Append adds one sample.
func (s *Series) Append(t int64, v float64) {
	s.Times = append(s.Times, t)
	s.Values = append(s.Values, v)
}

// Sort orders the samples by time and keeps the given order of equal times. It reports
// whether anything was out of order.
func (s *Series) Sort() bool {
	if sort.SliceIsSorted(s.Times, func(i, j int) bool { return s.Times[i] < s.Times[j] }) {
		return false
	}
	sort.Stable(byTime{s})
	return true
}

type byTime struct{ s *Series }

func (b byTime) Len() int           { return len(b.s.Times) }
func (b byTime) Less(i, j int) bool { return b.s.Times[i] < b.s.Times[j] }
func (b byTime) Swap(i, j int) {
	t, v := b.s.Times, b.s.Values
	t[i], t[j] = t[j], t[i]
	v[i], v[j] = v[j], v[i]
}
