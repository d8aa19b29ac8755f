package mine

import (
	"cmp"
	"slices"
	"strings"
)

// Bounds of what is looked at for one template.
const (
	maxPosting = 100 // templates remembered for a word; one that more share tells little
	maxNear    = 12  // templates that one is aligned with
	maxShapes  = 4   // of them that are tried
	maxWords   = 10  // words in the index, as a multiple of MaxTemplates
	maxSteps   = 4   // times that a template becomes more general at once
)

// entry is a template in the index by word.
type entry struct {
	t      *Template
	key    string // that the pieces are of
	pieces []piece
	hits   int // words shared with the key that is looked up, if stamp is current
	stamp  int
}

// read returns the pieces of the template as it is now.
func (e *entry) read() []piece {
	if e.key != e.t.Key {
		e.key, e.pieces = e.t.Key, split(e.pieces[:0], e.t.Key)
	}
	return e.pieces
}

// index knows templates by their words. It finds those with stretches that vary: what two
// templates have in common, with a gap wherever they differ, is a shape; it becomes a
// template when all of its gaps had fillings enough.
type index struct {
	matcher
	words  map[uint64][]*entry
	posted int // since the index was made
	stamp  int
	key    string   // that is looked up
	pieces []piece  // of it
	near   []*entry // that share words with it
	shapes [][]piece
	align  aligner
	seen   [maxGaps]fillings
}

// post enters t. Words of templates that were merged stay until the index is full of them.
func (m *Miner) post(t *Template) {
	x := &m.index
	if x.posted++; len(x.words) >= maxWords*m.opt.MaxTemplates && x.posted > m.opt.MaxTemplates {
		clear(x.words)
		x.posted = 0
		for _, o := range m.All() {
			if o != t {
				m.post(o)
			}
		}
	}
	e := &entry{t: t}
	if x.key == t.Key {
		e.key, e.pieces = x.key, slices.Clone(x.pieces)
	}
	for i, p := range e.read() {
		if p.kind != word || holdsPiece(e.pieces[:i], p.hash) {
			continue
		}
		if list := x.words[p.hash]; len(list) < maxPosting && (list != nil || len(x.words) < maxWords*m.opt.MaxTemplates) {
			x.words[p.hash] = append(list, e)
		}
	}
}

// lookUp collects the live templates that share two words with a key, or the only ones it
// has; the maxNear that share most come first.
func (x *index) lookUp(key string) {
	x.key = key
	x.pieces = split(x.pieces[:0], key)
	x.near = x.near[:0]
	x.stamp++
	words := 0
	for i, p := range x.pieces {
		if p.kind != word || holdsPiece(x.pieces[:i], p.hash) {
			continue
		}
		words++
		list := x.words[p.hash]
		live := list[:0]
		for _, e := range list {
			if e.t.Into != "" {
				continue
			}
			live = append(live, e)
			if e.stamp != x.stamp {
				e.stamp, e.hits = x.stamp, 0
				x.near = append(x.near, e)
			}
			e.hits++
		}
		switch clear(list[len(live):]); {
		case len(live) == 0:
			delete(x.words, p.hash)
		case len(live) < len(list):
			x.words[p.hash] = live
		}
	}
	least := min(words-1, 2)
	if least > 1 {
		x.near = slices.DeleteFunc(x.near, func(e *entry) bool { return e.hits < least })
	}
	first(x.near, maxNear)
}

// first brings the n entries with most hits in order to the front.
func first(s []*entry, n int) {
	for i := 1; i < len(s); i++ {
		e, j := s[i], i
		if i >= n {
			if j = n - 1; !e.before(s[j]) {
				continue
			}
			s[i] = s[j]
		}
		for ; j > 0 && e.before(s[j-1]); j-- {
			s[j] = s[j-1]
		}
		s[j] = e
	}
}

func (e *entry) before(o *entry) bool {
	return e.hits > o.hits || e.hits == o.hits && byCount(e.t, o.t) < 0
}

// covering returns the template with gaps that covers the key that was looked up: the one
// with most fixed words, and how many they are.
func (x *index) covering() (best *Template, most int) {
	for _, e := range x.near {
		if !e.t.gapped {
			continue
		}
		s := e.read()
		if f := fixed(s); (best == nil || f > most || f == most && byCount(e.t, best) < 0) && x.match(s, x.pieces) {
			best, most = e.t, f
		}
	}
	return best, most
}

// isInstance tells whether a template with gaps covers a key.
func (x *index) isInstance(key, shape string) bool {
	x.key = ""
	x.pieces = split(x.pieces[:0], shape)
	n := len(x.pieces)
	x.pieces = split(x.pieces, key)
	return x.match(x.pieces[:n], x.pieces[n:])
}

// absorbInstances merges the templates that t covers into it. The index has looked it up.
func (m *Miner) absorbInstances(t *Template) {
	for _, e := range m.index.near {
		if e.t != t && m.index.match(m.index.pieces, e.read()) {
			m.absorb(t, e.t)
		}
	}
}

// generalise merges t with templates near it while there is a shape that they are instances
// of and whose gaps vary. The index has looked up the key of t.
func (m *Miner) generalise(t *Template) {
	x := &m.index
	for range maxSteps {
		if x.key != t.Key {
			x.lookUp(t.Key)
		}
		x.near = slices.DeleteFunc(x.near, func(e *entry) bool { return e.t == t || e.t.Into != "" })
		if len(x.near) == 0 {
			return
		}
		shape := x.shape(&m.opt)
		if shape == nil {
			return
		}
		key := render(t.Key, shape)
		shown := shownAs(key, t.tokens, t.Shown)
		for _, e := range x.near {
			if x.match(shape, e.read()) {
				o := e.t
				if o == t || o.Into != "" {
					continue // it is in the index twice
				}
				if byCount(o, t) < 0 {
					t, o = o, t
				}
				m.absorb(t, o)
			}
		}
		m.become(t, strings.Split(key, " "), shown)
		t = m.Resolve(t)
	}
}

// shape returns the most specific shape of the key that was looked up and a template near it
// whose gaps all vary, nil if there is none.
func (x *index) shape(opt *Options) []piece {
	n := 0
	for _, e := range x.near[:min(len(x.near), maxNear)] {
		s := x.align.align(x.pieces, e.read())
		if s == nil || slices.ContainsFunc(x.shapes[:n], func(o []piece) bool { return equalPieces(o, s) }) {
			continue
		}
		if n == len(x.shapes) {
			x.shapes = append(x.shapes, nil)
		}
		x.shapes[n] = append(x.shapes[n][:0], s...)
		n++
	}
	slices.SortStableFunc(x.shapes[:n], func(a, b []piece) int { return cmp.Compare(fixed(b), fixed(a)) })
	for _, s := range x.shapes[:min(n, maxShapes)] {
		if x.varies(s, opt) {
			return s
		}
	}
	return nil
}

// varies tells whether each gap of a shape had fillings enough.
func (x *index) varies(s []piece, opt *Options) bool {
	need := opt.fillings(fixed(s))
	if need == 0 || !x.match(s, x.pieces) || !x.phrases(x.pieces) || len(x.fills) > maxGaps {
		return false
	}
	seen := x.seen[:len(x.fills)]
	for k := range seen {
		seen[k].reset()
	}
	x.count(seen, x.pieces)
	for _, e := range x.near {
		if ps := e.read(); x.match(s, ps) && x.phrases(ps) {
			x.count(seen, ps)
		}
	}
	if !slices.ContainsFunc(seen, func(f fillings) bool { return f.more || f.typed || f.general }) {
		need = max(need, 2*opt.Values) // single words alone: the places know better
	}
	k := 0
	for i, p := range s {
		if p.kind != gap {
			continue
		}
		afterKey := i > 0 && s[i-1].hash == '='
		seen[k].typed = seen[k].typed && !afterKey // the slots know better
		inner := i > 0 && i+1 < len(s) && s[i+1].kind == word
		within := i > 0 && i+1 < len(s) && enclosed(s[i-1], s[i+1])
		if !seen[k].enough(min(need-lean(s, i), 2*opt.Values), inner, within) {
			return false
		}
		k++
	}
	return true
}

// phrases tells whether the gaps of the shape that ps was matched with are filled with
// phrases, none of them the name of what is called: Open(...).
func (x *index) phrases(ps []piece) bool {
	return !slices.ContainsFunc(x.fills, func(f span) bool {
		called := f.end > f.start && f.end < len(ps) && ps[f.end].hash == '(' && ps[f.end].start == ps[f.end-1].end
		return called || !phrase(ps[f.start:f.end])
	})
}

func (x *index) count(seen []fillings, ps []piece) {
	for k, f := range x.fills {
		seen[k].add(ps[f.start:f.end])
	}
}

// fillings returns how many distinct fillings a gap beside fixed words needs, 0 for never.
func (o *Options) fillings(fixed int) int {
	switch {
	case fixed >= 2*o.Constants:
		return o.Values
	case fixed >= o.Constants:
		return o.Values + 1
	case fixed == o.Constants-1:
		return o.Values + 2
	}
	return 0
}

// shownAs returns what people see for the tokens of key, a shape of the tokens of old: those
// at its beginning and end that did not change stay as they were shown.
func shownAs(key string, old, shown []string) []string {
	out := strings.Split(key, " ")
	i := 0
	for ; i < min(len(out), len(old)) && out[i] == old[i]; i++ {
		out[i] = shown[i]
	}
	for k := 1; k <= min(len(out), len(old))-i && out[len(out)-k] == old[len(old)-k]; k++ {
		out[len(out)-k] = shown[len(shown)-k]
	}
	return out
}
