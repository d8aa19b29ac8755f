package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/log-classifier/classify"
	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/model"
)

func addEvaluate(a *cli.App) {
	var data, format string
	cmd := a.Command("evaluate", "Measure the labels and templates on labelled logs, always on systems or templates that were not trained on, beside the textbook pipeline.\n\n"+
		"--data holds labels/<System>.csv (EventId,label) and loghub/<System>/<System>_2k.log_structured.csv (EventId,Content, and where there are such Level,Component); <System>_2k.log beside it, the lines as they were written, is labelled as pipe does.\n\n"+
		"Example: log-classifier evaluate --data=/data/logs --format=html > report.html")
	cmd.Flag("data", "Folder of labelled logs.").Required().ExistingDirVar(&data)
	cmd.Flag("format", "table, csv or html.").Default("table").EnumVar(&format, "table", "csv", "html")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		systems, err := evaluate.LoadSystems(data)
		if err != nil {
			return cli.Usage(err)
		}
		base, err := corpus.Rows()
		if err != nil {
			return err
		}
		tests, err := corpus.Tests()
		if err != nil {
			return err
		}
		programs, err := corpus.TestPrograms()
		if err != nil {
			return err
		}
		shipped, err := corpus.Shipped()
		if err != nil {
			return err
		}
		imitated, err := evaluate.Imitated(2000, 1)
		if err != nil {
			return err
		}
		pipe := func(raw []string) ([]model.Prediction, error) { return throughPipe(ctx, shipped, raw) }
		suite := evaluate.Suite{Systems: systems, Base: base, Tests: tests, Programs: programs, Imitated: imitated, Params: model.DefaultParams(), Pipe: pipe, Progress: progress(env)}
		rep, err := suite.Run(ctx)
		if err != nil {
			return err
		}
		switch format {
		case "csv":
			return rep.WriteCSV(env.Stdout)
		case "html":
			return rep.WriteHTML(env.Stdout)
		}
		return rep.WriteText(env.Stdout)
	})
}

// throughPipe labels the lines of a log as a user of pipe sees them labelled.
func throughPipe(ctx context.Context, m *model.Model, raw []string) ([]model.Prediction, error) {
	var answers bytes.Buffer
	l := classify.NewLabeler(m, mine.New(mine.Options{}), nil)
	if _, err := classify.Pipe(ctx, l, strings.NewReader(strings.Join(raw, "\n")+"\n"), &answers, classify.PipeOptions{}); err != nil {
		return nil, err
	}
	out := make([]model.Prediction, 0, len(raw))
	for dec := json.NewDecoder(&answers); dec.More(); {
		var a struct {
			Category   string  `json:"ml_category"`
			Confidence float64 `json:"ml_confidence"`
		}
		if err := dec.Decode(&a); err != nil {
			return nil, fmt.Errorf("answer %d of pipe: %w", len(out)+1, err)
		}
		c, err := label.Parse(a.Category)
		if err != nil {
			return nil, fmt.Errorf("answer %d of pipe: %w", len(out)+1, err)
		}
		out = append(out, model.Prediction{Category: c, Confidence: a.Confidence})
	}
	if len(out) != len(raw) {
		return nil, fmt.Errorf("pipe answered %d of %d lines", len(out), len(raw))
	}
	return out, nil
}

// progress shows a bar when standard error is a terminal.
func progress(env cli.Env) func(done, total int) {
	f, ok := env.Stderr.(*os.File)
	if !ok {
		return nil
	}
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("evaluating"), progressbar.OptionClearOnFinish())
		}
		if err := bar.Set(done); err != nil {
			fmt.Fprintln(f, err)
		}
	}
}
