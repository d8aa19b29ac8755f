package logline

import "strings"

// containerLine reads what Kubernetes' container runtimes write: time, stream, whether the
// line is full or partial, and the program's line.
func containerLine(s string) (Line, bool) {
	at, rest, ok := strings.Cut(s, " ")
	if !ok || len(at) < 20 || len(at) > 35 || at[10] != 'T' {
		return Line{}, false
	}
	stream, rest, ok := strings.Cut(rest, " ")
	if !ok || stream != "stdout" && stream != "stderr" || len(rest) < 2 || rest[0] != 'F' && rest[0] != 'P' || rest[1] != ' ' && rest[1] != ':' {
		return Line{}, false
	}
	_, message, _ := strings.Cut(rest, " ")
	return Line{Time: at, Message: message}, message != ""
}

// klog reads "I1121 10:22:01.123456    1 file.go:12] text", as Kubernetes and other programs
// with Google's logger write it.
func klog(s string) (Line, bool) {
	if len(s) < 30 || strings.IndexByte("IWEFD", s[0]) < 0 || !isDigit(s[1]) || !isDigit(s[4]) {
		return Line{}, false
	}
	day := 5
	if isDigit(s[5]) && isYear(s[1:5]) { // glog since 0.6: I20261121
		day = 9
	}
	if s[day] != ' ' || s[day+3] != ':' || s[day+6] != ':' {
		return Line{}, false
	}
	end := strings.Index(s, "] ")
	if end < 0 || end > 200 {
		return Line{}, false
	}
	head := strings.Fields(s[:end])
	if len(head) != 4 {
		return Line{}, false
	}
	level := map[byte]string{'I': "info", 'W': "warning", 'E': "error", 'F': "fatal", 'D': "debug"}[s[0]]
	return Line{Time: s[1:day] + " " + head[1], PID: head[2], Service: head[3], Level: level, Message: s[end+2:]}, s[end+2:] != ""
}

// logfmt reads key=value pairs that hold a message: time=... level=warn msg="..." err="...".
func logfmt(s string) (Line, bool) {
	eq := strings.IndexByte(s, '=')
	if eq < 1 || eq > 30 || !isKey(s[:eq]) || !strings.Contains(s, "msg=") && !strings.Contains(s, "message=") {
		return Line{}, false
	}
	var l Line
	why := ""
	for rest := s; rest != ""; {
		key, value, more, ok := pair(rest)
		if !ok {
			return Line{}, false
		}
		rest = more
		switch key {
		case "msg", "message":
			l.Message = value
		case "level", "lvl", "severity":
			l.Level = levelName(value)
		case "ts", "time", "t", "timestamp":
			l.Time = value
		case "component", "logger", "service", "app":
			l.Service = value
		case "host", "hostname":
			l.Host = value
		case "pid":
			l.PID = value
		case "err", "error", "reason":
			why = value
		}
	}
	if l.Level == "" && l.Time == "" && !strings.Contains(l.Message, " ") {
		return Line{}, false // as in type=... msg=audit(...): the rest is the message
	}
	if l.Message != "" && why != "" && !strings.Contains(l.Message, why) {
		l.Message += ": " + why
	}
	return l, l.Message != ""
}

// pair takes one key=value off s.
func pair(s string) (key, value, rest string, ok bool) {
	key, s, ok = strings.Cut(s, "=")
	if !ok || !isKey(key) {
		return "", "", "", false
	}
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, " ")
		return key, value, strings.TrimLeft(rest, " "), true
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return key, strings.ReplaceAll(s[1:i], `\"`, `"`), strings.TrimLeft(s[i+1:], " "), true
		}
	}
	return "", "", "", false
}

func isKey(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !isDigit(c) && strings.IndexByte("_-./@", c) < 0 {
			return false
		}
	}
	return s != ""
}
