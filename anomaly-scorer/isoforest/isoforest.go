// Package isoforest is an isolation forest (Liu, Ting and Zhou, 2008): random trees split
// a small sample until every row stands alone, and rows that stand alone early are unusual.
//
// Beside the standard algorithm it has what was found to pay since: splits over two
// features at once (Hariri, Carrasco Kind and Brunner, 2019), scores by the density of a
// leaf instead of its depth, categorical features, missing values and row weights.
//
// Scores are in [0,1], high is unusual. Equal data, Options and seed give the same forest
// on any number of threads.
//
//	f, err := isoforest.Fit(data, isoforest.Options{Seed: 1})
//	scores, err := f.Score(nil, data)
package isoforest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// Data is a table of numbers, row after row. NaN is a missing value.
type Data struct {
	Values  []float32
	Columns int
}

// Rows is the number of rows.
func (d Data) Rows() int {
	if d.Columns == 0 {
		return 0
	}
	return len(d.Values) / d.Columns
}

// Row is the i-th row; it is part of d, not a copy.
func (d Data) Row(i int) []float32 { return d.Values[i*d.Columns : (i+1)*d.Columns] }

// FromRows copies rows of equal length.
func FromRows(rows [][]float64) (Data, error) {
	if len(rows) == 0 {
		return Data{}, nil
	}
	d := Data{Columns: len(rows[0]), Values: make([]float32, 0, len(rows)*len(rows[0]))}
	for i, r := range rows {
		if len(r) != d.Columns {
			return Data{}, fmt.Errorf("row %d has %d values, the first has %d", i, len(r), d.Columns)
		}
		for _, v := range r {
			d.Values = append(d.Values, float32(v))
		}
	}
	return d, nil
}

// Scoring is how a leaf becomes a score.
type Scoring uint8

// The ways of scoring.
const (
	// Depth is the paper's: 2^(-mean path length / expected path length).
	Depth Scoring = iota
	// Density compares the share of rows in a leaf with the share of the space it covers.
	// It ranks local outliers better than Depth, others worse.
	Density
	// Blend adds the two, path length and logarithm of the density: better than either, at
	// the standard forest's speed.
	Blend
	// Mixed makes two thirds of the trees oblique, with a preference for columns with heavy
	// tails, and scores them by density, the others standard, by depth, and adds the two
	// after giving each a spread of its own. It costs more time and separates best.
	Mixed
)

// Options are the parameters of Fit. The zero value is the paper's standard forest:
// 100 trees of 256 rows.
type Options struct {
	Trees         int       // [100; 300 for Mixed]
	Sample        int       // rows a tree [256]
	MaxDepth      int       // [log2 of Sample, rounded up]
	SplitFeatures int       // 1, the standard, or 2 for oblique splits [1]
	Kurtosis      bool      // prefer columns with heavy tails, where outliers are [oblique trees of Mixed]
	Scoring       Scoring   //
	Categorical   []int     // columns that hold category numbers, 0 to 63
	Weights       []float64 // how likely each row is drawn, relative to the others; nil: equally
	Seed          uint64    //
	Workers       int       // threads [GOMAXPROCS]
}

// Default are the options that separated outliers best over twelve public sets: 300 trees,
// Mixed. Options{Scoring: Blend} is nearly as good at a sixth of the time.
func Default() Options { return Options{Scoring: Mixed} }

func (o Options) withDefaults(rows int) Options {
	if o.Scoring == Mixed {
		o.SplitFeatures = 2
	}
	if o.Trees <= 0 {
		o.Trees = 100
		if o.Scoring == Mixed {
			o.Trees = 300
		}
	}
	if o.Sample <= 0 {
		o.Sample = 256
	}
	o.Sample = min(o.Sample, rows)
	if o.MaxDepth <= 0 {
		o.MaxDepth = int(math.Ceil(math.Log2(float64(max(o.Sample, 2)))))
	}
	if o.SplitFeatures == 0 {
		o.SplitFeatures = 1
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o
}

// Limits of what Fit and Load accept.
const (
	maxTrees   = 10_000
	maxSample  = 1 << 16
	maxDepth   = 64
	maxColumns = 1 << 12
	categories = 64
)

// ErrData says that nothing can be learned from the data.
var ErrData = errors.New("unusable data")

func (o *Options) check(d Data) error {
	switch {
	case d.Columns < 1 || d.Columns > maxColumns:
		return fmt.Errorf("%w: %d columns; want 1 to %d", ErrData, d.Columns, maxColumns)
	case len(d.Values)%d.Columns != 0:
		return fmt.Errorf("%w: %d values do not fill rows of %d", ErrData, len(d.Values), d.Columns)
	case d.Rows() < 2:
		return fmt.Errorf("%w: %d rows; a forest needs at least 2", ErrData, d.Rows())
	case o.Trees > maxTrees, o.Sample > maxSample, o.MaxDepth > maxDepth:
		return fmt.Errorf("at most %d trees, %d rows a tree and depth %d", maxTrees, maxSample, maxDepth)
	case o.SplitFeatures != 1 && o.SplitFeatures != 2:
		return fmt.Errorf("%d features a split; 1 and 2 are possible", o.SplitFeatures)
	case o.Scoring > Mixed:
		return fmt.Errorf("unknown scoring %d", o.Scoring)
	case o.Weights != nil && len(o.Weights) != d.Rows():
		return fmt.Errorf("%d weights for %d rows", len(o.Weights), d.Rows())
	}
	for _, c := range o.Categorical {
		if c < 0 || c >= d.Columns {
			return fmt.Errorf("categorical column %d of %d", c, d.Columns)
		}
	}
	return nil
}

// node is an inner node or a leaf. The children of a node lie side by side; child is the
// left one's index in the tree. A leaf is its own left child and splits at infinity, so
// that descending a fixed number of steps needs no branch.
type node struct {
	split float32
	child int32
	f, g  uint16 // features; g only for oblique splits
}

func (n *node) leaf(at int32) bool { return n.child == at }

// oblique are the factors of the two features of an oblique split.
type oblique struct{ a, b float32 }

// extra is what a plain numeric split does not need.
type extra struct {
	cats     uint64 // categories that go left; 0 for a numeric split
	nanRight bool   // where missing values go: to the larger side
}

type tree struct {
	nodes []node
	pairs []oblique // empty unless SplitFeatures is 2
	extra []extra
	value []float32 // of a leaf its path length, log density or both, of an inner node the mean below it
	depth int
}

// Forest is a fitted forest. It is safe for concurrent use.
type Forest struct {
	opts    Options
	columns int
	trees   []tree
	norm    float64 // Depth: expected path length
	mid     float64 // Density, Blend: mean and spread over the training rows
	spread  float64
	slow    bool // has categorical splits
}

// Columns is the number of features the forest was fitted on.
func (f *Forest) Columns() int { return f.columns }

// Options are those the forest was fitted with, defaults filled in.
func (f *Forest) Options() Options { return f.opts }

// Fit grows a forest on d. Infinite values are taken for the largest finite float32.
func Fit(d Data, o Options) (*Forest, error) {
	o = o.withDefaults(d.Rows())
	if err := o.check(d); err != nil {
		return nil, err
	}
	f := &Forest{opts: o, columns: d.Columns, trees: make([]tree, o.Trees), norm: AveragePath(o.Sample), slow: len(o.Categorical) > 0}
	draw, err := newDrawer(d.Rows(), o.Weights)
	if err != nil {
		return nil, err
	}
	f.grow(d, draw, 0, o.Trees, o.Seed)
	if o.Scoring == Mixed {
		f.balance(d, 0)
	}
	f.standardise(d)
	f.opts.Weights = nil
	return f, nil
}

// Refresh replaces share (0 to 1) of the trees, the oldest first, by ones grown on d, and
// returns the new forest. It follows slow change without forgetting everything.
func (f *Forest) Refresh(d Data, share float64, seed uint64) (*Forest, error) {
	o := f.opts
	if d.Columns != f.columns {
		return nil, fmt.Errorf("%w: %d columns, the forest has %d", ErrData, d.Columns, f.columns)
	}
	o.Sample = min(o.Sample, d.Rows())
	if err := o.check(d); err != nil {
		return nil, err
	}
	n := int(math.Round(max(0, min(1, share)) * float64(len(f.trees))))
	if o.Scoring == Mixed {
		n -= n % mixtureOf // the trees that move up stay of their sort
	}
	g := *f
	g.trees = append(append([]tree{}, f.trees[n:]...), make([]tree, n)...)
	draw, err := newDrawer(d.Rows(), nil)
	if err != nil {
		return nil, err
	}
	g.opts.Sample = o.Sample
	g.grow(d, draw, len(g.trees)-n, len(g.trees), seed)
	g.opts.Sample = f.opts.Sample
	if o.Scoring == Mixed {
		g.balance(d, len(g.trees)-n)
	}
	g.standardise(d)
	return &g, nil
}

// grow makes the trees from to to-1, each from a generator of its own.
func (f *Forest) grow(d Data, draw *drawer, from, to int, seed uint64) {
	var heavy []float64
	if f.opts.Kurtosis || f.opts.Scoring == Mixed {
		heavy = tails(d, f.opts.Categorical)
	}
	var wg sync.WaitGroup
	var next atomic.Int64
	next.Store(int64(from))
	for range min(f.opts.Workers, max(to-from, 1)) {
		wg.Go(func() {
			g := newGrower(f.opts, d)
			g.heavy = heavy
			for i := next.Add(1) - 1; i < int64(to); i = next.Add(1) - 1 {
				if f.opts.Scoring == Mixed {
					g.o.SplitFeatures, g.o.Scoring = mixture(int(i))
					g.o.Kurtosis = g.o.SplitFeatures == 2
				}
				f.trees[i] = g.tree(draw, rand.New(rand.NewPCG(seed, uint64(i))))
			}
		})
	}
	wg.Wait()
}

// mixtureOf is the number of trees after which the sorts of a Mixed forest repeat.
const mixtureOf = 3

// mixture is what the i-th tree of a Mixed forest is like.
func mixture(i int) (splitFeatures int, s Scoring) {
	if i%mixtureOf == 0 {
		return 1, Depth
	}
	return 2, Density
}

// balance scales the leaf values of the two sorts of trees of a Mixed forest, from the
// tree from on, so that the means over each sort have the same spread over the training
// rows, and the oblique ones, being twice as many, count twice.
func (f *Forest) balance(d Data, from int) {
	for _, sort := range []Scoring{Depth, Density} {
		part := &Forest{opts: f.opts, columns: f.columns, slow: f.slow}
		for i := from; i < len(f.trees); i++ {
			if _, s := mixture(i); s == sort {
				part.trees = append(part.trees, f.trees[i])
			}
		}
		if len(part.trees) == 0 {
			continue
		}
		part.standardise(d)
		for _, t := range part.trees {
			for k := range t.value {
				t.value[k] = float32((float64(t.value[k]) - part.mid) / part.spread)
			}
		}
	}
}

// standardise measures where the training rows' leaf values lie.
func (f *Forest) standardise(d Data) {
	f.mid, f.spread = 0, 1
	if f.opts.Scoring == Depth {
		return
	}
	step := max(1, d.Rows()/1024)
	some := Data{Columns: d.Columns}
	for i := 0; i < d.Rows(); i += step {
		some.Values = append(some.Values, d.Row(i)...)
	}
	values := make([]float64, some.Rows())
	f.means(values, some)
	var sum, sq float64
	for _, v := range values {
		sum, sq = sum+v, sq+v*v
	}
	n := float64(len(values))
	f.mid = sum / n
	f.spread = max(math.Sqrt(max(0, sq/n-f.mid*f.mid)), 1e-6)
}

// AveragePath is the expected path length of an unsuccessful search in a binary search
// tree of n rows, c(n) in the paper.
func AveragePath(n int) float64 {
	switch {
	case n <= 1:
		return 0
	case n == 2:
		return 1
	}
	m := float64(n)
	return 2*(math.Log(m-1)+0.57721566490153286) - 2*(m-1)/m
}
