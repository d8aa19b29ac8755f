package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/log-classifier/classify"
	"github.com/inframind/inframind/log-classifier/label"
)

const defaultState = "data/log-classifier"

func addReview(a *cli.App) {
	var src source
	var n int
	var byTemplate bool
	var month string
	cmd := a.Command("review", "Label what the model is unsure of, one key each: c, w, i or n; s skips, q ends. The running service uses the labels from its next run on; train learns from them. With --month, compare a month with the one before: lines by category, agreement, drift, new templates, models.\n\n"+
		"Examples:\n  log-classifier review --state.dir=/var/lib/log-classifier --by-template\n  log-classifier review --state.dir=/var/lib/log-classifier --month=2026-11")
	src.flags(cmd)
	cmd.Flag("count", "Questions.").Short('n').Default("100").IntVar(&n)
	cmd.Flag("by-template", "Ask for the most frequent templates of the site without a label, sure or not: a hundred of them teach more than any corpus.").BoolVar(&byTemplate)
	cmd.Flag("month", "Compare this month, such as 2026-11, with the one before, and ask nothing.").StringVar(&month)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		if src.state == "" {
			src.state = defaultState
		}
		site, err := classify.OpenSite(src.state)
		if err != nil {
			return err
		}
		if month != "" {
			return reviewMonth(env.Stdout, site, month)
		}
		l, err := src.labeler()
		if err != nil {
			return err
		}
		return ask(ctx, env, site, site.Pending(n, byTemplate, l))
	})
}

func reviewMonth(w io.Writer, site *classify.Site, month string) error {
	at, err := time.Parse("2006-01", month)
	if err != nil {
		return cli.Usagef("--month %q: want a month such as 2026-11", month)
	}
	last, err := site.Month(at.AddDate(0, -1, 0))
	if err != nil {
		return err
	}
	this, err := site.Month(at)
	if err != nil {
		return err
	}
	return classify.WriteMonths(w, last, this)
}

// ask puts the questions and stores each answer at once.
func ask(ctx context.Context, env cli.Env, site *classify.Site, questions []classify.Pending) error {
	in := bufio.NewScanner(env.Stdin)
	by := "unknown"
	if u, err := user.Current(); err == nil {
		by = u.Username
	}
	given, agreed := 0, 0
	for i, q := range questions {
		fmt.Fprintf(env.Stdout, "\n%d/%d  %d lines, model says %s (%.2f)\n  %s\n[c]ritical [w]arning [i]nformational [n]oise [s]kip [q]uit: ",
			i+1, len(questions), q.Lines, q.Category, q.Confidence, strconv.Quote(q.Message))
		c, ok, quit := answer(in)
		if quit || ctx.Err() != nil {
			break
		}
		if !ok {
			continue
		}
		if err := site.Answer(q, c, by); err != nil {
			return err
		}
		given++
		if c.String() == q.Category {
			agreed++
		}
	}
	_, err := fmt.Fprintf(env.Stdout, "\n%d labels stored, the model agreed with %d of them\n", given, agreed)
	return errors.Join(err, in.Err())
}

func answer(in *bufio.Scanner) (c label.Category, ok, quit bool) {
	if !in.Scan() {
		return 0, false, true
	}
	switch strings.ToLower(strings.TrimSpace(in.Text())) {
	case "c":
		return label.Critical, true, false
	case "w":
		return label.Warning, true, false
	case "i":
		return label.Informational, true, false
	case "n":
		return label.Noise, true, false
	case "q":
		return 0, false, true
	}
	return 0, false, false
}

func addExchange(a *cli.App) {
	var state, file string
	var pendingToo bool
	exp := a.Command("export", "Write the site's labels as CSV for labelling tools, with --pending the open questions too (label = the model's guess).\n\nExample: log-classifier export --pending > todo.csv")
	exp.Flag("state.dir", "State directory of the service.").Default(defaultState).StringVar(&state)
	exp.Flag("pending", "Add the templates that wait for a label.").BoolVar(&pendingToo)
	a.Do(exp, func(_ context.Context, env cli.Env) error {
		site, err := classify.OpenSite(state)
		if err != nil {
			return err
		}
		return export(env.Stdout, site, pendingToo)
	})
	imp := a.Command("import", "Store labels from a CSV with the columns label, message and optionally system and template_id.\n\nExample: log-classifier import done.csv")
	imp.Flag("state.dir", "State directory of the service.").Default(defaultState).StringVar(&state)
	imp.Arg("file", "CSV file.").Required().ExistingFileVar(&file)
	a.Do(imp, func(_ context.Context, env cli.Env) error {
		n, err := importLabels(state, file)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Stdout, "%d labels stored in %s\n", n, state)
		return err
	})
}

func export(w io.Writer, site *classify.Site, pendingToo bool) error {
	cw := csv.NewWriter(w)
	rows := [][]string{{"label", "system", "message", "template_id", "confidence"}}
	for _, r := range site.Labels() {
		rows = append(rows, []string{r.Category.String(), r.System, r.Message, r.TemplateID, "1"})
	}
	if pendingToo {
		for _, p := range site.Pending(10_000, false, nil) {
			rows = append(rows, []string{p.Category, "site", p.Message, p.ID, strconv.FormatFloat(p.Confidence, 'f', 3, 64)})
		}
	}
	return cw.WriteAll(rows)
}

// importLabels appends the labels of a CSV; all of them or, when one is wrong, none.
func importLabels(state, path string) (int, error) {
	examples, err := readLabels(path)
	if err != nil {
		return 0, err
	}
	site, err := classify.OpenSite(state)
	if err != nil {
		return 0, err
	}
	list := make([]classify.Reviewed, 0, len(examples))
	for _, e := range examples {
		list = append(list, classify.Reviewed{Example: e, TemplateID: site.TemplateOf(e.Message), Time: time.Now(), By: "import"})
	}
	return len(list), classify.AppendReviewed(state, list...)
}

func addTemplates(a *cli.App) {
	var state string
	var n int
	var changes, asJSON bool
	cmd := a.Command("templates", "List the templates of the site, most frequent first, and what is unusual about them.\n\nExample: log-classifier templates --changes")
	cmd.Flag("state.dir", "State directory of the service.").Default(defaultState).StringVar(&state)
	cmd.Flag("count", "Templates.").Short('n').Default("50").IntVar(&n)
	cmd.Flag("changes", "Only those that are new, much more frequent than usual, or silent.").BoolVar(&changes)
	cmd.Flag("json", "One JSON object a line.").BoolVar(&asJSON)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		site, err := classify.OpenSite(state)
		if err != nil {
			return err
		}
		tw := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
		enc := json.NewEncoder(env.Stdout)
		if !asJSON {
			fmt.Fprintln(tw, "id\tlines\tlast seen\tchange\ttemplate")
		}
		shown := 0
		for _, t := range site.Templates() {
			change := t.Change(time.Now())
			if shown == n || changes && change == "" {
				continue
			}
			shown++
			if asJSON {
				if err := enc.Encode(t); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%.120s\n", t.ID, t.Count, t.Last.Format(time.RFC3339), change, t.Text)
		}
		return tw.Flush()
	})
}

func addRollback(a *cli.App) {
	var state, to string
	cmd := a.Command("rollback", "Put an earlier model into service; without a version, list them.\n\nExample: log-classifier rollback shipped")
	cmd.Flag("state.dir", "State directory of the service.").Default(defaultState).StringVar(&state)
	cmd.Arg("version", "A listed version, or shipped.").StringVar(&to)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		if to != "" {
			return classify.Rollback(state, to)
		}
		versions, err := classify.Versions(state)
		if err != nil {
			return err
		}
		for _, v := range append(versions, "shipped") {
			fmt.Fprintln(env.Stdout, v)
		}
		return nil
	})
}
