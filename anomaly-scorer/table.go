package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/isoforest"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/job"
)

func addTable(a *cli.App) {
	var model, file string
	var o isoforest.Options
	var scoring string
	var standard bool
	cmd := a.Command("table", "The isolation forest on any table of numbers.\n\n"+
		"Examples:\n  anomaly-scorer table fit --model=m.iforest train.csv\n  anomaly-scorer table score --model=m.iforest test.csv")
	fit := cmd.Command("fit", "Fit a forest to a CSV file. A first row that is not numeric names the columns; an empty field is a missing value.")
	fit.Flag("model", "Model file to write.").Required().StringVar(&model)
	fit.Flag("trees", "Number of trees; 0 for 100, or 300 with mixed scoring.").Default("0").IntVar(&o.Trees)
	fit.Flag("sample", "Rows a tree.").Default("256").IntVar(&o.Sample)
	fit.Flag("split-features", "Features a split: 1, or 2 for oblique splits; mixed scoring has both.").Default("1").IntVar(&o.SplitFeatures)
	fit.Flag("scoring", "How leaves are scored: depth, density, blend of both, or mixed, which is slower and separates best.").Default("mixed").EnumVar(&scoring, "depth", "density", "blend", "mixed")
	fit.Flag("standard", "The algorithm of the 2008 paper: the same as --scoring=depth --split-features=1.").BoolVar(&standard)
	fit.Flag("seed", "Seed.").Default("1").Uint64Var(&o.Seed)
	fit.Flag("categorical", "Column number, from 0, that holds category numbers 0 to 63; may be repeated.").IntsVar(&o.Categorical)
	fit.Arg("csv", "Training data, '-' for standard input.").Required().StringVar(&file)
	a.Do(fit, func(_ context.Context, env cli.Env) error {
		o.Scoring = map[string]isoforest.Scoring{"depth": isoforest.Depth, "density": isoforest.Density, "blend": isoforest.Blend, "mixed": isoforest.Mixed}[scoring]
		if standard {
			o.Scoring, o.SplitFeatures = isoforest.Depth, 1
		}
		return tableFit(env, file, model, o)
	})
	score := cmd.Command("score", "Print the score of each row of a CSV file, one a line, in [0,1], high for unusual.")
	score.Flag("model", "Model file that 'table fit' wrote.").Required().StringVar(&model)
	score.Arg("csv", "Rows to score, '-' for standard input.").Required().StringVar(&file)
	a.Do(score, func(_ context.Context, env cli.Env) error { return tableScore(env, file, model) })
}

func tableFit(env cli.Env, file, model string, o isoforest.Options) error {
	names, data, err := readTable(env, file)
	if err != nil {
		return err
	}
	f, err := isoforest.Fit(data, o)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	raw, err := f.Encode(isoforest.Meta{Features: names, Rows: data.Rows(), Trained: time.Now().UTC()})
	if err != nil {
		return err
	}
	return job.SaveFile(model, raw)
}

func tableScore(env cli.Env, file, model string) error {
	raw, err := os.ReadFile(model)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	f, meta, err := isoforest.Decode(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("model %s: %w", model, err)
	}
	names, data, err := readTable(env, file)
	if err != nil {
		return err
	}
	if data.Rows() == 0 {
		return nil
	}
	if names != nil && meta.Features != nil && !slices.Equal(names, meta.Features) {
		return fmt.Errorf("%s: columns %s, the model was fitted on %s", file, strings.Join(names, ","), strings.Join(meta.Features, ","))
	}
	scores, err := f.Score(nil, data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	w := bufio.NewWriter(env.Stdout)
	for _, s := range scores {
		if _, err := w.WriteString(strconv.FormatFloat(s, 'g', 10, 64) + "\n"); err != nil {
			return fmt.Errorf("write scores: %w", err)
		}
	}
	return w.Flush()
}

// readTable reads a CSV of numbers, gzipped or not. names is nil without a header row.
func readTable(env cli.Env, path string) (names []string, d isoforest.Data, err error) {
	in := env.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, d, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b := bufio.NewReaderSize(in, 256<<10)
	if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, d, fmt.Errorf("%s: %w", path, err)
		}
		in = z
	} else {
		in = b
	}
	r := csv.NewReader(in)
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return names, d, nil
		}
		if err != nil {
			return nil, d, fmt.Errorf("%s: %w", path, err)
		}
		at := len(d.Values)
		for i, s := range rec {
			v, err := parseCell(s)
			if err != nil && at == 0 && names == nil {
				names, d.Values = slices.Clone(rec), d.Values[:0]
				break
			}
			if err != nil {
				line, _ := r.FieldPos(i)
				return nil, d, fmt.Errorf("%s:%d: column %d: %q is not a number", path, line, i+1, s)
			}
			d.Values = append(d.Values, v)
		}
		d.Columns = len(rec)
	}
}

func parseCell(s string) (float32, error) {
	switch s = strings.TrimSpace(s); s {
	case "", "NA", "null":
		return float32(math.NaN()), nil
	}
	v, err := strconv.ParseFloat(s, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, err
	}
	return float32(v), nil
}
