package exporter

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// maxTrace bounds the requests remembered for one probe.
const maxTrace = 10_000

// Trace collects what a probe asked of the device and, for diagnose, what it answered.
// The nil Trace takes everything and keeps nothing.
type Trace struct {
	mu    sync.Mutex
	start time.Time
	calls []call
	files map[string][]byte // only when recording
	hide  map[string]bool   // private texts; only when recording
}

type call struct {
	at, took time.Duration
	what     string
	result   string
	bytes    int
}

// NewTrace starts a trace. With record, Record keeps contents.
func NewTrace(record bool) *Trace {
	t := &Trace{start: time.Now()}
	if record {
		t.files, t.hide = map[string][]byte{}, map[string]bool{}
	}
	return t
}

// Add notes one request: what was asked, since when, what came of it and how many bytes.
func (t *Trace) Add(what string, since time.Time, result string, size int) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.calls) < maxTrace {
		t.calls = append(t.calls, call{since.Sub(t.start), time.Since(since), what, result, size})
	}
}

// Calls is how many requests were noted.
func (t *Trace) Calls() int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.calls)
}

// Recording says whether Record keeps anything.
func (t *Trace) Recording() bool { return t != nil && t.files != nil }

// Record keeps one file of the replay archive. The driver has redacted it already.
func (t *Trace) Record(name string, content []byte) {
	if !t.Recording() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.files) < maxTrace {
		t.files[name] = bytes.Clone(content)
	}
}

// Hide keeps a private text, e.g. a serial number, out of the report and the recorded files,
// wherever it stands: many devices make addresses of it. Short texts, and those without a
// digit, are left: they would be found inside other words.
func (t *Trace) Hide(text string) {
	if !t.Recording() || len(text) < 6 || !strings.ContainsAny(text, "0123456789") {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.hide) < maxTrace {
		t.hide[text] = true
	}
}

// hidden replaces the private texts in the report and in the recorded files, each by the
// same word everywhere, so that links in the files still lead somewhere.
func (t *Trace) hidden(report string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	texts := sortedKeys(t.hide)
	slices.SortStableFunc(texts, func(a, b string) int { return len(b) - len(a) }) // a text may hold another
	var pairs []string
	for i, text := range texts {
		pairs = append(pairs, text, fmt.Sprintf("redacted%d", i+1))
	}
	r := strings.NewReplacer(pairs...)
	files := make(map[string][]byte, len(t.files))
	for name, content := range t.files {
		files[r.Replace(name)] = []byte(r.Replace(string(content)))
	}
	t.files = files
	return r.Replace(report)
}

// table writes the requests as aligned text.
func (t *Trace) table(b *bytes.Buffer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := tabwriter.NewWriter(b, 2, 4, 2, ' ', 0)
	fmt.Fprintln(w, "START\tTOOK\tBYTES\tRESULT\tREQUEST")
	for _, c := range t.calls {
		fmt.Fprintf(w, "%.3fs\t%.3fs\t%d\t%s\t%s\n", c.at.Seconds(), c.took.Seconds(), c.bytes, c.result, c.what)
	}
	_ = w.Flush() // a buffer takes everything
}

// logBuffer keeps log lines for ?debug=true, up to a limit.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len()+len(p) <= 1<<20 {
		l.buf.Write(p)
	}
	return len(p), nil
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// debugLogger logs everything to a buffer.
func debugLogger() (*slog.Logger, *logBuffer) {
	b := &logBuffer{}
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})), b
}
