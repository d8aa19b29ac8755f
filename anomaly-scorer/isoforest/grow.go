package isoforest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// drawer picks the rows of a tree.
type drawer struct {
	n   int
	cum []float64 // running sum of weights, nil for equal ones
}

func newDrawer(n int, weights []float64) (*drawer, error) {
	d := &drawer{n: n}
	if weights == nil {
		return d, nil
	}
	sum, positive := 0.0, 0
	for i, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("weight %d is %v; want 0 or more", i, w)
		}
		if w > 0 {
			positive++
		}
		sum += w
		d.cum = append(d.cum, sum)
	}
	if positive < 2 {
		return nil, fmt.Errorf("%w: fewer than 2 rows have a weight", ErrData)
	}
	return d, nil
}

// sample fills rows with distinct row numbers, fewer when the weights leave no more.
func (d *drawer) sample(rows []int, rng *rand.Rand) []int {
	want := len(rows)
	rows = rows[:0]
	if d.cum == nil && want*2 >= d.n {
		return append(rows, rng.Perm(d.n)[:want]...)
	}
	seen := make(map[int]bool, want)
	for try := 0; len(rows) < want && try < 20*want; try++ {
		var i int
		if d.cum == nil {
			i = rng.IntN(d.n)
		} else {
			i = sort.SearchFloat64s(d.cum, rng.Float64()*d.cum[d.n-1])
			i = min(i, d.n-1)
		}
		if !seen[i] {
			seen[i] = true
			rows = append(rows, i)
		}
	}
	return rows
}

// grower grows trees one after the other; its buffers are reused.
type grower struct {
	o       Options
	d       Data
	cat     []bool
	pairs   bool // the forest has oblique splits
	rows    []int
	local   []float32 // the sample, row after row
	index   []int32   // rows of local, parted as the tree grows
	project []float32
	heavy   []float64 // with Kurtosis: what tails computed
	t       tree
	rng     *rand.Rand
	n       int // rows in the sample
}

func newGrower(o Options, d Data) *grower {
	g := &grower{o: o, d: d, pairs: o.SplitFeatures == 2, cat: make([]bool, d.Columns), rows: make([]int, o.Sample)}
	for _, c := range o.Categorical {
		g.cat[c] = true
	}
	return g
}

func (g *grower) tree(draw *drawer, rng *rand.Rand) tree {
	g.rng = rng
	rows := draw.sample(g.rows[:g.o.Sample], rng)
	g.n = len(rows)
	g.local, g.index, g.project = g.local[:0], g.index[:0], slices.Grow(g.project[:0], g.n)[:g.n]
	for i, r := range rows {
		g.local = append(g.local, g.d.Row(r)...)
		g.index = append(g.index, int32(i))
	}
	for i, v := range g.local {
		g.local[i] = finite(v)
	}
	g.t = tree{nodes: make([]node, 0, 2*g.n), value: make([]float32, 0, 2*g.n), extra: make([]extra, 0, 2*g.n)}
	if g.pairs {
		g.t.pairs = make([]oblique, 0, 2*g.n)
	}
	g.node(g.add(), 0, g.n, 0, 0)
	return g.t
}

func finite(v float32) float32 { return max(-math.MaxFloat32, min(math.MaxFloat32, v)) }

// add appends an unfinished leaf.
func (g *grower) add() int32 {
	at := int32(len(g.t.nodes))
	g.t.nodes = append(g.t.nodes, node{split: float32(math.Inf(1)), child: at})
	g.t.value, g.t.extra = append(g.t.value, 0), append(g.t.extra, extra{})
	if g.t.pairs != nil {
		g.t.pairs = append(g.t.pairs, oblique{})
	}
	return at
}

// node grows the subtree of the rows from lo to hi-1 below at. volume is the logarithm of
// the share of space the node covers.
func (g *grower) node(at int32, lo, hi, depth int, volume float64) {
	n := hi - lo
	cut, ok := split{}, false
	if n > 1 && depth < g.o.MaxDepth {
		cut, ok = g.choose(lo, hi)
	}
	if !ok {
		g.t.depth = max(g.t.depth, depth)
		g.t.value[at] = float32(g.leaf(n, depth, volume))
		return
	}
	mid := g.part(lo, hi, &cut)
	left := g.add()
	right := g.add()
	g.node(left, lo, mid, depth+1, volume+math.Log(cut.share))
	g.node(right, mid, hi, depth+1, volume+math.Log(1-cut.share))
	g.t.nodes[at] = node{split: cut.at, child: left, f: uint16(cut.f), g: uint16(cut.g)}
	g.t.extra[at] = extra{cats: cut.cats, nanRight: cut.nanRight}
	if g.t.pairs != nil {
		g.t.pairs[at] = oblique{cut.a, cut.b}
	}
	w := float32(mid-lo) / float32(n)
	g.t.value[at] = w*g.t.value[left] + (1-w)*g.t.value[right]
}

func (g *grower) leaf(n, depth int, volume float64) float64 {
	path := float64(depth) + AveragePath(n)
	density := math.Log(float64(n)/float64(g.n)) - volume
	switch g.o.Scoring {
	case Density:
		return density
	case Blend:
		return density + path
	}
	return path
}

// split is a cut through the rows of a node. Rows with a*x[f]+b*x[g] < at go left.
type split struct {
	f, g     int
	a, b     float32
	at       float32
	cats     uint64
	nanRight bool
	share    float64 // of the range that lies left of the cut
}

// tries is how many features are drawn before a full search for one that varies.
const tries = 8

func (g *grower) choose(lo, hi int) (split, bool) {
	for range tries {
		if s, ok := g.try(lo, hi, g.column()); ok {
			return s, true
		}
	}
	for _, f := range g.rng.Perm(g.d.Columns) {
		if s, ok := g.try(lo, hi, f); ok {
			return s, true
		}
	}
	return split{}, false
}

// column draws a column.
func (g *grower) column() int {
	if !g.o.Kurtosis {
		return g.rng.IntN(g.d.Columns)
	}
	u := g.rng.Float64() * g.heavy[g.d.Columns-1]
	return min(sort.SearchFloat64s(g.heavy, u), g.d.Columns-1)
}

// tails sums up the columns' kurtosis, from left to right: the fourth moment over the
// square of the second, 3 for a normal distribution, which categories are taken for.
func tails(d Data, categorical []int) []float64 {
	out := make([]float64, d.Columns)
	total := 0.0
	for k := range out {
		w := 3.0
		if !slices.Contains(categorical, k) {
			w = kurtosis(d, k)
		}
		total += w
		out[k] = total
	}
	return out
}

// kurtosis is that of column k in about ten thousand rows, missing values aside; 0 when it
// does not vary.
func kurtosis(d Data, k int) float64 {
	step := max(1, d.Rows()/10_000) * d.Columns
	var n, mean, second, fourth float64
	for i := k; i < len(d.Values); i += step {
		if v := float64(finite(d.Values[i])); v == v {
			n, mean = n+1, mean+v
		}
	}
	mean /= max(n, 1)
	for i := k; i < len(d.Values); i += step {
		if v := float64(finite(d.Values[i])); v == v {
			sq := (v - mean) * (v - mean)
			second, fourth = second+sq, fourth+sq*sq
		}
	}
	if !(second > 0) {
		return 0
	}
	return n * fourth / (second * second)
}

// try cuts by feature f, in oblique forests together with a second one.
func (g *grower) try(lo, hi, f int) (split, bool) {
	if g.cat[f] {
		return g.category(lo, hi, f)
	}
	low, high := g.bounds(lo, hi, f)
	if !(low < high) {
		return split{}, false
	}
	if g.o.SplitFeatures == 2 && g.d.Columns > 1 {
		if s, ok := g.oblique(lo, hi, f); ok {
			return s, true
		}
	}
	return g.cut(split{f: f, g: f, a: 1}, low, high)
}

// cut places the split in (low, high].
func (g *grower) cut(s split, low, high float32) (split, bool) {
	u := g.rng.Float64()
	s.at = float32(float64(low) + u*(float64(high)-float64(low)))
	if s.at <= low { // at least one row on each side
		s.at = math.Nextafter32(low, high)
	}
	s.share = (float64(s.at) - float64(low)) / (float64(high) - float64(low))
	s.share = max(1e-6, min(1-1e-6, s.share))
	return s, s.at <= high
}

func (g *grower) bounds(lo, hi, f int) (low, high float32) {
	low, high = math.MaxFloat32, -math.MaxFloat32
	for _, i := range g.index[lo:hi] {
		v := g.local[int(i)*g.d.Columns+f]
		if v < low {
			low = v
		}
		if v > high {
			high = v
		}
	}
	return low, high
}

// oblique cuts by a random direction in the plane of f and another feature, both scaled by
// their spread in the node.
func (g *grower) oblique(lo, hi, f int) (split, bool) {
	for range 3 {
		h := g.rng.IntN(g.d.Columns)
		if h == f || g.cat[h] {
			continue
		}
		sf, sh := g.spread(lo, hi, f), g.spread(lo, hi, h)
		if !(sh > 0) || !(sf > 0) {
			continue
		}
		s := split{f: f, g: h, a: float32(g.rng.NormFloat64() / sf), b: float32(g.rng.NormFloat64() / sh)}
		low, high := float32(math.MaxFloat32), float32(-math.MaxFloat32)
		for _, i := range g.index[lo:hi] {
			row := g.local[int(i)*g.d.Columns:]
			v := s.a*row[f] + s.b*row[h]
			if v < low {
				low = v
			}
			if v > high {
				high = v
			}
		}
		if low < high {
			return g.cut(s, low, high)
		}
	}
	return split{}, false
}

// spread is the standard deviation of f in the node, ignoring missing values.
func (g *grower) spread(lo, hi, f int) float64 {
	var n, sum, sq float64
	for _, i := range g.index[lo:hi] {
		v := float64(g.local[int(i)*g.d.Columns+f])
		if v == v {
			n, sum, sq = n+1, sum+v, sq+v*v
		}
	}
	if n < 2 {
		return 0
	}
	return math.Sqrt(max(0, sq/n-sum/n*sum/n))
}

// category sends a random half of the categories in the node to the left.
func (g *grower) category(lo, hi, f int) (split, bool) {
	var present uint64
	for _, i := range g.index[lo:hi] {
		present |= bit(g.local[int(i)*g.d.Columns+f])
	}
	if present&(present-1) == 0 {
		return split{}, false
	}
	for {
		cats := g.rng.Uint64() & present
		if cats != 0 && cats != present {
			n, m := ones(present), ones(cats)
			return split{f: f, g: f, a: 1, cats: cats, share: m / n}, true
		}
	}
}

func ones(v uint64) (n float64) {
	for ; v != 0; v &= v - 1 {
		n++
	}
	return n
}

// bit is the set that holds category v. Numbers outside 0 to 63, and missing ones, count
// as the last category.
func bit(v float32) uint64 {
	if v >= 0 && v < categories-1 {
		return 1 << uint(v)
	}
	return 1 << (categories - 1)
}

// part moves the rows that go left to the front and returns where the others begin.
// Missing values go where more rows go.
func (g *grower) part(lo, hi int, s *split) int {
	left, known := 0, 0
	for k, i := range g.index[lo:hi] {
		v := g.value(i, s)
		g.project[k] = v
		if v == v {
			known++
			if v < s.at {
				left++
			}
		}
	}
	s.nanRight = left*2 < known
	i, j := lo, hi-1
	side := g.project[:hi-lo]
	for i <= j {
		v := side[i-lo]
		if v < s.at || v != v && !s.nanRight {
			i++
			continue
		}
		g.index[i], g.index[j] = g.index[j], g.index[i]
		side[i-lo], side[j-lo] = side[j-lo], side[i-lo]
		j--
	}
	return i
}

func (g *grower) value(i int32, s *split) float32 {
	row := g.local[int(i)*g.d.Columns : (int(i)+1)*g.d.Columns]
	switch {
	case s.cats != 0:
		if bit(row[s.f])&s.cats != 0 {
			return -1 // left of the split at 0
		}
		return 1
	case s.f == s.g:
		return row[s.f]
	}
	return s.a*row[s.f] + s.b*row[s.g]
}
