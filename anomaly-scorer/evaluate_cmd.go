package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/evaluate"
	"github.com/inframind/inframind/anomaly-scorer/inject"
	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/cli"
)

// measured loads what evaluate and sweep have in common and runs the scorer.
func measured(ctx context.Context, f *common, labels string) (*evaluate.Report, error) {
	cfg, err := f.load()
	if err != nil {
		return nil, err
	}
	if cfg.Zeek.Dir == "" {
		return nil, cli.Usagef("--zeek is needed")
	}
	l, err := evaluate.ReadLabels(labels)
	if err != nil {
		return nil, err
	}
	var forest *scorer.Forest
	if cfg.Model != "" {
		if forest, err = scorer.LoadForest(cfg.Model, cfg.MaxEntries); err != nil {
			return nil, err
		}
		if forest == nil {
			return nil, cli.Usagef("model %s does not exist", cfg.Model)
		}
	}
	return evaluate.Run(ctx, cfg, cfg.Zeek.Dir, forest, l)
}

func addEvaluate(a *cli.App) {
	var f common
	var labels string
	cmd := a.Command("evaluate", "Compare the scores with labels: per kind of attack and per detector. The scorer never sees the labels.\n\n"+
		"Example: anomaly-scorer evaluate --zeek=logs/ --labels=labels.csv")
	cmd.Flag("config.file", "Configuration file.").StringVar(&f.config)
	cmd.Flag("zeek", "Directory of Zeek logs, or one file.").StringVar(&f.zeek)
	cmd.Flag("model", "Model file; without it the evidence and the detectors work alone.").StringVar(&f.model)
	cmd.Flag("labels", "CSV with uid,label[,kind], or a labelled Zeek log.").Required().StringVar(&labels)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		r, err := measured(ctx, &f, labels)
		if err != nil {
			return err
		}
		if err := r.Print(env.Stdout); err != nil {
			return err
		}
		fmt.Fprintln(env.Stdout)
		return printSummary(env.Stdout, r.Summary)
	})
}

func addSweep(a *cli.App) {
	var f common
	var labels, csvFile, htmlFile string
	var low, high, step float64
	var forestOnly bool
	cmd := a.Command("sweep", "Try thresholds from a contamination of 0.5 % to 10 %: precision, recall, silhouette, and the best.\n\n"+
		"Example: anomaly-scorer sweep --zeek=logs/ --labels=labels.csv --html=sweep.html")
	cmd.Flag("config.file", "Configuration file.").StringVar(&f.config)
	cmd.Flag("zeek", "Directory of Zeek logs, or one file.").StringVar(&f.zeek)
	cmd.Flag("model", "Model file.").StringVar(&f.model)
	cmd.Flag("labels", "CSV with uid,label[,kind], or a labelled Zeek log; without it only the silhouette is computed.").StringVar(&labels)
	cmd.Flag("forest", "Sweep the forest's part of the score alone.").BoolVar(&forestOnly)
	cmd.Flag("from", "Lowest contamination.").Default("0.005").Float64Var(&low)
	cmd.Flag("to", "Highest contamination.").Default("0.1").Float64Var(&high)
	cmd.Flag("step", "Step.").Default("0.005").Float64Var(&step)
	cmd.Flag("csv", "Write the table here.").StringVar(&csvFile)
	cmd.Flag("html", "Write a page with a picture here.").StringVar(&htmlFile)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		if !(low > 0 && low <= high && high < 1 && step > 0) || (high-low)/step > 1000 {
			return cli.Usagef("want 0 < from <= to < 1 and a step that makes at most 1000 points")
		}
		if forestOnly && f.model == "" {
			return cli.Usagef("--forest needs --model")
		}
		scores, truth, err := sweepScores(ctx, &f, labels, forestOnly)
		if err != nil {
			return err
		}
		points := evaluate.Sweep(scores, truth, low, high, step)
		if err := evaluate.PrintSweep(env.Stdout, points); err != nil {
			return err
		}
		return errors.Join(
			toFile(csvFile, func(w io.Writer) error { return evaluate.WriteSweepCSV(w, points) }),
			toFile(htmlFile, func(w io.Writer) error { return evaluate.WriteSweepHTML(w, points, time.Now()) }))
	})
}

func sweepScores(ctx context.Context, f *common, labels string, forestOnly bool) (scores []float64, truth []bool, err error) {
	if labels == "" {
		return unlabelled(ctx, f, forestOnly)
	}
	r, err := measured(ctx, f, labels)
	if err != nil {
		return nil, nil, err
	}
	all, unusual, truth := r.Scores()
	if forestOnly {
		return unusual, truth, nil
	}
	return all, truth, nil
}

// toFile writes path, or nothing when there is none.
func toFile(path string, write func(io.Writer) error) (err error) {
	if path == "" {
		return nil
	}
	f, err := newOutput(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.finish(err)) }()
	return write(f)
}

func addInject(a *cli.App) {
	var dir, out, kinds string
	var seed uint64
	var connections int
	cmd := a.Command("inject", "Copy the logs with synthetic attacks mixed in, and write labels.csv for evaluate.\n\n"+
		"Example: anomaly-scorer inject --zeek=logs/ --out=attacked/ && anomaly-scorer evaluate --zeek=attacked/ --labels=attacked/labels.csv\n\n"+
		"Kinds:\n"+inject.Describe())
	cmd.Flag("zeek", "Directory of Zeek logs, or one file; without it those of an invented office are made.").StringVar(&dir)
	cmd.Flag("connections", "Connections of the invented office.").Default("100000").IntVar(&connections)
	cmd.Flag("out", "Directory to write conn.log, dns.log and labels.csv to.").Required().StringVar(&out)
	cmd.Flag("kinds", "What to inject, with commas between.").PlaceHolder("all").StringVar(&kinds)
	cmd.Flag("seed", "Seed.").Default("1").Uint64Var(&seed)
	a.Do(cmd, func(ctx context.Context, env cli.Env) (err error) {
		if dir == "" {
			if dir, err = os.MkdirTemp("", "office-"); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			if err := inject.Office(dir, connections, seed); err != nil {
				return err
			}
		}
		if same, err := sameFile(dir, out); err != nil || same {
			return errors.Join(err, cli.Usagef("--out must be another directory than --zeek"))
		}
		chosen := inject.Kinds()
		if kinds != "" {
			chosen = strings.Split(kinds, ",")
		}
		c, err := inject.Copy(ctx, dir, out, chosen, seed)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.Stdout, "%d connections and %d queries copied to %s, with the attacks:\n", c.Conns, c.DNS, out)
		for _, at := range c.Attacks {
			fmt.Fprintf(env.Stdout, "  %-19s %d connections\n", at.Kind, len(at.Conns))
		}
		return nil
	})
}

func sameFile(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(x, y), nil
}
