// The sets tool writes an evaluation set as two CSV files in the forecaster's own format:
// what a forecaster may see, and what came after.
//
//	go run ./forecaster/bench/sets --set m4 --train train.csv --test test.csv --max 40
package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/inframind/inframind/forecaster/evalset"
	"github.com/inframind/inframind/forecaster/gen"
	"github.com/inframind/inframind/internal/testdata"
)

func main() {
	set := flag.String("set", "m4", "one of m4, bitbrains, smd, asd, nab, generated")
	train := flag.String("train", "train.csv", "file for the history")
	test := flag.String("test", "test.csv", "file for what came after")
	step := flag.Duration("step", time.Hour, "resolution")
	most := flag.Int("max", 0, "at most this many series, spread over the set; 0: all")
	flag.Parse()
	if err := write(*set, *train, *test, *step, *most); err != nil {
		fmt.Fprintln(os.Stderr, "sets:", err)
		os.Exit(1)
	}
}

func write(set, train, test string, step time.Duration, most int) error {
	cases, err := load(set, step)
	if err != nil {
		return err
	}
	if most > 0 && most < len(cases) {
		var some []evalset.Case
		for i := range most {
			some = append(some, cases[i*len(cases)/most])
		}
		cases = some
	}
	history := func(c evalset.Case) ([]float64, time.Time) { return c.Train, c.Start }
	future := func(c evalset.Case) ([]float64, time.Time) {
		return c.Test, c.Start.Add(time.Duration(len(c.Train)) * c.Step)
	}
	return errors.Join(writeCSV(train, cases, history), writeCSV(test, cases, future))
}

// load reads a recording, or makes a month of load and a week to forecast.
func load(set string, step time.Duration) ([]evalset.Case, error) {
	if set != "generated" {
		return evalset.Load(testdata.Root(), set, step)
	}
	var cases []evalset.Case
	for _, s := range slices.Concat(gen.Load(1, "cpu", 40, 37), gen.Load(1, "memory", 40, 37), gen.Disks(1, 40, 37, 30, 14, 0.9)) {
		cases = append(cases, evalset.Case{Name: s.Name, Start: gen.Start(), Step: time.Hour, Train: s.Y[:720], Test: s.Y[720:888]})
	}
	return cases, nil
}

func writeCSV(path string, cases []evalset.Case, part func(evalset.Case) ([]float64, time.Time)) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := csv.NewWriter(f)
	if err := w.Write([]string{"series", "timestamp", "value"}); err != nil {
		return err
	}
	for _, c := range cases {
		y, start := part(c)
		for i, v := range y {
			if math.IsNaN(v) {
				continue
			}
			at := start.Add(time.Duration(i) * c.Step).Unix()
			if err := w.Write([]string{c.Name, strconv.FormatInt(at, 10), strconv.FormatFloat(v, 'g', -1, 64)}); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}
