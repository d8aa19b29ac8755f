package logline

import (
	"cmp"
	"strings"
)

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

// group reads what a bracket in a header holds: an id, a level, a name.
func (l *Line) group(in string) {
	colon := strings.LastIndexByte(in, ':')
	if k := strings.IndexByte(in, ' '); k > 0 && strings.TrimLeft(in[k:], " ") == in[max(colon, 0):] && isNumber(in[colon+1:]) { // padded: [salt.minion      :12]
		in, colon = in[:k]+in[colon:], k
	}
	slash := strings.LastIndexByte(in, '/')
	switch {
	case isNumber(in):
		l.PID = cmp.Or(l.PID, in)
		return
	case strings.IndexByte(in, '=') > 0, strings.HasPrefix(in, "pid "):
		l.tags(in)
	case colon > 0 && l.Level == "" && isLevel(in[colon+1:]) && isLower(in[:colon]): // Apache: core:error
		l.Level, l.Service = in[colon+1:], cmp.Or(l.Service, in[:colon])
	case slash > 0 && l.Level == "" && isLevel(in[slash+1:]): // Minecraft: Server thread/INFO
		l.Level = in[slash+1:]
	case slash > 0 && l.Level == "" && isLevel(in[:slash]): // multiprocessing: INFO/MainProcess
		l.Level, l.Service = in[:slash], cmp.Or(l.Service, in[slash+1:])
	case colon > 0 && l.Service == "" && isNumber(in[colon+1:]) && isSource(in): // Envoy: source/server.cc:123
		l.Service = in
	case colon > 0 && l.Service == "" && isNumber(in[colon+1:]) && (isLower(in[:colon]) || isDotted(in[:colon])): // logger:pid
		l.Service, l.PID = in[:colon], cmp.Or(l.PID, in[colon+1:])
	case l.Service == "" && l.Level != "" && len(in) > 1 && len(in) < 17 && strings.Trim(in, capitals) == "": // Windows clusters: RCM
		l.Service = in
	}
	if l.Service == "" {
		l.Service = cmp.Or(threadClass(in), className(in))
	}
}

const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// tags reads "mod=X, lvl=INFO", "tid=12", and Apache's "pid 12:tid 13".
func (l *Line) tags(in string) {
	for tag := range strings.FieldsFuncSeq(in, func(r rune) bool { return r == ',' || r == ';' || r == ':' }) {
		tag = strings.TrimLeft(tag, " ")
		k := strings.IndexAny(tag, "= ")
		if k < 0 {
			continue
		}
		value := tag[k+1:]
		switch tag[:k] {
		case "pid":
			if isNumber(value) {
				l.PID = value
			}
		case "tid", "id":
			if isNumber(value) {
				l.PID = cmp.Or(l.PID, value)
			}
		case "lvl", "level", "severity":
			if isLevel(value) {
				l.Level = cmp.Or(l.Level, plainLevel(value))
			}
		case "mod", "module", "logger", "component", "service":
			l.Service = cmp.Or(l.Service, value)
		}
	}
}

// isLower tells whether s is the name of a module or a logger, in small letters: celery.beat.
func isLower(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && c != '.' && c != '_' && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return s != ""
}

// isDotted tells whether s is a name with a dot inside.
func isDotted(s string) bool {
	return strings.IndexByte(s, '.') > 0 && !strings.ContainsAny(s, " ()[]/=:@,") && !isDigit(s[0])
}

// isSource tells whether s is a source file, with or without a line: pkg/file.go:12.
func isSource(s string) bool {
	if k := strings.LastIndexByte(s, ':'); k > 0 && isNumber(s[k+1:]) {
		s = s[:k]
	}
	switch s[strings.LastIndexByte(s, '.')+1:] {
	case "go", "c", "cc", "cpp", "h", "hpp", "py", "rs", "java", "scala", "kt", "cs", "js", "ts", "rb", "php", "lua", "erl", "pl":
		return len(s) > 3 && !strings.ContainsAny(s, " \t=()[]{}\"',;")
	}
	return false
}

// tabbed takes a field that ends with a tab off, when a tab is before it too: threads and
// loggers. The message of zap ends with a tab where its object follows.
func (l *Line) tabbed(t string) (rest string, ok bool) {
	k := len(l.Message) - len(t)
	if k < 1 || k > len(l.Message) || l.Message[k-1] != '\t' {
		return t, false
	}
	name, rest, ok := strings.Cut(t, "\t")
	if name = strings.TrimRight(name, " "); !ok || name == "" || len(name) > 160 || rest == "" || rest[0] == '{' {
		return t, false
	}
	switch {
	case l.Level == "": // an id before the level
		next, _, _ := strings.Cut(rest, "\t")
		return rest, headerWord(name) && isLevel(next)
	case isSource(name):
		l.Service = cmp.Or(l.Service, name)
		return rest, true
	case l.Service == "" && !strings.Contains(name, " "):
		l.Service = name
		return rest, true
	case l.Service == "" && isLower(strings.Replace(name, " ", "_", 1)): // Envoy: two words
		l.Service = name
		return rest, true
	case className(name) != "" && className(l.Service) == "", // the class after the thread
		isName(name) && className(l.Service) == "" && strings.ContainsAny(l.Service, "0123456789"):
		l.Service = name
		return rest, true
	}
	return t, false
}
