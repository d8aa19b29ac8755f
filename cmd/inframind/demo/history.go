package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	historyDays = 30
	step        = 5 * time.Minute
	// blockRange is the largest of Prometheus' block ranges (2 h times 3^3) below a tenth
	// of the retention: blocks of that size are left alone by compaction.
	blockRange = 54 * time.Hour
)

// WriteHistory writes the fleet's recorded series for the 30 days before its start as TSDB
// blocks into dir, which no TSDB may have open. Job is the scrape job that goes on with them.
func (f *Fleet) WriteHistory(ctx context.Context, dir, job string, log *slog.Logger) error {
	from := f.start.Add(-historyDays * 24 * time.Hour)
	for lo := from.Truncate(blockRange); lo.Before(f.start); lo = lo.Add(blockRange) {
		if err := f.writeBlock(ctx, dir, job, later(lo, from), earlier(lo.Add(blockRange), f.start), log); err != nil {
			return fmt.Errorf("demo history: %w", err)
		}
	}
	return nil
}

func (f *Fleet) writeBlock(ctx context.Context, dir, job string, from, to time.Time, log *slog.Logger) (err error) {
	w, err := tsdb.NewBlockWriter(log, dir, blockRange.Milliseconds())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := w.Close(); err == nil {
			err = cerr
		}
	}()
	lbls := make([]labels.Labels, len(f.signals))
	for i, s := range f.signals {
		lbls[i] = s.labels(job)
	}
	app := w.Appender(ctx)
	// Time outside: the head takes nothing older than half a block below its newest sample.
	for t := from; t.Before(to); t = t.Add(step) {
		for i, s := range f.signals {
			if f.missing(s.host, t) {
				continue
			}
			if _, err := app.Append(0, lbls[i], t.UnixMilli(), f.at(s, t)); err != nil {
				return errors.Join(fmt.Errorf("%s at %s: %w", lbls[i], t, err), app.Rollback())
			}
		}
	}
	if err := app.Commit(); err != nil {
		return err
	}
	_, err = w.Flush(ctx)
	return err
}

func (s signal) labels(job string) labels.Labels {
	b := labels.NewBuilder(labels.EmptyLabels())
	b.Set(model.MetricNameLabel, s.metric).Set("instance", s.host).Set("job", job).Set("demo", "true")
	if s.label != "" {
		b.Set(s.label, s.labelValue)
	}
	return b.Labels()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
