package ridge_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/inframind/inframind/forecaster/ridge"
)

// process is an autoregression of known coefficients.
func process(n int) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	a := make([]float64, n)
	for i := 2; i < n; i++ {
		a[i] = 0.5*a[i-1] + 0.3*a[i-2] + rng.NormFloat64()
	}
	return a
}

func TestFitFindsTheCoefficients(t *testing.T) {
	ar, ok := ridge.NewGram(process(20000), 4).Fit(4, 1e-6, true)
	if !ok {
		t.Fatal("no fit")
	}
	for i, want := range []float64{0.5, 0.3, 0, 0} {
		if math.Abs(ar.Coef[i]-want) > 0.03 {
			t.Errorf("lag %d: got %.3f, want %.3f", i+1, ar.Coef[i], want)
		}
	}
}

// TestGramIsThatOfTheRows compares the recursion with sums over all rows.
func TestGramIsThatOfTheRows(t *testing.T) {
	const p, lambda = 5, 0.01
	a := process(60)
	ar, ok := ridge.NewGram(a, p).Fit(p, lambda, false)
	if !ok {
		t.Fatal("no fit")
	}
	g, b := make([]float64, p*p), make([]float64, p)
	rows := 0.0
	for i := p; i < len(a); i++ {
		rows++
		for r := range p {
			b[r] += a[i] * a[i-1-r]
			for c := range p {
				g[r*p+c] += a[i-1-r] * a[i-1-c]
			}
		}
	}
	for r := range p {
		g[r*p+r] += lambda * rows
	}
	if !ridge.SolveSPD(g, b, p) {
		t.Fatal("singular")
	}
	for i := range b {
		if math.Abs(b[i]-ar.Coef[i]) > 1e-9 {
			t.Errorf("lag %d: got %g, want %g", i+1, ar.Coef[i], b[i])
		}
	}
}

func TestSingularAndShort(t *testing.T) {
	if ridge.SolveSPD([]float64{1, 1, 1, 1}, []float64{1, 1}, 2) {
		t.Error("a singular matrix was solved")
	}
	if ridge.NewGram(make([]float64, 10), 5) != nil {
		t.Error("a fit of five lags to ten points")
	}
}

func TestForecastIsClippedAndDecays(t *testing.T) {
	ar := ridge.AR{Coef: []float64{2}}
	out := make([]float64, 3)
	ar.Forecast([]float64{1}, out, -1, 5)
	if out[0] != 2 || out[1] != 4 || out[2] != 5 {
		t.Errorf("got %v, want [2 4 5]", out)
	}
}

func BenchmarkGramAndFit(b *testing.B) {
	a := process(960)
	for b.Loop() {
		ridge.NewGram(a, 50).Fit(49, 1e-5, false)
	}
}
