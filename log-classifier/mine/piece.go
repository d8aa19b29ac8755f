package mine

import (
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Gap stands for a stretch of a line that varies in length: no word, one or several.
const Gap = "<**>"

// What a piece of a key is.
const (
	sign  = iota // one character
	mark         // an arrow or the like: it keeps apart what is on its sides
	value        // <*>
	gap          // <**>
	word
)

// Hashes of the pieces that are no words; those of signs are their characters.
const (
	valueHash = 1 + iota
	gapHash
	arrowHash
)

// piece is a part of a key as templates are aligned by: a word, a value or a sign. Blanks are
// none.
type piece struct {
	hash       uint64
	start, end int32 // in the key
	kind       uint8
	whole      bool // a value that is a token: as a part of a shape it covers any other
}

// maxPieces bounds the templates that are aligned; a longer one has no gaps.
const maxPieces = 120

const signs = "=,;()[]{}\"'`|:<>"

// split appends the pieces of a key, at most one more than maxPieces.
func split(out []piece, key string) []piece {
	for i, n := 0, len(out); i < len(key) && len(out)-n <= maxPieces; {
		c, p := key[i], piece{start: int32(i), end: int32(i + 1)}
		switch {
		case c == ' ':
			i++
			continue
		case strings.HasPrefix(key[i:], Wild):
			p.hash, p.kind, p.end = valueHash, value, p.start+int32(len(Wild))
			p.whole = (i == 0 || key[i-1] == ' ') && (int(p.end) == len(key) || key[p.end] == ' ')
		case strings.HasPrefix(key[i:], Gap):
			p.hash, p.kind, p.end = gapHash, gap, p.start+int32(len(Gap))
		case isArrow(key[i:]):
			p.hash, p.kind, p.end = arrowHash, mark, p.start+2
		case strings.IndexByte(signs, c) >= 0:
			p.hash = uint64(c)
		default:
			p = wordPiece(key, i)
		}
		out = append(out, p)
		i = int(p.end)
	}
	return out
}

func isArrow(s string) bool { return strings.HasPrefix(s, "->") || strings.HasPrefix(s, "=>") }

func wordPiece(key string, i int) piece {
	j := i + 1
	for j < len(key) && key[j] != ' ' && strings.IndexByte(signs, key[j]) < 0 && !isArrow(key[j:]) {
		j++
	}
	p := piece{hash: xxhash.Sum64String(key[i:j]), start: int32(i), end: int32(j), kind: mark}
	switch {
	case hasLetter(key[i:j]):
		p.kind = word
	case j == i+1:
		p.kind = sign
	}
	return p
}

func equalPieces(a, b []piece) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].hash != b[i].hash {
			return false
		}
	}
	return true
}

func holdsPiece(ps []piece, hash uint64) bool {
	for _, p := range ps {
		if p.hash == hash {
			return true
		}
	}
	return false
}

// countWords returns how many words are among pieces.
func countWords(ps []piece) (n int) {
	for _, p := range ps {
		if p.kind == word {
			n++
		}
	}
	return n
}

// fixed is how much the words of a shape say; one that starts with a gap says less, because
// the first word says more than others.
func fixed(s []piece) int {
	n := countWords(s)
	if len(s) > 0 && s[0].kind == gap {
		n--
	}
	return n
}

// render writes the key of a shape of the pieces of key: its text with the gaps put in.
func render(key string, shape []piece) string {
	var b strings.Builder
	end, open := 0, false // of what was written last
	for _, p := range shape {
		if p.kind == gap {
			open = true
			continue
		}
		if open {
			writeGap(&b, key, end, int(p.start))
			open = false
		} else {
			b.WriteString(key[end:p.start])
		}
		b.WriteString(key[p.start:p.end])
		end = int(p.end)
	}
	if open {
		writeGap(&b, key, end, len(key))
	}
	return b.String()
}

// writeGap writes a gap for key[from:to], with blanks beside it where key has them.
func writeGap(b *strings.Builder, key string, from, to int) {
	between := key[from:to]
	if strings.HasPrefix(between, " ") || between == "" && from > 0 && strings.IndexByte("=([{\"':", key[from-1]) < 0 {
		b.WriteByte(' ')
	}
	b.WriteString(Gap)
	if strings.HasSuffix(between, " ") {
		b.WriteByte(' ')
	}
}
