package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"
	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/csvfile"
	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/forecaster/models"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/series"
)

// fileFlags are what predict, backtest and explain have in common.
type fileFlags struct {
	in       string
	step     time.Duration
	horizon  string
	levels   string
	model    string
	min, max float64
	strict   bool
	events   string
	known    []model.Event // read from events
}

func (f *fileFlags) add(cmd flagger, horizon string) {
	cmd.Flag("step", "Resolution; finer data are averaged to it. 0: that of the data.").Default("0s").DurationVar(&f.step)
	cmd.Flag("horizon", "How far ahead: a number of steps, or a duration such as 7d.").Default(horizon).StringVar(&f.horizon)
	cmd.Flag("model", "Model: "+strings.Join(models.Names(), ", ")+".").Default("ensemble").StringVar(&f.model)
	cmd.Flag("min", "Smallest possible value. Default: 0 when no value is negative.").Default("NaN").Float64Var(&f.min)
	cmd.Flag("max", "Largest possible value, e.g. 1 for ratios.").Default("NaN").Float64Var(&f.max)
	cmd.Flag("strict", "Exit 1 when any series could not be forecast.").BoolVar(&f.strict)
	cmd.Arg("file", "CSV file with a header and the columns series,timestamp,value; - for standard input.").Required().StringVar(&f.in)
}

func addPredict(a *cli.App) {
	var f fileFlags
	cmd := a.Command("predict", "Forecast the series of a CSV file; the answer goes to standard output.\n\n"+
		"Example: forecaster predict --step 1h --horizon 48 --levels 80,95 in.csv > out.csv")
	cmd.Flag("levels", "Central intervals in percent.").Default("80,95").StringVar(&f.levels)
	cmd.Flag("events", "CSV file with the columns name,from,to (RFC 3339) of holidays and other known periods, for the ensemble and for decomposable.").StringVar(&f.events)
	f.add(cmd, "48")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error { return predict(ctx, env, f) })
}

// open reads the file of the flags; the model has to exist.
func (f *fileFlags) open(stdin io.Reader) (csvfile.File, error) {
	if _, err := models.Get(f.model, 0); err != nil {
		return csvfile.File{}, cli.Usage(err)
	}
	if f.in == "-" || f.in == "" { // kingpin hands on a lone - as nothing
		return csvfile.Read(stdin)
	}
	r, err := os.Open(f.in)
	if err != nil {
		return csvfile.File{}, cli.Usage(err)
	}
	file, err := csvfile.Read(bufio.NewReaderSize(r, 1<<20))
	if err = errors.Join(err, r.Close()); err != nil {
		return csvfile.File{}, fmt.Errorf("%s: %w", f.in, err)
	}
	return file, nil
}

// input cleans one series.
func (f *fileFlags) input(s *series.Series) (model.Input, []clean.Correction, error) {
	lower := f.min
	if math.IsNaN(lower) && !slices.ContainsFunc(s.Values, func(v float64) bool { return v < 0 }) {
		lower = 0
	}
	return clean.Input(s, model.Input{Step: f.step, Lower: lower, Upper: f.max, Events: f.known})
}

// reportCleaning says what was corrected in a series before anything was learnt from it.
func reportCleaning(log *slog.Logger, name string, fixes []clean.Correction) {
	if len(fixes) > 0 {
		log.Info("series cleaned", "series", name, "corrections", clean.Words(fixes))
	}
}

// steps reads the horizon.
func steps(horizon string, step time.Duration) (int, error) {
	n, err := strconv.Atoi(horizon)
	if err != nil {
		d, derr := pmodel.ParseDuration(horizon)
		if derr != nil {
			return 0, cli.Usagef("--horizon %q: want a number of steps or a duration such as 7d", horizon)
		}
		n = int(time.Duration(d) / step)
	}
	if n < 1 || n > 1<<20 {
		return 0, cli.Usagef("--horizon %s: want 1 to %d steps", horizon, 1<<20)
	}
	return n, nil
}

func parseLevels(s string) (percent, levels []float64, err error) {
	for p := range strings.SplitSeq(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || !(v > 0 && v < 100) {
			return nil, nil, cli.Usagef("--levels %q: want percentages between 0 and 100, e.g. 80,95", s)
		}
		percent, levels = append(percent, v), append(levels, v/100)
	}
	return percent, levels, nil
}

type prediction struct {
	in    model.Input
	fixes []clean.Correction
	note  string // why there was no backtest
	f     model.Forecast
	err   error
}

func predict(ctx context.Context, env cli.Env, f fileFlags) error {
	percent, levels, err := parseLevels(f.levels)
	if err != nil {
		return err
	}
	file, err := f.open(env.Stdin)
	if err != nil {
		return err
	}
	if f.events != "" {
		if f.known, err = readEvents(f.events); err != nil {
			return err
		}
	}
	out := make([]prediction, len(file.Series))
	each(ctx, len(out), func(i int) { out[i] = f.one(&file.Series[i], levels) })
	if err := ctx.Err(); err != nil {
		return err
	}
	bw := bufio.NewWriter(env.Stdout)
	w, err := csvfile.NewWriter(bw, file.Unix, percent)
	if err != nil {
		return err
	}
	failed := 0
	bounds := make([]float64, 2*len(levels))
	for i, p := range out {
		name := file.Series[i].Labels.Get(csvfile.Name)
		reportCleaning(env.Log, name, p.fixes)
		if p.note != "" {
			env.Log.Warn("no backtest", "series", name, "reason", p.note)
		}
		if p.err != nil {
			failed++
			env.Log.Warn("series failed", "series", name, "err", p.err)
			continue
		}
		for h, v := range p.f.Median {
			for l := range levels {
				bounds[2*l], bounds[2*l+1] = p.f.Lower[l][h], p.f.Upper[l][h]
			}
			if err := w.Write(name, p.in.Start.Add(time.Duration(len(p.in.Y)+h)*p.in.Step), v, bounds...); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(w.Flush(), bw.Flush()); err != nil {
		return err
	}
	return f.verdict(failed, len(out))
}

func (f *fileFlags) verdict(failed, of int) error {
	if failed > 0 && (f.strict || failed == of) {
		return fmt.Errorf("%d of %d series could not be forecast", failed, of)
	}
	return nil
}

func (f *fileFlags) one(s *series.Series, levels []float64) (p prediction) {
	if p.in, p.fixes, p.err = f.input(s); p.err != nil {
		return p
	}
	h, err := steps(f.horizon, p.in.Step)
	if err != nil {
		return prediction{err: err}
	}
	m, err := models.Get(f.model, h)
	if err != nil {
		return prediction{err: err}
	}
	fit, err := m.Fit(p.in)
	if err != nil {
		return prediction{err: err}
	}
	if e, ok := fit.(*ensemble.Fitted); ok {
		p.fixes = append(p.fixes, e.Corrections()...)
		if r := e.Report(); r.Measures.Points == 0 {
			p.note = r.Reason
		}
	}
	p.f = fit.Forecast(h, levels)
	return p
}

// each calls do for 0 to n-1 on all processors, until ctx ends.
func each(ctx context.Context, n int, do func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
}

// flagger is what kingpin's commands are here.
type flagger interface {
	Flag(name, help string) *kingpin.FlagClause
	Arg(name, help string) *kingpin.ArgClause
}
