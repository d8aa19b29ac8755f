package token

import "strings"

// number tells whether t is a number with an optional sign, decimals, exponent, grouping
// commas and a unit of at most four letters or a percent sign.
func (m *Masker) number(t string) bool {
	i := 0
	if t[0] == '#' {
		i++
	}
	for i < len(t) && (t[i] == '-' || t[i] == '+') && i < 2 {
		i++
	}
	if i < len(t) && t[i] == '.' {
		i++
	}
	start := i
	for dots := 0; i < len(t) && (m.class[t[i]]&cDigit != 0 || (t[i] == '.' || t[i] == ',') && i > start); i++ {
		if t[i] == '.' {
			if dots++; dots > 1 {
				return false
			}
		}
	}
	if i == start {
		return false
	}
	unit := t[i:]
	switch {
	case unit == "" || unit == "%":
		return true
	case (unit[0] == 'e' || unit[0] == 'E') && len(unit) > 1 && (unit[1] == '-' || unit[1] == '+' || m.class[unit[1]]&cDigit != 0):
		for k := 2; k < len(unit); k++ {
			if m.class[unit[k]]&cDigit == 0 {
				return false
			}
		}
		return true
	case unit == "/sec" || unit == "/s":
		return true
	}
	return isUnit(unit)
}

// isUnit knows the units that follow a number without a blank, ordinals and "x" included.
func isUnit(u string) bool {
	if strings.HasSuffix(u, "/s") || strings.HasSuffix(u, "ps") {
		u = strings.TrimSuffix(strings.TrimSuffix(u, "/s"), "ps")
	}
	switch u {
	case "s", "ms", "us", "ns", "m", "h", "d", "w", "min", "sec", "secs", "mins", "hrs", "days",
		"B", "b", "K", "M", "G", "T", "P", "k", "g", "t", "kB", "KB", "MB", "GB", "TB", "PB", "kb", "mb", "gb",
		"KiB", "MiB", "GiB", "TiB", "Ki", "Mi", "Gi", "Ti", "bytes", "pages", "blocks", "bit", "bits", "Mb", "Gb", "Kb",
		"Hz", "kHz", "KHz", "MHz", "GHz", "V", "mV", "A", "mA", "W", "kW", "C", "F", "x", "X", "px", "st", "nd", "rd", "th",
		"rpm", "RPM", "pct", "L", "f", "lr", "U":
		return true
	}
	return false
}

// isZero tells whether every digit of a number is 0.
func isZero(t string) bool {
	for i := 0; i < len(t); i++ {
		if t[i] >= '1' && t[i] <= '9' {
			return false
		}
	}
	return true
}

// ipv4 tells whether t is an IPv4 address, with an optional port or prefix length.
func (m *Masker) ipv4(t string) bool {
	i, octets := 0, 0
	for octets < 4 {
		n, v := 0, 0
		for i < len(t) && m.class[t[i]]&cDigit != 0 && n < 4 {
			v = v*10 + int(t[i]-'0')
			i++
			n++
		}
		if n == 0 || v > 255 {
			return false
		}
		octets++
		if octets < 4 {
			if i >= len(t) || t[i] != '.' {
				return false
			}
			i++
		}
	}
	for i < len(t) {
		if c := t[i]; c != ':' && c != '/' && c != '.' && c != '#' && m.class[c]&cDigit == 0 {
			return false
		}
		i++
	}
	return true
}

// clock tells whether t is a date, a time of day, or both joined: digits in groups joined
// by - / . : T and an optional zone.
func (m *Masker) clock(t string) bool {
	if m.class[t[0]]&cDigit == 0 {
		return false
	}
	var groups, seps int
	var colon, dash bool
	for i := 0; i < len(t); {
		n := i
		for n < len(t) && m.class[t[n]]&cDigit != 0 {
			n++
		}
		if n == i {
			return false
		}
		groups++
		i = n
		if i == len(t) {
			break
		}
		switch c := t[i]; c {
		case ':':
			colon = true
		case '-', '/':
			dash = true
		case '.', ',', '+', 'T', '_':
		case 'Z':
			return i+1 == len(t) && groups >= 5
		default:
			return false
		}
		seps++
		i++
		if i == len(t) {
			return false
		}
	}
	switch {
	case colon && !dash:
		return groups >= 2 && groups <= 4 && timeOfDay(t)
	case dash && groups >= 3:
		return datelike(t)
	}
	return false
}

// monthDate tells whether t is a date with the month's name, and what follows it in access
// logs: 21/Nov/2026:10:22:01, 21-Nov-2026, Nov-21-26.
func (m *Masker) monthDate(t string) bool {
	if len(t) < 8 || m.class[t[len(t)-1]]&cDigit == 0 {
		return false
	}
	letters, first := 0, -1
	for i := 0; i < len(t); i++ {
		switch f := m.class[t[i]]; {
		case f&cLetter != 0:
			if first < 0 {
				first = i
			}
			letters++
		case f&cDigit == 0 && t[i] != '-' && t[i] != '/' && t[i] != ':' && t[i] != '.':
			return false
		}
	}
	return letters == 3 && first <= 3 && strings.Contains(" Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ", " "+t[first:first+3]+" ")
}

// timeOfDay wants two digits after the first colon: 12:30, 9:05:11.123.
func timeOfDay(t string) bool {
	i := strings.IndexByte(t, ':')
	if i < 1 || i > 3 || len(t) < i+3 {
		return false
	}
	return t[i+1] <= '5' && t[i+2] >= '0' && t[i+2] <= '9' && (len(t) == i+3 || t[i+3] < '0' || t[i+3] > '9')
}

// datelike wants a year of four digits at either end of the date, or groups of two digits.
func datelike(t string) bool {
	i := strings.IndexAny(t, "-/")
	if i < 1 || i > 4 {
		return false
	}
	rest := t[i+1:]
	k := strings.IndexAny(rest, "-/")
	return k >= 1 && k <= 2
}

// hex tells whether t is a hexadecimal number: after 0x, or six digits and letters or more
// of which at least one is a digit.
func (m *Masker) hex(t string) bool {
	if len(t) > 2 && t[0] == '0' && (t[1] == 'x' || t[1] == 'X') {
		return m.hexRun(t[2:]) >= len(t)-2
	}
	return len(t) >= 6 && m.allHex(t)
}

func (m *Masker) hexRun(t string) int {
	i := 0
	for i < len(t) && m.class[t[i]]&cHex != 0 {
		i++
	}
	return i
}

// allHex tells whether p is made of hex digits with at least one decimal digit among them.
func (m *Masker) allHex(p string) bool {
	digit := false
	for i := 0; i < len(p); i++ {
		f := m.class[p[i]]
		if f&cHex == 0 {
			return false
		}
		digit = digit || f&cDigit != 0
	}
	return digit
}

func (m *Masker) uuid(t string) bool {
	if len(t) != 36 {
		return false
	}
	for i := range 36 {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if t[i] != '-' {
				return false
			}
		} else if m.class[t[i]]&cHex == 0 {
			return false
		}
	}
	return true
}

// mac tells whether t is hex pairs joined by : or -, six of them or, as for WWNs, more.
func (m *Masker) mac(t string) bool {
	if len(t) < 17 || (len(t)+1)%3 != 0 {
		return false
	}
	for i := 0; i < len(t); i++ {
		if i%3 == 2 {
			if t[i] != ':' && t[i] != '-' {
				return false
			}
		} else if m.class[t[i]]&cHex == 0 {
			return false
		}
	}
	return true
}

func (m *Masker) ipv6(t string) bool {
	colons, run := 0, 0
	for i := 0; i < len(t); i++ {
		switch {
		case t[i] == ':':
			colons++
			run = 0
		case m.class[t[i]]&cHex != 0:
			if run++; run > 4 {
				return false
			}
		case t[i] == '%' || t[i] == '/':
			return colons >= 2
		default:
			return false
		}
	}
	return colons >= 2 && (strings.Contains(t, "::") || colons >= 5)
}

// isURL tells whether t starts with a scheme of at most eleven letters.
func isURL(t string) bool {
	return strings.Index(t[:min(len(t), 14)], "://") > 0
}

// isPath tells whether t is an absolute path, a path from here or home, a Windows path, or a
// relative path of three parts or more.
func (m *Masker) isPath(t string) bool {
	switch {
	case len(t) < 2:
		return false
	case t[0] == '/':
		return m.class[t[1]]&(cLetter|cDigit) != 0 || t[1] == '.' || t[1] == '_' || t[1] == '/' || t[1] == '-'
	case t[0] == '\\':
		return len(t) > 3
	case t[0] == '.' || t[0] == '~':
		return t[1] == '/' || len(t) > 2 && t[1] == '.' && t[2] == '/'
	case t[1] == ':' && len(t) > 2:
		return t[2] == '\\' || t[2] == '/' && m.class[t[0]]&cLetter != 0
	}
	first := strings.IndexByte(t, '/')
	if first < 1 {
		return false
	}
	return m.class[t[0]]&cLetter != 0 && strings.Count(t[first+1:], "/") >= 1 && strings.IndexByte(t, '.') > 0
}

func isMail(t string) bool {
	at := strings.IndexByte(t, '@')
	return at > 0 && strings.IndexByte(t[at:], '.') > 1
}

// isHost tells whether t is a domain name, with an optional port. It ends in a top-level
// domain people use, or looks like a machine's name (digits or hyphens among its labels, or a
// port); org.apache.Foo and com.example.service, which start with a domain, are none.
func isHost(t string) bool {
	port := false
	if i := strings.LastIndexByte(t, ':'); i > 0 {
		for _, c := range t[i+1:] {
			if c < '0' || c > '9' {
				return false
			}
		}
		t, port = t[:i], i+1 < len(t)
	}
	dot := strings.LastIndexByte(t, '.')
	if dot < 1 || dot+2 >= len(t) {
		return false
	}
	machine := port
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case c >= '0' && c <= '9', c == '-':
			machine = machine || i < dot
		case c >= 'A' && c <= 'Z' && i > dot, c != '.' && c != '_' && (c < 'A' || c > 'Z' && c < 'a' || c > 'z'):
			return false
		}
	}
	switch t[dot+1:] {
	case "com", "net", "org", "edu", "gov", "mil", "io", "local", "internal", "lan", "arpa", "info", "biz",
		"localdomain", "corp", "home", "cluster", "svc", "dev", "cloud", "intra",
		"cn", "de", "uk", "fr", "jp", "ru", "it", "nl", "pl", "br", "in", "kr", "tw", "hk", "au", "ca", "us", "eu", "ch", "at", "se", "cz", "be":
		return true
	}
	switch t[:strings.IndexByte(t, '.')] {
	case "com", "org", "net", "java", "javax", "io", "edu", "sun", "jdk":
		return false
	}
	return machine && (port || strings.Count(t, ".") >= 2) && t == strings.ToLower(t) && (t[dot+1] > '9')
}
