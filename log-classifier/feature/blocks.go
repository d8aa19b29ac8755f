package feature

import "strconv"

// Source is what a feature is about: a word, a pair of words, or something about the line.
type Source struct {
	Kind byte // OfWord, OfPair, or another for the line
	N    uint16
}

// Kinds of sources: word N of the line, words N-1 and N, the line's shape.
const (
	OfWord  = 'w'
	OfPair  = 'b'
	OfShape = 'S' // of the line: nothing that people read in it
)

// wordBlock: words, those in names apart, bigrams, the first and the last word.
func (x *Extractor) wordBlock([]byte) {
	ws := x.words
	for i := range ws {
		space := byte('w')
		if ws[i].inName {
			space = 'i'
		}
		x.add(space, ws[i].hash, Source{OfWord, uint16(i)})
		if i > 0 {
			x.add('b', mix(ws[i-1].hash, ws[i].hash), Source{OfPair, uint16(i)})
		}
	}
	if n := len(ws); n > 0 {
		x.add('f', ws[0].hash, Source{OfWord, 0})
		x.add('l', ws[n-1].hash, Source{OfWord, uint16(n - 1)})
	}
}

// stemBlock: stems and pairs of stems.
func (x *Extractor) stemBlock([]byte) {
	ws := x.words
	for i := range ws {
		x.add('s', ws[i].stem, Source{OfWord, uint16(i)})
		if i > 0 {
			x.add('t', mix(ws[i-1].stem, ws[i].stem), Source{OfPair, uint16(i)})
		}
	}
}

// Name returns a source of the last line in words: "failed", "disk failed", "{error x2}".
func (x *Extractor) Name(s Source) string {
	n := int(s.N)
	switch s.Kind {
	case OfWord:
		return string(x.words[n].text)
	case OfPair:
		return string(x.words[n-1].text) + " " + string(x.words[n].text)
	case 'L':
		return "{" + lexNames[n/8] + " x" + strconv.Itoa(n%8) + "}"
	case 'N':
		return "{not " + lexNames[n/8] + " x" + strconv.Itoa(n%8) + "}"
	case 'P':
		return "{" + lexName(n/64) + " " + lexName(n/4%16) + "}"
	}
	return "{" + shapeNames[n/256] + " " + strconv.Itoa(n%256) + "}"
}

var lexNames = [lexCount]string{"fatal", "error", "warn", "event", "detail", "scope", "thing", "mend"}

// lexBlock: how many words of each lexicon, negated ones apart, and which follow which.
func (x *Extractor) lexBlock([]byte) {
	var plain, negated [lexCount]int
	type hit struct{ class, at int }
	var hits [24]hit
	n := 0
	for i := range x.words {
		w := &x.words[i]
		if w.classes == 0 {
			continue
		}
		neg := x.negated(i)
		for c := range int(lexCount) {
			if w.classes&(1<<c) == 0 {
				continue
			}
			code := c
			if neg {
				negated[c]++
				code += lexCount
			} else {
				plain[c]++
			}
			if n < len(hits) {
				hits[n] = hit{code, i}
				n++
			}
		}
	}
	for c := range int(lexCount) {
		x.count('L', c, plain[c])
		x.count('N', c, negated[c])
	}
	for i := range n {
		for j := i + 1; j < n && hits[j].at-hits[i].at <= 4; j++ {
			if hits[i].at == hits[j].at {
				continue
			}
			near := hits[j].at - hits[i].at
			if near > 1 {
				near = 2
			}
			a, b := hits[i].class, hits[j].class
			x.line('P', a*64+b*4+near)
		}
	}
}

func lexName(code int) string {
	if code >= lexCount {
		return "not " + lexNames[code-lexCount]
	}
	return lexNames[code]
}

// line adds a feature of the line as a whole.
func (x *Extractor) line(space byte, n int) { x.add(space, uint64(n), Source{space, uint16(n)}) }

// count adds one feature for each step up to the count, so that more is never less.
func (x *Extractor) count(space byte, class, n int) {
	for k := 1; k <= min(n, 3); k++ {
		x.line(space, class*8+k)
	}
}

// negated tells whether one of the two words before i turns its meaning.
func (x *Extractor) negated(i int) bool {
	for k := max(0, i-2); k < i; k++ {
		if isNegation(x.words[k].text) {
			return true
		}
	}
	return false
}

func isNegation(w []byte) bool {
	switch string(w) {
	case "no", "not", "without", "never", "non", "zero", "<0>", "neither", "nor", "none":
		return true
	}
	return false
}

// shapeBlock: buckets of length, numbers, key=value pairs, brackets, capitals and the like.
func (x *Extractor) shapeBlock(masked []byte) {
	x.signs(masked)
	var place, capitals, grammar, past, going int
	for i := range x.words {
		if x.words[i].kind == 'p' {
			place++
		}
		if x.words[i].capital {
			capitals++
		}
		switch x.words[i].form {
		case formGrammar:
			grammar++
		case formPast:
			past++
		case formGoing:
			going++
		}
	}
	x.shape(0, log2(len(x.words)))
	x.shape(1, min(place, 6))
	x.shape(6, min(capitals, 3))
	x.shape(15, min(grammar, 4))
	x.shape(16, min(past, 2))
	x.shape(17, min(going, 2))
	if len(masked) > 0 {
		x.shape(7, class(masked[0]))
		x.shape(8, class(masked[len(masked)-1]))
	}
	if n := len(x.words); n > 0 {
		x.shape(9, 4*place/n)
		x.shape(10, ending(x.words[0].text))
	}
}

// signs adds what the characters between the words say.
func (x *Extractor) signs(masked []byte) {
	var kv, brackets, dots, colons, camel, under, calls, scopes int
	p := byte(' ')
	for _, c := range masked {
		if c >= 'a' && c <= 'z' { // most of a line, and no sign
			p = c
			continue
		}
		switch {
		case isUpper(c) && p >= 'a' && p <= 'z':
			camel++
		case c == '_' && isLetter(p):
			under++
		case c == '(' && isLetter(p):
			calls++
		case c == ':' && p == ':', c == '>' && p == '-':
			scopes++
		}
		switch c {
		case '=':
			kv++
		case '[', '{', '(':
			brackets++
		case '.':
			dots++
		case ':':
			colons++
		}
		p = c
	}
	x.shape(2, log2(kv))
	x.shape(3, log2(brackets))
	x.shape(4, log2(dots))
	x.shape(5, min(colons, 4))
	// What follows tells code talking to its author from sentences for an operator.
	x.shape(11, min(camel, 4))
	x.shape(12, min(under, 3))
	x.shape(13, min(scopes, 2))
	x.shape(14, min(calls, 2))
}

var shapeNames = [...]string{
	"words", "values", "pairs", "brackets", "dots", "colons", "capitals", "first", "last", "share", "first ending",
	"camel case", "underscores", "scopes", "calls", "grammar", "-ed", "-ing",
}

func (x *Extractor) shape(kind, v int) { x.line(OfShape, kind*256+v) }

func log2(n int) int {
	k := 0
	for ; n > 0; n >>= 1 {
		k++
	}
	return k
}

func class(c byte) int {
	switch {
	case isUpper(c):
		return 1
	case isLetter(c):
		return 2
	case c == '<':
		return 3
	case c == '[' || c == '(' || c == '{':
		return 4
	case c == '.' || c == '!':
		return 5
	case c == ')' || c == ']' || c == '}' || c == '>':
		return 6
	}
	return 0
}

// ending tells apart what happened (-ed), what goes on (-ing) and the rest.
func ending(w []byte) int {
	n := len(w)
	switch {
	case n > 4 && w[n-2] == 'e' && w[n-1] == 'd':
		return 1
	case n > 5 && w[n-3] == 'i' && w[n-2] == 'n' && w[n-1] == 'g':
		return 2
	case n > 0 && w[0] == '<':
		return 3
	}
	return 0
}

// Forms of words that the shape counts.
const (
	formOther = iota
	formPast  // ends in -ed
	formGoing // ends in -ing
	formGrammar
)

// formOf returns the form of a lower-case word. Grammar is what sentences have and code has
// not.
func formOf(w []byte) uint8 {
	switch string(w) {
	case "the", "a", "an", "is", "was", "are", "were", "has", "have", "had", "been", "be", "will",
		"to", "of", "by", "with", "for", "from", "at", "in", "on", "it", "its", "this", "that",
		"and", "or", "after", "before", "because", "due", "while", "when", "as", "which":
		return formGrammar
	}
	switch ending(w) {
	case 1:
		return formPast
	case 2:
		return formGoing
	}
	return formOther
}
