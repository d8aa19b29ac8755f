package main

import (
	"context"
	"fmt"
	"os"

	"github.com/schollz/progressbar/v3"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/log-classifier/classify"
	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/evaluate"
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
		labelRaw := func(raw []string) []model.Prediction { return classify.LabelAll(shipped, raw) }
		suite := evaluate.Suite{Systems: systems, Base: base, Tests: tests, Programs: programs, Params: model.DefaultParams(), Label: labelRaw, Progress: progress(env)}
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
