// Package imitate makes logs as well-known software writes them: 42 programs, each with the
// header of its lines and some sixty of its log statements, how often each comes on a site,
// and what an operator makes of it. Authors who knew neither the classifier nor its corpus
// wrote them from their knowledge of the software, so that they can test both.
package imitate

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/log-classifier/label"
)

//go:embed systems
var files embed.FS

// System is one program.
type System struct {
	Area, Name string
	Statements []Statement
	header     string
	kinds      map[string][]string // what values of each kind look like
	total      int                 // weight of all statements
}

// Statement is one log statement of a program.
type Statement struct {
	Weight         int // how often it comes, against the others
	Level, Service string
	Category       label.Category
	Template       string // with {kind} where values stand
}

// Line is one line of a log.
type Line struct {
	Raw       string // header and message
	Message   string
	Statement int
}

// Systems returns all programs, by area and name.
func Systems() ([]System, error) {
	names, err := fs.Glob(files, "systems/*/*.txt")
	if err != nil {
		return nil, err
	}
	var out []System
	for _, name := range names {
		if path.Base(name) == "values.txt" {
			continue
		}
		s, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// read reads a file of statements: a header, then weight, level, service, label and template
// with tabs between them.
func read(name string) (System, error) {
	dir, base := path.Split(name)
	s := System{Area: path.Base(dir), Name: strings.TrimSuffix(base, ".txt"), kinds: map[string][]string{}}
	values, err := files.ReadFile(dir + "values.txt")
	if err != nil {
		return s, err
	}
	for line := range bytes.Lines(values) {
		if kind, patterns, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " = "); ok && line[0] != '#' {
			s.kinds[kind] = strings.Split(patterns, "|")
		}
	}
	raw, err := files.ReadFile(name)
	if err != nil {
		return s, err
	}
	for n, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		if header, ok := strings.CutPrefix(line, "# header: "); ok {
			s.header = header
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		st, err := statement(line)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", n+1, err)
		}
		s.Statements = append(s.Statements, st)
		s.total += st.Weight
	}
	if !strings.Contains(s.header, "{message}") {
		return s, fmt.Errorf("no header with {message}")
	}
	return s, nil
}

func statement(line string) (Statement, error) {
	f := strings.Split(line, "\t")
	if len(f) != 5 {
		return Statement{}, fmt.Errorf("%d columns, want 5", len(f))
	}
	weight, err := strconv.Atoi(f[0])
	if err != nil || weight < 1 {
		return Statement{}, fmt.Errorf("weight %q, want a number above 0", f[0])
	}
	c, err := label.Parse(f[3])
	if err != nil {
		return Statement{}, err
	}
	return Statement{weight, f[1], f[2], c, f[4]}, nil
}

// writer makes the lines of one system.
type writer struct {
	*System
	r   *rand.Rand
	now time.Time
}

// Lines makes n lines. The same seed gives the same lines.
func (s *System) Lines(n int, seed uint64) []Line {
	w := writer{s, rand.New(rand.NewPCG(seed, 11)), time.Date(2026, 11, 3, 4, 17, 5, 0, time.UTC)}
	out := make([]Line, n)
	for i := range out {
		w.now = w.now.Add(time.Duration(w.r.ExpFloat64() * float64(7*time.Second)))
		out[i] = w.line()
	}
	return out
}

func (w *writer) line() Line {
	k, left := 0, w.r.IntN(w.total)
	for ; left >= w.Statements[k].Weight; k++ {
		left -= w.Statements[k].Weight
	}
	st := &w.Statements[k]
	msg := w.fill(st.Template)
	raw := marks.ReplaceAllStringFunc(w.header, func(m string) string {
		switch m {
		case "{message}":
			return msg
		case "{level}":
			return st.Level
		case "{service}":
			return st.Service
		case "{pid}":
			return strconv.Itoa(1000 + w.r.IntN(30000))
		case "{host}":
			return w.Name + "-" + strconv.Itoa(1+w.r.IntN(3))
		}
		return w.clock(m[1])
	})
	return Line{raw, msg, k}
}

var marks = regexp.MustCompile(`\{(message|level|service|pid|host)\}|%[YmdHMSbfes3]`)

// clock is a part of the time, named as strftime does.
func (w *writer) clock(mark byte) string {
	switch mark {
	case 'f':
		return fmt.Sprintf("%06d", w.now.Nanosecond()/1000)
	case '3':
		return fmt.Sprintf("%03d", w.now.Nanosecond()/1e6)
	case 's':
		return strconv.FormatInt(w.now.Unix(), 10)
	}
	return w.now.Format(map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'b': "Jan", 'e': "_2"}[mark])
}

var kind = regexp.MustCompile(`\{\w+\}`)

// fill puts values where the template names their kinds; other braces are its own.
func (w *writer) fill(template string) string {
	return kind.ReplaceAllStringFunc(template, func(m string) string {
		patterns, ok := w.kinds[m[1:len(m)-1]]
		if !ok {
			return m
		}
		return Value(w.r, patterns[w.r.IntN(len(patterns))])
	})
}
