package mine

import (
	"bytes"
	"strings"
)

// maxFold is how long quoted text, a list or an object may be, in bytes.
const maxFold = 1024

// fold writes the masked line with lists of words, objects and quoted text that varies
// replaced by <*>.
func (k *keyer) fold(masked []byte) {
	out := k.folded[:0]
	for i := 0; i < len(masked); {
		switch c := masked[i]; c {
		case '"', '\'', '`':
			if end := quoteEnd(masked, i); end > 0 && !isMessage(out) {
				verb := httpVerb(masked[i+1 : end])
				if verb == 0 && i == 0 && bytes.IndexByte(masked[:end], ' ') > 0 {
					break // the statement itself, as klog quotes it
				}
				if verb > 0 || k.slots.variesQuoted(lastWord(out), masked[i+1:end]) {
					out = append(out, '"')
					if verb > 0 {
						out = append(append(out, masked[i+1:i+1+verb]...), ' ')
					}
					out = append(append(out, Wild...), '"')
					i = end + 1
					continue
				}
			}
		case '{':
			if end := objectEnd(masked, i); i > 0 && end > 0 {
				if named := nameStart(out); named < len(out) { // Window{3fa u0 x}: its name varies as well
					out = append(out[:named], Wild...)
				} else {
					out = append(append(append(out, '{'), Wild...), '}')
				}
				i = end + 1
				continue
			}
		case '[':
			if end := listEnd(masked, i); end > 0 {
				out = append(append(append(out, '['), Wild...), ']')
				i = end + 1
				continue
			}
		case '(':
			if named := nameStart(out); named < len(out) {
				if end := structEnd(masked, i); end > 0 {
					out = append(append(append(out, '('), Wild...), ')')
					i = end + 1
					continue
				}
			}
		}
		out = append(out, masked[i])
		i++
	}
	k.folded = out
}

// nameStart returns where the name of a type at the end of out starts: letters, digits and
// dots. It is len(out) if there is none.
func nameStart(out []byte) int {
	i := len(out)
	for i > 0 && (isLetter(out[i-1]) || out[i-1] >= '0' && out[i-1] <= '9' || out[i-1] == '.' || out[i-1] == '_' || out[i-1] == '$') {
		i--
	}
	if i > 0 && strings.IndexByte(" ([{,:=|", out[i-1]) < 0 || i < len(out) && !isLetter(out[i]) {
		return len(out)
	}
	return i
}

// structEnd returns the place of the bracket that closes the one at i, 0 if there is none or
// if what is between is no list of fields with their values.
func structEnd(s []byte, i int) int {
	depth, fields := 0, false
	for j := i; j < min(len(s), i+maxFold); j++ {
		switch s[j] {
		case '(', '[', '{':
			depth++
		case '=':
			fields = fields || j > 0 && isLetter(s[j-1])
		case ')', ']', '}':
			if depth--; depth == 0 {
				if fields {
					return j
				}
				return 0
			}
		}
	}
	return 0
}

// lastWord returns the word, or the key of an object, at the end of out.
func lastWord(out []byte) []byte {
	out = bytes.TrimRight(out, " ")
	return out[bytes.LastIndexAny(out, " {,")+1:]
}

// isMessage tells whether what follows out is the message of a line of key=value pairs.
func isMessage(out []byte) bool {
	return bytes.HasSuffix(out, []byte("msg=")) || bytes.HasSuffix(out, []byte("message="))
}

// quoteEnd returns the place of the quote that closes the one at i, 0 if there is none, as
// for the ' in "can't", or if what is quoted is the key of an object.
func quoteEnd(s []byte, i int) int {
	if i > 0 && strings.IndexByte(" ([{=,:<|", s[i-1]) < 0 {
		return 0
	}
	for j := i + 1; j < min(len(s), i+maxFold); j++ {
		if s[j] == '\\' {
			j++
			continue
		}
		if closes := s[j] == s[i] || s[i] == '`' && s[j] == '\''; closes && (j+1 == len(s) || strings.IndexByte(" ,.;:)]}>|/!?", s[j+1]) >= 0) {
			if j+1 < len(s) && s[j+1] == ':' && i > 0 && strings.IndexByte("{, ", s[i-1]) >= 0 {
				return 0
			}
			return j
		}
	}
	return 0
}

// httpVerb returns the length of the method that a request line starts with.
func httpVerb(s []byte) int {
	verb, _, ok := bytes.Cut(s, []byte{' '})
	if !ok {
		return 0
	}
	switch string(verb) {
	case "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT":
		return len(verb)
	}
	return 0
}

// objectEnd returns the place of the brace that closes the one at i, 0 if there is none or if
// what is between is no object or set: without the name of a type before it needs a comma or
// the like.
func objectEnd(s []byte, i int) int {
	depth, data := 0, i+1 < len(s) && s[i+1] == '}' || i > 0 && isLetter(s[i-1])
	for j := i; j < min(len(s), i+maxFold); j++ {
		switch s[j] {
		case '{':
			depth++
		case ':', '=', ',':
			data = true
		case '}':
			if depth--; depth == 0 {
				if data {
					return j
				}
				return 0
			}
		}
	}
	return 0
}

// listEnd returns the place of the bracket that closes a list of words, [a, b], 0 if there is
// none.
func listEnd(s []byte, i int) int {
	commas, inWord := 0, false
	for j := i + 1; j < min(len(s), i+maxFold); j++ {
		switch c := s[j]; c {
		case ']':
			if commas > 0 || j == i+1 {
				return j
			}
			return 0
		case ',':
			commas++
			inWord = false
		case ' ':
			if inWord { // words in a row are a sentence
				return 0
			}
		case '[', '{', '(', '=':
			return 0
		case '"', '\'':
			if end := quoteEnd(s, j); end > 0 { // its blanks are no ends of words
				j = end
			}
			inWord = true
		default:
			inWord = true
		}
	}
	return 0
}
