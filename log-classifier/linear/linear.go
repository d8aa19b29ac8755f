// Package linear trains logistic regressions on sparse rows: one against the rest, as the
// shipped model has, and multinomial, as scikit-learn's LogisticRegression is.
package linear

import (
	"math"
	"sync"
)

// Matrix holds sparse rows, one after the other.
type Matrix struct {
	Start []int32 // of each row, and the end of the last: rows+1 values
	Idx   []int32
	Val   []float32
	Cols  int
}

// Rows is how many rows there are.
func (m *Matrix) Rows() int { return max(len(m.Start)-1, 0) }

// Append adds one row.
func (m *Matrix) Append(idx []int32, val []float32) {
	if len(m.Start) == 0 {
		m.Start = append(m.Start, 0)
	}
	m.Idx = append(m.Idx, idx...)
	m.Val = append(m.Val, val...)
	m.Start = append(m.Start, int32(len(m.Idx)))
}

// Row returns row i.
func (m *Matrix) Row(i int) (idx []int32, val []float32) {
	return m.Idx[m.Start[i]:m.Start[i+1]], m.Val[m.Start[i]:m.Start[i+1]]
}

// Weights are the coefficients of one class.
type Weights struct {
	W    []float64 // by column
	Bias float64
}

// Score returns the decision value of row i.
func (w Weights) Score(m *Matrix, i int) float64 {
	s := w.Bias
	idx, val := m.Row(i)
	for k, j := range idx {
		s += w.W[j] * float64(val[k])
	}
	return s
}

// Options of a training.
type Options struct {
	C       float64 // inverse strength of the L2 penalty, as in scikit-learn
	MaxIter int
	Tol     float64 // of the largest gradient component
}

// Binary fits one logistic regression: rows whose positive is true against the others, each
// row with its weight. The bias is not penalised.
func Binary(m *Matrix, positive []bool, weight []float64, o Options) Weights {
	x := make([]float64, m.Cols+1)
	f := func(x, g []float64) float64 {
		clear(g)
		w := Weights{W: x[:m.Cols], Bias: x[m.Cols]}
		loss := 0.0
		for i := range m.Rows() {
			if weight[i] == 0 {
				continue
			}
			z := w.Score(m, i)
			y := 0.0
			if positive[i] {
				y = 1
			}
			loss += weight[i] * logloss(z, y)
			d := weight[i] * (Sigmoid(z) - y)
			idx, val := m.Row(i)
			for k, j := range idx {
				g[j] += d * float64(val[k])
			}
			g[m.Cols] += d
		}
		return loss + ridge(x, g, m.Cols, o.C)
	}
	minimize(f, x, o.MaxIter, o.Tol)
	return Weights{W: x[:m.Cols], Bias: x[m.Cols]}
}

// ridge adds the penalty |w|^2 / 2C of the first n coefficients.
func ridge(x, g []float64, n int, c float64) float64 {
	p := 0.0
	for j, v := range x[:n] {
		p += v * v
		g[j] += v / c
	}
	return p / (2 * c)
}

func logloss(z, y float64) float64 {
	return math.Max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z)))
}

// Sigmoid is 1/(1+exp(-z)).
func Sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// OneVsRest fits a Binary per class with classes balanced in each of them: positives and
// negatives weigh the same in sum. y holds the classes from 0 to classes-1.
func OneVsRest(m *Matrix, y []int, weight []float64, classes int, o Options) []Weights {
	out := make([]Weights, classes)
	var wg sync.WaitGroup
	for c := range classes {
		wg.Go(func() {
			positive := make([]bool, len(y))
			var pos, all float64
			for i := range y {
				positive[i] = y[i] == c
				all += weight[i]
				if positive[i] {
					pos += weight[i]
				}
			}
			w := make([]float64, len(y))
			for i := range y {
				switch {
				case pos == 0 || pos == all:
				case positive[i]:
					w[i] = weight[i] * all / (2 * pos)
				default:
					w[i] = weight[i] * all / (2 * (all - pos))
				}
			}
			out[c] = Binary(m, positive, w, o)
		})
	}
	wg.Wait()
	return out
}

// Multinomial fits a softmax regression with balanced classes, the same problem that
// scikit-learn's LogisticRegression(class_weight="balanced") solves.
func Multinomial(m *Matrix, y []int, classes int, o Options) []Weights {
	n := m.Cols + 1
	count := make([]float64, classes)
	for _, c := range y {
		count[c]++
	}
	present := 0
	for _, k := range count {
		if k > 0 {
			present++
		}
	}
	f := func(x, g []float64) float64 {
		clear(g)
		loss := 0.0
		z := make([]float64, classes)
		for i := range m.Rows() {
			weight := float64(len(y)) / (float64(present) * count[y[i]])
			for c := range classes {
				z[c] = Weights{W: x[c*n : c*n+m.Cols], Bias: x[c*n+m.Cols]}.Score(m, i)
			}
			raw := z[y[i]]
			loss += weight * (softmax(z) - raw)
			idx, val := m.Row(i)
			for c := range classes {
				d := weight * z[c]
				if c == y[i] {
					d -= weight
				}
				gc := g[c*n : (c+1)*n]
				for k, j := range idx {
					gc[j] += d * float64(val[k])
				}
				gc[m.Cols] += d
			}
		}
		for c := range classes {
			loss += ridge(x[c*n:(c+1)*n], g[c*n:(c+1)*n], m.Cols, o.C)
		}
		return loss
	}
	x := make([]float64, classes*n)
	minimize(f, x, o.MaxIter, o.Tol)
	out := make([]Weights, classes)
	for c := range classes {
		out[c] = Weights{W: x[c*n : c*n+m.Cols], Bias: x[c*n+m.Cols]}
	}
	return out
}

// softmax replaces the scores by probabilities and returns the logarithm of their sum.
func softmax(z []float64) float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = math.Max(top, v)
	}
	sum := 0.0
	for i, v := range z {
		z[i] = math.Exp(v - top)
		sum += z[i]
	}
	for i := range z {
		z[i] /= sum
	}
	return top + math.Log(sum)
}
