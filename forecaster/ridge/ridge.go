// Package ridge fits linear autoregressions with a ridge penalty. The Gram matrix of
// consecutive lags is built by recursion in O(n p + p^2), so that fitting at every origin
// of a backtest stays cheap.
package ridge

import "math"

// Gram holds the products of a series with its own lags: G[i][j] is the sum over t >= p
// of a[t-i] a[t-j], for lags 0 (the target) to p.
type Gram struct {
	p, rows int
	g       []float64 // (p+1) x (p+1), row-major
	sums    []float64 // of a[t-i]
}

// NewGram computes the Gram matrix of a for lags up to p; nil when a is too short to have
// twice as many rows as lags.
func NewGram(a []float64, p int) *Gram {
	n := len(a)
	rows := n - p
	if rows < 2*p {
		return nil
	}
	q := p + 1
	m := &Gram{p: p, rows: rows, g: make([]float64, q*q), sums: make([]float64, q)}
	target := a[p:]
	for j := 0; j <= p; j++ {
		lag := a[p-j : n-j]
		var dot, sum float64
		for t, v := range target {
			dot += v * lag[t]
			sum += lag[t]
		}
		m.g[j], m.g[j*q] = dot, dot
		m.sums[j] = sum
	}
	for i := range p {
		for j := i; j < p; j++ {
			v := m.g[i*q+j] + a[p-1-i]*a[p-1-j] - a[n-1-i]*a[n-1-j]
			m.g[(i+1)*q+j+1], m.g[(j+1)*q+i+1] = v, v
		}
	}
	return m
}

// AR is a fitted autoregression of a standardised series.
type AR struct {
	Coef  []float64 // of lags 1 to p
	Const float64
}

// Fit solves for the first p lags with the penalty lambda per row. ok is false when the
// matrix is singular, e.g. for a constant series.
func (m *Gram) Fit(p int, lambda float64, constant bool) (AR, bool) {
	q := m.p + 1
	a := make([]float64, p*p)
	b := make([]float64, p)
	n := float64(m.rows)
	for i := range p {
		row := m.g[(i+1)*q+1 : (i+1)*q+1+p]
		copy(a[i*p:], row)
		b[i] = m.g[i+1]
		if constant {
			for j := range p {
				a[i*p+j] -= m.sums[i+1] * m.sums[j+1] / n
			}
			b[i] -= m.sums[i+1] * m.sums[0] / n
		}
		a[i*p+i] += lambda * n
	}
	if !SolveSPD(a, b, p) {
		return AR{}, false
	}
	ar := AR{Coef: b}
	if constant {
		ar.Const = m.sums[0]
		for i, c := range b {
			ar.Const -= c * m.sums[i+1]
		}
		ar.Const /= n
	}
	return ar, true
}

// Forecast continues a by len(out) steps, each clipped to [lo, hi]. It writes to out only.
func (m AR) Forecast(a, out []float64, lo, hi float64) {
	p := len(m.Coef)
	buf := make([]float64, p+len(out))
	copy(buf, a[len(a)-p:])
	for h := range out {
		v := m.Const
		past := buf[h : h+p]
		for i, c := range m.Coef {
			v += c * past[p-1-i]
		}
		v = math.Min(math.Max(v, lo), hi)
		buf[p+h], out[h] = v, v
	}
}

// SolveSPD solves a x = b for a symmetric positive definite matrix of n rows by Cholesky
// decomposition. Both are overwritten; the result is in b.
func SolveSPD(a, b []float64, n int) bool {
	for j := range n {
		rj := a[j*n : j*n+j+1]
		d := rj[j]
		for _, v := range rj[:j] {
			d -= v * v
		}
		if !(d > 0) || math.IsInf(d, 0) {
			return false
		}
		d = math.Sqrt(d)
		rj[j] = d
		inv := 1 / d
		for i := j + 1; i < n; i++ {
			ri := a[i*n : i*n+j+1]
			s := ri[j]
			for k, v := range rj[:j] {
				s -= v * ri[k]
			}
			ri[j] = s * inv
		}
	}
	for i := range n {
		s := b[i]
		for k := range i {
			s -= a[i*n+k] * b[k]
		}
		b[i] = s / a[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		s := b[i]
		for k := i + 1; k < n; k++ {
			s -= a[k*n+i] * b[k]
		}
		b[i] = s / a[i*n+i]
	}
	return true
}
