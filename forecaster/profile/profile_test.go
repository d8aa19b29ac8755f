package profile_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/inframind/inframind/forecaster/profile"
)

func TestFit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shape := func(i int) float64 {
		v := 3 * math.Sin(2*math.Pi*float64(i%24)/24)
		if i/24%7 >= 5 {
			return v - 5 + 10.0/7
		}
		return v + 10.0/7
	}
	for _, tc := range []struct {
		days  int
		limit float64 // of the mean error of the shape
	}{{42, 0.25}, {20, 0.6}} {
		z := make([]float64, tc.days*24)
		for i := range z {
			z[i] = 100 + 0.01*float64(i) + shape(i) + 0.5*rng.NormFloat64()
		}
		p := profile.Fit(z, 24)
		sum, err := 0.0, 0.0
		for k, v := range p.Season {
			sum += v
			err += math.Abs(v-shape(k)) / 168
		}
		if math.Abs(sum) > 1e-9 {
			t.Errorf("%d days: the mean of the shape is %g, want 0", tc.days, sum/168)
		}
		if err > tc.limit {
			t.Errorf("%d days: the shape errs by %.2f, want %.2f", tc.days, err, tc.limit)
		}
	}
}

func TestNoiseHasNoWeek(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	z := make([]float64, 24*28)
	for i := range z {
		z[i] = rng.NormFloat64()
	}
	p := profile.Fit(z, 24)
	for k, v := range p.Season {
		if d := v - p.Daily[k%24]; math.Abs(d) > 0.35 {
			t.Fatalf("slot %d differs by %.2f from its day", k, d)
		}
	}
}

func TestShortHasNoShape(t *testing.T) {
	for _, v := range profile.Fit(make([]float64, 30), 24).Season {
		if v != 0 {
			t.Fatal("a shape from a day and a quarter")
		}
	}
}

func TestAverage(t *testing.T) {
	out := make([]float64, 6)
	profile.Average([]float64{1, 2, 3, 4, 5, 6}, 3, out)
	for i, want := range []float64{2, 2, 3, 4, 5, 5} {
		if out[i] != want {
			t.Errorf("%d: got %g, want %g", i, out[i], want)
		}
	}
}
