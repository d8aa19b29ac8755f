// Package csvfile reads and writes series as CSV, for forecasts without any server.
package csvfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/internal/series"
)

// File is what was read: the series in order of appearance, and how its timestamps were
// written, so that an answer can be written the same way.
type File struct {
	Series []series.Series
	Unix   bool // timestamps are Unix seconds, else RFC 3339
}

// Name is the label that carries the first column.
const Name = "series"

// Read wants a header and the columns series, timestamp and value in any order. Values
// may be empty or NaN: a gap.
func Read(r io.Reader) (File, error) {
	cr := csv.NewReader(r)
	cr.ReuseRecord = true
	head, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return File{}, errors.New("the file is empty: want a header and the columns series,timestamp,value")
	}
	if err != nil {
		return File{}, err
	}
	at := [3]int{}
	for i, name := range []string{Name, "timestamp", "value"} {
		at[i] = slices.IndexFunc(head, func(h string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name)
		})
		if at[i] < 0 {
			return File{}, fmt.Errorf("line 1: no column %q: want series,timestamp,value", name)
		}
	}
	var f File
	index := map[string]int{}
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) && len(f.Series) == 0 {
			return f, errors.New("no data: nothing follows the header")
		}
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return File{}, err
		}
		t, unix, err := parseTime(rec[at[1]])
		if err != nil {
			line, _ := cr.FieldPos(at[1])
			return File{}, fmt.Errorf("line %d: %w", line, err)
		}
		v, err := parseValue(rec[at[2]])
		if err != nil {
			line, _ := cr.FieldPos(at[2])
			return File{}, fmt.Errorf("line %d: %w", line, err)
		}
		i, ok := index[rec[at[0]]]
		if !ok {
			i = len(f.Series)
			name := strings.Clone(rec[at[0]])
			index[name] = i
			f.Series = append(f.Series, series.Series{Labels: labels.FromStrings(Name, name)})
			f.Unix = f.Unix || unix
		}
		f.Series[i].Append(t, v)
	}
}

func parseTime(s string) (ms int64, unix bool, err error) {
	s = strings.TrimSpace(s)
	if sec, err := strconv.ParseFloat(s, 64); err == nil {
		if math.IsNaN(sec) || math.Abs(sec) > 1e11 {
			return 0, false, fmt.Errorf("timestamp %q: want Unix seconds or RFC 3339", s)
		}
		return int64(math.Round(sec * 1000)), true, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, false, fmt.Errorf("timestamp %q: want Unix seconds or RFC 3339, e.g. 2026-03-01T00:00:00Z", s)
	}
	return t.UnixMilli(), false, nil
}

func parseValue(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("value %q is not a number", s)
	}
	return v, nil
}

// Writer writes forecasts: series,timestamp,median and a lower and an upper column a level.
type Writer struct {
	w    *csv.Writer
	unix bool
	rec  []string
}

// NewWriter writes the header. levels are percentages, e.g. 80 and 95.
func NewWriter(w io.Writer, unix bool, levels []float64) (*Writer, error) {
	out := &Writer{w: csv.NewWriter(w), unix: unix}
	head := []string{Name, "timestamp", "median"}
	for _, l := range levels {
		n := strconv.FormatFloat(l, 'f', -1, 64)
		head = append(head, "lower"+n, "upper"+n)
	}
	return out, out.w.Write(head)
}

// Write adds one step of a forecast; bounds are lower and upper in turn, by level.
func (o *Writer) Write(name string, t time.Time, median float64, bounds ...float64) error {
	stamp := t.UTC().Format(time.RFC3339)
	if o.unix {
		stamp = strconv.FormatInt(t.Unix(), 10)
	}
	o.rec = append(o.rec[:0], name, stamp, number(median))
	for _, b := range bounds {
		o.rec = append(o.rec, number(b))
	}
	return o.w.Write(o.rec)
}

// Flush writes out what is buffered.
func (o *Writer) Flush() error {
	o.w.Flush()
	return o.w.Error()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 12, 64) }
