package backtest

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"time"

	"github.com/inframind/inframind/forecaster/clean"
	"github.com/inframind/inframind/forecaster/model"
	"github.com/inframind/inframind/internal/chart"
)

// Row is one series of a report.
type Row struct {
	Name    string
	In      model.Input
	Fixes   []clean.Correction // made before anything was learnt
	Outcome Outcome
	Err     error
}

// Report is what the HTML page shows.
type Report struct {
	Title string
	Model string
	Plan  Plan
	Rows  []Row
	// Plots is how many series are drawn: the first ones.
	Plots int
}

//go:embed report.html
var page string

// WriteHTML writes a page without references to anything outside of it.
func (r Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"percent": func(v float64) string { return number(100*v, "%.1f %%") },
		"number":  func(v float64) string { return number(v, "%.3g") },
		"cleaned": clean.Words,
		"plot":    plot,
	}).Parse(page)
	if err != nil {
		return err
	}
	var good []Measures
	failed := 0
	for _, row := range r.Rows {
		if row.Err != nil {
			failed++
		} else {
			good = append(good, row.Outcome.Measures)
		}
	}
	var b bytes.Buffer
	err = t.Execute(&b, map[string]any{"R": r, "Mean": Mean(good), "Good": len(good), "Failed": failed})
	if err != nil {
		return err
	}
	_, err = b.WriteTo(w)
	return err
}

func number(v float64, format string) string {
	if v-v != 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

const plotDays = 21 // of history before the forecast

// plot draws the last origin's forecast over what came. The SVG is our own drawing, not
// text from outside; labels in it are escaped by the drawing library.
func plot(row Row) (template.HTML, error) {
	svg, err := Picture(row.In, row.Outcome, chart.Size{Width: 760, Height: 240}, chart.Light())
	return template.HTML(svg), err
}

// Picture draws one outcome as SVG.
func Picture(in model.Input, o Outcome, size chart.Size, theme chart.Theme) ([]byte, error) {
	at := func(i int) time.Time { return in.Start.Add(time.Duration(i) * in.Step) }
	points := func(from int, v []float64) []chart.Point {
		every := max(len(v)/800, 1)
		var out []chart.Point
		for i := 0; i < len(v); i += every {
			if !math.IsNaN(v[i]) {
				out = append(out, chart.Point{Time: at(from + i), Value: v[i]})
			}
		}
		return out
	}
	from := max(o.At-int(plotDays*24*time.Hour/in.Step), 0)
	ts := chart.TimeSeries{Lines: []chart.Line{
		{Name: "measured", Points: points(from, in.Observed()[from:])},
		{Name: "forecast", Points: points(o.At, o.Last.Median), Dashed: true},
	}}
	for l, v := range slices.Backward(o.Last.Levels) {
		ts.Bands = append(ts.Bands, chart.Band{
			Name:  fmt.Sprintf("%g %%", 100*v),
			Lower: points(o.At, o.Last.Lower[l]), Upper: points(o.At, o.Last.Upper[l]),
		})
	}
	return ts.SVG(size, theme)
}
