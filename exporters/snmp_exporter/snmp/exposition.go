package snmp

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
)

// exposition holds the samples of a scrape by family. Building metrics with client_golang costs
// more than the walk for a big switch, so the text is written from here.
type exposition struct {
	families   map[string]*family
	duplicates int // samples that took the place of an earlier one
	samples    int
}

type family struct {
	out              *exposition
	owner            *metric // that made it; nil for our own
	name, help, kind string
	samples          []sample
	at               map[string]int // position by labels, kept only where labels may repeat
}

type sample struct {
	labels string
	value  float64
}

func newExposition() *exposition { return &exposition{families: map[string]*family{}} }

// family finds or makes the family called name. collides says that label sets may repeat; it is
// assumed as soon as two metrics, which may be of two modules, share a family.
func (e *exposition) family(owner *metric, name, help, kind string, collides bool) *family {
	f, ok := e.families[name]
	if !ok {
		f = &family{out: e, owner: owner, name: name, help: help, kind: kind}
		e.families[name] = f
	} else if f.owner != owner {
		collides = true
	}
	if collides && f.at == nil {
		f.at = make(map[string]int, len(f.samples))
		for i, s := range f.samples {
			f.at[s.labels] = i
		}
	}
	return f
}

// add appends a sample, or replaces the one with the same labels: the last wins.
func (f *family) add(labels string, v float64) {
	if f.at != nil {
		if i, ok := f.at[labels]; ok {
			f.samples[i].value = v
			f.out.duplicates++
			return
		}
		f.at[labels] = len(f.samples)
	}
	f.samples = append(f.samples, sample{labels, v})
	f.out.samples++
}

// gauge adds one sample of our own with at most one label.
func (e *exposition) gauge(name, help string, v float64, labels ...pair) {
	e.family(nil, name, help, "gauge", true).add(string(appendPairs(nil, labels)), v)
}

// write writes everything, families in the order of their names.
func (e *exposition) write(w io.Writer) error {
	bw := bufio.NewWriterSize(w, 64<<10)
	var line []byte
	for _, name := range slices.Sorted(maps.Keys(e.families)) {
		f := e.families[name]
		if len(f.samples) == 0 {
			continue
		}
		line = append(line[:0], "# HELP "...)
		line = append(append(line, name...), ' ')
		line = append(appendEscaped(line, f.help, false), "\n# TYPE "...)
		line = append(append(append(line, name...), ' '), f.kind...)
		line = append(line, '\n')
		if _, err := bw.Write(line); err != nil {
			return fmt.Errorf("write exposition: %w", err)
		}
		for _, s := range f.samples {
			line = append(line[:0], name...)
			if s.labels != "" {
				line = append(append(append(line, '{'), s.labels...), '}')
			}
			line = append(appendFloat(append(line, ' '), s.value), '\n')
			if _, err := bw.Write(line); err != nil {
				return fmt.Errorf("write exposition: %w", err)
			}
		}
	}
	return bw.Flush()
}

func appendFloat(b []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
