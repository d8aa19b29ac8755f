package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/job"
)

// strictly makes failed series an error of the run; when all failed, it is one anyhow.
func strictly(do job.Func, strict bool) job.Func {
	return func(ctx context.Context) (job.Result, error) {
		res, err := do(ctx)
		if err == nil && res.Failed > 0 && (strict || res.Failed == res.Read) {
			err = fmt.Errorf("%d of %d series could not be forecast", res.Failed, res.Read)
		}
		return res, err
	}
}

func printTargets(w io.Writer, cfg forecast.Config) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TARGET\tUNIT\tTHRESHOLDS\tQUERY")
	for _, t := range cfg.Targets {
		fmt.Fprintf(tw, "%s\t%s\t%v\t%s\n", t.Name, t.Unit, t.Thresholds, t.Query)
	}
	return tw.Flush()
}

func printResults(w io.Writer, list []*forecast.Result) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TARGET\tSERIES\tHORIZON\tMEDIAN\t95 % INTERVAL\tMODEL\tSTATUS")
	for _, r := range list {
		if len(r.Horizons) == 0 {
			fmt.Fprintf(tw, "%s\t%s\t\t\t\t\t%s: %s\n", r.Target, r.Labels, r.Status, r.Reason)
		}
		for _, h := range slices.Sorted(maps.Keys(r.Horizons)) {
			q := r.Horizons[h]
			fmt.Fprintf(tw, "%s\t%s\t%s\t%.4g\t%.4g - %.4g\t%s\t%s\n", r.Target, r.Labels, h, q["0.5"], q["0.025"], q["0.975"], r.Model, r.Status)
		}
	}
	_ = tw.Flush() // a closed pipe is the reader's choice
}
