// Package evaluate measures classifiers on labelled logs the way they are used: on systems
// and templates they were not trained on.
package evaluate

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/inframind/inframind/log-classifier/label"
	"github.com/inframind/inframind/log-classifier/logline"
)

// Template is one labelled kind of message of a system.
type Template struct {
	ID       string
	Category label.Category
	Lines    []int // of the system
}

// System is the labelled log of one system.
type System struct {
	Name      string
	Lines     []string // messages in order, without their headers
	Event     []string // template id of each line
	Levels    []string // of each line, as written; "" where the log has none
	Services  []string // that wrote each line; "" where nothing tells
	Raw       []string // the lines as they were written, with their headers; nil where they are not at hand
	Templates []Template
}

// LoadSystems reads every system below dir that has labels: loghub/<System>/*_structured.csv
// (or .csv.gz) joined with labels/<System>.csv on EventId.
func LoadSystems(dir string) ([]System, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "labels", "*.csv"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s holds no labels/*.csv: want labels/<System>.csv beside loghub/<System>/", dir)
	}
	slices.Sort(paths)
	var out []System
	for _, p := range paths {
		name := filepath.Base(p)
		name = name[:len(name)-len(".csv")]
		s, err := loadSystem(dir, name, p)
		if err != nil {
			return nil, fmt.Errorf("system %s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func loadSystem(dir, name, labels string) (System, error) {
	rows, err := readTable(labels, "EventId", "label")
	if err != nil {
		return System{}, err
	}
	category := map[string]label.Category{}
	for i, r := range rows {
		c, err := label.Parse(r[1])
		if err != nil {
			return System{}, fmt.Errorf("%s: row %d: %w", labels, i+1, err)
		}
		category[r[0]] = c
	}
	base := filepath.Join(dir, "loghub", name, name+"_2k.log_structured.csv")
	lines, err := readTable(base, "EventId", "Content", "?Level", "?Component")
	if errors.Is(err, fs.ErrNotExist) {
		lines, err = readTable(base+".gz", "EventId", "Content", "?Level", "?Component")
	}
	if err != nil {
		return System{}, err
	}
	s := System{Name: name}
	at := map[string]int{}
	for _, r := range lines {
		c, ok := category[r[0]]
		if !ok {
			return System{}, fmt.Errorf("event %s has no label", r[0])
		}
		i, ok := at[r[0]]
		if !ok {
			i = len(s.Templates)
			at[r[0]] = i
			s.Templates = append(s.Templates, Template{ID: r[0], Category: c})
		}
		s.Templates[i].Lines = append(s.Templates[i].Lines, len(s.Lines))
		s.Lines = append(s.Lines, r[1])
		s.Event = append(s.Event, r[0])
		s.Levels = append(s.Levels, r[2])
		s.Services = append(s.Services, r[3])
	}
	return s, s.readRaw(filepath.Join(dir, "loghub", name, name+"_2k.log"))
}

// readRaw reads the log as it was written, where that is at hand line for line, and replaces
// the components of the table by what the service reads in it.
func (s *System) readRaw(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	raw := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(raw) != len(s.Lines) {
		return nil
	}
	for i, l := range raw {
		raw[i] = strings.TrimSuffix(l, "\r")
		s.Services[i] = logline.Parse(raw[i], "").Service
	}
	s.Raw = raw
	return nil
}

// readTable returns the named columns of a CSV with a header, gzipped or not. A column with
// a question mark may be missing; its values are "" then.
func readTable(path string, columns ...string) (rows [][]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var r io.Reader = f
	if filepath.Ext(path) == ".gz" {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	cr := csv.NewReader(r)
	cr.LazyQuotes, cr.FieldsPerRecord = true, -1
	all, err := cr.ReadAll()
	if err != nil || len(all) == 0 {
		return nil, errors.Join(fmt.Errorf("%s: no table", path), err)
	}
	col := make([]int, len(columns))
	for k, c := range columns {
		name, optional := strings.CutPrefix(c, "?")
		if col[k] = slices.Index(all[0], name); col[k] < 0 && !optional {
			return nil, fmt.Errorf("%s: no column %s", path, c)
		}
	}
	for _, rec := range all[1:] {
		row := make([]string, len(col))
		for k, j := range col {
			if j >= len(rec) {
				return nil, fmt.Errorf("%s: short row", path)
			}
			if j >= 0 {
				row[k] = rec[j]
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}
