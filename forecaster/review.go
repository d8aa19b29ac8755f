package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/job"
)

func addReview(a *cli.App) {
	var state, month string
	cmd := a.Command("review", "Compare a month's measured quality with that of the month before, by target.\n\n"+
		"Example: forecaster review --month 2026-11 --state.dir=/var/lib/forecaster")
	cmd.Flag("month", "Month such as 2026-11. Default: this month.").StringVar(&month)
	cmd.Flag("state.dir", "State directory of the job, with training_log.csv.").Default("data/forecaster").StringVar(&state)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		at := time.Now().UTC()
		if month != "" {
			var err error
			if at, err = time.Parse("2006-01", month); err != nil {
				return cli.Usagef("--month %q: want a month such as 2026-11", month)
			}
		}
		list, err := job.ReadTrainings(state)
		if err != nil {
			return err
		}
		if list == nil {
			return fmt.Errorf("%s: no training was logged yet: run the forecaster first", state)
		}
		return review(env.Stdout, list, at)
	})
}

// review prints one line a target and measure: the month, the month before, and whether
// it got better.
func review(w io.Writer, list []job.Training, at time.Time) error {
	this, last := at.Format("2006-01"), at.AddDate(0, 0, 1-at.Day()).AddDate(0, -1, 0).Format("2006-01")
	mean := func(month, target, metric string) (v float64, n int) {
		for _, t := range list {
			if x, ok := t.Metrics[metric]; ok && t.Time.UTC().Format("2006-01") == month && t.Params["target"] == target {
				v, n = v+x, n+1
			}
		}
		return v / float64(max(n, 1)), n
	}
	targets := map[string]bool{}
	for _, t := range list {
		if target := t.Params["target"]; target != "" { // else a rollback
			targets[target] = true
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "TARGET\tMEASURE\t%s\t%s\tCHANGE\n", last, this)
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		for _, m := range []string{"mape", "coverage80", "coverage95", "series"} {
			before, n0 := mean(last, target, m)
			now, n1 := mean(this, target, m)
			cell := func(v float64, n int) string {
				if n == 0 {
					return "-"
				}
				return strconv.FormatFloat(v, 'g', 4, 64)
			}
			change := "-"
			if n0 > 0 && n1 > 0 {
				change = fmt.Sprintf("%+.4g", now-before)
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", target, m, cell(before, n0), cell(now, n1), change)
		}
	}
	return tw.Flush()
}

func addRollback(a *cli.App) {
	var state, to string
	cmd := a.Command("rollback", "Put the models of an earlier training into service; without a version, list them.\n\n"+
		"Stop the job before. Example: forecaster rollback 20261103T040000Z --state.dir=/var/lib/forecaster")
	cmd.Flag("state.dir", "State directory of the job.").Default("data/forecaster").StringVar(&state)
	cmd.Arg("version", "A listed version.").StringVar(&to)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		if to != "" {
			n, err := forecast.Rollback(state, to, time.Now())
			if err == nil {
				fmt.Fprintf(env.Stdout, "%d series went back to %s\n", n, to)
			}
			return err
		}
		list, err := forecast.Versions(state)
		if err != nil {
			return err
		}
		for _, v := range list {
			fmt.Fprintln(env.Stdout, v)
		}
		return nil
	})
}
