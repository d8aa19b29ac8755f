package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/forecaster/backtest"
	"github.com/inframind/inframind/forecaster/csvfile"
	"github.com/inframind/inframind/forecaster/decomp"
	"github.com/inframind/inframind/forecaster/ensemble"
	"github.com/inframind/inframind/forecaster/exhaust"
	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/internal/chart"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/series"
)

func addExplain(a *cli.App) {
	var f fileFlags
	var name, conf, svg string
	cmd := a.Command("explain", "Say what a series is made of, which model was chosen and why, and draw it.\n\n"+
		"Examples:\n  forecaster explain --file in.csv host1/disk\n  forecaster explain --config.file=forecaster.yml 'node_filesystem_used_ratio{instance=\"db1:9100\"'")
	cmd.Arg("series", "Name in the file, or a part of target{labels}.").Required().StringVar(&name)
	cmd.Flag("file", "CSV file to read instead of Prometheus.").StringVar(&f.in)
	cmd.Flag("config.file", "Configuration file.").Default("forecaster.yml").StringVar(&conf)
	cmd.Flag("step", "Resolution; finer data are averaged to it. 0: that of the data.").Default("0s").DurationVar(&f.step)
	cmd.Flag("horizon", "How far ahead.").Default("7d").StringVar(&f.horizon)
	cmd.Flag("svg", "Also draw to this file.").StringVar(&svg)
	f.min, f.max, f.model = math.NaN(), math.NaN(), "ensemble"
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		s, err := findSeries(ctx, env, &f, conf, name)
		if err != nil {
			return err
		}
		return f.explain(env.Stdout, s, svg)
	})
}

// findSeries takes the series from the file, or asks Prometheus for it.
func findSeries(ctx context.Context, env cli.Env, f *fileFlags, conf, name string) (s forecast.Found, err error) {
	if f.in == "" {
		var cfg fileConfig
		if err := config.Load(conf, &cfg); err != nil {
			return s, err
		}
		return forecast.History(ctx, cfg.Config, name)
	}
	file, err := f.open(env.Stdin)
	if err != nil {
		return s, err
	}
	i := slices.IndexFunc(file.Series, func(s series.Series) bool { return s.Labels.Get(csvfile.Name) == name })
	if i < 0 {
		return s, cli.Usagef("no series %q in %s", name, f.in)
	}
	return forecast.Found{Series: file.Series[i]}, nil
}

func (f *fileFlags) explain(w io.Writer, s forecast.Found, svg string) error {
	if s.Unit == forecast.UnitRatio {
		f.min, f.max = 0, 1
	}
	f.known = s.Events
	in, fixes, err := f.input(&s.Series)
	if err != nil {
		return err
	}
	h, err := steps(f.horizon, in.Step)
	if err != nil {
		return err
	}
	fitted, err := ensemble.Model{Horizon: h}.Fit(in)
	if err != nil {
		return err
	}
	fit := fitted.(*ensemble.Fitted)
	fc := fit.Forecast(h, []float64{0.80, 0.95})
	end := in.Start.Add(time.Duration(len(in.Y)) * in.Step)
	fmt.Fprintf(w, "%s\n%d points of %s, %s to %s\n", s.Labels, len(in.Y), in.Step, in.Start.Format(time.DateTime), end.Format(time.DateTime))
	for _, c := range append(fixes, fit.Corrections()...) {
		fmt.Fprintf(w, "cleaned    %s\n", c)
	}
	explainModel(w, fit.Report())
	if l, ok := fit.Trend(); ok {
		fmt.Fprintf(w, "trend      %s\n", exhaust.Words(l, s.Unit, end, exhaust.Growing(l, false) || exhaust.Growing(l, true)))
	}
	explainParts(w, in)
	fmt.Fprintf(w, "forecast   in %s: %.4g (80 %%: %.4g to %.4g; 95 %%: %.4g to %.4g)\n\n", f.horizon, fc.Median[h-1], fc.Lower[0][h-1], fc.Upper[0][h-1], fc.Lower[1][h-1], fc.Upper[1][h-1])
	textPlot(w, in.Y, fc.Median)
	if svg == "" {
		return nil
	}
	pic, err := backtest.Picture(in, backtest.Outcome{At: len(in.Y), Last: fc}, chart.Size{Width: 1000, Height: 360}, chart.Light())
	if err != nil {
		return err
	}
	return os.WriteFile(svg, pic, 0o644)
}

func explainModel(w io.Writer, r ensemble.Report) {
	fmt.Fprintf(w, "model      %s: %s\n", r.Chosen, r.Reason)
	names := slices.SortedFunc(maps.Keys(r.Weights), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Weights[b], r.Weights[a]), strings.Compare(a, b))
	})
	for _, n := range names {
		if r.Weights[n] >= 0.01 {
			fmt.Fprintf(w, "             %3.0f %%  %s\n", 100*r.Weights[n], n)
		}
	}
	if m := r.Measures; m.Points > 0 {
		fmt.Fprintf(w, "backtest   MAPE %.1f %%, MASE %.2f, %.0f %% inside of the 80 %% interval, %.0f %% of the 95 %% one (%d origins)\n", 100*m.MAPE, m.MASE, 100*m.Coverage[0], 100*m.Coverage[1], r.Origins)
	}
}

func explainParts(w io.Writer, in model.Input) {
	in.Lower, in.Upper = math.NaN(), math.NaN() // slopes in the data's own unit
	fit, err := decomp.Model{}.Fit(in)
	if err != nil {
		if !errors.Is(err, model.ErrShort) {
			fmt.Fprintf(w, "parts      %v\n", err)
		}
		return
	}
	p := fit.(*decomp.Fitted).Parts()
	for _, part := range []struct {
		name string
		v    []float64
	}{{"daily", p.Daily}, {"weekly", p.Weekly}, {"yearly", p.Yearly}} {
		if lo, hi := slices.Min(part.v), slices.Max(part.v); hi > lo {
			at := in.Start.Add(time.Duration(slices.Index(part.v, hi)) * in.Step)
			fmt.Fprintf(w, "%-10s from %.3g to %+.3g, highest %s\n", part.name, lo, hi, at.Format("Monday 15:04"))
		}
	}
	for _, c := range p.Changes {
		fmt.Fprintf(w, "bend       %s: slope %+.3g a day\n", c.Time.Format("2 January 15:04"), c.Delta)
	}
}

const plotWidth, plotHeight = 100, 14

// textPlot draws history (*) and forecast (o) with characters.
func textPlot(w io.Writer, y, f []float64) {
	all := append(slices.Clone(y), f...)
	width := min(plotWidth, len(all))
	cells := make([]float64, width)
	for c := range cells {
		part := all[c*len(all)/width : (c+1)*len(all)/width]
		for _, v := range part {
			cells[c] += v / float64(len(part))
		}
	}
	lo, hi := slices.Min(cells), slices.Max(cells)
	if hi == lo {
		hi = lo + 1
	}
	for row := plotHeight - 1; row >= 0; row-- {
		label := ""
		switch row {
		case plotHeight - 1:
			label = fmt.Sprintf("%.4g", hi)
		case 0:
			label = fmt.Sprintf("%.4g", lo)
		}
		line := make([]byte, width)
		for c, v := range cells {
			line[c] = ' '
			if int((v-lo)/(hi-lo)*(plotHeight-1)+0.5) == row {
				line[c] = '*'
				if c*len(all)/width >= len(y) {
					line[c] = 'o'
				}
			}
		}
		fmt.Fprintf(w, "%10s |%s\n", label, line)
	}
}
