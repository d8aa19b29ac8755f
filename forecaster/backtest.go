package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/forecaster/backtest"
	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/csvfile"
	"github.com/inframind/inframind/forecaster/models"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/series"
)

type backtestFlags struct {
	fileFlags
	initial, period string
	csv             bool
	html            string
	plots           int
}

func addBacktest(a *cli.App) {
	var f backtestFlags
	cmd := a.Command("backtest", "Measure forecasts of a CSV file's series against what came, from rolling origins.\n\n"+
		"Example: forecaster backtest --horizon 7d --html report.html in.csv")
	cmd.Flag("initial", "History before the first origin.").Default("21d").StringVar(&f.initial)
	cmd.Flag("period", "Time between origins.").Default("7d").StringVar(&f.period)
	cmd.Flag("csv", "Print CSV instead of a table.").BoolVar(&f.csv)
	cmd.Flag("html", "Also write a self-contained report to this file.").StringVar(&f.html)
	cmd.Flag("plots", "Series drawn in the report.").Default("30").IntVar(&f.plots)
	f.add(cmd, "7d")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error { return runBacktest(ctx, env, f) })
}

func (f *backtestFlags) plan() (backtest.Plan, error) {
	p := backtest.DefaultPlan()
	for name, d := range map[string]struct {
		text string
		to   *time.Duration
	}{"initial": {f.initial, &p.Initial}, "period": {f.period, &p.Period}, "horizon": {f.horizon, &p.Horizon}} {
		v, err := pmodel.ParseDuration(d.text)
		if n, nerr := strconv.Atoi(d.text); nerr == nil && f.step > 0 {
			v, err = pmodel.Duration(time.Duration(n)*f.step), nil
		}
		if err != nil || v <= 0 {
			return p, cli.Usagef("--%s %q: want a duration such as 7d, or a number of steps with --step", name, d.text)
		}
		*d.to = time.Duration(v)
	}
	return p, nil
}

func runBacktest(ctx context.Context, env cli.Env, f backtestFlags) error {
	plan, err := f.plan()
	if err != nil {
		return err
	}
	file, err := f.open(env.Stdin)
	if err != nil {
		return err
	}
	rows := make([]backtest.Row, len(file.Series))
	bar := newProgress(env.Stderr, len(rows), "backtest")
	each(ctx, len(rows), func(i int) {
		rows[i] = f.roll(&file.Series[i], plan)
		bar.add()
	})
	bar.done()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, r := range rows {
		reportCleaning(env.Log, r.Name, r.Fixes)
	}
	if f.csv {
		err = rowsCSV(env.Stdout, rows)
	} else {
		err = rowsTable(env.Stdout, rows)
	}
	if err == nil && f.html != "" {
		err = writeReport(f.html, backtest.Report{Title: "Forecast backtest", Model: f.model, Plan: plan, Rows: rows, Plots: f.plots})
	}
	failed := 0
	for _, r := range rows {
		if r.Err != nil {
			failed++
		}
	}
	return errors.Join(err, f.verdict(failed, len(rows)))
}

func (f *backtestFlags) roll(s *series.Series, plan backtest.Plan) backtest.Row {
	row := backtest.Row{Name: s.Labels.Get(csvfile.Name)}
	if row.In, row.Fixes, row.Err = f.input(s); row.Err != nil {
		return row
	}
	m, err := models.Get(f.model, int(plan.Horizon/row.In.Step))
	if err != nil {
		row.Err = err
		return row
	}
	row.Outcome, row.Err = backtest.Roll(row.In, m, plan)
	return row
}

func writeReport(path string, r backtest.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	return errors.Join(r.WriteHTML(w), w.Flush(), f.Close())
}

func rowsTable(w io.Writer, rows []backtest.Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "series\tMAPE %\tsMAPE %\tMASE\tin 80 %\tin 95 %\tscore 95 %\tDW\torigins\t")
	line := func(name string, m backtest.Measures, origins string) {
		fmt.Fprintf(tw, "%s\t%.1f\t%.1f\t%.3f\t%.1f\t%.1f\t%.3g\t%.2f\t%s\t\n", name, 100*m.MAPE, 100*m.SMAPE, m.MASE, 100*m.Coverage[0], 100*m.Coverage[1], m.Score[1], m.DW, origins)
	}
	var good []backtest.Measures
	for _, r := range rows {
		if r.Err != nil {
			continue
		}
		good = append(good, r.Outcome.Measures)
		line(r.Name, r.Outcome.Measures, strconv.Itoa(r.Outcome.Origins))
	}
	if len(good) > 0 {
		line("mean", backtest.Mean(good), "")
	}
	err := tw.Flush()
	for _, r := range rows {
		if r.Err != nil {
			fmt.Fprintf(w, "%s: failed: %s\n", r.Name, r.Err)
		}
	}
	return err
}

func rowsCSV(w io.Writer, rows []backtest.Row) error {
	cw := csv.NewWriter(w)
	err := cw.Write([]string{"series", "origins", "points", "mape_ratio", "smape_ratio", "mase_ratio", "coverage80_ratio", "coverage95_ratio", "score80", "score95", "durbin_watson", "corrections", "error"})
	n := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, r := range rows {
		m := r.Outcome.Measures
		rec := []string{r.Name, "", "", "", "", "", "", "", "", "", "", clean.Words(r.Fixes), ""}
		if r.Err != nil {
			rec[12] = r.Err.Error()
		} else {
			copy(rec[1:], []string{strconv.Itoa(r.Outcome.Origins), strconv.Itoa(m.Points), n(m.MAPE), n(m.SMAPE), n(m.MASE), n(m.Coverage[0]), n(m.Coverage[1]), n(m.Score[0]), n(m.Score[1]), n(m.DW)})
		}
		err = errors.Join(err, cw.Write(rec))
	}
	cw.Flush()
	return errors.Join(err, cw.Error())
}
