package forecast

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/inframind/inframind/forecaster/stat"
	"github.com/inframind/inframind/internal/job"
)

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
	version, err := saveVersion(e.opts.StateDir, now, raw)
	if err != nil {
		return err
	}
	for _, t := range e.cfg.Targets {
		if list := byTarget[t.Name]; len(list) > 0 {
			line := trainingLine(list)
			line.Time, line.Model, line.Hash = now, version, strconv.FormatUint(xxhash.Sum64(raw), 16)
			line.Params = map[string]string{"target": t.Name, "history": e.cfg.History.String(), "step": e.cfg.Step.String()}
			if err := job.AppendTraining(e.opts.StateDir, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// trainingLine sums up the series of one target that were trained together. A series is
// promoted on its own: the line counts those that are not.
func trainingLine(list []*Result) job.Training {
	line := job.Training{From: list[0].From, To: list[0].Last, Metrics: map[string]float64{"series": float64(len(list))}}
	kept := 0
	for _, r := range list {
		line.Rows += r.Rows
		if r.From.Before(line.From) {
			line.From = r.From
		}
		if r.Last.After(line.To) {
			line.To = r.Last
		}
		if r.Kept {
			kept++
		}
	}
	line.Promoted = kept < len(list)
	if kept > 0 {
		line.Reason = fmt.Sprintf("%d of %d series keep the model in service: a new one did worse", kept, len(list))
	}
	for metric, of := range map[string]func(*Accuracy) *float64{
		"mape": func(a *Accuracy) *float64 { return a.MAPE }, "mase": func(a *Accuracy) *float64 { return a.MASE },
		"coverage80": func(a *Accuracy) *float64 { return a.Coverage80 }, "coverage95": func(a *Accuracy) *float64 { return a.Coverage95 },
	} {
		if v, ok := medianOf(list, of); ok {
			line.Metrics[metric] = v
		}
	}
	return line
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
