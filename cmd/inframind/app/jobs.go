package app

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/cmd/inframind/supervise"
	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/pushgw"
	"github.com/inframind/inframind/log-classifier/classify"
)

// engine is what the three jobs have in common.
type engine interface {
	RunOnce(context.Context) (job.Result, error)
	Metrics() *job.Metrics
	Close() error
}

// plan is a job with its schedule.
type plan struct {
	name     string
	off      bool // it has nothing to read
	interval time.Duration
	open     func() (engine, error)
}

func (a *App) plans() []plan {
	state := func(name string) string { return filepath.Join(a.opts.DataDir, name) }
	c := a.config
	return []plan{
		{"forecaster", false, time.Duration(c.Forecaster.Interval), func() (engine, error) {
			return forecast.New(c.Forecaster, forecast.Options{Log: a.log.With("job", "forecaster"), StateDir: state("forecaster"), Curves: a.curves, Store: a.store})
		}},
		{"anomaly-scorer", !c.scores(), time.Duration(c.Scorer.Interval), func() (engine, error) {
			return scorer.New(c.Scorer, scorer.Options{Log: a.log.With("job", "anomaly-scorer"), StateDir: state("anomaly-scorer"), Store: a.store})
		}},
		{"log-classifier", false, time.Duration(c.Classifier.Interval), func() (engine, error) {
			return classify.New(c.Classifier, classify.Options{Log: a.log.With("job", "log-classifier"), StateDir: state("log-classifier"), Store: a.store})
		}},
	}
}

// startJobs starts every job; they end with ctx.
func (a *App) startJobs(ctx context.Context) {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	a.jobsCtx = ctx
	a.launch()
}

// restartJobs gives every job the configuration of now. Callers hold a.reloading.
func (a *App) restartJobs() {
	for _, p := range a.jobs {
		p.Stop()
	}
	a.jobs = nil
	a.launch()
}

func (a *App) launch() {
	a.jobs = append(a.jobs, a.startAlerts(a.jobsCtx))
	a.launchLogs()
	for _, p := range a.plans() {
		if p.off {
			a.parts.Off(p.name)
			continue
		}
		a.jobs = append(a.jobs, a.parts.Start(a.jobsCtx, p.name, func(ctx context.Context, part *supervise.Part) error {
			return a.runJob(ctx, p, part)
		}))
	}
}

// runJob repeats one job until ctx ends. A run that fails is repeated at its next turn.
func (a *App) runJob(ctx context.Context, p plan, part *supervise.Part) (err error) {
	pub, err := pushgw.New(a.self+"/pushgateway", nil)
	if err != nil {
		return err
	}
	e, err := p.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }() // after a panic too: it frees the state directory
	if pages, ok := e.(interface{ Handler() http.Handler }); ok {
		a.jobPages.Store(p.name, pages.Handler())
		defer a.jobPages.Delete(p.name)
	}
	log := a.log.With("job", p.name)
	runCtx, cancel := lingering(ctx, grace)
	defer cancel()
	job.Every(ctx, p.interval, func(context.Context) error {
		err := job.Once(runCtx, log, e.Metrics(), pub, e.RunOnce)
		if runCtx.Err() == nil { // a run cut short by the end is no failure
			part.Fail(err)
		}
		return err
	})
	return nil
}

// lingering ends d after ctx does, so that a run under way can come to its end.
func lingering(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return out, func() { stop(); cancel() }
}
