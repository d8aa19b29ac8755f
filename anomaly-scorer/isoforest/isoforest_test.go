package isoforest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The expected path length of the paper, c(n) = 2H(n-1) - 2(n-1)/n, with the harmonic
// number summed instead of approximated.
func TestAveragePathAgainstTheFormula(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 256, 4096} {
		want := 0.0
		if n > 1 {
			h := 0.0
			for i := 1; i < n; i++ {
				h += 1 / float64(i)
			}
			want = 2*h - 2*float64(n-1)/float64(n)
		}
		// The paper's own approximation of H is off by 1/(2n).
		if got := AveragePath(n); math.Abs(got-want) > 1.01/float64(max(n-1, 1)) {
			t.Errorf("c(%d) = %v, want %v", n, got, want)
		}
	}
	if got := AveragePath(256); math.Abs(got-10.2448) > 1e-4 {
		t.Errorf("c(256) = %v, the paper's normalisation is 10.2448", got)
	}
}

// Five values on a line, one far away, without a depth limit: the distant one is isolated
// by the first cut with probability 99/103, and its mean path length can be computed.
func TestPathLengthOfKnownData(t *testing.T) {
	d, err := FromRows([][]float64{{0}, {1}, {2}, {3}, {103}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Fit(d, Options{Trees: 10_000, Sample: 5, MaxDepth: 10, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	// E = 1 + sum over gaps of P(gap first)*E(rest), computed by hand: all but the last
	// gap leave the outlier with 1, 2 or 3 others.
	e1 := 1.0                              // {3,103}
	e2 := 1 + e1*1.0/101                   // {2,3,103}
	e3 := 1 + (e2*1.0+e1*1.0)/102          // {1,2,3,103}
	want := 1 + (e3*1.0+e2*1.0+e1*1.0)/103 // {0,1,2,3,103}
	if got := f.PathLength(d.Row(4)); math.Abs(got-want) > .005 {
		t.Errorf("path length %v, want %v", got, want)
	}
	// The middle value's paths are longer than those of the edge, and scores turn round.
	scores, err := f.Score(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	if !(scores[4] > scores[0] && scores[0] > scores[1]) {
		t.Errorf("scores %v do not fall from the outlier over the edge to the middle", scores)
	}
	if want := math.Exp2(-f.PathLength(d.Row(4)) / AveragePath(5)); math.Abs(scores[4]-want) > 1e-6 {
		t.Errorf("score %v, the paper's formula gives %v", scores[4], want)
	}
}

func variants() map[string]Options {
	return map[string]Options{
		"standard": {Seed: 3}, "blend": {Scoring: Blend, Seed: 3}, "mixed": {Scoring: Mixed, Seed: 3}, "density": {Scoring: Density, Seed: 3},
		"oblique": {SplitFeatures: 2, Seed: 3}, "categorical": {Categorical: []int{2}, Seed: 3},
	}
}

// cloud is a Gaussian cloud with category numbers in column 2 and a last row far outside.
func cloud(n int) Data {
	rng := rand.New(rand.NewPCG(9, 9))
	d := Data{Columns: 5}
	for range n {
		for k := range d.Columns {
			v := rng.NormFloat64()
			if k == 2 {
				v = float64(rng.IntN(4))
			}
			d.Values = append(d.Values, float32(v))
		}
	}
	copy(d.Row(n-1), []float32{9, -9, 3, 9, -9})
	return d
}

// Every kind of forest keeps the same promises.
func TestContract(t *testing.T) {
	d := cloud(2000)
	for name, o := range variants() {
		t.Run(name, func(t *testing.T) {
			o.Workers = 1
			f, err := Fit(d, o)
			if err != nil {
				t.Fatal(err)
			}
			one, err := f.Score(nil, d)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range one {
				if !(s >= 0 && s <= 1) {
					t.Fatalf("row %d scores %v", i, s)
				}
			}
			if m := slices.Max(one); one[len(one)-1] != m {
				t.Errorf("the outlier scores %v, the highest is %v", one[len(one)-1], m)
			}
			o.Workers = 7
			g, err := Fit(d, o)
			if err != nil {
				t.Fatal(err)
			}
			if many, err := g.Score(nil, d); err != nil || !slices.Equal(one, many) {
				t.Errorf("seven threads give other scores than one: %v", err)
			}
			// One row at a time, as a service scores them, must not differ.
			for _, i := range []int{0, 77, 1999} {
				s, err := f.Score(nil, Data{Values: d.Row(i), Columns: d.Columns})
				if err != nil || math.Abs(s[0]-one[i]) > 1e-6 {
					t.Errorf("row %d alone scores %v, among others %v: %v", i, s, one[i], err)
				}
			}
			roundTrip(t, f, d, one)
			explained(t, f, d)
		})
	}
}

func roundTrip(t *testing.T, f *Forest, d Data, want []float64) {
	t.Helper()
	raw, err := f.Encode(Meta{Features: []string{"a", "b", "c", "d", "e"}, Rows: 2000})
	if err != nil {
		t.Fatal(err)
	}
	g, meta, err := Decode(bytes.NewReader(raw))
	if err != nil || meta.Rows != 2000 || len(meta.Features) != 5 {
		t.Fatalf("decode: %+v %v", meta, err)
	}
	if got, err := g.Score(nil, d); err != nil || !slices.Equal(got, want) {
		t.Errorf("a decoded forest scores differently: %v", err)
	}
	for _, i := range []int{0, 9, len(raw) / 2, len(raw) - 1} {
		bad := bytes.Clone(raw)
		bad[i] ^= 0x55
		if _, _, err := Decode(bytes.NewReader(bad)); !errors.Is(err, ErrFile) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	if _, _, err := Decode(bytes.NewReader(raw[:len(raw)/2])); !errors.Is(err, ErrFile) {
		t.Errorf("half a file: %v", err)
	}
}

// explained checks that the shares add up to the distance from the mean of the trees'
// roots, and that the columns that make the outlier one have the largest.
func explained(t *testing.T, f *Forest, d Data) {
	t.Helper()
	row := d.Row(d.Rows() - 1)
	parts, err := f.Explain(row)
	if err != nil {
		t.Fatal(err)
	}
	sum, roots := 0.0, 0.0
	for _, p := range parts {
		sum += p.Share
	}
	for i := range f.trees {
		roots += float64(f.trees[i].value[0]) / float64(len(f.trees))
	}
	if want := roots - f.PathLength(row); math.Abs(sum-want) > 1e-3 {
		t.Errorf("shares add up to %v, want %v", sum, want)
	}
	if parts[2].Share >= parts[0].Share {
		t.Errorf("an ordinary column has share %v, an extreme one %v", parts[2].Share, parts[0].Share)
	}
}

func TestMissingValues(t *testing.T) {
	d := cloud(1000)
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range d.Values {
		if i%5 != 2 && rng.IntN(5) == 0 {
			d.Values[i] = float32(math.NaN())
		}
	}
	copy(d.Row(999), []float32{9, -9, 3, 9, float32(math.NaN())})
	for name, o := range variants() {
		f, err := Fit(d, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		scores, err := f.Score(nil, d)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rank := rankOf(scores, 999); rank > 5 {
			t.Errorf("%s: the outlier is only number %d", name, rank)
		}
	}
}

func rankOf(scores []float64, i int) (rank int) {
	for _, s := range scores {
		if s > scores[i] {
			rank++
		}
	}
	return rank
}

func TestWeights(t *testing.T) {
	// Two clusters; the second has no weight, so its rows are strange to the forest.
	var rows [][]float64
	var w []float64
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 600 {
		rows = append(rows, []float64{rng.NormFloat64() + float64(i%2)*20, rng.NormFloat64()})
		w = append(w, float64(1-i%2))
	}
	d, err := FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Fit(d, Options{Weights: w, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := f.Score(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	if scores[1] < scores[0]+.1 {
		t.Errorf("a row without weight scores %v, one with weight %v", scores[1], scores[0])
	}
	for _, bad := range [][]float64{{1, 2}, slices.Repeat([]float64{0}, 600), slices.Repeat([]float64{math.NaN()}, 600)} {
		if _, err := Fit(d, Options{Weights: bad}); err == nil {
			t.Errorf("weights %v... accepted", bad[:2])
		}
	}
}

func TestRefreshFollowsAChange(t *testing.T) {
	old, moved := cloud(2000), cloud(2000)
	for i := range moved.Values {
		moved.Values[i] += 6
	}
	for name, o := range variants() {
		f, err := Fit(old, o)
		if err != nil {
			t.Fatal(err)
		}
		before, err := f.Score(nil, moved)
		if err != nil {
			t.Fatal(err)
		}
		g, err := f.Refresh(moved, .5, 2)
		if err != nil {
			t.Fatal(err)
		}
		after, err := g.Score(nil, moved)
		if err != nil {
			t.Fatal(err)
		}
		if !(mean(after) < mean(before)-.03) {
			t.Errorf("%s: mean score of the new normal was %v and is %v", name, mean(before), mean(after))
		}
		if len(g.trees) != len(f.trees) {
			t.Errorf("%s: %d trees became %d", name, len(f.trees), len(g.trees))
		}
		if rank := rankOf(after, len(after)-1); rank > 2 {
			t.Errorf("%s: after the refresh the outlier is only number %d", name, rank)
		}
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func TestThreshold(t *testing.T) {
	d := cloud(1000)
	f, err := Fit(d, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := f.Score(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	limit, err := f.Threshold(d, .05)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range scores {
		if s >= limit {
			n++
		}
	}
	if n < 45 || n > 55 {
		t.Errorf("%d of 1000 rows are beyond the threshold for 5 %%", n)
	}
	if _, err := f.Threshold(d, 1.5); err == nil {
		t.Error("a contamination of 1.5 was accepted")
	}
}

func TestUnusableData(t *testing.T) {
	for name, tc := range map[string]struct {
		d Data
		o Options
	}{
		"no rows":            {Data{Columns: 3}, Options{}},
		"one row":            {Data{Columns: 2, Values: []float32{1, 2}}, Options{}},
		"no columns":         {Data{}, Options{}},
		"ragged":             {Data{Columns: 2, Values: []float32{1, 2, 3}}, Options{}},
		"three-way splits":   {cloud(10), Options{SplitFeatures: 3}},
		"column not there":   {cloud(10), Options{Categorical: []int{7}}},
		"unreasonable depth": {cloud(10), Options{MaxDepth: 1000}},
	} {
		if _, err := Fit(tc.d, tc.o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// All-equal columns and fewer rows than trees want are usable: nothing is unusual.
	flat := Data{Columns: 2, Values: make([]float32, 20)}
	f, err := Fit(flat, Default())
	if err != nil {
		t.Fatal(err)
	}
	scores, err := f.Score(nil, flat)
	if err != nil || slices.Min(scores) != slices.Max(scores) {
		t.Errorf("equal rows score %v: %v", scores, err)
	}
	if _, err := f.Score(nil, cloud(3)); !errors.Is(err, ErrData) {
		t.Errorf("rows of another width: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	forest, err := Fit(cloud(50), Options{Trees: 2, SplitFeatures: 2, Seed: 1})
	if err != nil {
		f.Fatal(err)
	}
	raw, err := forest.Encode(Meta{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, _, err := Decode(bytes.NewReader(sign(b)))
		if err != nil {
			return
		}
		if _, err := g.Score(nil, Data{Values: make([]float32, 3*g.Columns()), Columns: g.Columns()}); err != nil {
			t.Errorf("a forest that was decoded cannot score: %v", err)
		}
	})
}

// sign replaces the checksum, so that the fuzzer gets past it.
func sign(b []byte) []byte {
	if len(b) < 32 {
		return b
	}
	body := bytes.Clone(b[:len(b)-32])
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}
