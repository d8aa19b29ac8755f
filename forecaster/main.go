// The forecaster tells what capacity metrics will be in days and weeks, how sure that is,
// and when a threshold is crossed.
package main

import (
	"context"
	"time"

	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore/elastic"
)

func main() {
	a := cli.New("forecaster", "Capacity forecasts from Prometheus data.")
	addCommands(a)
	a.Main()
}

func addCommands(a *cli.App) {
	addRun(a)
	addPredict(a)
	addBacktest(a)
	addExplain(a)
	addReview(a)
	addRollback(a)
	addServe(a)
}

// fileConfig is the configuration file: the engine's, and where forecasts are indexed.
type fileConfig struct {
	forecast.Config `yaml:",inline"`
	Elasticsearch   *elastic.Config `yaml:"elasticsearch,omitempty"`
}

// addRun adds the job itself and the check of its configuration.
func addRun(a *cli.App) {
	var file, state, shard string
	var once, dry, strict bool
	cmd := a.Command("run", "Forecast every configured target: once for cron, or each interval.\n\n"+
		"Example: forecaster run --once --config.file=forecaster.yml --state.dir=/var/lib/forecaster")
	cmd.Flag("config.file", "Configuration file.").Default("forecaster.yml").StringVar(&file)
	cmd.Flag("state.dir", "Where forecasts, curves and training_log.csv are kept.").Default("data/forecaster").StringVar(&state)
	cmd.Flag("shard", "Do part i of n, as i/n; default from JOB_COMPLETION_INDEX and JOB_COMPLETIONS.").StringVar(&shard)
	cmd.Flag("once", "Run once and exit.").BoolVar(&once)
	cmd.Flag("dry-run", "Forecast, print a table, write and push nothing.").BoolVar(&dry)
	cmd.Flag("strict", "Exit 1 when any series could not be forecast.").BoolVar(&strict)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		var cfg fileConfig
		if err := config.Load(file, &cfg); err != nil {
			return err
		}
		sh, err := job.ShardFrom(shard)
		if err != nil {
			return cli.Usage(err)
		}
		bar := newProgress(env.Stderr, 0, "forecast")
		defer bar.done()
		opts := forecast.Options{Log: env.Log, StateDir: state, Shard: sh, DryRun: dry, Progress: bar.set}
		if cfg.Elasticsearch != nil && !dry {
			store, err := elastic.New(*cfg.Elasticsearch)
			if err != nil {
				return err
			}
			defer func() { _ = store.Close() }() // everything was written by then
			opts.Store = store
		}
		e, err := forecast.New(cfg.Config, opts)
		if err != nil {
			return err
		}
		return runJob(ctx, env, e, cfg.Config, once, dry, strict)
	})

	check := a.Command("check-config", "Check a configuration file and list its targets.")
	check.Flag("config.file", "Configuration file.").Default("forecaster.yml").StringVar(&file)
	a.Do(check, func(_ context.Context, env cli.Env) error {
		var cfg fileConfig
		if err := config.Load(file, &cfg); err != nil {
			return err
		}
		return printTargets(env.Stdout, cfg.Config)
	})
}

func runJob(ctx context.Context, env cli.Env, e *forecast.Engine, cfg forecast.Config, once, dry, strict bool) (err error) {
	defer func() {
		if cerr := e.Close(); err == nil {
			err = cerr
		}
	}()
	pub := e.Publisher()
	if dry {
		pub = nil
	}
	do := func(ctx context.Context) error {
		return job.Once(ctx, env.Log, e.Metrics(), pub, strictly(e.RunOnce, strict))
	}
	if !once && !dry {
		job.Every(ctx, time.Duration(cfg.Interval), do)
		return nil
	}
	err = do(ctx)
	if dry {
		printResults(env.Stdout, e.Results())
	}
	return err
}
