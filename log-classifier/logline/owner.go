package logline

import (
	"cmp"
	"strings"
)

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
	case isZone(w) && (bracket(rest) > 0 || isLevel(next)): // UTC [12]
		return rest
	case l.Level == "" && l.Time != "" && next != "":
		if rest, ok := l.beforeLevel(w, rest, next); ok {
			return rest
		}
	}
	switch {
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
	case strings.IndexByte(w, '=') > 0 && strings.HasSuffix(next, ":") && strings.HasPrefix(rest[len(next):], "  ") && (isLevel(next[:len(next)-1]) || next == "LOG:"): // user=bob,db=app LOG:  text
		return rest
	case strings.IndexByte(w, '@') > 0 && (isLevel(strings.TrimSuffix(next, ":")) || next == "LOG:"):
		return l.owner(strings.TrimLeft(rest, " "))
	case l.Level == "" && isPostgres(w, rest):
		l.Level = w[:len(w)-1]
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

// isPostgres tells whether w is a level that only PostgreSQL has; but for LOG, two blanks
// follow it.
func isPostgres(w, rest string) bool {
	switch w {
	case "LOG:":
		return true
	case "DETAIL:", "HINT:", "STATEMENT:", "CONTEXT:", "QUERY:", "LOCATION:":
		return strings.HasPrefix(rest, " ")
	}
	return false
}

// beforeLevel takes w off when it is part of a header for the level that follows it. rest is
// what comes after w, next its first word.
func (l *Line) beforeLevel(w, rest, next string) (after string, ok bool) {
	end := w[len(w)-1]
	switch {
	case end == ':' && isLevel(strings.TrimSuffix(next, ":")):
		name := w[:len(w)-1]
		if isNumber(name) { // libvirt: 123: error : text
			l.PID = cmp.Or(l.PID, name)
			return rest, true
		}
		if strings.HasSuffix(next, ":") && isName(name) { // BIND: queries: info: text
			l.Service = cmp.Or(l.Service, name)
			return rest, true
		}
	case len(w) == 1 && strings.IndexByte("IWEFDNCT", w[0]) >= 0 && (next == "|" || next[0] == '['): // etcd 3.3: E | raft: text
		l.Level = plainLevel(w)
		if name, text, ok := strings.Cut(strings.TrimPrefix(rest, "| "), ": "); ok && next == "|" && isName(name) {
			l.Service = cmp.Or(l.Service, name)
			return text, true
		}
		return strings.TrimPrefix(rest, "| "), true
	case len(w) == 1 && strings.IndexByte("IWEFD", w[0]) >= 0: // MongoDB before 4.4: I NETWORK  [conn1] text
		name, text, ok := strings.Cut(rest, " ")
		if text = strings.TrimLeft(text, " "); ok && bracket(text) > 0 && strings.Trim(name, capitals+"-_") == "" {
			l.Level, l.Service = w, nil0(name)
			return text[bracket(text):], true
		}
	case isDotted(w) && isLevel(next) && isUpper(next) && next == strings.ToUpper(next): // Python: package.module INFO text
		l.Service = cmp.Or(l.Service, w)
		return rest, true
	case strings.HasPrefix(w, "0x") && next[0] == '[' && levelFirst(rest):
		l.PID = cmp.Or(l.PID, w)
		return rest, true
	case isNumber(w) && isNumber(next):
		return l.android(w, strings.TrimLeft(strings.TrimLeft(rest, " ")[len(next):], " "))
	case len(w) == 8 && isHex(w) && strings.HasPrefix(rest, next): // WebSphere: 0000001a ServerImpl    A   text
		_, text, _ := strings.Cut(rest, " ")
		if text = strings.TrimLeft(text, " "); len(text) > 2 && text[1] == ' ' && strings.IndexByte("FEWAIRCDOZ", text[0]) >= 0 && isName(next) {
			l.PID, l.Service, l.Level = w, next, map[byte]string{'F': "fatal", 'E': "error", 'W': "warning", 'D': "debug"}[text[0]]
			l.Level = cmp.Or(l.Level, "info")
			return text[2:], true
		}
	case strings.HasPrefix(w, "0x") && next == "->" && len(w) == 4: // OpenSM: the level is a bit
		l.Level = cmp.Or(map[string]string{"0x01": "error", "0x02": "info", "0x80": "notice"}[w], "debug")
		_, text, _ := strings.Cut(rest, "->")
		return text, true
	case isFacility(w): // OpenWrt: daemon.warn program[1]: text
		if service, pid, text := tag(rest); service != "" {
			_, level, _ := strings.Cut(w, ".")
			l.Level, l.Service, l.PID = level, service, pid
			return text, true
		}
	case end == '%' && isDigit(w[0]) && next[0] == '[' && levelFirst(rest): // FreeSWITCH: how idle it is
		return rest, true
	case strings.HasPrefix(w, "pid=") && strings.IndexByte(next, '=') > 0:
		return l.sidekiq(w, rest)
	}
	return "", false
}

// android reads "E Tag: text" behind the process w and a thread.
func (l *Line) android(w, s string) (after string, ok bool) {
	if len(s) < 5 || s[1] != ' ' || strings.IndexByte("VDIWEF", s[0]) < 0 {
		return "", false
	}
	name, text, ok := strings.Cut(s[2:], ": ")
	if !ok || len(name) > 64 {
		return "", false
	}
	l.Level, l.PID, l.Service = s[:1], w, strings.TrimSpace(name)
	return text, true
}

// ceph reads "7f3c17093700  0 text", the thread and a level from -1 to 20.
func (l *Line) ceph(s string) bool {
	n := 0
	for n < len(s) && n < 17 && (isDigit(s[n]) || s[n] >= 'a' && s[n] <= 'f') {
		n++
	}
	if n < 11 || n > 16 || n == len(s) || s[n] != ' ' || s[:2] != "7f" && s[:2] != "ff" {
		return false
	}
	level, text, ok := strings.Cut(strings.TrimLeft(s[n:], " "), " ")
	if !ok || text == "" || level != "-1" && (!isNumber(level) || len(level) > 2) {
		return false
	}
	l.PID, l.Level = s[:n], cephLevel(level)
	l.Message = strings.TrimLeft(l.cephChannel(text), " ")
	return true
}

// cephLevel is the level that a verbosity of Ceph's log means: -1 is an error, up to 1 what
// operators see by default.
func cephLevel(level string) string {
	switch level {
	case "-1":
		return "error"
	case "0", "1":
		return "info"
	}
	return "debug"
}

// cephChannel reads "log_channel(cluster) log [WRN] : text": its level is what is meant.
func (l *Line) cephChannel(s string) string {
	if t, ok := strings.CutPrefix(s, "log_channel("); ok {
		name, t, _ := strings.Cut(t, ") log ")
		if lv, text := level(t, false); lv != "" {
			l.Service, l.Level = name, plainLevel(lv)
			return text
		}
	}
	return s
}

// sidekiq reads "pid=12 tid=1a class=Job jid=2b INFO: text".
func (l *Line) sidekiq(w, rest string) (after string, ok bool) {
	class, pid := "", strings.TrimPrefix(w, "pid=")
	for range 6 {
		w, rest, ok = strings.Cut(rest, " ")
		name, level := strings.CutSuffix(w, ":")
		if level && ok && isLevel(name) {
			l.PID, l.Service, l.Level = pid, cmp.Or(l.Service, class), name
			return rest, true
		}
		key, value, pair := strings.Cut(w, "=")
		if !pair {
			break
		}
		if key == "class" {
			class = value
		}
	}
	return "", false
}

// windowsEvent reads "host LEVEL Source Name[id]: text" and "host Source LEVEL: text", as
// forwarders of event logs write them.
func (l *Line) windowsEvent(s string) string {
	host, rest, ok := strings.Cut(s, " ")
	if !ok || l.Host != "" || host == "" || len(host) > 64 || !isHost(host) {
		return s
	}
	w, text, ok := strings.Cut(rest, " ")
	if !ok {
		return s
	}
	if w == "AUDIT_SUCCESS" || w == "AUDIT_FAILURE" || isLevel(w) {
		if name, id, text := idSource(text); name != "" {
			l.Host, l.Level, l.Service, l.PID = host, w, name, id
			return text
		}
		return s
	}
	head, text, ok := strings.Cut(rest[:min(len(rest), 80)], ": ")
	k := strings.LastIndexByte(head, ' ')
	if !ok || text == "" || k < 1 || !isLevel(head[k+1:]) || !strings.ContainsAny(host, "0123456789-.") || strings.Count(head, " ") > 3 {
		return s
	}
	for w := range strings.FieldsSeq(head[:k]) {
		if !isName(w) || !isUpper(w) {
			return s
		}
	}
	l.Host, l.Service, l.Level = host, head[:k], head[k+1:]
	return rest[len(head)+2:]
}

// idSource reads "Service Control Manager[7036]: ". Names of several words are capitalized.
func idSource(s string) (name, id, rest string) {
	k := strings.IndexByte(s[:min(len(s), 80)], '[')
	if k < 1 {
		return "", "", s
	}
	n := digits(s[k+1:])
	if n == 0 || !strings.HasPrefix(s[k+1+n:], "]: ") {
		return "", "", s
	}
	for w := range strings.FieldsSeq(s[:k]) {
		if !isName(w) || strings.Contains(s[:k], " ") && !isUpper(w) {
			return "", "", s
		}
	}
	return s[:k], s[k+1 : k+1+n], s[k+n+4:]
}

// isHost tells whether w may be the name of a host: letters, digits, dots and hyphens, and no
// level.
func isHost(w string) bool { return isName(w) && !isLevel(w) && !isNumber(w) }

// isName tells whether w is one word without any sign but those of identifiers.
func isName(w string) bool {
	for i := range len(w) {
		if c := w[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !isDigit(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return w != "" && w[0] != '-'
}

func isHex(w string) bool {
	for i := range len(w) {
		if c := w[i]; !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return w != ""
}

// isThread tells whether what stands in parentheses is the name of a thread.
func isThread(s string) bool {
	return s == "main" || strings.Contains(s, "hread") || strings.IndexAny(s, "0123456789") > 0
}
