package clean_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/internal/series"
)

var nan = math.NaN()

func TestResampleAndFill(t *testing.T) {
	for _, tc := range []struct {
		name  string
		times []int64 // minutes
		vals  []float64
		step  time.Duration
		want  string
		err   error
	}{
		{"no data", nil, nil, 0, "", clean.ErrNoData},
		{"all NaN", []int64{0, 1}, []float64{nan, math.Inf(1)}, 0, "", clean.ErrNaN},
		{"one point", []int64{5}, []float64{3}, 0, "[3] []", nil},
		{"regular", []int64{0, 1, 2}, []float64{1, 2, 3}, 0, "[1 2 3] []", nil},
		{"unordered", []int64{2, 0, 1}, []float64{3, 1, 2}, 0, "[1 2 3] [unordered: 1]", nil},
		{"duplicate: the first counts", []int64{0, 1, 1, 2}, []float64{1, 2, 9, 3}, time.Minute, "[1 2 3] [duplicate: 1 (first kept)]", nil},
		{"gap is a straight line", []int64{0, 1, 2, 5}, []float64{1, 2, 3, 6}, 0, "[1 2 3 4 5 6] [gap: 1 (2 points, longest 2m0s)]", nil},
		{"NaN is a gap", []int64{0, 1, 2}, []float64{1, nan, 3}, 0, "[1 2 3] [not finite: 1 (left out) gap: 1 (1 points, longest 1m0s)]", nil},
		{"coarser step averages", []int64{0, 1, 2, 3}, []float64{1, 3, 5, 7}, 2 * time.Minute, "[2 6] []", nil},
		{"NaN at the ends is cut", []int64{0, 1, 2}, []float64{nan, 2, nan}, 0, "[2] [not finite: 2 (left out)]", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := series.Series{Values: tc.vals}
			for _, m := range tc.times {
				s.Times = append(s.Times, m*60000)
			}
			g, fixes, err := clean.Resample(&s, tc.step)
			if !errors.Is(err, tc.err) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			_, gaps := clean.Fill(&g)
			fixes = append(fixes, gaps...)
			if got := fmt.Sprint(g.Y, fixes); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestCenturiesApart(t *testing.T) {
	s := series.Series{Times: []int64{0, 1000, math.MaxInt64 / 4}, Values: []float64{1, 2, 3}}
	if _, _, err := clean.Resample(&s, time.Second); err == nil {
		t.Error("a grid of centuries was made")
	}
}

func TestLongGapKeepsThePattern(t *testing.T) {
	g := clean.Grid{Step: time.Hour, Y: make([]float64, 96)}
	for i := range g.Y {
		g.Y[i] = float64(i % 24)
		if i >= 30 && i < 54 {
			g.Y[i] = nan
		}
	}
	clean.Fill(&g)
	for i := 30; i < 54; i++ {
		if g.Y[i] != float64(i%24) {
			t.Fatalf("hour %d: got %g, want %d", i, g.Y[i], i%24)
		}
	}
}

func TestFindShift(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	a := make([]float64, 480)
	for i := range a {
		a[i] = 0.15 * rng.NormFloat64()
		if i >= 300 {
			a[i] += 2
		}
	}
	s, ok := clean.FindShift(a, 24)
	if !ok || s.At < 298 || s.At > 302 || math.Abs(s.Size-2) > 0.1 {
		t.Errorf("got %+v, %v; want 2 at 300", s, ok)
	}
	for i := range a {
		a[i] = rng.NormFloat64()
	}
	if s, ok := clean.FindShift(a, 24); ok {
		t.Errorf("found %+v in noise", s)
	}
}
