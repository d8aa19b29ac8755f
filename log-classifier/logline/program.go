package logline

import (
	"cmp"
	"strings"
)

// program reads "date time LEVEL [thread] class.Name: text" in any of its usual orders.
func (l *Line) program() {
	s := l.startTime(l.Message)
	if l.Time == "" {
		if lv, rest := l.headerLevel(s); lv != "" {
			l.Level, s = lv, rest
		} else if l.logcat(s) {
			return
		}
	}
	if l.Time == "" && l.Level == "" {
		l.Message = l.startLevel(s)
		return
	}
	if l.Level == "" && l.ceph(s) {
		return
	}
	l.Message = strings.TrimLeft(l.origin(s), " ")
}

// startTime takes the time off the start of s.
func (l *Line) startTime(s string) string {
	at, rest := "", s
	switch {
	case len(s) < 8:
	case s[0] == '[':
		if at, rest = bracketTime(s); at == "" {
			return s
		}
		if k := strings.LastIndexByte(at, ' '); k > 0 && isLevel(at[k+1:]) { // Serilog: [10:22:01 INF] text
			at, l.Level = at[:k], plainLevel(at[k+1:])
		}
		if k := strings.Index(rest[:min(len(rest), 40)], " - "); k > 0 && strings.Count(rest[:k], " ") < 2 && strings.IndexByte("[{(<", rest[0]) < 0 && !levelFirst(rest) { // "prog *64 - text"
			l.Service, rest = rest[:k], rest[k+3:]
		}
	case isDigit(s[0]):
		if at, rest = isoTime(s); at != "" {
			k := len(s) - len(rest)
			if n := zone(s[k-1:]); n > 0 && strings.HasPrefix(s[k-1+n:], " ") { // 10:22:01.123 +01:00
				at, rest = s[:k-1+n], strings.TrimLeft(s[k-1+n:], " ")
			}
		} else if at, rest = anyTime(s); at == "" {
			if at, rest = clock(s); at == "" {
				at, rest = epoch(s)
			}
		}
	case s[0] >= 'A' && s[0] <= 'W' && (s[3] == ' ' || s[3] == ','):
		at, rest = anyTime(s)
	}
	if at == "" && len(s) > 20 && s[1] == ' ' && strings.IndexByte("EWIDFT", s[0]) >= 0 { // E 2026-11-21 10:22:01 text
		if at, rest = isoTime(s[2:]); at != "" {
			l.Level = plainLevel(s[:1])
		}
	}
	if at == "" {
		return s
	}
	l.Time = at
	return rest
}

// startLevel takes a level off a line that has no time before it.
func (l *Line) startLevel(s string) string {
	lv, rest := level(s, false)
	if lv == "" {
		return s
	}
	if name, text, ok := strings.Cut(rest, ":"); ok && strings.HasPrefix(s, lv+":"+name) && !strings.Contains(name, " ") { // Python: ERROR:root:text
		l.Service, rest = name, text
	}
	l.Level = plainLevel(lv)
	if s[min(len(lv), len(s)-1)] == '[' { // logrus: INFO[0003] text, seconds since it started
		if id, text, ok := strings.Cut(rest[1:], "] "); ok && isNumber(id) {
			l.Time, rest = id, strings.TrimLeft(text, " ")
		}
	}
	rest = strings.TrimPrefix(rest, "- ")
	if at, text := isoTime(strings.TrimLeft(rest[bracket(rest):], " ")); at != "" { // Cassandra: INFO  [main] time class - text
		l.Time, rest = at, l.class(text)
	}
	return rest
}

// origin takes level, pid, thread and class off what follows the time. s is the end of the
// message.
func (l *Line) origin(s string) string {
	if l.Level == "" {
		s = l.windowsEvent(s)
	}
	var python thread
	for range 8 {
		t := strings.TrimLeft(s, " -:\t|")
		rest, ok := l.part(t, &python)
		if !ok {
			break
		}
		if s = rest; python == threadLogger {
			return strings.TrimPrefix(s, " ")
		}
	}
	if t := strings.TrimLeft(s, " "); strings.HasPrefix(t, "- ") || strings.HasPrefix(t, ": ") || strings.HasPrefix(t, "| ") {
		s = t[2:]
	}
	return l.class(strings.TrimLeft(s, " "))
}

// thread tells what came of "(thread) [logger] text", as Home Assistant writes it, and of
// "[logger] (thread) text", as JBoss does.
type thread int

const (
	threadNone   thread = iota
	threadSeen          // one of the two
	threadLogger        // both in the first order: the message follows
)

// part takes one part of a header off t.
func (l *Line) part(t string, python *thread) (rest string, ok bool) {
	if t == "" {
		return t, false
	}
	if rest := l.owner(t); rest != t {
		return rest, true
	}
	if l.Level == "" && t[0] != '{' {
		if rest, ok := l.anyLevel(t); ok {
			return rest, true
		}
	}
	switch t[0] {
	case '[':
		if end := bracket(t); end > 0 {
			in, before := strings.TrimSpace(t[1:end-1]), byte(0)
			if k := len(l.Message) - len(t); k > 0 {
				before = l.Message[k-1]
			}
			if name := *python == threadSeen || before == ']' || strings.HasPrefix(t[end:], " ("); name && l.Service == "" && isDotted(in) {
				l.Service = in
				*python++
			}
			l.group(in)
			return t[end:], true
		}
	case '(':
		if end := strings.IndexByte(t, ')'); end > 0 && end < 80 && l.Level != "" && (*python == threadSeen || strings.HasPrefix(t[end:], ") [")) && isThread(t[1:end]) {
			*python = threadSeen
			return t[end+1:], true
		}
	case '{':
		if end := strings.IndexByte(t, '}'); end > 0 && end < 80 && (isSource(t[1:end]) || strings.HasPrefix(t[end:], "} <")) { // Airflow, ClickHouse
			if l.Service == "" && isSource(t[1:end]) {
				l.Service = t[1:end]
			}
			return t[end+1:], true
		}
	}
	return l.tabbed(t)
}

// anyLevel takes the level off t in whatever form it has.
func (l *Line) anyLevel(t string) (rest string, ok bool) {
	lv, rest := level(t, true)
	if lv == "" {
		lv, rest = l.headerLevel(t)
	}
	if lv == "" && t[0] == '[' {
		lv, rest = letterLevel(t)
	}
	if lv == "" && t[0] == '<' { // <Notice>: text
		if in, text, ok := strings.Cut(t[1:min(len(t), 16)], ">"); ok && text != "" && isLevel(in) {
			lv, rest = in, strings.TrimLeft(t[len(in)+2:], " :")
		}
	}
	if lv == "" && strings.HasPrefix(t, "PHP ") {
		if in, text, ok := strings.Cut(t[4:], ":  "); ok && text != "" {
			if lv, rest = php(in), text; lv != "" {
				l.Service = cmp.Or(l.Service, "PHP")
			}
		}
	}
	if lv == "" {
		return t, false
	}
	l.Level = plainLevel(lv)
	return rest, true
}

func isUpper(s string) bool { return s != "" && s[0] >= 'A' && s[0] <= 'Z' }

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

func notTime(r rune) bool { return (r < '+' || r > ':') && r != ' ' && r != 'T' && r != 'Z' }

// columns reads "time|component|pid|text", and "time|LEVEL|logger|text" of NLog and loguru.
func (l *Line) columns() bool {
	at, _, ok := strings.Cut(l.Message[:min(len(l.Message), 40)], "|")
	if !ok || len(at) < 8 || !isDigit(at[0]) || strings.Count(at, ":") < 2 || strings.IndexFunc(at, notTime) >= 0 {
		return false
	}
	rest := l.Message[len(at)+1:]
	at = strings.TrimRight(at, " ")
	first, after, ok := strings.Cut(rest, "|")
	first = strings.TrimSpace(first)
	if !ok || after == "" || strings.Contains(first, " ") {
		return false
	}
	second, text, ok := strings.Cut(after, "|")
	second = strings.TrimSpace(second)
	name := ok && text != "" && !strings.Contains(second, " ")
	switch {
	case isLevel(first) && name:
		l.Time, l.Level, l.Service, l.Message = at, first, second, strings.TrimLeft(text, " ")
	case isLevel(first):
		l.Time, l.Level, l.Message = at, first, strings.TrimLeft(after, " ")
		if name, text, ok := strings.Cut(l.Message, " - "); ok && strings.Contains(name, ":") && !strings.Contains(name, " ") && text != "" {
			l.Service, l.Message = name, text
		}
	case !name:
		return false
	case len(text) > 2 && text[1] == '|' && strings.IndexByte("IWENDC", text[0]) >= 0: // Grid Engine: thread, host, level
		l.Time, l.Service, l.Host, l.Level, l.Message = at, first, second, plainLevel(text[:1]), text[2:]
	default:
		l.Time, l.Service, l.PID, l.Message = at, first, second, text
	}
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
	w, rest, ok := strings.Cut(s, " ")
	if !ok || w == "" || strings.IndexByte(w, '\t') >= 0 {
		return s
	}
	name := strings.TrimRight(w, ":")
	rest = strings.TrimLeft(rest, " ")
	dotted := len(name) > 1 && (strings.IndexByte(name, '.') > 0 || strings.IndexByte(name[1:], '.') > 0 || strings.Contains(name, "::")) && (!strings.ContainsAny(name, "/=()'\"@,") || strings.Contains(name, ".[")) && !isDigit(name[0])
	if k := strings.LastIndexByte(name, '.'); dotted && l.Level == "" && name != w && isLevel(name[k+1:]) { // Laravel: production.ERROR: text
		l.Service, l.Level = name[:k], name[k+1:]
		return rest
	}
	switch {
	case rest == "":
		return s
	case !dotted && name == strings.ToUpper(name) && strings.HasPrefix(s[len(w):], "   ") && headerWord(name):
		l.Service = name // a column
		return rest
	case !dotted:
		return l.place(s, name, rest, name != w)
	case name != w, strings.HasPrefix(rest, "- "), strings.HasPrefix(rest, ": "):
		l.Service = name
		return strings.TrimLeft(rest, "-: ")
	case isSource(name):
		return l.place(s, name, rest, false)
	case bracket(rest) > 0 && (name == strings.ToLower(name) || strings.HasPrefix(rest[bracket(rest):], " - ")): // log4j2: class [] - text
		l.Service = name
		return strings.TrimLeft(strings.TrimPrefix(rest[bracket(rest):], " - "), " ")
	case l.Level != "" && l.Service == "" && (isMethod(name) || isShort(name)):
		l.Service = name
		return rest
	}
	return s
}

// place takes the place in the source off the start of s: "pkg/file.go 12: ", "file.c:12 ",
// "function:12 : " of libvirt, "module:function:12 - " of loguru; and the source of SQL
// Server, which is a column.
func (l *Line) place(s, name, rest string, colon bool) string {
	if l.Service != "" {
		return s
	}
	k := strings.LastIndexByte(name, ':')
	line := k > 0 && isNumber(name[k+1:]) && !isDigit(name[0])
	switch {
	case isSource(name) && (colon || line):
		l.Service = name
		return rest
	case isSource(name):
		if n := digits(rest); n > 0 && strings.HasPrefix(rest[n:], ": ") {
			l.Service = s[:len(s)-len(rest)+n]
			return rest[n+2:]
		}
	case line && l.Level != "" && (strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, "- ")) && !colon:
		l.Service = name
		return rest[2:]
	case l.Time != "" && l.Level == "" && strings.HasPrefix(s[len(name):], "  ") && isSQLServer(name):
		l.Service = name
		return rest
	}
	return s
}

// isSQLServer tells whether w is what SQL Server's error log names as a source: a session or
// a part of the server.
func isSQLServer(w string) bool {
	switch w {
	case "Server", "Backup", "Logon", "Clr":
		return true
	}
	id, ok := strings.CutPrefix(w, "spid")
	return ok && isNumber(strings.TrimSuffix(id, "s"))
}

// isMethod tells whether name is a class with a method, as Tomcat writes it before a message:
// org.apache.catalina.startup.Catalina.start.
func isMethod(name string) bool {
	k := strings.LastIndexByte(name, '.')
	return strings.Count(name, ".") > 2 && k+1 < len(name) && !isUpper(name[k+1:]) && className(name[:k]) != ""
}

// isShort tells whether name is a class whose packages are cut to letters: o.a.s.c.Core.
func isShort(name string) bool {
	return len(name) > 5 && name[1] == '.' && name[3] == '.' && className(name) != ""
}
