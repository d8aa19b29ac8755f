package model

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/inframind/inframind/log-classifier/feature"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/linear"
	"github.com/inframind/inframind/log-classifier/token"
)

// Params of a training. Their defaults are those of the shipped model.
type Params struct {
	C           float64        // inverse penalty
	MinDF       int            // features in fewer training rows than this are left out
	SystemRows  float64        // rows of a system beyond which its rows weigh less: sqrt(SystemRows/n)
	Shift       [Heads]float64 // added to the log-odds of each question
	Features    feature.Options
	MaxIter     int
	Calibration int // folds by system whose left-out scores calibrate the probabilities; 0: none
}

// DefaultParams are those of the shipped model.
func DefaultParams() Params {
	return Params{C: 50, MinDF: 2, SystemRows: 60, Features: feature.Defaults(), MaxIter: 200, Calibration: 5}
}

// Row is one training example with its weight.
type Row struct {
	label.Example
	Weight [Heads]float64 // in the training of each question; all 0 means 1
}

// data is a training set as the trainer wants it: columns are the buckets in use.
type data struct {
	m       linear.Matrix
	y       []int
	weight  [][Heads]float64
	columns []uint32  // bucket of each column
	scale   []float32 // of each column
	system  []string
	near    []Neighbour // what each row is as a neighbour, and its words
	words   [][]uint64
}

// item is a distinct masked message with its features: buckets in order, and their values.
type item struct {
	row    Row
	bucket []uint32
	value  []float32
	words  []uint64
}

// newItem sums the values of equal buckets of v.
func newItem(r Row, v feature.Vector, words []uint64) item {
	it := item{row: r, bucket: slices.Clone(v.Idx), words: words}
	slices.Sort(it.bucket)
	it.bucket = slices.Clip(slices.Compact(it.bucket))
	it.value = make([]float32, len(it.bucket))
	for k, j := range v.Idx {
		at, _ := slices.BinarySearch(it.bucket, j)
		it.value[at] += v.Val[k]
	}
	return it
}

// distinct masks and vectorises rows. Of equal masked messages the most severe label and the
// greatest weight stay.
func distinct(rows []Row, p Params) []item {
	mask, ex := token.NewMasker(), feature.New(p.Features)
	at := map[string]int{}
	var items []item
	for _, r := range rows {
		if r.Weight == ([Heads]float64{}) {
			r.Weight = [Heads]float64{1, 1, 1}
		}
		key := mask.Mask(r.Message)
		if i, ok := at[string(key)]; ok {
			old := &items[i].row
			old.Category = min(old.Category, r.Category)
			for h := range r.Weight {
				old.Weight[h] = math.Max(old.Weight[h], r.Weight[h])
			}
			continue
		}
		at[string(key)] = len(items)
		items = append(items, newItem(r, ex.Extract(key), ex.Hashes(nil)))
	}
	return items
}

// prepare makes the training set of rows: features of one row are left out, common ones and
// rows of large systems weighed down.
func prepare(rows []Row, p Params) *data {
	items := distinct(rows, p)
	df := make([]int, feature.Dim)
	perSystem := map[string]float64{}
	for _, it := range items {
		perSystem[it.row.System]++
		for _, j := range it.bucket {
			df[j]++
		}
	}
	d := &data{}
	column := make([]int32, feature.Dim)
	for j, n := range df {
		column[j] = -1
		if n >= p.MinDF {
			column[j] = int32(len(d.columns))
			d.columns = append(d.columns, uint32(j))
			d.scale = append(d.scale, rarity(n, len(items)))
		}
	}
	d.m.Cols = len(d.columns)
	var idx []int32
	var val []float32
	for _, it := range items {
		idx, val = idx[:0], val[:0]
		for k, j := range it.bucket {
			if c := column[j]; c >= 0 {
				idx, val = append(idx, c), append(val, it.value[k]*d.scale[c])
			}
		}
		d.m.Append(idx, val)
		d.y = append(d.y, int(it.row.Category))
		d.system = append(d.system, it.row.System)
		d.near = append(d.near, Neighbour{it.row.Category, it.row.Message, voteOf(it.row.Weight)})
		d.words = append(d.words, it.words)
		share := math.Min(1, math.Sqrt(p.SystemRows/perSystem[it.row.System]))
		for h := range it.row.Weight {
			it.row.Weight[h] *= share
		}
		d.weight = append(d.weight, it.row.Weight)
	}
	return d
}

// rarity is the root of the inverse document frequency, at most 1, of a feature in n of all
// rows: the penalty holds common features back, which many rows would bend to their taste.
// The model's weights have it multiplied in.
func rarity(n, all int) float32 {
	most := math.Log(float64(all + 1))
	return float32(math.Sqrt((most - math.Log(float64(n))) / most))
}

func (p Params) linear() linear.Options {
	return linear.Options{C: p.C, MaxIter: p.MaxIter, Tol: 1e-4}
}

// question returns the rows that the training of head h uses, with balanced weights, and
// which of them are positive. Rows of fold skip are left out; skip < 0 keeps all.
func (d *data) question(h int, fold []int, skip int) (positive []bool, weight []float64) {
	positive, weight = make([]bool, len(d.y)), make([]float64, len(d.y))
	var pos, neg float64
	for i, c := range d.y {
		asked, yes := asks(h, label.Category(c))
		if !asked || skip >= 0 && fold[i] == skip {
			continue
		}
		positive[i], weight[i] = yes, d.weight[i][h]
		if yes {
			pos += weight[i]
		} else {
			neg += weight[i]
		}
	}
	for i := range weight {
		switch {
		case pos == 0 || neg == 0:
			weight[i] = 0
		case positive[i]:
			weight[i] *= (pos + neg) / (2 * pos)
		default:
			weight[i] *= (pos + neg) / (2 * neg)
		}
	}
	return positive, weight
}

// fit trains the heads on all rows but those of one fold.
func (d *data) fit(p Params, fold []int, skip int) (out [Heads]linear.Weights) {
	var wg sync.WaitGroup
	for h := range Heads {
		wg.Go(func() {
			positive, weight := d.question(h, fold, skip)
			out[h] = linear.Binary(&d.m, positive, weight, p.linear())
		})
	}
	wg.Wait()
	return out
}

// Train fits a model on rows.
func Train(rows []Row, p Params) *Model {
	d := prepare(rows, p)
	m := &Model{Features: p.Features, Rows: len(d.y), W: make([]float32, feature.Dim*Heads), Near: newNeighbours(d.near, d.words)}
	for h, w := range d.fit(p, nil, -1) {
		m.Bias[h], m.Calibration.Scale[h], m.Calibration.Shift[h] = float32(w.Bias), 1, p.Shift[h]
		for k, j := range d.columns {
			m.W[int(j)*Heads+h] = float32(w.W[k]) * d.scale[k]
		}
	}
	if p.Calibration > 1 {
		m.Calibration = calibrate(d, p)
	}
	return m
}

// caution is how much less is known of a site's system than of a system of the corpus that is
// left out: fitted once on recorded systems.
const caution = 0.77

// calibrate scores every row by heads and neighbours that have not seen its system, and fits
// on both the scales of each head that make its probabilities true. The shift stays.
func calibrate(d *data, p Params) Calibration {
	fold := folds(d.system, p.Calibration)
	z, near := make([][Heads]float64, len(d.y)), make([][Heads]float64, len(d.y))
	rough := p // one number a head is wanted: no need to be exact to the last weight
	rough.MaxIter = min(p.MaxIter, 60)
	for f := range p.Calibration {
		ws := d.fit(rough, fold, f)
		s := newSearch(d.others(fold, f))
		for i := range d.y {
			if fold[i] == f {
				for h := range ws {
					z[i][h] = ws[h].Score(&d.m, i)
				}
				near[i] = s.n.odds(s.find(d.words[i]))
			}
		}
	}
	var c Calibration
	for h := range Heads {
		positive, weight := d.question(h, nil, -1)
		scale, voice := fitScale(z, near, h, positive, weight)
		c.Scale[h], c.Near[h], c.Shift[h] = caution*scale, caution*voice, p.Shift[h]
	}
	return c
}

// others indexes the rows that are not in a fold.
func (d *data) others(fold []int, skip int) *Neighbours {
	var near []Neighbour
	var words [][]uint64
	for i, f := range fold {
		if f != skip {
			near, words = append(near, d.near[i]), append(words, d.words[i])
		}
	}
	return newNeighbours(near, words)
}

// folds spreads the systems over n folds of about equal size; a system without a name is
// spread by row.
func folds(system []string, n int) []int {
	count := map[string]int{}
	name := func(i int) string {
		if system[i] == "" {
			return strconv.Itoa(i % (4 * n))
		}
		return system[i]
	}
	for i := range system {
		count[name(i)]++
	}
	names := make([]string, 0, len(count))
	for s := range count {
		names = append(names, s)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	load, of := make([]int, n), map[string]int{}
	for _, s := range names {
		f := 0
		for k := range load {
			if load[k] < load[f] {
				f = k
			}
		}
		of[s] = f
		load[f] += count[s]
	}
	out := make([]int, len(system))
	for i := range system {
		out[i] = of[name(i)]
	}
	return out
}
