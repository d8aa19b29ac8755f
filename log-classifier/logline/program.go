package logline

import (
	"cmp"
	"strings"
)

// program reads "date time LEVEL [thread] class.Name: text" in any of its usual orders.
func (l *Line) program() {
	s := l.Message
	if at, rest := bracketTime(s); at != "" {
		l.Time, s = at, rest
		if k := strings.Index(s[:min(len(s), 40)], " - "); k > 0 && strings.Count(s[:k], " ") < 2 { // "prog *64 - text"
			l.Service, s = s[:k], s[k+3:]
		}
	} else if at, rest := isoTime(s); at != "" {
		l.Time, s = at, rest
	} else if at, rest := clock(s); at != "" {
		l.Time, s = at, rest
	}
	if l.Time == "" {
		if lv, rest := l.headerLevel(s); lv != "" {
			l.Level, s = lv, rest
		} else if l.logcat(s) {
			return
		}
	}
	if l.Time == "" && l.Level == "" {
		if lv, rest := level(s, false); lv != "" {
			if name, text, ok := strings.Cut(rest, ":"); ok && strings.HasPrefix(s, lv+":"+name) && !strings.Contains(name, " ") { // Python: ERROR:root:text
				l.Service, rest = name, text
			}
			l.Level, s = lv, rest
			if at, rest := isoTime(strings.TrimLeft(s[bracket(s):], " ")); at != "" { // Cassandra: INFO  [main] time class - text
				l.Time, s = at, l.class(rest)
			}
		}
		l.Message = s
		return
	}
	s = l.origin(s)
	l.Message = strings.TrimLeft(s, " ")
}

// origin takes level, pid, thread and class off what follows the time.
func (l *Line) origin(s string) string {
	for range 6 {
		t := strings.TrimLeft(s, " -:\t")
		if rest := l.owner(t); rest != t {
			s = rest
			continue
		}
		if lv, rest := level(t, true); lv != "" && l.Level == "" {
			l.Level, s = lv, rest
			continue
		}
		if lv, rest := l.headerLevel(t); lv != "" && l.Level == "" {
			l.Level, s = lv, rest
			continue
		}
		end := bracket(t)
		if end == 0 {
			break
		}
		if id := t[1 : end-1]; l.PID == "" && isNumber(id) {
			l.PID = id
		}
		if l.Service == "" {
			in := strings.TrimSpace(t[1 : end-1])
			l.Service = cmp.Or(threadClass(in), className(in))
		}
		s = t[end:]
	}
	if t := strings.TrimLeft(s, " "); strings.HasPrefix(t, "- ") || strings.HasPrefix(t, ": ") {
		s = t[2:]
	}
	return l.class(strings.TrimLeft(s, " "))
}

// maxBracket is how long "[thread]" may be.
const maxBracket = 400

// bracket returns the end of the balanced [...] that s starts with, 0 if there is none.
func bracket(s string) int {
	if !strings.HasPrefix(s, "[") {
		return 0
	}
	depth := 0
	for i := 0; i < len(s) && i < maxBracket; i++ {
		switch s[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// bracketTime reads "[Sun Dec 04 04:47:44 2005] " and the like.
func bracketTime(s string) (at, rest string) {
	k := bracket(s)
	if k < 10 || k > 42 || strings.Count(s[:k], ":") < 2 || !strings.ContainsAny(s[:k], "0123456789") || k == len(s) {
		return "", s
	}
	for w := range strings.FieldsSeq(s[1 : k-1]) {
		if !isDigit(w[0]) && !isMonth(w) && len(w) != 3 && w[0] != '+' && w[0] != '-' {
			return "", s
		}
	}
	return s[1 : k-1], strings.TrimLeft(s[k:], " ")
}

// threadClass reads the class out of log4j's [%t:%C@%L], which ZooKeeper writes:
// "main:Reader@115".
func threadClass(s string) string {
	_, s, _ = strings.Cut(s[max(strings.LastIndexByte(s, ':'), 0):], ":")
	name, line, _ := strings.Cut(s, "@")
	if !isNumber(line) || strings.ContainsAny(name, " []()/=") {
		return ""
	}
	return name
}

// className returns s when it is the name of a class, as Elasticsearch puts into brackets:
// "o.e.c.m.Service".
func className(s string) string {
	k := strings.LastIndexByte(s, '.')
	if k < 1 || isDigit(s[0]) || !isUpper(s[k+1:]) || strings.ContainsAny(s, " []()/=:@") {
		return ""
	}
	return s
}

func isUpper(s string) bool { return s != "" && s[0] >= 'A' && s[0] <= 'Z' }

// headerLevel finds a level among the first words of s when all words before it look like
// parts of a header: they hold digits, are in capitals, or are a hyphen. A word of capitals
// right before the level is the component, when there is more before it.
func (l *Line) headerLevel(s string) (lv, rest string) {
	before := ""
	for i, n := 0, 0; i < len(s) && n < 11; n++ {
		j := i
		for j < len(s) && s[j] != ' ' {
			j++
		}
		w := s[i:j]
		switch {
		case n > 0 && isLevel(w) && w == strings.ToUpper(w):
			if n > 2 && len(before) > 2 && strings.Trim(before, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
				l.Service = before
			}
			return w, strings.TrimLeft(s[j:], " ")
		case w != "" && w != "-" && !headerWord(w):
			return "", s
		}
		before, i = w, j+1
	}
	return "", s
}

func headerWord(w string) bool {
	lower, digit := false, false
	for i := 0; i < len(w); i++ {
		digit = digit || isDigit(w[i])
		lower = lower || w[i] >= 'a' && w[i] <= 'z'
	}
	return digit || !lower && len(w) <= 20
}

// logcat reads Android's "03-17 16:13:38.811  1702  2395 D Tag: text".
func (l *Line) logcat(s string) bool {
	if len(s) < 20 || !isDigit(s[0]) || s[2] != '-' || s[5] != ' ' {
		return false
	}
	f := strings.Fields(s[:min(len(s), 60)])
	if len(f) < 5 || len(f[4]) != 1 || !strings.Contains("VDIWEF", f[4]) || !isDigit(s[0]) || strings.Count(f[1], ":") != 2 || !isDigit(f[2][0]) || !isDigit(f[3][0]) {
		return false
	}
	i := strings.Index(s, " "+f[4]+" ")
	tag, text, ok := strings.Cut(s[i+3:], ": ")
	if !ok {
		return false
	}
	l.Level, l.Message, l.PID = f[4], strings.TrimLeft(text, " "), f[2]
	if len(tag) <= 64 {
		l.Service = strings.TrimSpace(tag)
	}
	return true
}

// columns reads "time|component|pid|text".
func (l *Line) columns() bool {
	f := strings.SplitN(l.Message, "|", 4)
	if len(f) < 4 || len(f[0]) < 8 || !isDigit(f[0][0]) || strings.Count(f[0], ":") < 2 || strings.Contains(f[1], " ") || strings.Contains(f[2], " ") || f[3] == "" {
		return false
	}
	l.Time, l.Service, l.PID, l.Message = f[0], strings.TrimSpace(f[1]), f[2], f[3]
	return true
}

// relayed reads syslog behind a collector's own columns: "1131566461 2005.11.09 dn228 Nov 9
// 12:01:01 dn228 crond[1]: text".
func (l *Line) relayed() bool {
	s := l.Message
	for range 5 {
		w, rest, ok := strings.Cut(s, " ")
		if !ok || w != "-" && !headerWord(w) {
			return false
		}
		s = rest
		if at, _ := bsdTime(s); at != "" {
			keep := l.Message
			l.Message = s
			if l.syslog() {
				return true
			}
			l.Message = keep
			return false
		}
	}
	return false
}

// class takes "org.example.Foo: " or "prog.exe - " off what follows a level or a time.
func (l *Line) class(s string) string {
	if name, rest, ok := strings.Cut(s, "\t"); ok && name != "" && l.Level != "" && !strings.Contains(name, " ") { // zap: logger, caller, text
		l.Service = name
		if at, text, ok := strings.Cut(rest, "\t"); ok && strings.Contains(at, ".go:") {
			return text
		}
		return rest
	}
	w, rest, ok := strings.Cut(s, " ")
	if !ok || w == "" {
		return s
	}
	name := strings.TrimRight(w, ":")
	rest = strings.TrimLeft(rest, " ")
	dotted := (strings.IndexByte(name, '.') > 0 || strings.Contains(name, "::")) && !strings.ContainsAny(name, "/=()'\"@,")
	if k := strings.LastIndexByte(name, '.'); dotted && l.Level == "" && name != w && isLevel(name[k+1:]) { // Laravel: production.ERROR: text
		l.Service, l.Level = name[:k], name[k+1:]
		return rest
	}
	switch {
	case !dotted && name == strings.ToUpper(name) && strings.HasPrefix(s[len(w):], "   ") && headerWord(name):
		l.Service = name // a column
		return rest
	case !dotted:
		return s
	case name != w, strings.HasPrefix(rest, "- "), strings.HasPrefix(rest, ": "):
		l.Service = name
		return strings.TrimLeft(rest, "-: ")
	case bracket(rest) > 0 && name == strings.ToLower(name):
		l.Service = name
		return strings.TrimLeft(rest[bracket(rest):], " ")
	}
	return s
}

func isZone(w string) bool {
	return strings.Contains(" UTC GMT CET CEST EET EEST MSK BST IST JST EST EDT CST CDT MST MDT PST PDT ", " "+w+" ")
}

// isNginx tells whether w is nginx's process#thread:.
func isNginx(w string) bool {
	pid, thread, ok := strings.Cut(strings.TrimSuffix(w, ":"), "#")
	return ok && strings.HasSuffix(w, ":") && isNumber(pid) && isNumber(thread)
}

// owner takes off what stands around a level or a thread: the time zone, a number (the
// process or the thread), "name - " of Python's logging, PostgreSQL's user@database,
// "name[pid] " of VMware, nginx's numbers. PostgreSQL's level LOG is read too.
func (l *Line) owner(s string) string {
	w, rest, ok := strings.Cut(s, " ")
	if !ok || w == "" || len(w) > 64 {
		return s
	}
	next, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	switch {
	case isZone(w) && bracket(rest) > 0: // UTC [12]
		return rest
	case isNumber(w) && (next == "---" || strings.HasPrefix(next, "[")):
		if l.PID == "" {
			l.PID = w
		}
		return strings.TrimLeft(rest, " -")
	case strings.HasPrefix(rest, "- ") && l.Level == "":
		lv, _, _ := strings.Cut(rest[2:], " ")
		if isLevel(lv) && lv == strings.ToUpper(lv) {
			l.Service = w
			return rest[2:]
		}
	case isNginx(w): // 1234#0: *5 text
		l.PID, _, _ = strings.Cut(w, "#")
		if n, text, ok := strings.Cut(rest, " "); ok && strings.HasPrefix(n, "*") && isNumber(n[1:]) {
			rest = text
		}
		return rest
	case strings.IndexByte(w, '@') > 0 && (isLevel(strings.TrimSuffix(next, ":")) || next == "LOG:"):
		return l.owner(strings.TrimLeft(rest, " "))
	case w == "LOG:" && l.Level == "":
		l.Level = "LOG"
		return rest
	case l.Level != "" && l.Service == "" && strings.HasSuffix(w, "]") && strings.HasPrefix(rest, "["):
		name, pid, ok := strings.Cut(w[:len(w)-1], "[")
		if ok && name != "" && isNumber(pid) {
			l.Service, l.PID = name, pid
			return rest
		}
	}
	return s
}
