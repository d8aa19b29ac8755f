// Package token turns a log line into typed tokens: what changes from line to line (numbers,
// addresses, times, ids, paths) becomes a placeholder, so that lines of one kind look alike.
// The rules come from what such tokens are, not from any system's logs.
package token

// Placeholders in masked lines. Zero has one of its own, because "0 errors" is good news.
const (
	Num  = "<num>"
	Zero = "<0>"
	Hex  = "<hex>"
	IP   = "<ip>"
	MAC  = "<mac>"
	UUID = "<uuid>"
	Time = "<time>"
	Path = "<path>"
	URL  = "<url>"
	Host = "<host>"
	Mail = "<mail>"
	ID   = "<id>"
)

// MaxLine is how much of a line is looked at; a longer one is cut, in bytes.
const MaxLine = 4096

const (
	cDigit = 1 << iota
	cHex   // a-f, A-F and digits
	cLetter
	cSpace // white space and control bytes, NUL and escape among them
	cSplit // ends a token: = , ; ( ) [ ] { } < > " ' |
	cMark  // may need masking although it is no digit: / \ @ . :
)

// Masker masks lines. It holds scratch space only: make one per goroutine.
type Masker struct {
	class [256]uint8
	buf   []byte
}

// NewMasker returns a masker.
func NewMasker() *Masker {
	m := &Masker{buf: make([]byte, 0, 512)}
	for c := range 256 {
		b := byte(c)
		switch {
		case b >= '0' && b <= '9':
			m.class[c] = cDigit | cHex
		case b >= 'a' && b <= 'f', b >= 'A' && b <= 'F':
			m.class[c] = cLetter | cHex
		case b >= 'g' && b <= 'z', b >= 'G' && b <= 'Z', b >= 0x80:
			m.class[c] = cLetter
		case b <= ' ', b == 0x7f:
			m.class[c] = cSpace
		}
	}
	for _, b := range []byte("=,;()[]{}<>\"'|") {
		m.class[b] = cSplit
	}
	for _, b := range []byte("/\\@.:") {
		m.class[b] = cMark
	}
	return m
}

// Mask returns the masked form of line with runs of white space made one blank. The result
// is valid until the next call.
func (m *Masker) Mask(line string) []byte {
	if len(line) > MaxLine {
		line = line[:MaxLine]
	}
	dst := m.buf[:0]
	for i := 0; i < len(line); {
		c := line[i]
		switch m.class[c] {
		case cSpace:
			if c == 0x1b {
				i = skipEscape(line, i)
				continue
			}
			if n := len(dst); n > 0 && dst[n-1] != ' ' {
				dst = append(dst, ' ')
			}
			i++
		case cSplit:
			if c == '<' {
				if j := placeholder(line, i); j > i {
					dst = append(dst, line[i:j]...)
					i = j
					continue
				}
			}
			dst = append(dst, c)
			i++
		default:
			j, flags := m.scan(line, i)
			if flags&cMark != 0 && j < len(line) && isURL(line[i:j]) {
				j += urlRest(line[j:])
			}
			if line[j-1] == '\\' && j-1 > i && j < len(line) && line[j] == '"' {
				j-- // it escapes the quote
			}
			if flags&(cDigit|cMark) == 0 {
				dst = append(dst, line[i:j]...)
			} else {
				dst = m.token(dst, line[i:j], flags)
			}
			if j < len(line) && line[j] == ' ' { // as most tokens end
				dst = append(dst, ' ')
				j++
			}
			i = j
		}
	}
	if n := len(dst); n > 0 && dst[n-1] == ' ' {
		dst = dst[:n-1]
	}
	m.buf = dst
	return dst
}

// placeholder returns the end of a placeholder that starts at i ("<num>", "<*>"), or i.
// A line that is already masked is left as it is, but "<12.4>" is masked within.
func placeholder(s string, i int) int {
	for j := i + 1; j < len(s) && j < i+8; j++ {
		switch c := s[j]; {
		case c == '>' && j > i+1:
			return j + 1
		case c == '*', c >= 'a' && c <= 'z', c == '0':
		default:
			return i
		}
	}
	return i
}

// skipEscape returns the index after the ANSI escape sequence at i.
func skipEscape(s string, i int) int {
	i++
	if i >= len(s) || s[i] != '[' {
		return i
	}
	for i++; i < len(s); i++ {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			return i + 1
		}
	}
	return i
}

// scan returns the end of the token at i and the classes it contains. A comma between
// digits belongs to the number when three digits follow.
func (m *Masker) scan(s string, i int) (end int, flags uint8) {
	j := i
	for ; j < len(s); j++ {
		f := m.class[s[j]]
		if f == cSpace {
			break
		}
		if f == cSplit {
			if s[j] != ',' || j == i || !m.thousands(s, j) {
				break
			}
			continue
		}
		flags |= f
	}
	return j, flags
}

// urlRest returns how much more of s belongs to a URL that was cut at a splitting character.
func urlRest(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == ')' || c == ']' || c == '}' {
			return i
		}
	}
	return len(s)
}

func (m *Masker) thousands(s string, comma int) bool {
	if m.class[s[comma-1]]&cDigit == 0 || comma+3 >= len(s) {
		return false
	}
	for k := comma + 1; k <= comma+3; k++ {
		if m.class[s[k]]&cDigit == 0 {
			return false
		}
	}
	return comma+4 == len(s) || m.class[s[comma+4]]&cDigit == 0
}

// token appends the masked form of one token that holds a digit or one of / \ @ . :
func (m *Masker) token(dst []byte, t string, flags uint8) []byte {
	core, tail := trimTail(t)
	if core == "" {
		return append(dst, t...)
	}
	if flags&cMark == 0 { // a digit, and nothing that makes a path or a name of the net
		if w := m.whole(core, flags); w != "" {
			return append(append(dst, w...), tail...)
		}
		return append(m.mixed(dst, core), tail...)
	}
	whole := ""
	if flags&cDigit != 0 {
		whole = m.whole(core, flags)
	}
	switch {
	case isURL(core):
		dst = append(dst, URL...)
	case m.isPath(core):
		if core[0] == '/' && m.ipv4(core[1:]) {
			dst = append(dst, '/')
			dst = append(dst, IP...)
			break
		}
		dst = append(dst, Path...)
	case whole != "":
		dst = append(dst, whole...)
	case isMail(core):
		dst = append(dst, Mail...)
	case isHost(core):
		dst = append(dst, Host...)
	case flags&cDigit != 0:
		dst = m.mixed(dst, core)
	default:
		dst = append(dst, core...)
	}
	return append(dst, tail...)
}

// trimTail splits closing punctuation from a token: "5.", "eth0:", "done..."
func trimTail(t string) (core, tail string) {
	n := len(t)
	for n > 0 && (t[n-1] == '.' || t[n-1] == ':' || t[n-1] == '!' || t[n-1] == '?' || t[n-1] == '*') {
		n--
	}
	if n < len(t) && n >= 2 && t[n:] == ":" && t[n-1] == ':' {
		n = len(t) // an IPv6 prefix ends in ::
	}
	return t[:n], t[n:]
}

// whole returns the placeholder of a token that is one typed value, or "". Its characters
// are of the classes in flags.
func (m *Masker) whole(t string, flags uint8) string {
	first := m.class[t[0]]
	if flags&cLetter != 0 && m.monthDate(t) {
		return Time
	}
	if first&cHex == 0 && t[0] != '-' && t[0] != '+' && t[0] != ':' && t[0] != '#' && t[0] != '.' {
		return ""
	}
	switch {
	case m.number(t):
		if isZero(t) {
			return Zero
		}
		return Num
	case m.ipv4(t):
		return IP
	case m.clock(t):
		return Time
	case m.hex(t):
		return Hex
	case m.uuid(t):
		return UUID
	case m.mac(t):
		return MAC
	case m.ipv6(t):
		return IP
	}
	return ""
}

// mixed masks inside a token of letters and digits, part by part.
func (m *Masker) mixed(dst []byte, t string) []byte {
	for i := 0; i < len(t); {
		f := m.class[t[i]]
		if f&(cDigit|cLetter) == 0 {
			dst = append(dst, t[i])
			i++
			continue
		}
		j, digits := i, 0
		for j < len(t) && m.class[t[j]]&(cDigit|cLetter) != 0 {
			if m.class[t[j]]&cDigit != 0 {
				digits++
			}
			j++
		}
		dst = m.part(dst, t[i:j], digits)
		i = j
	}
	return dst
}

func (m *Masker) part(dst []byte, p string, digits int) []byte {
	switch {
	case digits == 0:
		return append(dst, p...)
	case digits == len(p):
		return appendNum(dst)
	case len(p) >= 4 && m.allHex(p) || len(p) > 2 && p[0] == '0' && p[1] == 'x' && m.allHex(p[2:]):
		return append(dst, Hex...)
	case len(p) >= 16 && digits >= 3:
		return append(dst, ID...)
	case digits*2 > len(p) && len(p) >= 8:
		return append(dst, ID...)
	}
	for i := 0; i < len(p); i++ {
		if m.class[p[i]]&cDigit == 0 {
			dst = append(dst, p[i])
		} else if i == 0 || m.class[p[i-1]]&cDigit == 0 {
			dst = append(dst, Num...)
		}
	}
	return dst
}

// appendNum appends <num>, once for a row of numbers joined by one separator each, and
// swallows the sign of a number after a separator ("blk_-16" is blk_<num>).
func appendNum(dst []byte) []byte {
	n := len(dst)
	if n > 1 && dst[n-1] == '-' && (dst[n-2] == '_' || dst[n-2] == ':' || dst[n-2] == '/') {
		n--
	}
	if k := n - 1; k >= len(Num) && dst[k] != '>' && string(dst[k-len(Num):k]) == Num {
		return dst[:k]
	}
	return append(dst[:n], Num...)
}
