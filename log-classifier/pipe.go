package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/log-classifier/classify"
)

// source is where a command finds its model and templates.
type source struct{ model, state string }

func (s *source) flags(cmd *kingpin.CmdClause) {
	cmd.Flag("model", "Model file; default the one trained below --state.dir, or the shipped one.").StringVar(&s.model)
	cmd.Flag("state.dir", "State directory of the service, for its model, templates and labels.").StringVar(&s.state)
}

// labeler returns a labeler with the templates and labels of the state directory.
func (s *source) labeler() (*classify.Labeler, error) {
	m, err := classify.LoadModel(s.model, s.state)
	if err != nil {
		return nil, err
	}
	return classify.OpenLabeler(m, s.state)
}

func addPipe(a *cli.App) {
	var src source
	var opt classify.PipeOptions
	var files []string
	cmd := a.Command("pipe", "Label lines from standard input, or from files: one JSON object a line on standard output, in order. "+
		"Syslog, journald JSON, JSON logs and most programs' own headers are understood.\n\n"+
		"Examples:\n  tail -F /var/log/syslog | log-classifier pipe | jq 'select(.ml_category==\"critical\")'\n  journalctl -o json | log-classifier pipe")
	src.flags(cmd)
	cmd.Flag("review.confidence", "Confidence below which ml_review is set.").Default("0.6").Float64Var(&opt.Threshold)
	cmd.Flag("message-field", "Field of JSON lines that holds the message; default: the usual names.").StringVar(&opt.MessageField)
	cmd.Flag("join", "Put stack traces together: one object an event.").BoolVar(&opt.Join)
	cmd.Flag("hold.lines", "While input keeps coming, answer after this many lines at the latest: what they teach about templates is in all of their answers.").Default("50000").IntVar(&opt.HoldLines)
	cmd.Flag("hold.time", "Answer when no input came for this long.").Default("100ms").DurationVar(&opt.HoldFor)
	cmd.Arg("file", "Files instead of standard input.").ExistingFilesVar(&files)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		l, err := src.labeler()
		if err != nil {
			return err
		}
		if len(files) == 0 {
			_, err = classify.Pipe(ctx, l, env.Stdin, env.Stdout, opt)
		}
		for _, f := range files {
			err = errors.Join(err, pipeFile(ctx, l, f, env.Stdout, opt))
		}
		return err
	})
}

func pipeFile(ctx context.Context, l *classify.Labeler, path string, w io.Writer, opt classify.PipeOptions) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	_, err = classify.Pipe(ctx, l, f, w, opt)
	return errors.Join(err, f.Close())
}

func addExplain(a *cli.App) {
	var src source
	var words []string
	cmd := a.Command("explain", "Say how a message is labelled and why.\n\nExample: log-classifier explain \"EXT4-fs (sda1): Remounting filesystem read-only\"")
	src.flags(cmd)
	cmd.Arg("message", "The message, without its header.").Required().StringsVar(&words)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		l, err := src.labeler()
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(env.Stdout, l.Line(strings.Join(words, " ")))
		return err
	})
}
