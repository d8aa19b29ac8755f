package mine

import (
	"strings"

	"github.com/inframind/inframind/log-classifier/token"
)

// keyer turns a masked line into the tokens that tell templates apart. A piece of a token
// that holds a placeholder is a value as a whole (blk_<num>, eth<num>), and so are dates in
// words, numbers with their units, and names after "user". Values in a row count as one.
type keyer struct {
	key, shown []string
}

const splitters = "=,;()[]{}\"'|:"

// tokens returns the key, and the same tokens with typed placeholders for people. Both are
// valid until the next call.
func (k *keyer) tokens(masked []byte) (key, shown []string) {
	k.key, k.shown = k.key[:0], k.shown[:0]
	words := strings.Fields(string(masked))
	for i := 0; i < len(words); i++ {
		w := words[i]
		if len(k.key) >= maxTokens {
			k.push(Wild, Wild)
			break
		}
		if n := dateWords(words[i:]); n > 0 {
			k.push(Wild, token.Time)
			i += n - 1
			continue
		}
		v := value(w)
		if bare(v) == Wild && i+1 < len(words) && isUnit(words[i+1]) {
			tail := words[i+1][len(strings.TrimRight(words[i+1], ",.;:)")):]
			k.push(v+tail, w+" "+words[i+1])
			i++
			continue
		}
		if i > 0 && isUserWord(words[i-1]) && plainName(w) {
			k.push(Wild, Wild)
			if w != "from" && w != "by" { // else the name is empty
				continue
			}
		}
		k.push(v, w)
	}
	return k.key, k.shown
}

// push appends a token; a value right after a value is swallowed, and so is a value in
// brackets, which only says the same in other words: "812 bytes (1 KB)".
func (k *keyer) push(key, shown string) {
	key = bare(key)
	if n := len(k.key); n > 0 && (key == Wild && (k.key[n-1] == Wild || shown[0] == '(') || key == "()" && k.key[n-1] == Wild) {
		return
	}
	k.key, k.shown = append(k.key, key), append(k.shown, shown)
}

// bare returns Wild for a token that is values and punctuation only, and else the token.
func bare(t string) string {
	if !strings.Contains(t, Wild) {
		return t
	}
	for i := 0; i < len(t); i++ {
		if c := t[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || c == '=' {
			return t
		}
	}
	return Wild
}

// value replaces each piece of a token that holds a placeholder by <*>.
func value(w string) string {
	if !strings.Contains(w, "<") {
		return w
	}
	var b strings.Builder
	for i := 0; i < len(w); {
		if strings.IndexByte(splitters, w[i]) >= 0 {
			b.WriteByte(w[i])
			i++
			continue
		}
		j, holds := piece(w, i)
		switch s := b.String(); {
		case !holds:
			b.WriteString(w[i:j])
		case longName(w[i:j]):
			b.WriteString(strings.Map(func(r rune) rune {
				if r == '<' || r == '>' {
					return -1
				}
				return r
			}, w[i:j]))
		case len(s) > len(Wild) && s[:len(s)-1][max(0, len(s)-1-len(Wild)):] == Wild:
			trimmed := s[:len(s)-1] // <*>,<*> is one value
			b.Reset()
			b.WriteString(trimmed)
		default:
			b.WriteString(Wild)
		}
		i = j
	}
	return b.String()
}

// piece returns the end of the piece of w at i, and whether it holds a placeholder. A row of
// dots ends a piece too.
func piece(w string, i int) (end int, holds bool) {
	j := i
	for ; j < len(w) && strings.IndexByte(splitters, w[j]) < 0; j++ {
		if w[j] == '.' && j+1 < len(w) && w[j+1] == '.' {
			for j < len(w) && w[j] == '.' {
				j++
			}
			return j, holds
		}
		holds = holds || w[j] == '<'
	}
	return j, holds
}

// longName tells whether a piece with a number in it is the name of something in the
// program, such as a function, rather than an id: it has many letters.
func longName(p string) bool {
	letters, inside := 0, false
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case !inside && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			letters++
		}
	}
	return letters >= 16
}

// isUnit tells whether w is a unit written apart from its number.
func isUnit(w string) bool {
	switch strings.TrimRight(w, ",.;:)") {
	case "B", "KB", "MB", "GB", "TB", "kB", "KiB", "MiB", "GiB", "bytes", "byte", "kbytes",
		"ms", "us", "ns", "s", "sec", "secs", "second", "seconds", "msec", "usec", "min", "mins", "minutes", "hours", "days",
		"microseconds", "milliseconds", "Hz", "kHz", "MHz", "GHz", "C", "V", "W", "A", "RPM", "rpm", "%", "percent", "pages":
		return true
	}
	return false
}

// dateWords returns how many words at the start of ws make a date in words: an optional day
// of the week, a month, and what belongs to them. 0 means that there is none.
func dateWords(ws []string) int {
	n := 0
	if isDay(ws[0]) {
		n++
	}
	if n >= len(ws) || !isMonth(ws[n]) {
		return 0
	}
	n++
	start := n
	for n < len(ws) && (bare(value(ws[n])) == Wild || isZone(ws[n])) {
		n++
	}
	if n == start {
		return 0
	}
	return n
}

func isDay(w string) bool {
	return len(w) >= 3 && len(w) <= 4 && strings.Contains(" Mon Tue Wed Thu Fri Sat Sun ", " "+strings.TrimRight(w, ",")+" ")
}

func isMonth(w string) bool {
	return len(w) == 3 && strings.Contains(" Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ", " "+w+" ")
}

func isZone(w string) bool {
	switch w {
	case "UTC", "GMT", "CET", "CEST", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "JST", "IST", "BST", "AM", "PM":
		return true
	}
	return false
}

func isUserWord(w string) bool {
	return w == "user" || w == "User" || w == "username" || w == "account"
}

// plainName tells whether w may be a login name: one lower-case word.
func plainName(w string) bool {
	for i := 0; i < len(w); i++ {
		if c := w[i]; (c < 'a' || c > 'z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	switch w {
	case "is", "was", "has", "not", "for", "to", "with", "on", "in", "at", "and", "or", "request", "requested", "name", "id":
		return false
	}
	return len(w) > 1
}
