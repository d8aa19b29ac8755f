package logline

import "strings"

// known reads headers that follow no common order: what is left to read is the message.
func (l *Line) known() bool {
	s := l.Message
	switch {
	case len(s) < 20:
		return false
	case s[0] == '[':
		return l.dmesg(s) || l.inBracket(s) || l.jvm(s) || l.tornado(s)
	case s[0] == '<':
		return l.cmTrace(s) || l.webLogic(s)
	case s[0] == '#':
		return strings.HasPrefix(s, "####<") && l.webLogic(s[4:])
	case s[8] == '.' && l.cluster(s):
		return true
	case isDigit(s[0]):
		return l.redis(s) || l.zabbix(s) || l.pbs(s)
	case s[1] == '/':
		return l.logcatBrief(s)
	case s[0] == 'C':
		text, ok := strings.CutPrefix(s, "CEF:")
		return ok && l.cef(text)
	case s[0] == 'M':
		return l.installer(s)
	}
	return l.ruby(s)
}

// dmesg reads the kernel's "[12345.678901] text".
func (l *Line) dmesg(s string) bool {
	at, rest, ok := strings.Cut(s[1:], "] ")
	at = strings.TrimLeft(at, " ")
	seconds, fraction, dot := strings.Cut(at, ".")
	if !ok || !dot || !isNumber(seconds) || len(fraction) != 6 || !isNumber(fraction) {
		return false
	}
	l.Time, l.Service, l.Message = at, "kernel", rest
	return true
}

// inBracket reads "[2026-11-21T10:22:01Z INFO  name] text", of Rust's env_logger, and
// "[2026-11-21 10:22:01,123: INFO/name] text", of Celery.
func (l *Line) inBracket(s string) bool {
	end := strings.IndexByte(s, ']')
	if end < 0 || end > 120 || end+1 == len(s) {
		return false
	}
	at, rest := isoTime(strings.Replace(s[1:end], ": ", " ", 1))
	w, name, _ := strings.Cut(strings.Replace(rest, "/", " ", 1), " ")
	if at == "" || !isLevel(w) {
		return false
	}
	l.Time, l.Level, l.Service, l.Message = at, w, strings.TrimSpace(name), strings.TrimLeft(s[end+1:], " ")
	return true
}

// redis reads "1:M 21 Nov 2026 10:22:01.123 * text": the sign is the level.
func (l *Line) redis(s string) bool {
	pid, rest, ok := strings.Cut(s, ":")
	if !ok || !isNumber(pid) || len(rest) < 28 || strings.IndexByte("MSCX", rest[0]) < 0 || rest[1] != ' ' {
		return false
	}
	f := strings.SplitN(rest[2:], " ", 6)
	if len(f) != 6 || !isMonth(f[1]) || strings.Count(f[3], ":") != 2 || len(f[4]) != 1 {
		return false
	}
	level, ok := map[string]string{".": "debug", "-": "info", "*": "notice", "#": "warning"}[f[4]]
	if !ok {
		return false
	}
	l.Time, l.Service, l.PID, l.Level, l.Message = strings.Join(f[:4], " "), "redis", pid, level, f[5]
	return true
}

// ruby reads "I, [2026-11-21T10:22:01.123456 #123]  INFO -- name: text".
func (l *Line) ruby(s string) bool {
	if s[1] != ',' || s[2] != ' ' || s[3] != '[' {
		return false
	}
	head, rest, ok := strings.Cut(s[4:], "]")
	at, pid, hash := strings.Cut(head, " #")
	level, text, dashes := strings.Cut(strings.TrimLeft(rest, " "), " -- ")
	if !ok || !hash || !dashes || !isNumber(pid) || !isLevel(level) && level != "ANY" {
		return false
	}
	name, text, ok := strings.Cut(text, ": ")
	if !ok {
		return false
	}
	l.Time, l.PID, l.Level, l.Service, l.Message = at, pid, level, name, text
	return true
}

// compose reads what docker compose puts before the lines of a container: "web-1  | text".
func compose(s string) (name, rest string, ok bool) {
	name, _, ok = strings.Cut(s[:min(len(s), 80)], "| ")
	name, padded := strings.TrimRight(name, " "), len(name)
	if !ok || len(name) < 3 || padded == len(name) || strings.ContainsAny(name, " \t") {
		return "", s, false
	}
	k := strings.LastIndexAny(name, "-_")
	if k < 1 || !isNumber(name[k+1:]) {
		return "", s, false
	}
	return name, s[padded+2:], true
}

// tailClass takes " (kafka.server.KafkaServer)" off the end of a message, but no exception.
func (l *Line) tailClass() {
	k := strings.LastIndex(l.Message, " (")
	if k < 1 || l.Service != "" || l.Level == "" || !strings.HasSuffix(l.Message, ")") {
		return
	}
	if name := l.Message[k+2 : len(l.Message)-1]; (className(name) != "" || strings.HasSuffix(name, ".logger") && isLower(name)) && !strings.HasSuffix(name, "Exception") && !strings.HasSuffix(name, "Error") {
		l.Service, l.Message = name, l.Message[:k]
	}
}

func isNumber(s string) bool { return s != "" && digits(s) == len(s) }

// cisco reads the facility and the severity of "%LINK-3-UPDOWN: text", with a sequence number
// and a second time before it. The message starts at the sign.
func (l Line) cisco() Line {
	k := strings.IndexByte(l.Message, '%')
	if k < 0 || k > 48 {
		return l
	}
	head, _, ok := strings.Cut(l.Message[k+1:], ": ")
	f := strings.Split(head, "-")
	if !ok || len(f) < 3 || len(f[1]) != 1 || f[1][0] < '0' || f[1][0] > '7' || strings.ContainsAny(head, " \t") || !isUpper(head) {
		return l
	}
	if l.Level == "" {
		l.Level = severities[f[1][0]-'0']
	}
	if l.Service == "" || isNumber(l.Service) {
		l.Service = f[0]
	}
	l.Message = l.Message[k:]
	return l
}
