package isoforest

import (
	"fmt"
	"math"
	"slices"
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
	f.means(out, d)
	for i, v := range out {
		out[i] = f.transform(v)
	}
}

// means computes the mean leaf value of each row.
func (f *Forest) means(out []float64, d Data) {
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
			out[lo+i] = float64(s) / float64(len(f.trees))
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

// plain adds the leaf values of one tree for rows. Eight rows descend at once: while one
// waits for memory the others compute.
func (t *tree) plain(acc, rows []float32, cols int) {
	nodes := t.nodes
	i := 0
	for ; i+8 <= len(acc); i += 8 {
		r := rows[i*cols : (i+8)*cols]
		r0, r1, r2, r3 := r[:cols], r[cols:2*cols], r[2*cols:3*cols], r[3*cols:4*cols]
		r4, r5, r6, r7 := r[4*cols:5*cols], r[5*cols:6*cols], r[6*cols:7*cols], r[7*cols:8*cols]
		var n0, n1, n2, n3, n4, n5, n6, n7 int32
		for range t.depth {
			n0, n1 = next(&nodes[n0], r0), next(&nodes[n1], r1)
			n2, n3 = next(&nodes[n2], r2), next(&nodes[n3], r3)
			n4, n5 = next(&nodes[n4], r4), next(&nodes[n5], r5)
			n6, n7 = next(&nodes[n6], r6), next(&nodes[n7], r7)
		}
		a := acc[i : i+8]
		a[0] += t.value[n0]
		a[1] += t.value[n1]
		a[2] += t.value[n2]
		a[3] += t.value[n3]
		a[4] += t.value[n4]
		a[5] += t.value[n5]
		a[6] += t.value[n6]
		a[7] += t.value[n7]
	}
	for ; i < len(acc); i++ {
		acc[i] += t.value[t.descend(rows[i*cols:(i+1)*cols])]
	}
}

// next is the child of n that row belongs to, without a branch.
func next(n *node, row []float32) int32 {
	var right int32
	if row[n.f] >= n.split {
		right = 1
	}
	return n.child + right
}

// slanted is plain for oblique splits.
func (t *tree) slanted(acc, rows []float32, cols int) {
	nodes, pairs := t.nodes, t.pairs[:len(t.nodes)]
	i := 0
	for ; i+4 <= len(acc); i += 4 {
		r := rows[i*cols : (i+4)*cols]
		r0, r1, r2, r3 := r[:cols], r[cols:2*cols], r[2*cols:3*cols], r[3*cols:4*cols]
		var n0, n1, n2, n3 int32
		for range t.depth {
			n0, n1 = nextSlanted(&nodes[n0], &pairs[n0], r0), nextSlanted(&nodes[n1], &pairs[n1], r1)
			n2, n3 = nextSlanted(&nodes[n2], &pairs[n2], r2), nextSlanted(&nodes[n3], &pairs[n3], r3)
		}
		acc[i] += t.value[n0]
		acc[i+1] += t.value[n1]
		acc[i+2] += t.value[n2]
		acc[i+3] += t.value[n3]
	}
	for ; i < len(acc); i++ {
		acc[i] += t.value[t.descend(rows[i*cols:(i+1)*cols])]
	}
}

func nextSlanted(n *node, p *oblique, row []float32) int32 {
	var right int32
	if p.a*row[n.f]+p.b*row[n.g] >= n.split {
		right = 1
	}
	return n.child + right
}

// descend returns the leaf of row, whatever it holds.
func (t *tree) descend(row []float32) int32 {
	for at := int32(0); ; at = t.step(at, row) {
		if t.nodes[at].leaf(at) {
			return at
		}
	}
}

// step goes one node down from at.
func (t *tree) step(at int32, row []float32) int32 {
	n, x := &t.nodes[at], &t.extra[at]
	var v float32
	switch {
	case x.cats != 0:
		if bit(row[n.f])&x.cats != 0 {
			return n.child
		}
		return n.child + 1
	case t.pairs != nil && n.f != n.g:
		v = t.pairs[at].a*finite(row[n.f]) + t.pairs[at].b*finite(row[n.g])
	default:
		v = finite(row[n.f])
	}
	if v < n.split || v != v && !x.nanRight {
		return n.child
	}
	return n.child + 1
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

// Threshold is the score that the share contamination of the rows of d exceeds.
func (f *Forest) Threshold(d Data, contamination float64) (float64, error) {
	if !(contamination > 0 && contamination < 1) {
		return 0, fmt.Errorf("contamination %v; want a share between 0 and 1", contamination)
	}
	scores, err := f.Score(nil, d)
	if err != nil {
		return 0, err
	}
	if len(scores) == 0 {
		return 0, fmt.Errorf("%w: no rows", ErrData)
	}
	slices.Sort(scores)
	return scores[min(int(math.Ceil((1-contamination)*float64(len(scores)))), len(scores)-1)], nil
}

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
		for at := int32(0); !t.nodes[at].leaf(at); {
			n, to := &t.nodes[at], t.step(at, row)
			gain := float64(t.value[at]-t.value[to]) / float64(len(f.trees))
			if t.pairs != nil && n.f != n.g {
				out[n.f].Share += gain / 2
				out[n.g].Share += gain / 2
			} else {
				out[n.f].Share += gain
			}
			at = to
		}
	}
	return out, nil
}
