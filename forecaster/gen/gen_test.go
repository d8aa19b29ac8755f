package gen_test

import (
	"slices"
	"testing"

	"github.com/inframind/inframind/forecaster/gen"
)

func TestSameSeedSameSeries(t *testing.T) {
	a, b, c := gen.Disks(1, 4, 40, 30, 14, 0.9), gen.Disks(1, 4, 40, 30, 14, 0.9), gen.Disks(2, 4, 40, 30, 14, 0.9)
	for i := range a {
		if !slices.Equal(a[i].Y, b[i].Y) {
			t.Errorf("%s differs between two calls", a[i].Name)
		}
		if slices.Equal(a[i].Y, c[i].Y) {
			t.Errorf("%s is the same for another seed", a[i].Name)
		}
	}
}

func TestFillingDisksFillAndOthersDoNot(t *testing.T) {
	for _, s := range gen.Disks(3, 100, 60, 30, 14, 0.9) {
		if s.Fills && (slices.Max(s.Y[:30*24]) >= 0.9 || slices.Max(s.Y) < 0.9) {
			t.Errorf("%s: highest %.2f in the first month, %.2f in all; want under, over 0.9", s.Name, slices.Max(s.Y[:30*24]), slices.Max(s.Y))
		}
		if !s.Fills && slices.Max(s.Y) >= 0.9 {
			t.Errorf("%s reaches %.2f and is said not to fill", s.Name, slices.Max(s.Y))
		}
	}
}

func TestLoadStaysARatio(t *testing.T) {
	for _, kind := range []string{"cpu", "memory"} {
		for _, s := range gen.Load(1, kind, 20, 30) {
			if len(s.Y) != 720 || slices.Min(s.Y) < 0 || slices.Max(s.Y) > 1 {
				t.Errorf("%s: %d points from %g to %g", s.Name, len(s.Y), slices.Min(s.Y), slices.Max(s.Y))
			}
		}
	}
}
