package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/internal/cli"
)

func addTrain(a *cli.App) {
	var f common
	var window time.Duration
	var force, rollback bool
	var seed uint64
	cmd := a.Command("train", "Learn what is usual from the connection logs and put the model into service unless it is worse.\n\n"+
		"A line is added to training_log.csv beside the model; the model before is kept as MODEL.previous.\n\n"+
		"Example: anomaly-scorer train --zeek=/opt/zeek/logs --model=model.iforest --window=168h")
	cmd.Flag("config.file", "Configuration file.").StringVar(&f.config)
	cmd.Flag("zeek", "Directory of Zeek logs, or one file.").StringVar(&f.zeek)
	cmd.Flag("model", "Model file to write.").Default("model.iforest").StringVar(&f.model)
	cmd.Flag("window", "Learn from this much log time before the newest connection; 0 for all.").Default("168h").DurationVar(&window)
	cmd.Flag("seed", "Seed of the forest.").Default("1").Uint64Var(&seed)
	cmd.Flag("force", "Put the model into service even if it is worse.").BoolVar(&force)
	cmd.Flag("rollback", "Train nothing: put MODEL.previous back.").BoolVar(&rollback)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		if rollback {
			return scorer.Rollback(f.model)
		}
		cfg, err := f.load()
		if err != nil {
			return err
		}
		if cfg.Zeek.Dir == "" {
			return cli.Usagef("--zeek is needed")
		}
		t, err := scorer.Train(ctx, cfg, scorer.TrainOptions{Dir: cfg.Zeek.Dir, Model: f.model, Window: window, Log: env.Log, Force: force, Seed: seed})
		if err != nil {
			return err
		}
		fmt.Fprintf(env.Stdout, "learned from %d of %d connections, %s to %s\n", t.Used, t.Rows, t.From.Format(time.DateTime), t.To.Format(time.DateTime))
		fmt.Fprintf(env.Stdout, "separation of artificial outliers: AUROC %.4f", t.Separation)
		if !math.IsNaN(t.InService) {
			fmt.Fprintf(env.Stdout, " (model in service %.4f)", t.InService)
		}
		fmt.Fprintf(env.Stdout, "; held-out connections beyond the 99th percentile: %.2f %%\n", 100*t.HeldOut)
		if !t.Promoted {
			return fmt.Errorf("not put into service: %s", t.Reason)
		}
		fmt.Fprintf(env.Stdout, "in service: %s\n", f.model)
		return nil
	})
}
