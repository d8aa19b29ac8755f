package mine

import (
	"bytes"
	"slices"
	"strings"

	"github.com/inframind/inframind/log-classifier/token"
)

// keyer turns a masked line into the tokens that tell templates apart. What the form of a
// line says is a value is one: what has a placeholder in it (blk_<num>, eth<num>), lists and
// objects, true and false, dates in words, numbers with their units, names after "user" or
// "host:". Quoted text and the right side of key=value are values once they were seen to
// vary. Values in a row count as one. It holds scratch space: its results are valid until
// the next call.
type keyer struct {
	slots   slots
	errors  errorsByWord
	folded  []byte
	words   [][]byte
	value   []byte // of one word: what is compared
	typed   []byte // and what is shown
	key     list   // what is compared
	shown   list   // the same with typed placeholders, for people
	dropped bool   // the last word was swallowed
}

// list is tokens joined by blanks.
type list struct {
	text []byte
	end  []int // of each token
}

func (l *list) reset() { l.text, l.end = l.text[:0], l.end[:0] }

func (l *list) push(t []byte) {
	if len(l.end) > 0 {
		l.text = append(l.text, ' ')
	}
	l.text = append(l.text, t...)
	l.end = append(l.end, len(l.text))
}

// extend adds to the last token.
func (l *list) extend(t []byte) {
	l.text = append(append(l.text, ' '), t...)
	l.end[len(l.end)-1] = len(l.text)
}

func (l *list) last() []byte {
	n := len(l.end)
	if n == 0 {
		return nil
	}
	start := 0
	if n > 1 {
		start = l.end[n-2] + 1
	}
	return l.text[start:]
}

// tokens returns copies of the tokens.
func (l *list) tokens() []string {
	out := make([]string, len(l.end))
	start := 0
	for i, end := range l.end {
		out[i] = string(l.text[start:end])
		start = end + 1
	}
	return out
}

var (
	wild    = []byte(Wild)
	gapText = []byte(Gap)
)

// read fills key and shown from a masked line.
func (k *keyer) read(masked []byte) {
	k.key.reset()
	k.shown.reset()
	k.dropped = false
	k.fold(masked)
	k.split()
	for i := 0; i < len(k.words); i++ {
		if len(k.key.end) >= maxTokens {
			k.push(wild, wild)
			return
		}
		i += k.word(i)
	}
}

func (k *keyer) split() {
	k.words = k.words[:0]
	rest := k.folded
	for {
		w, more, ok := bytes.Cut(rest, []byte{' '})
		if len(w) > 0 {
			k.words = append(k.words, w)
		}
		if !ok {
			return
		}
		rest = more
	}
}

// word takes word i in, and returns how many further words belong to it.
func (k *keyer) word(i int) (more int) {
	w := k.words[i]
	if n := dateWords(k.words[i:]); n > 0 {
		k.push(wild, []byte(token.Time))
		return n - 1
	}
	switch {
	case isUnit(w) && k.dropped:
		return 0
	case isUnit(w) && k.afterValue():
		k.shown.extend(w)
		return 0
	}
	if n, ok := k.failure(i); ok {
		return n
	}
	v := k.valueOf(w)
	switch {
	case k.afterCaller(i):
		k.key.reset() // an access log
		k.shown.reset()
		k.push(wild, k.words[0])
	case i > 0 && isLabel(k.words[i-1]) && (plainName(w) || listed(k.words[i-1], w)):
		k.push(wild, []byte("<user>"))
		if string(w) != "from" && string(w) != "by" { // else the name is empty
			return 0
		}
		v, k.typed = w, append(k.typed[:0], w...)
	case i > 0 && k.words[i-1][len(k.words[i-1])-1] == ':' && isAnswer(k.words[i:]):
		tail := w[len(bytes.TrimRight(w, ",.;)")):]
		k.value = append(append(k.value[:0], Wild...), tail...)
		v, k.typed = k.value, append(k.typed[:0], k.value...)
	case i > 0 && assigns(k.words[i-1]) && bytes.IndexByte(w, '=') < 0 && k.slots.varies(k.assigned(i-1), w):
		tail := w[len(bytes.TrimRight(w, ",.;:)]}")):]
		k.value = append(append(k.value[:0], Wild...), tail...)
		if bytes.IndexByte(w, '<') < 0 {
			k.typed = append(append(k.typed[:0], Wild...), tail...)
		}
		v = k.value
	}
	k.push(v, k.typed)
	return 0
}

// failure takes in the text of an error that starts at word i: behind a colon, or in brackets.
func (k *keyer) failure(i int) (more int, ok bool) {
	if i == 0 {
		return 0, false
	}
	before := k.words[i-1]
	open := k.words[i][0] == '('
	if c := before[len(before)-1]; c != ':' && !open {
		return 0, false
	}
	n, tail := k.errors.at(k.words[i:])
	if n == 0 {
		return 0, false
	}
	v := k.value[:0]
	if open {
		v = append(v, '(')
	}
	k.value = append(append(v, Wild...), tail...)
	if k.push(k.value, k.value); k.dropped {
		k.shown.extend(k.value) // people see that there was one
	}
	return n - 1, true
}

// afterCaller tells whether all words before word i of an access log say who asked, when, and
// through what: what follows is the time as the fourth word, or the request.
func (k *keyer) afterCaller(i int) bool {
	isTime := func(w []byte) bool { return bytes.HasPrefix(w, []byte("[<time>")) }
	w := k.words[i]
	if i == 0 || !holdsIP(k.words[0]) {
		return false
	}
	return i == 3 && isTime(w) || w[0] == '"' && httpVerb(append(w[1:len(w):len(w)], ' ')) > 0 && slices.ContainsFunc(k.words[1:i], isTime)
}

// afterValue tells whether the last token is a value, or a key with one.
func (k *keyer) afterValue() bool {
	last := k.key.last()
	return (isWild(last) || bytes.HasSuffix(last, []byte("=<*>"))) && string(k.shown.last()) != Wild
}

// push appends a token; a value right after a value is swallowed, and so is a value in
// brackets, which only says the same in other words: "812 bytes (1 KB)". A word that was
// found to vary stays a token of its own, so that reading a template's text gives its key.
func (k *keyer) push(key, shown []byte) {
	if bare(key) {
		key = wild
	}
	if last := k.key.last(); len(last) > 0 {
		before := k.shown.last()
		after := isWild(last) && string(before) != Wild
		alike := isPlaceholder(before) && isPlaceholder(shown) || bytes.Equal(before, shown)
		if isWild(key) && string(shown) != Wild && (after && alike || shown[0] == '(' && bytes.IndexByte(shown, ')') > 0) || after && string(key) == "()" {
			k.dropped = true
			return
		}
	}
	k.dropped = false
	k.key.push(key)
	k.shown.push(shown)
}

func isWild(t []byte) bool { return bare(t) || string(t) == Wild }

// bare tells whether a token is values and punctuation only.
func bare(t []byte) bool {
	if bytes.IndexByte(t, '*') < 0 || !bytes.Contains(t, wild) || bytes.Contains(t, gapText) {
		return false
	}
	for _, c := range t {
		if isLetter(c) || c == '=' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 }

const splitters = "=,;()[]{}\"'|:"

func isSplitter(c byte) bool { return strings.IndexByte(splitters, c) >= 0 }

// valueOf replaces each piece of a token that is a value by <*>, and in k.typed those that
// have no placeholder of their own.
func (k *keyer) valueOf(w []byte) []byte {
	out, typed := k.value[:0], k.typed[:0]
	if isBase64(w) {
		k.value, k.typed = append(out, Wild...), append(typed, token.ID...)
		return k.value
	}
	for i := 0; i < len(w); {
		if isSplitter(w[i]) {
			if (w[i] == '[' || w[i] == '(') && bytes.HasPrefix(w[i+1:], []byte(token.IP)) {
				out, typed = nameOf(out), nameOf(typed) // unknown[<ip>]: the name of an address
			}
			out, typed = append(out, w[i]), append(typed, w[i])
			i++
			if n := k.assignedHere(w, i); n > 0 {
				out, typed = append(out, Wild...), appendTyped(typed, w[i:i+n])
				i += n
			}
			continue
		}
		j, holds := pieceEnd(w, i)
		switch p := w[i:j]; {
		case bytes.Contains(p, gapText):
			out, typed = append(out, p...), append(typed, p...)
		case !holds && !isConstant(p) && !isRandom(p) && !isFile(p) && bytes.IndexByte(p, '\\') < 0:
			out, typed = append(out, p...), append(typed, p...)
		case holds && (longName(p) || capitalName(p)):
			out, typed = appendName(out, p), append(typed, p...)
		case len(out) > len(Wild) && bytes.HasSuffix(out[:len(out)-1], wild):
			out, typed = out[:len(out)-1], typed[:len(typed)-1] // <*>,<*> is one value
		default:
			out, typed = append(out, Wild...), appendTyped(typed, p)
		}
		i = j
	}
	k.value, k.typed = out, typed
	return out
}

func appendTyped(out, value []byte) []byte {
	switch {
	case bytes.IndexByte(value, '<') >= 0:
		return append(out, value...)
	case bytes.IndexByte(value, '\\') >= 0:
		return append(out, token.Path...)
	}
	return append(out, Wild...)
}

// nameOf replaces a word at the end of out by <*>.
func nameOf(out []byte) []byte {
	n := len(out)
	for n > 0 && !isSplitter(out[n-1]) {
		n--
	}
	if n == len(out) {
		return out
	}
	return append(out[:n], Wild...)
}

// appendName appends a long name without the brackets of its placeholders.
func appendName(out, p []byte) []byte {
	for _, c := range p {
		if c != '<' && c != '>' {
			out = append(out, c)
		}
	}
	return out
}

// keyOf returns the key that the = at i assigns to, "" if it is no assignment, or if its
// value is a sentence.
func keyOf(w []byte, i int) []byte {
	if i+1 < len(w) && (w[i+1] == '=' || w[i+1] == '>') {
		return nil
	}
	start := i
	for start > 0 && !isSplitter(w[start-1]) {
		start--
	}
	switch string(w[start:i]) {
	case "msg", "message", "MESSAGE":
		return nil
	}
	return w[start:i]
}

// assignedHere returns the length of the value at i that the = before it assigns, if it is
// known to vary.
func (k *keyer) assignedHere(w []byte, i int) int {
	if w[i-1] != '=' || i == len(w) {
		return 0
	}
	key := keyOf(w, i-1)
	if len(key) == 0 {
		return 0
	}
	n := valueEnd(w[i:])
	if n > 0 && k.slots.varies(key, w[i:i+n]) {
		return n
	}
	return 0
}

// valueEnd returns where the value that starts s ends: at a comma and the like, outside the
// brackets that it opens.
func valueEnd(s []byte) int {
	depth := 0
	for i, c := range s {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return i
			}
		case ',', ';', '|':
			if depth == 0 {
				return i
			}
		}
	}
	return len(bytes.TrimRight(s, ".:"))
}

// assigns tells whether a word ends in =, so that the next one is its value.
func assigns(w []byte) bool {
	n := len(w)
	return w[n-1] == '=' && (n == 1 || len(keyOf(w, n-1)) > 0)
}

// assigned returns the key of the word that follows word i, which assigns.
func (k *keyer) assigned(i int) []byte {
	if w := k.words[i]; len(w) > 1 {
		return keyOf(w, len(w)-1)
	}
	if i > 0 {
		return k.words[i-1]
	}
	return nil
}

// pieceEnd returns the end of the piece of w at i, and whether it holds a placeholder. A row of
// dots ends a piece too.
func pieceEnd(w []byte, i int) (end int, holds bool) {
	j := i
	for ; j < len(w) && !isSplitter(w[j]); j++ {
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
