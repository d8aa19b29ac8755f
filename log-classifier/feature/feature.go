// Package feature turns a masked log line into the hashed features of the classifier: words,
// stems, what words mean in any system (lexicons), and the line's shape.
// Every block has unit length, so that a long line weighs as much as a short one.
package feature

import (
	"bytes"
	"math"
	"slices"
)

// Dim is the number of hash buckets. Vectors' indices are below it.
const Dim = 1 << 17

// Blocks of features. They scale, and are switched off in ablations, one by one.
const (
	BlockWord = iota
	BlockStem
	BlockLex
	BlockShape
	Blocks
)

// Vector is a sparse feature vector. The same index may occur twice.
type Vector struct {
	Idx []uint32
	Val []float32
	// Of is filled when the extractor keeps names: what each feature is about.
	Of []Source
}

// Options of an extractor.
type Options struct {
	Scale [Blocks]float32 // weight of each block; 0 switches it off
	Names bool            // keep what each feature is about
}

// Defaults are the block weights of the shipped model.
func Defaults() Options { return Options{Scale: [Blocks]float32{1.5, 1.5, 0.3, 0.5}} }

type word struct {
	*wordInfo
	text    []byte
	kind    byte // 'w' word, 'p' placeholder
	capital bool // all in capitals
	inName  bool // part of an identifier: what is called Failure, not what failed
}

// Extractor makes vectors. It holds scratch space: make one per goroutine.
type Extractor struct {
	opt   Options
	lex   lexTable
	memo  memo
	lower []byte
	words []word
	vec   Vector
	w     []float32 // weights of Score; nil in Extract
	sum   Sum       // of the block that Score is at
}

// wordInfo is what is worth remembering of a word.
type wordInfo struct {
	hash, stem uint64
	stemLen    int
	classes    uint16
	form       uint8
	scored     bool // the sums are filled
	sums       wordSums
}

// New returns an extractor.
func New(opt Options) *Extractor {
	return &Extractor{opt: opt, lex: newLexTable(), lower: make([]byte, 0, 512)}
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashBytes(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	return h
}

func mix(h, v uint64) uint64 {
	h ^= v + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2)
	return h * fnvPrime
}

func bucket(space byte, h uint64) uint32 {
	h = (h ^ uint64(space)*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	return uint32(h>>33) & (Dim - 1)
}

// Extract returns the features of a masked line. The vector is valid until the next call.
func (x *Extractor) Extract(masked []byte) Vector {
	x.Split(masked)
	v := &x.vec
	v.Idx, v.Val, v.Of = v.Idx[:0], v.Val[:0], v.Of[:0]
	blocks := [Blocks]func(masked []byte){x.wordBlock, x.stemBlock, x.lexBlock, x.shapeBlock}
	for b, fill := range blocks {
		if x.opt.Scale[b] == 0 {
			continue
		}
		from := len(v.Idx)
		fill(masked)
		n := len(v.Idx) - from
		if n == 0 {
			continue
		}
		scale := x.opt.Scale[b] / float32(math.Sqrt(float64(n)))
		for range n {
			v.Val = append(v.Val, scale)
		}
	}
	return *v
}

// add takes a feature in: its hash within a space, and what it is about.
func (x *Extractor) add(space byte, h uint64, of Source) {
	j := bucket(space, h)
	if x.w != nil {
		x.sum.add(x.w, j)
		return
	}
	x.vec.Idx = append(x.vec.Idx, j)
	if x.opt.Names {
		x.vec.Of = append(x.vec.Of, of)
	}
}

// MaxWords is how many words of a line count: what a line is about stands at its beginning,
// and behind it come values, which would drown it.
const MaxWords = 20

// Split cuts a masked line into lower-case words; camelCase and snake_case come apart.
func (x *Extractor) Split(masked []byte) {
	x.words, x.lower = x.words[:0], x.lower[:0]
	for i := 0; i < len(masked) && len(x.words) < MaxWords; {
		c := masked[i]
		if c == '<' {
			if j := bytes.IndexByte(masked[i:min(len(masked), i+8)], '>'); j > 1 {
				x.push(masked[i:i+j+1], 'p')
				i += j + 1
				continue
			}
		}
		if !isLetter(c) {
			i++
			continue
		}
		j := i + 1
		for j < len(masked) && masked[j] >= 'a' && masked[j] <= 'z' { // what most words are
			j++
		}
		for j < len(masked) && (isLetter(masked[j]) || masked[j] == '\'' && apostrophe(masked, j)) && !camelBreak(masked, i, j) {
			j++
		}
		n := len(x.words)
		x.push(masked[i:j], 'w')
		for k := n; k < len(x.words); k++ {
			x.words[k].inName = inName(masked, i, j)
		}
		i = j
	}
	x.words = x.words[:min(len(x.words), MaxWords)] // a contraction makes two
}

// apostrophe tells whether the ' at j is inside a contraction: can't, isn't.
func apostrophe(b []byte, j int) bool {
	return j+1 < len(b) && (b[j+1] == 't' || b[j+1] == 'T') && (j+2 == len(b) || !isLetter(b[j+2])) && (b[j-1] == 'n' || b[j-1] == 'N')
}

// camelBreak tells whether a new word starts at j in a run that started at i: fooBar, HTTPServer.
func camelBreak(b []byte, i, j int) bool {
	if !isUpper(b[j]) {
		return false
	}
	if !isUpper(b[j-1]) {
		return true
	}
	return j+1 < len(b) && j > i && isLetter(b[j+1]) && !isUpper(b[j+1])
}

// inName tells whether the word b[i:j] is part of an identifier: camelCase, snake_case, a.b,
// a::b, a->b, key=, call(.
func inName(b []byte, i, j int) bool {
	if i > 0 {
		p := byte(' ')
		if i > 1 {
			p = b[i-2]
		}
		switch c := b[i-1]; {
		case isLetter(c), c == '_', c == '$', c == '.' && (isLetter(p) || p == '>'), c == ':' && p == ':', c == '>' && p == '-':
			return true
		}
	}
	if j == len(b) {
		return false
	}
	next := byte(' ')
	if j+1 < len(b) {
		next = b[j+1]
	}
	c := b[j]
	return isLetter(c) || c == '_' || c == '$' || c == '(' || c == '=' || c == '.' && isLetter(next) || c == ':' && next == ':' || c == '-' && next == '>'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }

func (x *Extractor) push(b []byte, kind byte) {
	start, capital, hash := len(x.lower), kind == 'w' && len(b) > 1, uint64(fnvOffset)
	x.lower = append(x.lower, b...)
	text := x.lower[start:]
	for i, c := range text {
		if isUpper(c) {
			c += 'a' - 'A'
			text[i] = c
		} else {
			capital = false
		}
		hash = (hash ^ uint64(c)) * fnvPrime
	}
	if n := len(text); n > 3 && text[n-2] == '\'' { // isn't is two words: is, not
		copy(text[n-3:], "not")
		x.one(text[:n-3], hashBytes(fnvOffset, text[:n-3]), kind, capital)
		text = text[n-3:]
		hash = hashBytes(fnvOffset, text)
	}
	x.one(text, hash, kind, capital)
}

func (x *Extractor) one(text []byte, hash uint64, kind byte, capital bool) {
	info := x.memo.find(hash)
	if info == nil {
		n := stem(text)
		info = &wordInfo{hash: hash, stem: hashBytes(fnvOffset, text[:n]), stemLen: n, form: formOf(text)}
		if kind == 'w' {
			info.classes = x.lex.classes(text)
		}
		x.memo.add(info)
	}
	x.words = append(x.words, word{info, text, kind, capital, false})
}

// stem returns the length of w without its ending: failed, failing, failures -> fail.
func stem(w []byte) int {
	n := len(w)
	for _, s := range [...]string{"ations", "ation", "ments", "ment", "ings", "ing", "tion", "ions", "ion", "ness", "able", "ible", "ures", "ure", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e"} {
		if n-len(s) >= 3 && bytes.HasSuffix(w, []byte(s)) {
			n -= len(s)
			break
		}
	}
	if n > 3 && w[n-1] == w[n-2] && w[n-1] != 'l' && w[n-1] != 's' {
		n-- // stopped -> stop
	}
	return n
}

// Words returns the lower-case words and placeholders of a masked line in order.
func Words(masked []byte) []string {
	x := Extractor{}
	x.Split(masked)
	out := make([]string, len(x.words))
	for i := range x.words {
		out[i] = string(x.words[i].text)
	}
	return out
}

// Hashes appends the hashes of the distinct words of the last line to dst.
func (x *Extractor) Hashes(dst []uint64) []uint64 {
	from := len(dst)
	for i := range x.words {
		if h := x.words[i].hash; !slices.Contains(dst[from:], h) {
			dst = append(dst, h)
		}
	}
	return dst
}

// Len is how many words the last line had.
func (x *Extractor) Len() int { return len(x.words) }

// Word returns word i of the last line. It is valid until the next one.
func (x *Extractor) Word(i int) []byte { return x.words[i].text }
