package forecast

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/inframind/inframind/forecaster/stat"
	"github.com/inframind/inframind/internal/job"
)

// keepVersions is how many trained states are kept beside the current one, for going back.
const keepVersions = 5

// logTraining appends a line a target to training_log.csv for the series that were
// backtested in this run, and keeps the state they make as a version of its own.
func (e *Engine) logTraining(now time.Time) error {
	byTarget := map[string][]*Result{}
	for _, r := range e.Results() {
		if r.Status == statusOK && r.Trained.Equal(now) {
			byTarget[r.Target] = append(byTarget[r.Target], r)
		}
	}
	if len(byTarget) == 0 || e.opts.StateDir == "" {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(e.opts.StateDir, stateFile))
	if err != nil {
		return fmt.Errorf("training log: %w", err)
	}
	name := "forecasts-" + now.UTC().Format("20060102T150405Z") + ".json.gz"
	if err := job.SaveFile(filepath.Join(e.opts.StateDir, "versions", name), raw); err != nil {
		return err
	}
	if err := dropVersions(filepath.Join(e.opts.StateDir, "versions")); err != nil {
		return err
	}
	for _, t := range e.cfg.Targets {
		list := byTarget[t.Name]
		if len(list) == 0 {
			continue
		}
		line := job.Training{
			Time: now, From: list[0].From, To: list[0].Last, Model: name,
			Hash: strconv.FormatUint(xxhash.Sum64(raw), 16), Promoted: true,
			Params:  map[string]string{"target": t.Name, "history": e.cfg.History.String(), "step": e.cfg.Step.String()},
			Metrics: map[string]float64{"series": float64(len(list))},
		}
		for _, r := range list {
			line.Rows += r.Rows
			if r.From.Before(line.From) {
				line.From = r.From
			}
			if r.Last.After(line.To) {
				line.To = r.Last
			}
		}
		for metric, of := range map[string]func(*Accuracy) *float64{
			"mape": func(a *Accuracy) *float64 { return a.MAPE }, "mase": func(a *Accuracy) *float64 { return a.MASE },
			"coverage80": func(a *Accuracy) *float64 { return a.Coverage80 }, "coverage95": func(a *Accuracy) *float64 { return a.Coverage95 },
		} {
			if v, ok := medianOf(list, of); ok {
				line.Metrics[metric] = v
			}
		}
		if err := job.AppendTraining(e.opts.StateDir, line); err != nil {
			return err
		}
	}
	return nil
}

func medianOf(list []*Result, of func(*Accuracy) *float64) (float64, bool) {
	var v []float64
	for _, r := range list {
		if r.Backtest != nil {
			if x := of(r.Backtest); x != nil {
				v = append(v, *x)
			}
		}
	}
	return stat.MedianInPlace(v), len(v) > 0
}

// dropVersions removes all but the newest versions.
func dropVersions(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "forecasts-*.json.gz"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for len(files) > keepVersions {
		if err := os.Remove(files[0]); err != nil {
			return err
		}
		files = files[1:]
	}
	return nil
}
