package linear

import (
	"math"
	"slices"
)

// objective returns f(x) and writes the gradient to g.
type objective func(x, g []float64) float64

// minimize runs L-BFGS with six corrections and a backtracking line search from x, which it
// overwrites. It stops when the largest gradient component falls below tol.
func minimize(f objective, x []float64, maxIter int, tol float64) (iterations int) {
	const memory = 6
	n := len(x)
	g, xNew, gNew, dir := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	var ss, ys [][]float64
	var rho []float64
	fx := f(x, g)
	for iterations = 0; iterations < maxIter && maxAbs(g) > tol; iterations++ {
		direction(dir, g, ss, ys, rho)
		slope := dot(dir, g)
		if slope >= 0 { // the curvature estimate went bad: start over downhill
			ss, ys, rho = nil, nil, nil
			for i := range dir {
				dir[i] = -g[i]
			}
			slope = -dot(g, g)
		}
		step := 1.0
		if len(ss) == 0 {
			step = 1 / math.Max(1, math.Sqrt(dot(g, g)))
		}
		fNew, ok := lineSearch(f, x, dir, xNew, gNew, fx, slope, step)
		if !ok {
			return iterations
		}
		var s, y []float64
		if len(ss) == memory { // the oldest go, and their room is used again
			s, y = ss[0], ys[0]
			ss, ys, rho = ss[1:], ys[1:], rho[1:]
		} else {
			s, y = make([]float64, n), make([]float64, n)
		}
		for i := range s {
			s[i], y[i] = xNew[i]-x[i], gNew[i]-g[i]
		}
		if sy := dot(s, y); sy > 1e-12 {
			ss, ys, rho = append(ss, s), append(ys, y), append(rho, 1/sy)
		}
		copy(x, xNew)
		copy(g, gNew)
		if math.Abs(fx-fNew) <= 1e-10*math.Max(1, math.Abs(fx)) {
			return iterations + 1
		}
		fx = fNew
	}
	return iterations
}

// direction is the two-loop recursion: dir = -H g.
func direction(dir, g []float64, ss, ys [][]float64, rho []float64) {
	for i := range dir {
		dir[i] = -g[i]
	}
	alpha := make([]float64, len(ss))
	for k, v := range slices.Backward(ss) {
		alpha[k] = rho[k] * dot(v, dir)
		axpy(-alpha[k], ys[k], dir)
	}
	if k := len(ss) - 1; k >= 0 {
		scale := 1 / (rho[k] * dot(ys[k], ys[k]))
		for i := range dir {
			dir[i] *= scale
		}
	}
	for k := range ss {
		axpy(alpha[k]-rho[k]*dot(ys[k], dir), ss[k], dir)
	}
}

// lineSearch halves the step until the decrease is sufficient.
func lineSearch(f objective, x, dir, xNew, gNew []float64, fx, slope, step float64) (float64, bool) {
	for range 30 {
		for i := range x {
			xNew[i] = x[i] + step*dir[i]
		}
		if fNew := f(xNew, gNew); fNew <= fx+1e-4*step*slope {
			return fNew, true
		}
		step /= 2
	}
	return 0, false
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func axpy(k float64, x, y []float64) {
	for i, v := range x {
		y[i] += k * v
	}
}

func maxAbs(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = math.Max(m, math.Abs(x))
	}
	return m
}
