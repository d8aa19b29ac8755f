package seasonal

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// daily is days of a daily curve at five minutes with some noise, changed by f.
func daily(days int, f func(i, n int, v float64) float64) Series {
	rng := rand.New(rand.NewPCG(1, 1))
	s := Series{Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Step: 5 * time.Minute}
	n := days * 288
	for i := range n {
		v := 50 + 30*math.Sin(2*math.Pi*float64(i)/288) + rng.NormFloat64()
		s.Values = append(s.Values, f(i, n, v))
	}
	return s
}

func TestScore(t *testing.T) {
	same := func(_, _ int, v float64) float64 { return v }
	for name, tc := range map[string]struct {
		s        Series
		ok       bool
		abnormal bool
		changed  bool
	}{
		"ordinary":               {daily(14, same), true, false, false},
		"the daily peak":         {daily(14, same).head(13*288 + 72), true, false, false},
		"a step two hours ago":   {daily(14, func(i, n int, v float64) float64 { return v + map[bool]float64{true: 100}[i >= n-24] }), true, true, true},
		"a single spike":         {daily(14, func(i, n int, v float64) float64 { return v + map[bool]float64{true: 100}[i == n-1] }), true, false, false},
		"constant, then not":     {daily(3, func(i, n int, _ float64) float64 { return map[bool]float64{true: 9, false: 1}[i >= n-6] }), true, true, true},
		"constant":               {daily(3, func(int, int, float64) float64 { return 7 }), true, false, false},
		"with gaps":              {daily(7, func(i, _ int, v float64) float64 { return map[bool]float64{true: math.NaN(), false: v}[i%7 == 0] }), true, false, false},
		"too short":              {daily(1, same).head(20), false, false, false},
		"ended an hour ago":      {daily(3, func(i, n int, v float64) float64 { return map[bool]float64{true: math.NaN(), false: v}[i >= n-20] }), false, false, false},
		"nothing but gaps":       {daily(2, func(int, int, float64) float64 { return math.NaN() }), false, false, false},
		"a month with a weekend": {daily(28, same), true, false, false},
	} {
		r, ok := Score(tc.s)
		if ok != tc.ok || ok && (r.Score >= .5) != tc.abnormal || !(r.Score >= 0 && r.Score <= 1) {
			t.Errorf("%s: ok %v, %+v", name, ok, r)
		}
		if ok && r.Change.IsZero() == tc.changed {
			t.Errorf("%s: change at %v", name, r.Change)
		}
	}
}

func (s Series) head(n int) Series {
	s.Values = s.Values[:n]
	return s
}

func TestChangeIsDated(t *testing.T) {
	s := daily(14, func(i, n int, v float64) float64 { return v + map[bool]float64{true: 100}[i >= n-48] })
	r, ok := Score(s)
	want := s.Start.Add(time.Duration(len(s.Values)-48) * s.Step)
	if d := r.Change.Sub(want); !ok || d < -10*time.Minute || d > 10*time.Minute || r.To < r.From+60 {
		t.Errorf("changed at %v from %.0f to %.0f, want %v", r.Change, r.From, r.To, want)
	}
}
