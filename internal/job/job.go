// Package job is what the three batch jobs (forecaster, anomaly-scorer, log-classifier)
// have in common: one instance at a time, shards, state that is saved atomically, the
// metrics every job pushes, and the schedule.
package job

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Result counts what one run did. Skipped are inputs that were left alone on purpose,
// Failed those that could not be handled.
type Result struct {
	Read, Written, Skipped, Failed int
}

// Func is one run of a job.
type Func func(ctx context.Context) (Result, error)

// Publisher sends a job's metrics to a Pushgateway; *pushgw.Client is one.
type Publisher interface {
	Publish(ctx context.Context, job string, grouping map[string]string, g Gatherer) error
}

// Once runs do, records it in m and pushes m, so that a run that failed is seen to have
// failed. pub may be nil.
func Once(ctx context.Context, log *slog.Logger, m *Metrics, pub Publisher, do Func) error {
	start := time.Now()
	res, err := do(ctx)
	m.observe(start, time.Since(start), res, err)
	attrs := []any{"read", res.Read, "written", res.Written, "skipped", res.Skipped, "failed", res.Failed, "duration", time.Since(start).Round(time.Millisecond)}
	if err != nil {
		log.Error("run failed", append(attrs, "err", err)...)
	} else {
		log.Info("run done", attrs...)
	}
	if pub == nil {
		return err
	}
	// The run's own deadline may be what ended it; the report still has to go out.
	pctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, pub.Publish(pctx, m.job, m.Grouping(), m.reg))
}

// Every calls run now and then each interval until ctx ends. Two runs never overlap: a run
// that takes longer than the interval delays the next one. Errors are reported by Once and
// do not end the schedule.
func Every(ctx context.Context, interval time.Duration, run func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		_ = run(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
