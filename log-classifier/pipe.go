package main

import (
	"context"
	"fmt"
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
	var threshold float64
	cmd := a.Command("pipe", "Label lines from standard input: one JSON object a line on standard output, in order.\n\n"+
		"Example: tail -F /var/log/syslog | log-classifier pipe | jq 'select(.ml_category==\"critical\")'")
	src.flags(cmd)
	cmd.Flag("review.confidence", "Confidence below which ml_review is set.").Default("0.6").Float64Var(&threshold)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		l, err := src.labeler()
		if err != nil {
			return err
		}
		_, err = classify.Pipe(ctx, l, env.Stdin, env.Stdout, threshold)
		return err
	})
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
