package evaluate

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/inframind/inframind/log-classifier/label"
)

// columns of the table of results; all are of lines first, then of templates.
var columns = []string{"macro-F1 lines", "macro-F1 templates", "alarm F1 lines", "alarm F1 templates", "critical recall", "critical precision", "ECE lines", "ECE templates"}

func (r Result) values() []float64 {
	_, _, al := r.Lines.Alarm()
	_, _, at := r.Templates.Alarm()
	p, rec, _ := r.Templates.Class(label.Critical)
	return []float64{r.Lines.Macro(), r.Templates.Macro(), al, at, rec, p, r.LineRel.ECE(), r.TemplateRel.ECE()}
}

func num(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// WriteText prints the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\t%s\n", strings.Join(columns, "\t"))
	for _, x := range r.Results {
		fmt.Fprint(tw, x.Name)
		for _, v := range x.values() {
			fmt.Fprint(tw, "\t"+num(v))
		}
		fmt.Fprintln(tw)
	}
	fmt.Fprintln(tw, "\nown messages of other kinds\tmessages\tcritical recall\tcritical precision\talarm F1\tmacro-F1")
	for _, t := range r.Tests {
		p, rec, _ := t.Class(label.Critical)
		_, _, alarm := t.Alarm()
		fmt.Fprintf(tw, "%s\t%.0f\t%s\t%s\t%s\t%s\n", t.Name, t.Total(), num(rec), num(p), num(alarm), num(t.Macro()))
	}
	for _, x := range r.Results {
		switch x.Name {
		case resLOSOL:
			writeConfusion(tw, x.Name+", templates", x.Templates)
			writeReliability(tw, x)
			writeMisses(tw, "critical templates called something else, "+x.Name, x.CriticalMissed)
		case resRandom:
			writeConfusion(tw, x.Name+", lines", x.Lines)
			writeMisses(tw, "critical templates called something else, "+x.Name, x.CriticalMissed)
		}
	}
	writeGrouping(tw, "templates of", r.Grouping)
	writeGrouping(tw, "templates of imitated programs", r.Imitated)
	return tw.Flush()
}

// writeGrouping lists the systems, and their mean below.
func writeGrouping(w io.Writer, title string, list []Grouping) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\tgrouping accuracy\twith ids as given out\tfound\ttrue\n", title)
	sum, once := 0.0, 0.0
	for _, g := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", g.System, num(g.Accuracy), num(g.AtOnce), g.Found, g.True)
		sum += g.Accuracy / float64(len(list))
		once += g.AtOnce / float64(len(list))
	}
	fmt.Fprintf(w, "mean\t%s\t%s\n", num(sum), num(once))
}

func writeConfusion(w io.Writer, title string, m Confusion) {
	fmt.Fprintf(w, "\n%s\tprecision\trecall\tF1\tcritical\twarning\tinformational\tnoise\t<- labelled as\n", title)
	for c := range label.Category(label.Count) {
		p, rec, f1 := m.Class(c)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s", c, num(p), num(rec), num(f1))
		for g := range label.Count {
			fmt.Fprintf(w, "\t%.0f", m[c][g])
		}
		fmt.Fprintln(w)
	}
}

func writeReliability(w io.Writer, x Result) {
	fmt.Fprintf(w, "\nconfidence\ttemplates\tmean confidence\tright\n")
	for b, bin := range x.TemplateRel.Bins() {
		if bin.Count > 0 {
			fmt.Fprintf(w, "%.1f-%.1f\t%.0f\t%s\t%s\n", float64(b)/10, float64(b+1)/10, bin.Count, num(bin.Confidence), num(bin.Accuracy))
		}
	}
}

// writeMisses lists them one by one, those called noise first.
func writeMisses(w io.Writer, title string, misses []Miss) {
	misses = slices.Clone(misses)
	slices.SortStableFunc(misses, func(a, b Miss) int { return cmp.Compare(b.Got, a.Got) })
	fmt.Fprintf(w, "\n%s\t%d\n", title, len(misses))
	for _, m := range misses {
		fmt.Fprintf(w, "%s %s\t%s %s\t%.120s\n", m.System, m.Event, m.Got, num(m.Confidence), m.Message)
	}
}

// WriteCSV writes the table of results.
func (r *Report) WriteCSV(w io.Writer) error {
	cw := csv.NewWriter(w)
	rows := [][]string{append([]string{"evaluation"}, columns...)}
	for _, x := range r.Results {
		row := []string{x.Name}
		for _, v := range x.values() {
			row = append(row, num(v))
		}
		rows = append(rows, row)
	}
	return cw.WriteAll(rows)
}

var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Log labels: evaluation</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#1b1f24;background:#fff}
table{border-collapse:collapse}td,th{padding:.25em .7em;border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#15181c}td,th{border-color:#333}}</style>
<h1>Log labels: evaluation</h1>
<table><tr><th>Evaluation</th>{{range .Columns}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
<h2>Reliability, leaving one system out, by template</h2>
<svg viewBox="0 0 320 320" width="320" height="320" role="img" aria-label="reliability diagram">
<line x1="30" y1="290" x2="310" y2="10" stroke="#999" stroke-dasharray="4"/><path d="M30 10V290H310" fill="none" stroke="currentColor"/>
{{range .Bars}}<rect x="{{.X}}" y="{{.Y}}" width="24" height="{{.H}}" fill="#0072b2" fill-opacity=".7"><title>{{.Title}}</title></rect>
{{end}}<text x="170" y="312" text-anchor="middle" font-size="12" fill="currentColor">confidence</text>
<text x="14" y="150" font-size="12" fill="currentColor" transform="rotate(-90 14 150)" text-anchor="middle">share right</text></svg>
<h2>Wrong labels, leaving one system out</h2>
<table><tr><th>System</th><th>Event</th><th>Truth</th><th>Label</th><th>Confidence</th><th>Message</th></tr>
{{range .Wrong}}<tr><td>{{.System}}</td><td>{{.Event}}</td><td>{{.Truth}}</td><td>{{.Got}}</td><td>{{printf "%.2f" .Confidence}}</td><td style="text-align:left">{{printf "%.160s" .Message}}</td></tr>
{{end}}</table></html>
`))

type bar struct {
	X, Y, H int
	Title   string
}

// WriteHTML writes the report as one page without scripts.
func (r *Report) WriteHTML(w io.Writer) error {
	var rows [][]string
	var bars []bar
	for _, x := range r.Results {
		row := []string{x.Name}
		for _, v := range x.values() {
			row = append(row, num(v))
		}
		rows = append(rows, row)
		if x.Name != resLOSOL {
			continue
		}
		for b, bin := range x.TemplateRel.Bins() {
			h := int(280 * bin.Accuracy)
			bars = append(bars, bar{32 + 28*b, 290 - h, h, fmt.Sprintf("%.0f templates, confidence %.2f, right %.2f", bin.Count, bin.Confidence, bin.Accuracy)})
		}
	}
	return page.Execute(w, map[string]any{"Columns": columns, "Rows": rows, "Bars": bars, "Wrong": r.Wrong})
}
