package logline

import "strings"

// cmTrace reads the logs of Microsoft's management clients: <![LOG[text]LOG]!><time="..."
// date="..." component="..." context="" type="1" thread="12" file="">.
func (l *Line) cmTrace(s string) bool {
	s, ok := strings.CutPrefix(s, "<![LOG[")
	if !ok {
		return false
	}
	k := strings.LastIndex(s, "]LOG]!><")
	if k < 1 || strings.TrimSpace(s[:k]) == "" {
		return false
	}
	text, tags := s[:k], s[k+8:]
	l.Time = strings.TrimLeft(quoted(tags, "date")+" "+quoted(tags, "time"), " ")
	l.Service, l.PID, l.Message = quoted(tags, "component"), quoted(tags, "thread"), strings.TrimSpace(text)
	l.Level = map[string]string{"0": "debug", "1": "info", "2": "warning", "3": "error"}[quoted(tags, "type")]
	return true
}

// quoted returns the value of name="value" in s.
func quoted(s, name string) string {
	_, s, _ = strings.Cut(s, name+`="`)
	s, _, _ = strings.Cut(s, `"`)
	return s
}

// installer reads Windows Installer's "MSI (s) (A4:7C) [04:17:05:896]: text".
func (l *Line) installer(s string) bool {
	if !strings.HasPrefix(s, "MSI (") || s[6] != ')' {
		return false
	}
	head, text, ok := strings.Cut(s, "]: ")
	k := strings.IndexByte(head, '[')
	if !ok || k < 0 || len(head) > 48 || daytime(head[k+1:]) != len(head)-k-1 || text == "" {
		return false
	}
	l.Time, l.Service, l.Message = head[k+1:], "MSI ("+s[5:6]+")", strings.TrimLeft(text, " ")
	return true
}

// cluster reads the log of Windows failover clusters: process.thread::time LEVEL  [part] text.
func (l *Line) cluster(s string) bool {
	ids, rest, ok := strings.Cut(s[:min(len(s), 24)], "::")
	pid, thread, dot := strings.Cut(ids, ".")
	if !ok || !dot || rest == "" || !isHex(pid) || !isHex(thread) {
		return false
	}
	at, rest := anyTime(s[len(ids)+2:])
	lv, text := level(rest, false)
	if at == "" || lv == "" || text == "" {
		return false
	}
	l.Time, l.PID, l.Level, l.Message = at, pid, plainLevel(lv), text
	if end := bracket(text); end > 2 && end < len(text) {
		l.Service, l.Message = text[1:end-1], strings.TrimLeft(text[end:], " ")
	}
	return true
}

// zabbix reads "1234:20261103:041705.123 text".
func (l *Line) zabbix(s string) bool {
	n := digits(s)
	if len(s) < n+20 || s[n] != ':' || digits(s[n+1:]) != 8 || !isYear(s[n+1:n+5]) || s[n+9] != ':' || digits(s[n+10:]) != 6 || s[n+16] != '.' {
		return false
	}
	at, text, ok := strings.Cut(s[n+1:], " ")
	if !ok || text == "" {
		return false
	}
	l.PID, l.Time, l.Message = s[:n], at, text
	return true
}

// pbs reads the columns of PBS and Torque: "11/03/2026 04:17:05;0002;pbs_mom;Svr;name;text".
func (l *Line) pbs(s string) bool {
	if s[2] != '/' || s[5] != '/' || s[19] != ';' {
		return false
	}
	f := strings.SplitN(s, ";", 6)
	if len(f) != 6 || len(f[1]) != 4 || date(f[0]) != 10 || f[5] == "" {
		return false
	}
	l.Time, l.Service, l.Message = f[0], f[2], f[5]
	return true
}

// logcatBrief reads Android's "W/Tag( 1702): text".
func (l *Line) logcatBrief(s string) bool {
	head, text, ok := strings.Cut(s, "): ")
	tag, pid, paren := strings.Cut(head[2:], "(")
	pid = strings.TrimLeft(pid, " ")
	if !ok || !paren || text == "" || strings.IndexByte("VDIWEF", s[0]) < 0 || len(tag) > 64 || !isNumber(pid) {
		return false
	}
	l.Level, l.Service, l.PID, l.Message = s[:1], strings.TrimSpace(tag), pid, text
	return true
}

// jvm reads "[0.123s][info][gc,heap] text" of Java's unified logging, and "[    12.345] (EE)
// text" of X.Org.
func (l *Line) jvm(s string) bool {
	at, _, ok := strings.Cut(s[1:min(len(s), 24)], "]")
	at = strings.TrimLeft(at, " ")
	number, seconds := strings.CutSuffix(at, "s")
	whole, fraction, dot := strings.Cut(number, ".")
	if !ok || !dot || !isNumber(whole) || len(fraction) != 3 || !isNumber(fraction) {
		return false
	}
	rest := strings.TrimLeft(s[strings.IndexByte(s, ']')+1:], " ")
	switch {
	case seconds && strings.HasPrefix(rest, "["):
		lv, text := level(rest, true)
		end := bracket(text)
		if lv == "" || end < 3 || strings.TrimLeft(text[end:], " ") == "" {
			return false
		}
		l.Time, l.Level, l.Service, l.Message = at, lv, strings.TrimSpace(text[1:end-1]), strings.TrimLeft(text[end:], " ")
	case !seconds && len(rest) > 5 && rest[0] == '(' && rest[3] == ')' && rest[4] == ' ':
		level, ok := map[string]string{"EE": "error", "WW": "warning", "II": "info", "NI": "info", "--": "info", "**": "info", "==": "info", "!!": "notice", "++": "info"}[rest[1:3]]
		if !ok {
			return false
		}
		l.Time, l.Service, l.Level, l.Message = at, "Xorg", level, rest[5:]
	default:
		return false
	}
	return true
}

// tornado reads "[E 2026-11-21 10:22:01.123 App] text" and "[I 261121 10:22:01 web:12] text".
func (l *Line) tornado(s string) bool {
	if strings.IndexByte("EWIDC", s[1]) < 0 || s[2] != ' ' || !isDigit(s[3]) {
		return false
	}
	in, text, ok := strings.Cut(s[3:min(len(s), 100)], "] ")
	k := strings.LastIndexByte(in, ' ')
	if !ok || text == "" || k < 8 || strings.Trim(in[:k], "0123456789:.,- ") != "" || strings.Count(in[:k], ":") != 2 {
		return false
	}
	l.Level, l.Time, l.Service, l.Message = plainLevel(s[1:2]), in[:k], in[k+1:], s[3+len(in)+2:]
	return true
}

// webLogic reads "<Nov 3, 2026 4:17:05 AM CET> <Warning> <part> ... <BEA-000377> <text>".
func (l *Line) webLogic(s string) bool {
	at, rest, ok := strings.Cut(s[1:], "> <")
	if _, zone := anyTime(at + " "); !ok || zone == at+" " {
		return false
	}
	level, rest, ok := strings.Cut(rest, "> <")
	name, _, more := strings.Cut(rest, "> <")
	k := strings.LastIndex(rest, "> <")
	if !ok || !more || !isLevel(level) || !strings.HasSuffix(rest, ">") || k+3 >= len(rest)-1 {
		return false
	}
	l.Time, l.Level, l.Service, l.Message = at, level, name, strings.TrimSpace(rest[k+3:len(rest)-1])
	return l.Message != ""
}

// cef reads what follows CEF: - version|vendor|product|version|id|name|severity|pairs. The
// message starts at the name.
func (l *Line) cef(s string) bool {
	f := strings.SplitN(strings.TrimLeft(s, " "), "|", 6)
	if len(f) != 6 || !isNumber(f[0]) || f[2] == "" || f[5] == "" {
		return false
	}
	l.Service, l.Message = f[2], f[5]
	return true
}
