package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/log-classifier/classify"
	"github.com/inframind/inframind/log-classifier/label"
)

func addTrain(a *cli.App) {
	var shipped bool
	var output, state string
	var files []string
	cmd := a.Command("train", "Train on the project's corpus, the labels below --state.dir and further label files; put the model into service if it is not worse.\n\n"+
		"Examples:\n  log-classifier train --state.dir=/var/lib/log-classifier --labels=mine.csv\n  log-classifier train --shipped --output=log-classifier/corpus/shipped.model")
	cmd.Flag("labels", "CSV with the columns label, message and optionally system; may be repeated.").ExistingFilesVar(&files)
	cmd.Flag("state.dir", "State directory of the service.").Default("data/log-classifier").StringVar(&state)
	cmd.Flag("shipped", "Rebuild the shipped model from the corpus alone, byte for byte, into --output.").BoolVar(&shipped)
	cmd.Flag("output", "Also write the model to this file.").StringVar(&output)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(50) // a fifth less memory
		}
		if shipped {
			if output == "" {
				return cli.Usagef("--shipped needs --output")
			}
			raw, err := classify.TrainShipped()
			if err != nil {
				return err
			}
			return job.SaveFile(output, raw)
		}
		var own []label.Example
		for _, f := range files {
			ex, err := readLabels(f)
			if err != nil {
				return err
			}
			own = append(own, ex...)
		}
		rep, err := classify.Train(state, own, output)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(env.Stdout, rep)
		return err
	})
}

func readLabels(path string) ([]label.Example, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ex, err := label.Read(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ex, nil
}
