package logline

import "strings"

// bsdTime reads "Nov 21 10:22:01 " and "Nov 1 10:22:01 ".
func bsdTime(s string) (at, rest string) {
	if len(s) < 15 || s[3] != ' ' || !isMonth(s[:3]) {
		return "", s
	}
	i := 4
	for i < 6 && s[i] == ' ' {
		i++
	}
	for i < 6 && isDigit(s[i]) {
		i++
	}
	if !isDigit(s[i-1]) || len(s) < i+10 || s[i] != ' ' || s[i+3] != ':' || s[i+6] != ':' {
		return "", s
	}
	if i += 9; s[i] == '.' { // relays that are told to write fractions
		i += 1 + digits(s[i+1:])
	}
	if i >= len(s) || s[i] != ' ' {
		return "", s
	}
	return s[:i], s[i+1:]
}

func isMonth(m string) bool {
	switch m {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}

// isoTime reads a date and a time of day at the start, joined by T or a blank:
// 2026-11-21T10:22:01.123Z, 2026/11/21 10:22:01,123, 2026-11-21 10:22:01+00:00.
func isoTime(s string) (at, rest string) {
	if len(s) < 19 || !isDigit(s[0]) || !isDigit(s[3]) || s[4] != '-' && s[4] != '/' || s[7] != s[4] || s[13] != ':' || s[16] != ':' {
		return "", s
	}
	if s[10] != 'T' && s[10] != ' ' {
		return "", s
	}
	i, zone := 19, s[10] == 'T'
	for i < len(s) && (isDigit(s[i]) || s[i] == '.' || s[i] == ',' || s[i] == 'Z' || s[i] == '+' || (s[i] == '-' || s[i] == ':') && zone) {
		zone = zone || s[i] == '+'
		i++
	}
	if i < len(s) && s[i] != ' ' && s[i] != '\t' {
		return "", s
	}
	return strings.TrimSuffix(s[:i], ":"), strings.TrimLeft(s[i:], " \t")
}

// bracketTime reads "[Sun Dec 04 04:47:44 2005] " and the like.
func bracketTime(s string) (at, rest string) {
	k := bracket(s)
	if k == 12 && isNumber(s[1:11]) && s[1] == '1' && strings.HasPrefix(s[k:], " ") { // [1795278760] text
		return s[1:11], s[k+1:]
	}
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

func isZone(w string) bool {
	switch w {
	case "UTC", "GMT", "CET", "CEST", "EET", "EEST", "MSK", "BST", "IST", "JST", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT":
		return true
	}
	return false
}

// clock reads a time of day at the start of a line when a level or a thread follows, as
// logback writes it: "10:22:01.123 [main] ERROR ...".
func clock(s string) (at, rest string) {
	if len(s) < 12 || !isDigit(s[0]) || s[2] != ':' || s[5] != ':' || !isDigit(s[7]) {
		return "", s
	}
	at, rest, ok := strings.Cut(s, " ")
	if !ok || len(at) > 18 || strings.Trim(at, "0123456789:.,") != "" {
		return "", s
	}
	rest = strings.TrimLeft(rest, " ")
	if lv, _ := level(rest, false); lv == "" && bracket(rest) == 0 {
		return "", s
	}
	return at, rest
}

// epoch reads seconds since 1970 before a level, or in brackets as Nagios writes them.
func epoch(s string) (at, rest string) {
	n := digits(s)
	if n != 10 || s[0] != '1' || n == len(s) {
		return "", s
	}
	if s[n] == '.' {
		n += 1 + digits(s[n+1:])
	}
	if n >= len(s) || s[n] != ' ' || !levelFirst(s[n+1:]) {
		return "", s
	}
	return s[:n], s[n+1:]
}

// anyTime reads a date with its year and a time of day in the orders that isoTime does not
// know: 2026-11-03_04:17:07.559+0100:, 2026.11.03 04:17:07, 20261103-04:17:07:559,
// 261103-04:17:07.559, 03.11.2026 04:17, 03-Nov-2026 04:17:07, "Tue Nov  3 04:17:07 2026",
// "Nov 03 04:17:07 2026" and with microseconds in place of the year.
func anyTime(s string) (at, rest string) {
	if len(s) < 17 {
		return "", s
	}
	i := 0
	if isDigit(s[0]) {
		if i = date(s); i == 0 {
			return "", s
		}
		i += joint(s[i:])
		n := daytime(s[i:])
		if n == 0 {
			return "", s
		}
		i += n
	} else if i = nameTime(s); i == 0 {
		return "", s
	}
	return endTime(s, i)
}

// endTime ends a time of i bytes: the zone belongs to it, a colon or a comma behind it does
// not, and a bracket or a bar may follow without a blank.
func endTime(s string, i int) (at, rest string) {
	i += zone(s[i:])
	at, rest = s[:i], s[i:]
	if rest != "" && strings.IndexByte(":,;", rest[0]) >= 0 {
		rest = rest[1:]
	}
	if rest == "" || strings.IndexByte(" \t[|", rest[0]) < 0 {
		return "", s
	}
	return at, strings.TrimLeft(rest, " ")
}

// digits counts the digits at the start of s.
func digits(s string) int {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

func isYear(s string) bool {
	return len(s) == 4 && (s[0] == '2' && s[1] == '0' || s[0] == '1' && s[1] == '9') && isDigit(s[2]) && isDigit(s[3])
}

// date returns the length of the date that s starts with, 0 if there is none. It takes what
// has a year, so that 1.2.3 or 11-12 stay what they are.
func date(s string) int {
	n := digits(s)
	switch {
	case n == 8 && isYear(s[:4]) && two(s[4:]) <= 12 && two(s[6:]) <= 31:
		return n
	case n == 6 && len(s) > 6 && s[6] == '-' && two(s[2:]) <= 12 && two(s[4:]) <= 31:
		return n
	case n == 0 || n == 3 || n > 4 || n >= len(s) || strings.IndexByte("-/. ", s[n]) < 0 || n == 4 && !isYear(s[:4]):
		return 0
	}
	sep, i := s[n], n+1
	if i+3 < len(s) && isMonth(s[i:i+3]) && s[i+3] == sep { // 03-Nov-2026
		i += 4
		if k := digits(s[i:]); k == 4 && n <= 2 {
			return i + 4
		}
		return 0
	}
	month := digits(s[i:])
	if sep == ' ' || month < 1 || month > 2 || i+month >= len(s) || s[i+month] != sep {
		return 0
	}
	i += month + 1
	last := digits(s[i:])
	if n == 4 && last >= 1 && last <= 2 || n <= 2 && last == 4 && isYear(s[i:i+4]) {
		return i + last
	}
	return 0
}

// joint is what stands between a date and a time of day.
func joint(s string) int {
	switch {
	case len(s) > 1 && (s[0] == ',' || s[0] == ' ') && s[1] == ' ':
		return 2
	case s != "" && strings.IndexByte(" T_-:", s[0]) >= 0:
		return 1
	}
	return 0
}

// daytime returns the length of hh:mm, hh:mm:ss or hh:mm:ss.mmm, with any of . , : before the
// fraction, and AM or PM behind it.
func daytime(s string) int {
	i := digits(s)
	if i < 1 || i > 2 || len(s) < i+3 || s[i] != ':' || digits(s[i+1:]) != 2 {
		return 0
	}
	i += 3
	if i < len(s) && s[i] == ':' && digits(s[i+1:]) == 2 {
		i += 3
		if i < len(s) && strings.IndexByte(".,:", s[i]) >= 0 {
			if n := digits(s[i+1:]); n > 0 {
				i += 1 + n
			}
		}
	}
	if t := s[i:]; len(t) > 3 && (t[1] == 'A' || t[1] == 'P') && t[0] == ' ' && t[2] == 'M' {
		i += 3
	}
	return i
}

// zone returns the length of a time zone: Z, +0100, +01:00, +02, and with a blank before it.
// Names of zones stay, as they may be a word.
func zone(s string) int {
	i := 0
	if len(s) > 5 && s[0] == ' ' {
		i = 1
	} else if strings.HasPrefix(s, "Z") {
		return 1
	}
	if len(s) < i+3 || s[i] != '+' && s[i] != '-' {
		return 0
	}
	i++
	n := digits(s[i:])
	switch {
	case n == 2 && len(s) > i+4 && s[i+2] == ':' && digits(s[i+3:]) == 2:
		return i + 5
	case n == 4, n == 2 && i == 1:
		return i + n
	}
	return 0
}

// nameTime returns the length of a time that starts with the name of the day or the month.
func nameTime(s string) int {
	i := 0
	switch s[:3] {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		for i = 3; i < 6 && (s[i] == ' ' || s[i] == ','); i++ {
		}
	}
	t := s[i:]
	if i > 0 && isDigit(t[0]) { // Tue, 03 Nov 2026 04:17:07
		n := date(t)
		if n == 0 || n >= len(t) || t[n] != ' ' || daytime(t[n+1:]) < 8 {
			return 0
		}
		return i + n + 1 + daytime(t[n+1:])
	}
	if len(t) < 12 || t[3] != ' ' || !isMonth(t[:3]) {
		return 0
	}
	k := 4
	for k < 6 && t[k] == ' ' {
		k++
	}
	if n := digits(t[k:]); n < 1 || n > 2 {
		return 0
	} else if k += n; strings.HasPrefix(t[k:], ", ") && len(t) > k+7 && isYear(t[k+2:k+6]) { // Nov 3, 2026 4:17:07 AM
		k += 6
	}
	n := daytime(t[min(k+1, len(t)):])
	if n < 7 || t[k] != ' ' {
		return 0
	}
	k += 1 + n
	return i + k + afterNames(t[k:], i > 0)
}

// afterNames returns the length of what may follow "Nov 03 04:17:07": a zone and the year, or
// microseconds as OpenSM writes them. A host or a message stays.
func afterNames(s string, day bool) int {
	i := 0
	if day && len(s) > 5 && s[0] == ' ' && (isZone(s[1:4]) && s[4] == ' ' || len(s) > 6 && s[5] == ' ' && isZone(s[1:5])) {
		i = 1 + strings.IndexByte(s[1:], ' ')
	}
	if i < len(s) && s[i] == ' ' {
		switch n := digits(s[i+1:]); {
		case n == 4 && isYear(s[i+1:i+5]), n == 6 && strings.HasPrefix(s[i+7:], " ["):
			return i + 1 + n
		}
	}
	return 0
}

// hasYear tells whether "Nov 03 04:17:07 " is followed by a year or by microseconds, so that
// it is no syslog header.
func hasYear(rest string) bool {
	n := digits(rest)
	return n == 4 && isYear(rest[:4]) && len(rest) > 4 && rest[4] == ' ' || n == 6 && strings.HasPrefix(rest[6:], " [")
}
