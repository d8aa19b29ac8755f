package mstl

import "math"

// loess smooths y at every index by local lines over the q nearest points with tricube
// weights. It evaluates each jump-th point and joins them by straight lines.
func loess(y []float64, q, jump int, out []float64) {
	n := len(y)
	jump = max(jump, 1)
	if n == 0 {
		return
	}
	last := 0
	for i := 0; ; i = min(i+jump, n-1) {
		out[i] = local(y, float64(i), q)
		for k := last + 1; k < i; k++ {
			w := float64(k-last) / float64(i-last)
			out[k] = out[last] + w*(out[i]-out[last])
		}
		last = i
		if i == n-1 {
			return
		}
	}
}

// local is the local line's value at x, which may lie one step outside of y.
func local(y []float64, x float64, q int) float64 {
	n := len(y)
	lo := min(max(int(x)-q/2, 0), max(n-q, 0))
	hi := min(lo+q, n)
	width := math.Max(x-float64(lo), float64(hi-1)-x)
	if q > n {
		width += float64(q-n) / 2
	}
	width = math.Max(width, 1)
	var sw, sx, sy, sxx, sxy float64
	for i := lo; i < hi; i++ {
		d := float64(i) - x
		u := math.Abs(d) / width
		if u >= 0.999 {
			continue
		}
		w := 1 - u*u*u
		w = w * w * w
		sw, sx, sy, sxx, sxy = sw+w, sx+w*d, sy+w*y[i], sxx+w*d*d, sxy+w*d*y[i]
	}
	if sw == 0 {
		return y[min(max(int(x), 0), n-1)]
	}
	det := sw*sxx - sx*sx
	if det <= 1e-9*sw*sxx || det == 0 {
		return sy / sw
	}
	return (sxx*sy - sx*sxy) / det
}

// average is the moving average of w points; out is w-1 shorter than v.
func average(v []float64, w int) []float64 {
	out := make([]float64, len(v)-w+1)
	s := 0.0
	for i, x := range v {
		s += x
		if i >= w {
			s -= v[i-w]
		}
		if i >= w-1 {
			out[i-w+1] = s / float64(w)
		}
	}
	return out
}
