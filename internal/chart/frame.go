package chart

import (
	"fmt"
	"image/color"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// frame is an empty plot in the colours of t, with a time axis.
func frame(title, unit string, t Theme) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = t.Background
	p.Title.Text = title
	p.Title.Padding = vg.Points(6)
	style(&p.Title.TextStyle, t.Text, 11)
	style(&p.Legend.TextStyle, t.Text, 8)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color = t.Grid
		style(&a.Label.TextStyle, t.Text, 9)
		style(&a.Tick.Label, t.Text, 8)
		a.Tick.LineStyle.Color = t.Grid
	}
	// The text styles carry alignments that depend on the axis.
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XCenter, draw.YTop
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	p.X.Tick.Marker = plot.TickerFunc(timeTicks)
	p.Y.Tick.Marker = plot.TickerFunc(func(lo, hi float64) []plot.Tick { return valueTicks(lo, hi, unit) })
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(2)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = t.Grid, t.Grid
	p.Add(grid)
	return p
}

func style(s *text.Style, c color.Color, points float64) {
	s.Color = c
	s.Font.Size = font.Length(points)
	s.Font.Variant = "Sans"
}

// timeSteps are the distances that time ticks may have.
var timeSteps = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour,
}

// timeTicks puts at most nine labels on round times, in UTC.
func timeTicks(lo, hi float64) []plot.Tick {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if (hi-lo)/s.Seconds() <= 9 {
			step = s
			break
		}
	}
	layout := "2 Jan"
	if step < 24*time.Hour {
		layout = "15:04"
	}
	var out []plot.Tick
	for v := math.Ceil(lo/step.Seconds()) * step.Seconds(); v <= hi; v += step.Seconds() {
		out = append(out, plot.Tick{Value: v, Label: time.Unix(int64(v), 0).UTC().Format(layout)})
	}
	return out
}

// valueTicks labels a value axis in its unit.
func valueTicks(lo, hi float64, unit string) []plot.Tick {
	scale := 1.0
	if strings.HasPrefix(unit, "bytes") {
		// Round numbers of a binary prefix rather than of bytes.
		for scale*1024 <= math.Max(math.Abs(lo), math.Abs(hi)) {
			scale *= 1024
		}
	}
	ticks := plot.DefaultTicks{}.Ticks(lo/scale, hi/scale)
	for i := range ticks {
		ticks[i].Value *= scale
		if ticks[i].Label != "" {
			ticks[i].Label = FormatValue(ticks[i].Value, unit)
		}
	}
	return ticks
}

// FormatValue writes v the way people read its unit: "ratio" as per cent, "bytes" and
// "bytes/s" with binary prefixes, anything else as a short number with the unit behind it.
func FormatValue(v float64, unit string) string {
	switch unit {
	case "ratio":
		return trimZero(fmt.Sprintf("%.1f", v*100)) + " %"
	case "bytes", "bytes/s":
		prefixes := []string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
		i := 0
		for math.Abs(v) >= 1024 && i < len(prefixes)-1 {
			v /= 1024
			i++
		}
		return trimZero(fmt.Sprintf("%.1f", v)) + " " + prefixes[i] + "B" + strings.TrimPrefix(unit, "bytes")
	}
	s := fmt.Sprintf("%.4g", v)
	if unit != "" {
		s += " " + unit
	}
	return s
}

func trimZero(s string) string { return strings.TrimSuffix(s, ".0") }
