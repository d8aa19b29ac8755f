// Package logline takes the header off a raw log line: RFC 3164 and RFC 5424 syslog, journald
// and other JSON, logfmt, klog, the lines of container runtimes, the "date time LEVEL
// [thread] class:" of most programs, and what others put in its place. It never fails; what
// it does not understand stays in the message. It does without regular expressions: a line
// costs well under a microsecond.
package logline

import "strings"

// Line is a log line taken apart. Empty fields were not there.
type Line struct {
	Time    string // as written
	Host    string
	Service string
	PID     string
	Level   string // as written, or the name of what a number, a sign or a short word stands for
	Message string
}

// Parse takes raw apart. messageField names the field of JSON lines that holds the message;
// "" tries the usual ones.
func Parse(raw, messageField string) Line {
	if strings.IndexByte(raw, '\r') >= 0 {
		raw = overwritten(raw)
	}
	l := parse(raw, messageField, 2)
	switch s := strings.TrimLeft(raw, blank); {
	case l.Message == "":
		l.Message = s
	case len(s) < len(raw) && l == Line{Message: s}:
		l.Message = strings.TrimLeft(raw, "\ufeff") // the indentation of a stack trace means something
	}
	return l
}

// blank is what is taken off the start of a line.
const blank = " \t\ufeff"

// parse takes raw apart, and what containers and relays wrapped, up to depth times.
func parse(raw, messageField string, depth int) Line {
	s := strings.TrimLeft(raw, blank)
	if strings.HasPrefix(s, "{") {
		if l, wrapped, ok := parseJSON(s, messageField); ok {
			if wrapped && depth > 0 {
				return l.within(parse(l.Message, messageField, depth-1))
			}
			return l
		}
	}
	if l, ok := containerLine(s); ok {
		if depth > 0 {
			return l.within(parse(l.Message, messageField, depth-1))
		}
		return l
	}
	if name, rest, ok := compose(s); ok && depth > 0 {
		return Line{Service: name}.within(parse(rest, messageField, depth-1))
	}
	if l, ok := klog(s); ok {
		return l
	}
	if l, ok := logfmt(s); ok {
		return l
	}
	l := Line{Message: s}
	if level, rest, ok := priority(s); ok {
		l.Level = level
		if l.modern(rest) {
			return l.inner(depth)
		}
		l.Message = rest
	}
	switch {
	case l.syslog():
		return l.inner(depth)
	case !l.columns() && !l.relayed() && !l.known():
		l.program()
		l.tailClass()
	}
	return l
}

// within fills what an inner line, as a container wrote it, does not say from its wrapper.
func (l Line) within(inner Line) Line {
	for _, f := range [...]struct{ to, from *string }{{&inner.Time, &l.Time}, {&inner.Host, &l.Host}, {&inner.Service, &l.Service}, {&inner.PID, &l.PID}, {&inner.Level, &l.Level}} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	return inner
}

// inner takes apart what programs that have a format of their own send to syslog.
func (l Line) inner(depth int) Line {
	l = l.cisco()
	if l.Service == "CEF" {
		l.cef(l.Message)
		return l
	}
	m := l.Message
	if depth == 0 || m == "" {
		return l
	}
	if in, ok := klog(m); ok {
		if l.Service != "" { // kubelet says more than the file and the thread it is in
			in.Service, in.PID = "", ""
		}
		return l.within(in)
	}
	if in, ok := logfmt(m); ok {
		return l.within(in)
	}
	if m[0] == '{' {
		if in, _, ok := parseJSON(m, ""); ok {
			return l.within(in)
		}
	}
	in := Line{Message: m}
	if strings.Contains(m[:min(len(m), 64)], "[Originator@") { // VMware: info hostd[12] [Originator@6876 sub=X] text
		in.Message = in.origin(m)
		return l.within(in)
	}
	if !in.known() {
		in.program()
	}
	if in.Time != "" && in.Level != "" && in.Message != "" { // a header of its own, not just words that look like a part of one
		return l.within(in)
	}
	if lv, text := level(m, l.Host == ""); lv != "" && text != "" && l.Service != "kernel" && !adjective(m, lv, text) { // the kernel's WARNING is its message
		l.Level, l.Message = plainLevel(lv), text
	}
	return l
}

// adjective tells whether a level is a word of the sentence, as in "CRITICAL temperature
// reached" and "ALERT left its work half done". In small letters it is a level where a colon
// follows, as Dovecot's Info.
func adjective(m, lv, text string) bool {
	if m[0] == '[' || m[len(lv)] == ':' {
		return false
	}
	if lv != strings.ToUpper(lv) {
		return true
	}
	switch lv {
	case "EMERG", "EMERGENCY", "PANIC", "ALERT", "FATAL", "CRITICAL":
		return text[0] >= 'a' && text[0] <= 'z'
	}
	return false
}

// severities are the names of the severities of syslog.
var severities = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// priority takes "<34>" off; its last three bits are the severity.
func priority(s string) (level, rest string, ok bool) {
	if len(s) < 3 || s[0] != '<' {
		return "", s, false
	}
	i, n := 1, 0
	for i < len(s) && i < 5 && isDigit(s[i]) {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if i == 1 || i >= len(s) || s[i] != '>' || n > 191 {
		return "", s, false
	}
	return severities[n%8], s[i+1:], true
}

// modern reads RFC 5424: version time host app procid msgid structured-data message.
func (l *Line) modern(s string) bool {
	if !strings.HasPrefix(s, "1 ") {
		return false
	}
	var f [6]string
	for i := range f {
		w, rest, ok := strings.Cut(s, " ")
		if !ok {
			return false
		}
		f[i], s = nil0(w), rest
	}
	end := 1
	if strings.HasPrefix(s, "[") {
		if end = structuredEnd(s); end < 0 {
			return false
		}
	} else if !strings.HasPrefix(s, "-") {
		return false
	}
	*l = Line{Level: l.Level, Time: f[1], Host: f[2], Service: f[3], PID: f[4], Message: strings.TrimPrefix(strings.TrimPrefix(s[end:], " "), "\ufeff")}
	return true
}

func nil0(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// structuredEnd returns the end of "[id k=\"v\"][...]", or -1.
func structuredEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted && (i+1 == len(s) || s[i+1] != '['):
			return i + 1
		}
	}
	return -1
}

// syslog reads "Nov 21 10:22:01 host tag[pid]: text", and the same with an RFC 3339 time.
func (l *Line) syslog() bool {
	s := l.Message
	at, rest := bsdTime(s)
	if at == "" {
		at, rest = isoTime(s)
		if at == "" || strings.IndexByte(at, 'T') < 0 || len(s) > len(at) && s[len(at)] == '\t' {
			return false
		}
	} else if hasYear(rest) {
		return false
	}
	host, after, ok := strings.Cut(rest, " ")
	if isLevel(host) || strings.HasPrefix(host, "[") && (levelFirst(rest) || levelFirst(after)) {
		return false
	}
	service, pid, msg := tag(after)
	if !ok || service == "" || strings.HasSuffix(host, ":") {
		if s, p, m := tag(rest); s != "" { // relays may leave the host out
			if p == "" && isLevel(s) { // winston: time error: text
				return false
			}
			host, service, pid, msg = "", s, p, m
		} else if l.facility(at, host, after) {
			return true
		} else if strings.IndexByte(at, 'T') >= 0 || !ok {
			return false
		} else if k := strings.Index(after[:min(len(after), 48)], ": "); k > 0 { // "syslogd 1.4.1: restart."
			service, msg = after[:k], after[k+2:]
		}
	}
	l.Time, l.Host, l.Service, l.PID, l.Message = at, host, service, pid, msg
	return true
}

// facility reads "host daemon.warn program[pid]: text", as BusyBox writes it with or without
// the host, and Apple's "host program(library)[pid] <Notice>: text".
func (l *Line) facility(at, host, after string) bool {
	w, text, _ := strings.Cut(after, " ")
	if isFacility(host) {
		w, text, host = host, after, ""
	}
	if isFacility(w) {
		if service, pid, msg := tag(text); service != "" {
			_, level, _ := strings.Cut(w, ".")
			l.Time, l.Host, l.Service, l.PID, l.Level, l.Message = at, host, service, pid, level, msg
			return true
		}
		return false
	}
	k := strings.Index(after[:min(len(after), 128)], "] <")
	if k < 1 {
		return false
	}
	level, text, ok := strings.Cut(after[k+3:], ">: ")
	name, pid, bracket := strings.Cut(after[:k], "[")
	if !ok || !bracket || len(level) > 10 || !isLower(strings.ToLower(level)) || !isNumber(pid) || name == "" {
		return false
	}
	l.Time, l.Host, l.Service, l.PID, l.Level, l.Message = at, host, name, pid, level, text
	return true
}

// isFacility tells whether w is a facility and a level of syslog: daemon.warn, local0.err.
func isFacility(w string) bool {
	name, level, ok := strings.Cut(w, ".")
	if !ok || !isLevel(level) {
		return false
	}
	switch strings.TrimRight(name, "01234567") {
	case "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "security", "console", "local":
		return true
	}
	return false
}

// tag reads "sshd[123]: text" or "kernel: text"; service is "" if there is none.
func tag(s string) (service, pid, rest string) {
	i := 0
	for i < len(s) && i < 64 && s[i] > ' ' && s[i] != ':' && s[i] != '[' {
		i++
	}
	if i == 0 || i == len(s) {
		return "", "", s
	}
	service = s[:i]
	if s[i] == '[' {
		k := strings.IndexByte(s[i:], ']')
		if k < 0 || k > 20 {
			return "", "", s
		}
		pid = s[i+1 : i+k]
		i += k + 1
		if k := strings.Index(s[i:], "):"); k > 0 && k < 100 && strings.HasPrefix(s[i:], " (") { // macOS: whom it is about
			i += k + 1
		}
	}
	if i >= len(s) || s[i] != ':' || strings.HasPrefix(s[i:], "::") {
		return "", "", s
	}
	return service, pid, strings.TrimPrefix(s[i+1:], " ")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
