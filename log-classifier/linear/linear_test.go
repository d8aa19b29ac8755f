package linear

import (
	"math"
	"testing"
)

// matrix has rows (1,0), (0,1), (1,1), (0,0).
func matrix() *Matrix {
	m := &Matrix{Cols: 2}
	m.Append([]int32{0}, []float32{1})
	m.Append([]int32{1}, []float32{1})
	m.Append([]int32{0, 1}, []float32{1, 1})
	m.Append(nil, nil)
	return m
}

// TestBinaryIsTheOptimum checks that the gradient vanishes where Binary ends.
func TestBinaryIsTheOptimum(t *testing.T) {
	m, y, weight := matrix(), []bool{true, false, true, false}, []float64{1, 2, 1, 0.5}
	const c = 3.0
	w := Binary(m, y, weight, Options{C: c, MaxIter: 500, Tol: 1e-9})
	g := []float64{w.W[0] / c, w.W[1] / c, 0}
	for i := range y {
		d := Sigmoid(w.Score(m, i))
		if y[i] {
			d--
		}
		d *= weight[i]
		idx, val := m.Row(i)
		for k, j := range idx {
			g[j] += d * float64(val[k])
		}
		g[2] += d
	}
	for j, v := range g {
		if math.Abs(v) > 1e-6 {
			t.Errorf("gradient %d is %v", j, v)
		}
	}
	if w.W[0] <= 0 || w.W[1] >= w.W[0] {
		t.Errorf("weights %v", w.W)
	}
}

func TestMultinomialAgreesWithBinary(t *testing.T) {
	m := matrix()
	ws := Multinomial(m, []int{1, 0, 1, 0}, 2, Options{C: 1, MaxIter: 500, Tol: 1e-9})
	// Two softmax classes with a penalty on each are one logistic regression with twice the C.
	one := Binary(m, []bool{true, false, true, false}, []float64{1, 1, 1, 1}, Options{C: 2, MaxIter: 500, Tol: 1e-9})
	for j := range one.W {
		if got := ws[1].W[j] - ws[0].W[j]; math.Abs(got-one.W[j]) > 1e-4 {
			t.Errorf("weight %d: %v, want %v", j, got, one.W[j])
		}
	}
}

func TestMinimizeRosenbrock(t *testing.T) {
	x := []float64{-1.2, 1}
	minimize(func(x, g []float64) float64 {
		a, b := 1-x[0], x[1]-x[0]*x[0]
		g[0], g[1] = -2*a-400*x[0]*b, 200*b
		return a*a + 100*b*b
	}, x, 500, 1e-8)
	if math.Abs(x[0]-1) > 1e-4 || math.Abs(x[1]-1) > 1e-4 {
		t.Errorf("minimum at %v, want (1, 1)", x)
	}
}
