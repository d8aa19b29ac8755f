package clean_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/modeltest"
	"github.com/inframind/inframind/internal/series"
)

// TestOutliers adds 0.6 to points of a month of hours between 0.2 and 0.8.
func TestOutliers(t *testing.T) {
	every := func(first, step int) (at []int) {
		for i := first; i < 720; i += step {
			at = append(at, i)
		}
		return at
	}
	for _, tc := range []struct {
		name    string
		at      []int
		outlier bool
	}{
		{"one hour", []int{400}, true},
		{"two hours in a row", []int{400, 401}, true},
		{"a few at other hours", []int{100, 305, 514}, true},
		{"the backup of every day", every(3, 24), false},
		{"the backup of every week", every(50, 168), false},
		{"a backup that starts an hour late at times", []int{51, 219, 386, 554}, false},
		{"bursts all the time", every(5, 37), false},
		{"the last hours", []int{718, 719}, false},
		{"half a day", every(400, 1)[:12], false},
		{"a new level", every(400, 1), false},
		{"nothing", nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := modeltest.Season(720, 1)
			y := slices.Clone(want)
			for _, i := range tc.at {
				y[i] += 0.6
			}
			found := clean.Outliers(y, 24)
			if !tc.outlier {
				if len(found) > 0 {
					t.Errorf("took out %v", found)
				}
				return
			}
			if len(found) != len(tc.at) {
				t.Fatalf("found %v, want %v", found, tc.at)
			}
			for _, i := range tc.at {
				if math.Abs(y[i]-want[i]) > 0.15 {
					t.Errorf("point %d became %.2f, want about %.2f", i, y[i], want[i])
				}
			}
		})
	}
}

func TestInputKeepsWhatWasSeen(t *testing.T) {
	s := series.Series{}
	for i, v := range modeltest.Season(720, 1) {
		switch i {
		case 100:
			v = math.NaN()
		case 200:
			v = 1.7 // impossible, and the bound is still an outlier
		}
		s.Append(int64(i)*3600_000, v)
	}
	in, fixes, err := clean.Input(&s, model.Input{Lower: 0, Upper: 1})
	if err != nil {
		t.Fatal(err)
	}
	words := clean.Words(fixes)
	for _, want := range []string{"not finite: 1", "impossible: 1 (outside of 0 to 1, clipped)", "gap: 1 (1 points, longest 1h0m0s)", "outlier: 1 (the farthest 1 instead of about 0."} {
		if !strings.Contains(words, want) {
			t.Errorf("%q does not tell of %q", words, want)
		}
	}
	if slices.ContainsFunc(in.Y, math.IsNaN) || in.Y[200] > 0.9 || !math.IsNaN(in.Seen[100]) || in.Seen[200] != 1 {
		t.Errorf("learnt from %g and %g, seen %g and %g", in.Y[100], in.Y[200], in.Seen[100], in.Seen[200])
	}
	// The backtest's origins must not know that what came last is an outlier.
	if early := clean.Known(in, 202); early.Y[200] != 1 {
		t.Errorf("an hour later, the outlier is %g already", early.Y[200])
	}
	if late := clean.Known(in, 600); late.Y[200] > 0.9 || len(late.Y) != 600 {
		t.Errorf("weeks later, the outlier is still %g", late.Y[200])
	}
}

func TestIrregularSamples(t *testing.T) {
	s := series.Series{}
	for i := range 100 {
		s.Append(int64(i)*60_000+[]int64{0, 9_000, -9_000}[i%3], float64(i))
	}
	g, fixes, err := clean.Resample(&s, time.Minute)
	if err != nil || len(g.Y) != 100 || slices.ContainsFunc(g.Y, math.IsNaN) {
		t.Fatalf("%d points of 100, %v", len(g.Y), err)
	}
	if got := clean.Words(fixes); !strings.HasPrefix(got, "irregular: ") {
		t.Errorf("got %q", got)
	}
}

func FuzzInput(f *testing.F) {
	f.Add([]byte{1, 2, 250, 3, 4, 5, 6, 7}, int64(60_000))
	f.Fuzz(func(t *testing.T, raw []byte, step int64) {
		s := series.Series{}
		for i, b := range raw {
			v := float64(b) - 100
			switch b {
			case 250:
				v = math.NaN()
			case 251:
				v = math.Inf(1)
			case 252:
				v = math.MaxFloat64
			}
			s.Append(int64(i)*(step%10_000_000)+int64(b%3)*1000, v)
		}
		in, _, err := clean.Input(&s, model.Input{Lower: math.NaN(), Upper: math.NaN()})
		if err != nil {
			return
		}
		if slices.ContainsFunc(in.Y, func(v float64) bool { return v-v != 0 }) || in.Seen != nil && len(in.Seen) != len(in.Y) {
			t.Fatalf("not finite: %v", in.Y)
		}
	})
}

func BenchmarkOutliers(b *testing.B) {
	y := modeltest.Season(8640, 1)
	for b.Loop() {
		clean.Outliers(y, 288)
	}
}
