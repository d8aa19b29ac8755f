// Package chart draws the pictures of the start page, the reports and the alerts: one
// library, SVG and PNG, light and dark.
package chart

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Point is a value at a time. A NaN value breaks the line.
type Point struct {
	Time  time.Time
	Value float64
}

// Line is one curve. A dashed line is also told apart without colour.
type Line struct {
	Name   string
	Points []Point
	Dashed bool
}

// Band is the area between two curves over the same times.
type Band struct {
	Name         string
	Lower, Upper []Point
}

// Mark is a horizontal line, e.g. a threshold.
type Mark struct {
	Name  string
	Value float64
}

// Bar is one stacked column: a value for each of the chart's groups.
type Bar struct {
	Time   time.Time
	Values []float64
}

// TimeSeries is a picture over time: bands below lines below marks.
type TimeSeries struct {
	Title string
	Unit  string // "ratio" is drawn in per cent, "bytes" and "bytes/s" with binary prefixes
	Lines []Line
	Bands []Band
	Marks []Mark
}

// Stack is a picture of stacked columns over time.
type Stack struct {
	Title  string
	Unit   string
	Groups []string
	Bars   []Bar
	Width  time.Duration // of one column
}

// Size is a picture's width and height in pixels at 96 dpi.
type Size struct{ Width, Height int }

// Theme holds the colours of a picture.
type Theme struct {
	Background, Text, Grid color.Color
	Palette                []color.Color
	Alarm                  color.Color
}

// Light and Dark are the two themes. Their palettes keep apart for colour-blind eyes
// (Okabe and Ito, 2008).
func Light() Theme {
	return Theme{
		Background: rgb(0xffffff), Text: rgb(0x24292f), Grid: rgb(0xe4e7eb), Alarm: rgb(0xb42318),
		Palette: []color.Color{rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0x9aa3ad), rgb(0xcc79a7)},
	}
}

// Dark is for dark pages.
func Dark() Theme {
	return Theme{
		Background: rgb(0x161b22), Text: rgb(0xd6dde5), Grid: rgb(0x2d333b), Alarm: rgb(0xff7b72),
		Palette: []color.Color{rgb(0x56b4e9), rgb(0xe69f00), rgb(0x2fbf93), rgb(0x768390), rgb(0xdd9ec1)},
	}
}

func rgb(v uint32) color.Color {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

func faded(c color.Color, alpha uint8) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = alpha
	return n
}

// SVG draws the picture as an SVG document.
func (c TimeSeries) SVG(s Size, t Theme) ([]byte, error) { return render(c, s, t, "svg") }

// PNG draws the picture as a PNG image.
func (c TimeSeries) PNG(s Size, t Theme) ([]byte, error) { return render(c, s, t, "png") }

// SVG draws the picture as an SVG document.
func (c Stack) SVG(s Size, t Theme) ([]byte, error) { return render(c, s, t, "svg") }

// PNG draws the picture as a PNG image.
func (c Stack) PNG(s Size, t Theme) ([]byte, error) { return render(c, s, t, "png") }

type picture interface {
	plot(Theme) (*plot.Plot, error)
}

// render lays p out for s; gonum counts in points of 1/72 inch, pages in pixels of 1/96.
func render(p picture, s Size, t Theme, format string) ([]byte, error) {
	pl, err := p.plot(t)
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	w, err := pl.WriterTo(vg.Length(s.Width)*72/96, vg.Length(s.Height)*72/96, format)
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	return b.Bytes(), nil
}

func (c TimeSeries) plot(t Theme) (*plot.Plot, error) {
	p := frame(c.Title, c.Unit, t)
	for i, b := range c.Bands {
		poly, err := plotter.NewPolygon(outline(b))
		if err != nil {
			return nil, fmt.Errorf("band %s: %w", b.Name, err)
		}
		// Wider bands are fainter; the narrow one lies on top.
		poly.Color = faded(t.Palette[1%len(t.Palette)], uint8(min(40+45*i, 200)))
		poly.LineStyle.Width = 0
		p.Add(poly)
		p.Legend.Add(b.Name, poly)
	}
	for i, l := range c.Lines {
		if err := addLine(p, l, t.Palette[i%len(t.Palette)]); err != nil {
			return nil, err
		}
	}
	for _, m := range c.Marks {
		f := plotter.NewFunction(func(float64) float64 { return m.Value })
		f.LineStyle = draw.LineStyle{Color: t.Alarm, Width: vg.Points(1), Dashes: []vg.Length{vg.Points(2), vg.Points(3)}}
		p.Add(f)
		p.Legend.Add(m.Name, f)
		p.Y.Max = math.Max(p.Y.Max, m.Value)
	}
	headroom(p)
	return p, nil
}

// headroom keeps the legend, at the top, off the curves.
func headroom(p *plot.Plot) {
	if p.Y.Min > 0 && p.Y.Min < p.Y.Max/3 {
		p.Y.Min = 0
	}
	if p.Y.Max > p.Y.Min {
		p.Y.Max += (p.Y.Max - p.Y.Min) * 0.3
	} else {
		p.Y.Max = p.Y.Min + 1
	}
}

func addLine(p *plot.Plot, l Line, c color.Color) error {
	var shown bool
	for _, part := range split(l.Points) {
		line, err := plotter.NewLine(part)
		if err != nil {
			return fmt.Errorf("line %s: %w", l.Name, err)
		}
		line.Color, line.Width = c, vg.Points(1.2)
		if l.Dashed {
			line.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(line)
		if !shown && l.Name != "" {
			p.Legend.Add(l.Name, line)
			shown = true
		}
	}
	return nil
}

// split cuts a curve where it has no value.
func split(ps []Point) []plotter.XYs {
	var out []plotter.XYs
	var cur plotter.XYs
	for _, p := range ps {
		if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			if len(cur) > 0 {
				out = append(out, cur)
			}
			cur = nil
			continue
		}
		cur = append(cur, plotter.XY{X: float64(p.Time.Unix()), Y: p.Value})
	}
	if len(cur) > 0 {
		out = append(out, cur)
	}
	return out
}

// outline goes along the lower edge and back along the upper one.
func outline(b Band) plotter.XYs {
	out := make(plotter.XYs, 0, len(b.Lower)+len(b.Upper))
	for _, p := range b.Lower {
		out = append(out, plotter.XY{X: float64(p.Time.Unix()), Y: p.Value})
	}
	for _, p := range slices.Backward(b.Upper) {
		out = append(out, plotter.XY{X: float64(p.Time.Unix()), Y: p.Value})
	}
	return out
}

func (c Stack) plot(t Theme) (*plot.Plot, error) {
	p := frame(c.Title, c.Unit, t)
	half := c.Width.Seconds() * 0.42
	for g, name := range c.Groups {
		col := t.Palette[g%len(t.Palette)]
		var shown bool
		for _, b := range c.Bars {
			if g >= len(b.Values) || b.Values[g] <= 0 {
				continue
			}
			base := sum(b.Values[:g])
			mid := float64(b.Time.Unix()) + c.Width.Seconds()/2
			box, err := plotter.NewPolygon(plotter.XYs{
				{X: mid - half, Y: base},
				{X: mid + half, Y: base},
				{X: mid + half, Y: base + b.Values[g]},
				{X: mid - half, Y: base + b.Values[g]},
			})
			if err != nil {
				return nil, fmt.Errorf("bar %s: %w", name, err)
			}
			box.Color, box.LineStyle.Width = col, 0
			p.Add(box)
			if !shown {
				p.Legend.Add(name, box)
				shown = true
			}
		}
	}
	p.Y.Min = 0
	headroom(p)
	return p, nil
}

func sum(vs []float64) (s float64) {
	for _, v := range vs {
		s += v
	}
	return s
}
