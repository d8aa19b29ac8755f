package logline

import "strings"

// Continues tells whether a line belongs to the one before it: the frames and causes of
// stack traces (Java, Python, Go, .NET, Node.js) and other indented text.
func Continues(s string) bool {
	if s == "" {
		return false
	}
	switch {
	case s[0] == '\t':
		return true
	case strings.HasPrefix(s, "  "):
		return strings.TrimSpace(s) != ""
	case strings.HasPrefix(s, " at "), strings.HasPrefix(s, "at ") && strings.ContainsAny(s, "(:"):
		return true
	case strings.HasPrefix(s, "Caused by: "), strings.HasPrefix(s, "Suppressed: "), strings.HasPrefix(s, "... ") && strings.HasSuffix(s, " more"):
		return true
	case strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:"), strings.HasPrefix(s, "created by "):
		return true
	case strings.HasPrefix(s, "During handling of the above exception"), strings.HasPrefix(s, "The above exception was"):
		return true
	}
	return false
}

// Limits of a joined event: what is beyond them is dropped.
const (
	maxJoined      = 64 << 10 // bytes
	maxJoinedLines = 500
)

// Joiner puts stack traces together again. Python's come before their error: the last line,
// which is not indented, ends them.
type Joiner struct {
	held   []string
	size   int
	python bool
}

// Add takes a line and returns the event that it completes, if any.
func (j *Joiner) Add(line string) (event string, ok bool) {
	switch {
	case len(j.held) == 0:
	case Continues(line), j.python && len(j.held) == 1:
		j.hold(line)
		return "", false
	case j.python: // the error itself, e.g. "ValueError: bad"
		j.hold(line)
		j.python = false
		return "", false
	default:
		event, ok = j.Flush()
	}
	j.hold(line)
	j.python = strings.HasSuffix(line, "Traceback (most recent call last):")
	return event, ok
}

func (j *Joiner) hold(line string) {
	if j.size+len(line) <= maxJoined && len(j.held) < maxJoinedLines {
		j.held = append(j.held, line)
		j.size += len(line)
	}
}

// Flush returns the event that is held, if any.
func (j *Joiner) Flush() (event string, ok bool) {
	if len(j.held) == 0 {
		return "", false
	}
	event = strings.Join(j.held, "\n")
	j.held, j.size, j.python = j.held[:0], 0, false
	return event, true
}
