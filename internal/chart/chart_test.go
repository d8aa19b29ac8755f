package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 3, 18, 0, 0, 0, 0, time.UTC)

func curve(n int, f func(i int) float64) []Point {
	out := make([]Point, n)
	for i := range out {
		out[i] = Point{day.Add(time.Duration(i) * time.Hour), f(i)}
	}
	return out
}

func forecastPicture() TimeSeries {
	past := curve(30*24, func(i int) float64 { return 0.5 + 0.1*math.Sin(float64(i)/24*2*math.Pi) })
	past[100].Value = math.NaN()
	ahead := func(d float64) []Point {
		ps := curve(7*24, func(i int) float64 { return 0.6 + d*math.Sqrt(float64(i)) })
		for i := range ps {
			ps[i].Time = ps[i].Time.AddDate(0, 0, 30)
		}
		return ps
	}
	return TimeSeries{
		Title: "db-1 /var/lib/postgresql", Unit: "ratio",
		Lines: []Line{{"history", past, false}, {"forecast", ahead(0.005), true}},
		Bands: []Band{{"95 %", ahead(0), ahead(0.012)}, {"80 %", ahead(0.002), ahead(0.009)}},
		Marks: []Mark{{"95 % full", 0.95}},
	}
}

func TestPicturesAreWellFormed(t *testing.T) {
	stack := Stack{
		Title: "Log lines", Groups: []string{"critical", "noise"}, Width: time.Hour,
		Bars: []Bar{{day, []float64{1, 200}}, {day.Add(time.Hour), []float64{0, 150}}},
	}
	type drawn interface {
		SVG(Size, Theme) ([]byte, error)
		PNG(Size, Theme) ([]byte, error)
	}
	for name, pic := range map[string]drawn{"forecast": forecastPicture(), "stack": stack, "empty": TimeSeries{Title: "no data"}, "empty stack": Stack{}} {
		for theme, th := range map[string]Theme{"light": Light(), "dark": Dark()} {
			t.Run(name+" "+theme, func(t *testing.T) {
				svg, err := pic.SVG(Size{720, 280}, th)
				if err != nil {
					t.Fatal(err)
				}
				for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
				raw, err := pic.PNG(Size{720, 280}, th)
				if err != nil {
					t.Fatal(err)
				}
				img, err := png.Decode(bytes.NewReader(raw))
				if err != nil || img.Bounds().Dx() != 720 {
					t.Fatalf("%v %v", img.Bounds(), err)
				}
				if dir := os.Getenv("CHART_DIR"); dir != "" { // to look at them
					if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name+"-"+theme, " ", "-")+".png"), raw, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

func TestTextIsEscaped(t *testing.T) {
	svg, err := TimeSeries{Title: `<script>alert(1)</script>`}.SVG(Size{300, 200}, Light())
	if err != nil || bytes.Contains(svg, []byte("<script")) {
		t.Fatalf("title not escaped, %v", err)
	}
}

func TestFormatValue(t *testing.T) {
	for _, tc := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.8, "ratio", "80 %"},
		{0.805, "ratio", "80.5 %"},
		{1536, "bytes", "1.5 KiB"},
		{3 << 30, "bytes/s", "3 GiB/s"},
		{0, "bytes", "0 B"},
		{12345, "", "1.234e+04"},
		{42, "°C", "42 °C"},
	} {
		if got := FormatValue(tc.v, tc.unit); got != tc.want {
			t.Errorf("%v %s: %q, want %q", tc.v, tc.unit, got, tc.want)
		}
	}
}
