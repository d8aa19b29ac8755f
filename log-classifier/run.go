package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/httpserve"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
	"github.com/inframind/inframind/internal/logstore/sqlite"
	"github.com/inframind/inframind/log-classifier/classify"
)

// fileConfig is the configuration file: the engine's, and which log store it works on.
type fileConfig struct {
	classify.Config `yaml:",inline"`
	Elasticsearch   *elastic.Config `yaml:"elasticsearch,omitempty"`
	Store           struct {
		Path string `yaml:"path,omitempty"` // directory of an embedded log store
	} `yaml:"store,omitempty"`
}

// Validate implements config.Validator.
func (c *fileConfig) Validate() error {
	if (c.Elasticsearch == nil) == (c.Store.Path == "") {
		return errors.New("name one log store: elasticsearch.urls or store.path")
	}
	if c.Elasticsearch != nil {
		if err := c.Elasticsearch.Validate(); err != nil {
			return err
		}
	}
	return c.Config.Validate()
}

func (c *fileConfig) open(env cli.Env) (logstore.Store, error) {
	if c.Elasticsearch != nil {
		c.Elasticsearch.Log = env.Log
		return elastic.New(*c.Elasticsearch)
	}
	return sqlite.Open(c.Store.Path, sqlite.Options{})
}

func addRun(a *cli.App) {
	var file, state, shard, listen, webConfig string
	var once, dry bool
	cmd := a.Command("run", "Label what is new in the log store: once for cron, or each interval.\n\n"+
		"Example: log-classifier run --once --config.file=log-classifier.yml --state.dir=/var/lib/log-classifier")
	cmd.Flag("config.file", "Configuration file.").Default("log-classifier.yml").StringVar(&file)
	cmd.Flag("state.dir", "Where the cursor, templates, labels and models are kept.").Default("data/log-classifier").StringVar(&state)
	cmd.Flag("shard", "Do the hosts of part i of n, as i/n; default from JOB_COMPLETION_INDEX and JOB_COMPLETIONS.").StringVar(&shard)
	cmd.Flag("once", "Run once and exit.").BoolVar(&once)
	cmd.Flag("dry-run", "Print what would be written as JSON lines, write and push nothing.").BoolVar(&dry)
	cmd.Flag("web.listen-address", "Serve the review call (/review) at this address.").StringVar(&listen)
	cmd.Flag("web.config.file", "TLS and authentication for that, as for Prometheus exporters.").StringVar(&webConfig)
	a.Do(cmd, func(ctx context.Context, env cli.Env) (err error) {
		var cfg fileConfig
		if err := config.Load(file, &cfg); err != nil {
			return err
		}
		sh, err := job.ShardFrom(shard)
		if err != nil {
			return cli.Usage(err)
		}
		unlock, err := job.Lock(state)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unlock()) }()
		store, err := cfg.open(env)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		opt := classify.Options{Log: env.Log, StateDir: state, Shard: sh, Store: store}
		if dry {
			enc := json.NewEncoder(env.Stdout)
			opt.DryRun = func(d logstore.Document) error { return enc.Encode(d) }
		}
		e, err := classify.New(cfg.Config, opt)
		if err != nil {
			return err
		}
		return runJob(ctx, env, e, time.Duration(cfg.Interval), once || dry, listen, webConfig)
	})

	check := a.Command("check-config", "Check a configuration file.")
	check.Flag("config.file", "Configuration file.").Default("log-classifier.yml").StringVar(&file)
	a.Do(check, func(_ context.Context, env cli.Env) error {
		var cfg fileConfig
		if err := config.Load(file, &cfg); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.Stdout, "%s is valid: %s is labelled into %s every %s\n", file, cfg.Index, cfg.Output, cfg.Interval)
		return err
	})
}

// runJob runs e once, or on its interval with the review call beside it.
func runJob(ctx context.Context, env cli.Env, e *classify.Engine, interval time.Duration, once bool, listen, webConfig string) (err error) {
	defer func() { err = errors.Join(err, e.Close()) }()
	if once {
		return e.Run(ctx)
	}
	if listen != "" {
		stop, err := httpserve.Start(env.Log, listen, webConfig, e.Handler())
		if err != nil {
			return err
		}
		defer stop()
		env.Log.Info("serving the review call", "address", listen)
	}
	job.Every(ctx, interval, e.Run)
	return nil
}
