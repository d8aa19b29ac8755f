package status

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Print writes the rows as a table for people.
func Print(w io.Writer, rows []Row, now time.Time) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "COMPONENT\tSTATE\tVALUE\tLAST SUCCESS\tLOOK FURTHER")
	for _, r := range rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Component, r.State, r.Value, ago(r.LastSuccess, now), r.Link)
	}
	return tw.Flush()
}

func ago(t *time.Time, now time.Time) string {
	if t == nil {
		return "never"
	}
	d := now.Sub(*t)
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%.0f s ago", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min ago", d.Minutes())
	}
	return t.Format(time.RFC3339)
}

// PrintJSON writes the rows as one JSON array.
func PrintJSON(w io.Writer, rows []Row) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(rows)
}

// Dead names the rows that are not alive, or returns nil.
func Dead(rows []Row) error {
	return name("not alive", rows, func(r Row) bool { return !r.Alive() })
}

// Broken names the rows that have failed, or returns nil. A row that is still starting, such
// as the forecasts of a machine that is new, is not broken.
func Broken(rows []Row) error {
	return name("failed", rows, func(r Row) bool { return r.State == Failed })
}

func name(what string, rows []Row, bad func(Row) bool) error {
	var out []string
	for _, r := range rows {
		if bad(r) {
			out = append(out, fmt.Sprintf("%s (%s)", r.Component, r.State))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", what, strings.Join(out, ", "))
}
