package isoforest

import (
	"fmt"
	"math"
	"sync"
)

// block is the number of rows that pass through one tree before the next tree is taken, so
// that the tree stays in the processor's first cache.
const block = 256

// Score appends the score of every row of d to dst.
func (f *Forest) Score(dst []float64, d Data) ([]float64, error) {
	if d.Columns != f.columns || len(d.Values)%max(d.Columns, 1) != 0 {
		return dst, fmt.Errorf("%w: rows of %d columns, the forest was fitted on %d", ErrData, d.Columns, f.columns)
	}
	n := d.Rows()
	at := len(dst)
	dst = append(dst, make([]float64, n)...)
	out := dst[at:]
	workers := min(f.opts.Workers, (n+block-1)/block)
	if workers <= 1 {
		f.sums(out, d)
		return dst, nil
	}
	per := (n/workers + block) / block * block
	var wg sync.WaitGroup
	for lo := 0; lo < n; lo += per {
		hi := min(lo+per, n)
		wg.Go(func() {
			f.sums(out[lo:hi], Data{Values: d.Values[lo*d.Columns : hi*d.Columns], Columns: d.Columns})
		})
	}
	wg.Wait()
	return dst, nil
}

// sums scores the rows of d on the calling goroutine.
func (f *Forest) sums(out []float64, d Data) {
	var sum [block]float32
	for lo := 0; lo < len(out); lo += block {
		hi := min(lo+block, len(out))
		rows := d.Values[lo*d.Columns : hi*d.Columns]
		acc := sum[:hi-lo]
		clear(acc)
		if f.slow || odd(rows) {
			for i := range acc {
				acc[i] = float32(f.mean(rows[i*d.Columns:(i+1)*d.Columns]) * float64(len(f.trees)))
			}
		} else {
			for k := range f.trees {
				if f.trees[k].pairs == nil {
					f.trees[k].plain(acc, rows, d.Columns)
				} else {
					f.trees[k].slanted(acc, rows, d.Columns)
				}
			}
		}
		for i, s := range acc {
			out[lo+i] = f.transform(float64(s) / float64(len(f.trees)))
		}
	}
}

// odd tells whether a value is missing or infinite.
func odd(v []float32) bool {
	for _, x := range v {
		if x-x != 0 {
			return true
		}
	}
	return false
}

// plain adds the leaf values of one tree for rows. Four rows descend at once: each waits
// for memory while the others compute.
func (t *tree) plain(acc, rows []float32, cols int) {
	nodes := t.nodes
	i := 0
	for ; i+4 <= len(acc); i += 4 {
		r0, r1, r2, r3 := rows[i*cols:(i+1)*cols], rows[(i+1)*cols:(i+2)*cols], rows[(i+2)*cols:(i+3)*cols], rows[(i+3)*cols:(i+4)*cols]
		var a, b, c, e int32
		for range t.depth {
			na, nb, nc, ne := &nodes[a], &nodes[b], &nodes[c], &nodes[e]
			a, b, c, e = na.right, nb.right, nc.right, ne.right
			if r0[na.f] < na.split {
				a = na.left
			}
			if r1[nb.f] < nb.split {
				b = nb.left
			}
			if r2[nc.f] < nc.split {
				c = nc.left
			}
			if r3[ne.f] < ne.split {
				e = ne.left
			}
		}
		acc[i] += t.value[a]
		acc[i+1] += t.value[b]
		acc[i+2] += t.value[c]
		acc[i+3] += t.value[e]
	}
	for ; i < len(acc); i++ {
		acc[i] += t.value[t.descend(rows[i*cols:(i+1)*cols])]
	}
}

// slanted is plain for oblique splits.
func (t *tree) slanted(acc, rows []float32, cols int) {
	nodes, pairs := t.nodes, t.pairs[:len(t.nodes)]
	i := 0
	for ; i+2 <= len(acc); i += 2 {
		r0, r1 := rows[i*cols:(i+1)*cols], rows[(i+1)*cols:(i+2)*cols]
		var a, b int32
		for range t.depth {
			na, nb, pa, pb := &nodes[a], &nodes[b], &pairs[a], &pairs[b]
			a, b = na.right, nb.right
			if pa.a*r0[na.f]+pa.b*r0[na.g] < na.split {
				a = na.left
			}
			if pb.a*r1[nb.f]+pb.b*r1[nb.g] < nb.split {
				b = nb.left
			}
		}
		acc[i] += t.value[a]
		acc[i+1] += t.value[b]
	}
	for ; i < len(acc); i++ {
		acc[i] += t.value[t.descend(rows[i*cols:(i+1)*cols])]
	}
}

// descend returns the leaf of row, whatever it holds.
func (t *tree) descend(row []float32) int32 {
	var at int32
	for {
		n := &t.nodes[at]
		if n.left == at {
			return at
		}
		at = t.step(at, row)
	}
}

// step goes one node down from at.
func (t *tree) step(at int32, row []float32) int32 {
	n, x := &t.nodes[at], &t.extra[at]
	var v float32
	switch {
	case x.cats != 0:
		if bit(row[n.f])&x.cats != 0 {
			return n.left
		}
		return n.right
	case t.pairs != nil && n.f != n.g:
		v = t.pairs[at].a*finite(row[n.f]) + t.pairs[at].b*finite(row[n.g])
	default:
		v = finite(row[n.f])
	}
	if v < n.split || v != v && !x.nanRight {
		return n.left
	}
	return n.right
}

// mean is the mean leaf value of row over the trees.
func (f *Forest) mean(row []float32) float64 {
	var sum float64
	for k := range f.trees {
		sum += float64(f.trees[k].value[f.trees[k].descend(row)])
	}
	return sum / float64(len(f.trees))
}

// transform maps a mean leaf value to a score.
func (f *Forest) transform(v float64) float64 {
	if f.opts.Scoring == Depth {
		return math.Exp2(-v / max(f.norm, 1e-9))
	}
	return 1 / (1 + math.Exp((v-f.mid)/f.spread))
}

// PathLength is the mean path length of row, E(h(x)) in the paper. Forests that
// score otherwise give their own leaf value.
func (f *Forest) PathLength(row []float32) float64 { return f.mean(row) }

// Contribution says how much of a score a column is answerable for.
type Contribution struct {
	Column int
	Share  float64 // positive: makes the row unusual. In path length or log density.
}

// Explain splits the difference between the row's mean leaf value and that of the whole
// sample over the columns: each step of a path is put down to the columns it looked at.
// The shares add up to that difference.
func (f *Forest) Explain(row []float32) ([]Contribution, error) {
	if len(row) != f.columns {
		return nil, fmt.Errorf("%w: a row of %d columns, the forest was fitted on %d", ErrData, len(row), f.columns)
	}
	out := make([]Contribution, f.columns)
	for i := range out {
		out[i].Column = i
	}
	for k := range f.trees {
		t := &f.trees[k]
		for at := int32(0); t.nodes[at].left != at; {
			n, next := &t.nodes[at], t.step(at, row)
			gain := float64(t.value[at]-t.value[next]) / float64(len(f.trees))
			if t.pairs != nil && n.f != n.g {
				out[n.f].Share += gain / 2
				out[n.g].Share += gain / 2
			} else {
				out[n.f].Share += gain
			}
			at = next
		}
	}
	return out, nil
}
