package mine

import (
	"slices"
	"strings"
)

// maxGapWords is how many words a phrase has at most: more are a sentence of its own.
const maxGapWords = 10

// maxLeadWords is how many words a gap at the beginning of a statement may stand for.
const maxLeadWords = 3

// maxGaps is how many gaps a shape has at most.
const maxGaps = 12

type span struct{ start, end int }

// matcher compares pieces with shapes. It holds scratch space.
type matcher struct{ fills []span }

// match tells whether ps is an instance of a shape, and sets fills to what its gaps are
// filled with. Between two gaps the first place that fits is taken.
func (m *matcher) match(shape, ps []piece) bool {
	m.fills = m.fills[:0]
	at, i := 0, 0
	for ; i < len(shape) && shape[i].kind != gap; i++ {
	}
	if at = instance(shape[:i], ps, 0); at < 0 {
		return false
	}
	for i < len(shape) {
		i++ // the gap
		j := i
		for j < len(shape) && shape[j].kind != gap {
			j++
		}
		start, end := at, -1
		for ; at <= len(ps) && end < 0; at++ {
			if end = instance(shape[i:j], ps, at); j == len(shape) && end < len(ps) {
				end = -1
			}
		}
		if end < 0 || !fillable(ps[start:at-1]) || at-1-start > maxLeadWords && countWords(ps[start:at-1]) > maxLeadWords && leads(shape[:i-1]) {
			return false
		}
		m.fills = append(m.fills, span{start, at - 1})
		at, i = end, j
	}
	return at == len(ps)
}

// instance returns where the instance of a shape without gaps ends that starts at ps[at], -1
// if there is none.
func instance(shape, ps []piece, at int) int {
	for _, s := range shape {
		switch {
		case at >= len(ps):
			return -1
		case s.hash == ps[at].hash:
			at++
		case s.whole && (at == 0 || ps[at-1].end < ps[at].start): // any token that is not key=value
			for first := at; at == first || at < len(ps) && ps[at-1].end == ps[at].start; at++ {
				if ps[at].hash == '=' || ps[at].kind == gap {
					return -1
				}
			}
		default:
			return -1
		}
	}
	return at
}

// leads tells whether no word stands in the pieces before a gap, so that the gap is where a
// statement says what happened: but for a name, what differs there are statements.
func leads(before []piece) bool {
	for _, p := range before {
		if p.kind == word {
			return false
		}
	}
	return true
}

// fillable tells whether pieces can be the filling of a gap: a key with its value is a part
// of the statement.
func fillable(ps []piece) bool {
	depth := 0
	for i, p := range ps {
		switch {
		case p.kind >= gap:
			if depth == 0 && i+1 < len(ps) && ps[i+1].hash == '=' && ps[i+1].start == p.end {
				return false
			}
		case p.hash == '(' || p.hash == '[' || p.hash == '{':
			depth++
		case p.hash == ')' || p.hash == ']' || p.hash == '}':
			depth--
		}
	}
	return true
}

// phrase tells whether a filling says that its gap varies: it is no sentence, and not what
// follows a colon.
func phrase(ps []piece) bool {
	return countWords(ps) <= maxGapWords && (len(ps) == 0 || ps[0].hash != ':')
}

// set is up to eight distinct hashes.
type set struct {
	of [8]uint64
	n  int
}

func (s *set) add(h uint64) {
	if s.n < len(s.of) && !slices.Contains(s.of[:s.n], h) {
		s.of[s.n] = h
		s.n++
	}
}

// fillings is what was seen in a gap: the words at both of its edges, because a phrase of the
// statement beside a value is one that few fillings begin or end with.
type fillings struct {
	first, last set
	phrases     set  // the words of fillings
	n           int  // fillings with anything in them
	general     bool // it was a gap before
	typed       bool // values alone were seen
	words       bool // there were words in some
	more        bool // some had more than one piece, or none
	prefixed    bool // some had two words and more and a value
	inside      [24]uint64
	times       [24]int // that the words inside were seen
	insides     int
}

// reset forgets what was seen; what inside and times held is written over.
func (f *fillings) reset() {
	f.first.n, f.last.n, f.phrases.n, f.n, f.insides = 0, 0, 0, 0, 0
	f.general, f.typed, f.words, f.more, f.prefixed = false, false, false, false, false
}

func (f *fillings) add(ps []piece) {
	words, all, phrase, gaps, values := 0, uint64(0), uint64(0), false, false
	for _, p := range ps {
		all = (all ^ p.hash) * 1099511628211
		switch p.kind {
		case word:
			words++
			phrase = (phrase ^ p.hash) * 1099511628211
		case value:
			values = true
		case gap:
			gaps = true
		}
	}
	f.more = f.more || len(ps) != 1
	switch {
	case len(ps) == 0:
		return
	case gaps && words == 0:
		f.general = true
		return
	case words > 0:
		f.phrases.add(phrase)
		f.prefixed = f.prefixed || values && words > 1
		f.count(ps)
	case !gaps:
		f.typed = true
	}
	f.n++
	f.words = f.words || words > 0
	f.first.add(edge(ps[0], all))
	f.last.add(edge(ps[len(ps)-1], all))
}

// edge is what an edge of a filling is told apart by: no statement has a value of its own.
func edge(p piece, all uint64) uint64 {
	if p.kind == word {
		return p.hash
	}
	return all
}

// count counts the words inside of a filling.
func (f *fillings) count(ps []piece) {
	for i, p := range ps {
		if p.kind != word || holdsPiece(ps[:i], p.hash) {
			continue
		}
		at := slices.Index(f.inside[:f.insides], p.hash)
		if at < 0 {
			if f.insides == len(f.inside) {
				continue
			}
			at = f.insides
			f.inside[at], f.times[at] = p.hash, 0
			f.insides++
		}
		f.times[at]++
	}
}

// common tells whether a word is in half of the fillings, so that it is rather a part of the
// statement.
func (f *fillings) common() bool {
	return f.insides > 0 && slices.Max(f.times[:f.insides]) >= max(4, f.n/2)
}

// enough tells whether a gap varies. inner says that there are fixed words on both sides:
// where values alone were seen between them, one other filling is enough, unless it is a
// phrase before a value ("password for <*>", "password for invalid user <*>"). enclosed says
// that it is in brackets, so that whole fillings count and not their edges.
func (f *fillings) enough(need int, inner, enclosed bool) bool {
	if f.general || f.n > 0 && !f.words {
		return true
	}
	n := min(f.first.n, f.last.n)
	if enclosed {
		n = max(n, f.phrases.n)
	} else if f.common() {
		return false
	}
	if f.typed && (!f.prefixed || f.phrases.n >= 2) {
		if n > 1 && (inner || !f.more) {
			return true
		}
		n += 2
	}
	return n >= max(need, 3)
}

// lean returns by how much fewer fillings the gap at i of a shape needs because of what is
// beside it: a key, or brackets around it. After a colon at the end of a line it is more: other
// programs speak there.
func lean(s []piece, i int) int {
	if i == 0 {
		return 0
	}
	left, right := s[i-1], piece{}
	if i+1 < len(s) {
		right = s[i+1]
	}
	switch {
	case right.hash == 0 && left.hash == ':':
		return -1
	case left.hash == '=' && (right.hash == 0 || right.kind == word && i+2 < len(s) && s[i+2].hash == '='):
		return 2
	case enclosed(left, right):
		return 2
	}
	return 0
}

// enclosed tells whether brackets or quotes stand around a gap: all of the filling is between
// them, and none of it is the statement's.
func enclosed(left, right piece) bool {
	return left.kind == sign && right.kind == sign && strings.IndexByte("([{\"'", byte(left.hash)) >= 0 && strings.IndexByte(")]}\"'", byte(right.hash)) >= 0
}
