package logline

import "strings"

// Frame tells whether a message belongs to the one before it: the frames, causes and notes of
// stack traces in Java, Python, Go, .NET, Node.js and Ruby.
func Frame(s string) bool {
	t := strings.TrimLeft(s, " \t")
	if t == "" {
		return false
	}
	indented := len(t) < len(s)
	switch {
	case s[0] == '\t':
		return true
	case strings.HasPrefix(t, "at ") && strings.ContainsAny(t, "(:."):
		return indented || strings.HasSuffix(t, ")")
	case indented && (strings.HasPrefix(t, `File "`) || strings.HasPrefix(t, "from ") && strings.Contains(t, ":in ")):
		return true
	case strings.HasPrefix(s, "    "): // the source line below a frame, a caret, a list of variables
		return true
	case strings.HasPrefix(t, "... ") && strings.HasSuffix(t, " more"), strings.HasPrefix(t, "--- End of "):
		return true
	}
	for _, p := range [...]string{
		"Caused by: ", "Suppressed: ", "Wrapped by: ", "created by ", "[signal ", "[originating from ",
		"During handling of the above exception", "The above exception was",
	} {
		if strings.HasPrefix(t, p) {
			return true
		}
	}
	return strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:")
}

// Limits of a joined event: what is beyond them is dropped.
const (
	maxJoined      = 64 << 10 // bytes
	maxJoinedLines = 500
)

// Kinds of traces whose end is not told by indentation alone.
const (
	tracePython = 1 + iota // the error itself comes last, not indented
	traceGo                // names of functions are not indented, and blank lines belong to it
)

// Joiner puts stack traces together again: lines of one writer whose later messages belong to
// the first.
type Joiner struct {
	first Line
	held  []string
	size  int
	kind  int
	error bool // of Python, has come
}

// Add takes a line and returns the event that it completes, if any.
func (j *Joiner) Add(l Line) (event Line, ok bool) {
	if len(j.held) > 0 && l.Host == j.first.Host && l.Service == j.first.Service && l.PID == j.first.PID && j.belongs(l.Message) {
		j.hold(l.Message)
		return Line{}, false
	}
	event, ok = j.Flush()
	j.first = l
	j.hold(l.Message)
	return event, ok
}

// belongs tells whether a message continues the event that is held.
func (j *Joiner) belongs(s string) bool {
	blank := strings.TrimSpace(s) == ""
	switch {
	case Frame(s):
		j.error = false
		return true
	case j.kind == tracePython:
		if strings.HasPrefix(s, traceback) || !j.error {
			j.error = !blank && !strings.HasPrefix(s, traceback) && !strings.HasPrefix(s, " ")
			return true
		}
		return blank
	case j.kind == traceGo:
		call, _, ok := strings.Cut(s, "(")
		return blank || ok && strings.HasSuffix(s, ")") && !strings.Contains(call, " ") || strings.HasPrefix(s, "exit status ")
	}
	return false
}

const traceback = "Traceback (most recent call last):"

func (j *Joiner) hold(s string) {
	switch {
	case strings.HasSuffix(s, traceback):
		j.kind = tracePython
	case strings.HasPrefix(s, "panic: "), strings.HasPrefix(s, "fatal error: "), strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:"):
		j.kind = traceGo
	}
	if j.size+len(s) <= maxJoined && len(j.held) < maxJoinedLines || len(j.held) == 0 {
		j.held = append(j.held, s)
		j.size += len(s)
	}
}

// Flush returns the event that is held, if any.
func (j *Joiner) Flush() (event Line, ok bool) {
	if len(j.held) == 0 {
		return Line{}, false
	}
	event = j.first
	event.Message = strings.TrimRight(strings.Join(j.held, "\n"), " \n")
	*j = Joiner{held: j.held[:0]}
	return event, true
}
