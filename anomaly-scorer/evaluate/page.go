package evaluate

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
)

const sweepPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Contamination sweep</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{padding:.2rem .8rem;text-align:right}tr.chosen{font-weight:bold}</style></head>
<body><h1>Contamination sweep</h1><p>Made {{.When}}. The bold row, and the upright line, are the chosen point.</p>
<svg viewBox="0 0 640 340" width="640" role="img" aria-label="precision, recall and silhouette over contamination">
<rect x="50" y="20" width="560" height="260" fill="none" stroke="#999"/>
<line x1="{{.X}}" x2="{{.X}}" y1="20" y2="280" stroke="#555" stroke-dasharray="2 3"/>
{{range .Curves}}<polyline points="{{.Points}}" fill="none" stroke="{{.Colour}}" stroke-width="2" stroke-dasharray="{{.Dash}}"/><text x="{{.LabelX}}" y="330" fill="{{.Colour}}">{{.Name}}</text>
{{end}}<text x="15" y="25">1</text><text x="15" y="285">0</text><text x="50" y="300">{{.Low}}</text><text x="570" y="300">{{.High}}</text></svg>
<table><tr><th>contamination</th><th>threshold</th><th>precision</th><th>recall</th><th>silhouette</th></tr>
{{range .Rows}}<tr{{if .Chosen}} class="chosen"{{end}}>{{range .Cells}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table></body></html>
`

type sweepCurve struct {
	Name, Points, Colour, Dash string
	LabelX                     int
}

type sweepRow struct {
	Cells  []string
	Chosen bool
}

// WriteSweepHTML writes the points as a page with a picture and a table.
func WriteSweepHTML(w io.Writer, points []Point, now time.Time) error {
	page, err := template.New("sweep").Parse(sweepPage)
	if err != nil {
		return fmt.Errorf("sweep page: %w", err)
	}
	x := func(i int) float64 { return 50 + 560*float64(i)/float64(max(len(points)-1, 1)) }
	data := struct {
		When, Low, High string
		X               float64
		Curves          []sweepCurve
		Rows            []sweepRow
	}{When: now.Format(time.DateTime)}
	for i, c := range []struct {
		name, colour, dash string
		value              func(*Point) float64
	}{
		{"precision", "#0072b2", "", func(p *Point) float64 { return p.Precision }},
		{"recall", "#d55e00", "8 4", func(p *Point) float64 { return p.Recall }},
		{"silhouette", "#009e73", "2 3", func(p *Point) float64 { return p.Silhouette }},
	} {
		var b strings.Builder
		for k := range points {
			if v := c.value(&points[k]); !math.IsNaN(v) {
				fmt.Fprintf(&b, "%.1f,%.1f ", x(k), 280-260*max(0, min(1, v)))
			}
		}
		if b.Len() > 0 {
			data.Curves = append(data.Curves, sweepCurve{c.name, b.String(), c.colour, c.dash, 60 + 150*i})
		}
	}
	for i, p := range points {
		data.Rows = append(data.Rows, sweepRow{[]string{fmt.Sprintf("%.3f", p.Contamination), fmt.Sprintf("%.4f", p.Threshold), ratio(p.Precision), ratio(p.Recall), ratio(p.Silhouette)}, p.Chosen})
		if p.Chosen {
			data.X = x(i)
		}
	}
	if len(points) > 0 {
		data.Low, data.High = data.Rows[0].Cells[0], data.Rows[len(points)-1].Cells[0]
	}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("sweep page: %w", err)
	}
	return nil
}
