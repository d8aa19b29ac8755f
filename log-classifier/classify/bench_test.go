package classify

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/testdata"
	"github.com/inframind/inframind/log-classifier/corpus"
	"github.com/inframind/inframind/log-classifier/evaluate"
	"github.com/inframind/inframind/log-classifier/logline"
	"github.com/inframind/inframind/log-classifier/mine"
	"github.com/inframind/inframind/log-classifier/model"
	"github.com/inframind/inframind/log-classifier/token"
)

// recorded returns the messages of all labelled systems, mixed line by line.
func recorded(b *testing.B) []string {
	b.Helper()
	systems, err := evaluate.LoadSystems(testdata.Dir(b, "logs"))
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for i := range systems[0].Lines {
		for _, s := range systems {
			if i < len(s.Lines) {
				out = append(out, s.Lines[i])
			}
		}
	}
	return out
}

func shippedModel(b *testing.B) *model.Model {
	b.Helper()
	m, err := corpus.Shipped()
	if err != nil {
		b.Fatal(err)
	}
	return m
}

// cpu returns the processor time this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rate reports lines per second of processor time: the machine may be busy with other work.
func rate(b *testing.B, lines int, since time.Duration) {
	b.Helper()
	b.ReportMetric(float64(lines)*float64(b.N)/(cpu(b)-since).Seconds(), "lines/cpu-s")
}

// BenchmarkLabelCold labels 20,000 recorded lines with an empty cache each time.
func BenchmarkLabelCold(b *testing.B) {
	lines, m := recorded(b), shippedModel(b)
	since := cpu(b)
	for b.Loop() {
		l := NewLabeler(m, mine.New(mine.Options{}), nil)
		for _, s := range lines {
			l.Label(&logline.Line{Message: s}, "")
		}
	}
	rate(b, len(lines), since)
}

// BenchmarkWorstCase labels lines that each hold a word never seen before and make a template
// of their own: nothing that is remembered of one line answers another.
func BenchmarkWorstCase(b *testing.B) {
	lines, m := recorded(b), shippedModel(b)
	for i := range lines {
		w := lines[(i*7919)%len(lines)]
		k := strings.IndexByte(w, ' ')
		if k < 1 {
			k = len(w)
		}
		lines[i] += " " + w[:min(k, 20)] + strings.Map(func(r rune) rune { return r - '0' + 'g' }, strconv.Itoa(i))
	}
	since := cpu(b)
	for b.Loop() {
		l := NewLabeler(m, mine.New(mine.Options{}), nil)
		for _, s := range lines {
			l.Label(&logline.Line{Message: s}, "")
		}
	}
	rate(b, len(lines), since)
}

// BenchmarkLabelWarm labels them again and again: the steady state of a service.
func BenchmarkLabelWarm(b *testing.B) {
	lines := recorded(b)
	l := NewLabeler(shippedModel(b), mine.New(mine.Options{}), nil)
	since := cpu(b)
	for b.Loop() {
		for _, s := range lines {
			l.Label(&logline.Line{Message: s}, "")
		}
	}
	rate(b, len(lines), since)
}

// BenchmarkLabelBatch labels 20,000 recorded lines at once, without templates and with nothing
// remembered from before.
func BenchmarkLabelBatch(b *testing.B) {
	lines, m := recorded(b), shippedModel(b)
	since := cpu(b)
	for b.Loop() {
		model.NewPredictor(m).PredictAll(lines)
	}
	rate(b, len(lines), since)
}

// BenchmarkLabelOne labels one line with neither cache nor templates.
func BenchmarkLabelOne(b *testing.B) {
	lines := recorded(b)
	p := model.NewPredictor(shippedModel(b))
	i := 0
	b.ReportAllocs()
	since := cpu(b)
	for b.Loop() {
		p.Predict(lines[i%len(lines)])
		i++
	}
	rate(b, 1, since)
}

// BenchmarkTemplates mines the lines from nothing each time.
func BenchmarkTemplates(b *testing.B) {
	lines := recorded(b)
	since := cpu(b)
	for b.Loop() {
		mask, m := token.NewMasker(), mine.New(mine.Options{})
		for _, s := range lines {
			t, _ := m.Find(mask.Mask(s))
			t.Count++
		}
	}
	rate(b, len(lines), since)
}

// BenchmarkPipe is the whole of the pipe command: read, parse, label, write JSON.
func BenchmarkPipe(b *testing.B) {
	lines := recorded(b)
	text := []byte(strings.Join(lines, "\n") + "\n")
	l := NewLabeler(shippedModel(b), mine.New(mine.Options{}), nil)
	since := cpu(b)
	for b.Loop() {
		if _, err := Pipe(b.Context(), l, bytes.NewReader(text), io.Discard, PipeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	rate(b, len(lines), since)
}
