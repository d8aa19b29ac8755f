package logline

import "strings"

// level takes a level word in capitals, or in brackets in any case, off; with anyCase one in
// small letters too. "NOTICE[123]" keeps its bracket, "debug2" of Slurm and PostgreSQL is debug.
func level(s string, anyCase bool) (lv, rest string) {
	i, j := 0, 0
	bracket := len(s) > 0 && s[0] == '['
	if bracket {
		i = len(s) - len(strings.TrimLeft(s[1:], " ")) // padded: [ WARN]
	}
	for j = i; j < len(s) && j < i+12 && (s[j] >= 'A' && s[j] <= 'Z' || (bracket || anyCase) && s[j] >= 'a' && s[j] <= 'z'); j++ {
	}
	if j == len(s) || !isLevel(s[i:j]) && (!bracket || !isNote(s[i:j])) {
		return "", s
	}
	end := j
	if isDigit(s[end]) && j-i == 5 && end+1 < len(s) { // debug2
		end++
	}
	if bracket {
		for end < len(s) && s[end] == ' ' { // padded: [WARN ]
			end++
		}
		if end == len(s) || s[end] != ']' {
			return "", s
		}
		end++
	} else if strings.IndexByte(" :\t|", s[end]) < 0 && (s[end] != '[' || s[j-1] > 'Z') {
		return "", s
	}
	return s[i:j], strings.TrimLeft(s[end:], " :\t")
}

// isLevel tells whether w is the name of a level in any case.
func isLevel(w string) bool {
	if len(w) < 3 || len(w) > 11 {
		return false
	}
	var b [11]byte
	for i := range len(w) {
		if b[i] = w[i]; b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	switch string(b[:len(w)]) {
	case "EMERG", "EMERGENCY", "PANIC", "ALERT", "FATAL", "FTL", "CRIT", "CRITICAL", "SEVERE", "ERR", "ERROR", "WARN", "WARNING", "WRN", "NOTICE",
		"INFO", "INFORMATION", "INF", "DEBUG", "DBG", "TRACE", "TRC", "VERBOSE", "VRB":
		return true
	}
	return false
}

// isNote tells whether w is a level where it stands in brackets only: MySQL's.
func isNote(w string) bool { return w == "Note" || w == "System" }

// levelFirst tells whether s starts with a level.
func levelFirst(s string) bool {
	lv, _ := level(s, true)
	return lv != ""
}

// php returns the level of what PHP calls its errors.
func php(w string) string {
	switch w {
	case "Warning", "Notice":
		return w
	case "Deprecated":
		return "notice"
	case "Fatal error", "Parse error", "Recoverable fatal error":
		return "error"
	}
	return ""
}

// letterLevel takes a level of one letter in brackets off: "[E] text". The letters are those
// of many programs, and N and X of Spectrum Scale.
func letterLevel(s string) (lv, rest string) {
	if len(s) < 5 || s[0] != '[' || s[2] != ']' || s[3] != ' ' && s[3] != ':' && s[3] != '[' || strings.IndexByte("EWIDFNVTCX", s[1]) < 0 {
		return "", s
	}
	return s[1:2], strings.TrimLeft(s[3:], " :")
}

// plainLevel spells out levels that are shorter or other than what most programs call them.
func plainLevel(w string) string {
	switch w {
	case "FTL":
		return "fatal"
	case "WRN":
		return "warning"
	case "INF", "System":
		return "info"
	case "DBG":
		return "debug"
	case "TRC", "VRB", "T":
		return "trace"
	case "N", "Note":
		return "notice"
	case "C", "X":
		return "critical"
	}
	return w
}

// headerLevel finds a level among the first words of s when all words before it look like
// parts of a header: they hold digits, are in capitals, or are a hyphen. A word of capitals
// right before the level is the component, when there is more before it.
func (l *Line) headerLevel(s string) (lv, rest string) {
	if strings.HasPrefix(s, "[") && bracket(s) > 0 {
		return "", s // groups are read one by one
	}
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
