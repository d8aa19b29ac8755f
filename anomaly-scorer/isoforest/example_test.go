package isoforest_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/inframind/inframind/anomaly-scorer/isoforest"
)

// requests is the load of a server, as requests a second and milliseconds each, with one
// minute at the end in which it was idle and slow.
func requests() isoforest.Data {
	rng := rand.New(rand.NewPCG(1, 1))
	d := isoforest.Data{Columns: 2}
	for range 1000 {
		load := 50 + 40*rng.Float64()
		d.Values = append(d.Values, float32(load), float32(load/2+rng.NormFloat64()))
	}
	d.Values = append(d.Values, 52, 46) // each usual, together not
	return d
}

func Example() {
	d := requests()
	f, err := isoforest.Fit(d, isoforest.Options{Scoring: isoforest.Mixed, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, err := f.Score(nil, d)
	if err != nil {
		fmt.Println(err)
		return
	}
	strangest := 0
	for i := range scores {
		if scores[i] > scores[strangest] {
			strangest = i
		}
	}
	fmt.Println(strangest, d.Row(strangest))
	// Output: 1000 [52 46]
}

func ExampleForest_Threshold() {
	d := requests()
	f, err := isoforest.Fit(d, isoforest.Default())
	if err != nil {
		fmt.Println(err)
		return
	}
	limit, err := f.Threshold(d, 0.01) // one row in a hundred
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, _ := f.Score(nil, d)
	n := 0
	for _, s := range scores {
		if s >= limit {
			n++
		}
	}
	fmt.Println(n, "of", len(scores))
	// Output: 10 of 1001
}

func ExampleForest_Explain() {
	d := isoforest.Data{Columns: 3}
	rng := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		d.Values = append(d.Values, float32(rng.NormFloat64()), float32(rng.NormFloat64()), float32(math.NaN()))
	}
	f, err := isoforest.Fit(d, isoforest.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	parts, err := f.Explain([]float32{0, 9, 0})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range parts {
		fmt.Println("column", p.Column, "unusual:", p.Share > 1)
	}
	// Output:
	// column 0 unusual: false
	// column 1 unusual: true
	// column 2 unusual: false
}

func ExampleForest_Encode() {
	d := requests()
	f, err := isoforest.Fit(d, isoforest.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := f.Encode(isoforest.Meta{Features: []string{"requests_per_second", "milliseconds"}, Rows: d.Rows()})
	if err != nil {
		fmt.Println(err)
		return
	}
	g, meta, err := isoforest.Decode(bytes.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(meta.Features, meta.Rows, g.Columns())
	_, _, err = isoforest.Decode(bytes.NewReader(file[:len(file)-1]))
	fmt.Println(err)
	// Output:
	// [requests_per_second milliseconds] 1001 2
	// not a usable model file: the checksum is wrong: it is damaged or cut
}
