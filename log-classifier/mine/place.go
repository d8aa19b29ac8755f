package mine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// place is a key with one position open: the templates that differ only there.
type place struct{ members []*Template }

// family is the templates of one length and first word.
func family(tokens []string) uint64 {
	h := uint64(len(tokens)) * 0x9e3779b97f4a7c15
	if len(tokens) > 0 {
		h ^= xxhash.Sum64String(tokens[0])
	}
	return h
}

// maxFamily bounds how many templates of a family a new key is compared with.
const maxFamily = 500

// relatives are the live templates of a family.
func (m *Miner) relatives(tokens []string) []*Template {
	h := family(tokens)
	kept := m.families[h][:0]
	for _, t := range m.families[h] {
		if t.Into == "" && t.family == h && !t.gapped {
			kept = append(kept, t)
		}
	}
	m.families[h] = kept
	return kept
}

// wild looks for a template that has <*> wherever the tokens differ from it, the most
// specific of them if there are several.
func (m *Miner) wild(tokens []string) (best *Template) {
	if len(tokens) == 0 {
		return nil
	}
	open := slices.Clone(tokens)
	for _, first := range []string{tokens[0], Wild} {
		open[0] = first
		for _, t := range m.relatives(open) {
			if m.covers(t.tokens, tokens) && (best == nil || cmp.Or(cmp.Compare(t.wilds(), best.wilds()), byCount(t, best)) < 0) {
				best = t
			}
		}
	}
	return best
}

// wilds is how many words of a template vary.
func (t *Template) wilds() (n int) {
	for _, tok := range t.tokens {
		if tok == Wild {
			n++
		}
	}
	return n
}

// covers tells whether a pattern has <*> wherever the tokens differ from it, and words
// enough beside. A key with its value is no value.
func (m *Miner) covers(pattern, tokens []string) bool {
	for i, p := range pattern {
		if p != tokens[i] && (p != Wild || strings.IndexByte(tokens[i], '=') >= 0 || m.need(pattern, i) == 0) {
			return false
		}
	}
	return true
}

// need returns how many distinct words at position i of a template make it vary: the fewer
// words are fixed, the more. 0 means never.
func (m *Miner) need(tokens []string, i int) int {
	if tokens[i] != Wild && strings.ContainsAny(tokens[i], "<=") {
		return 0 // it has a value already, or a slot that varies by itself
	}
	fixed := 0
	for k, t := range tokens {
		if k != i && hasLetter(t) {
			fixed++
		}
	}
	if i == 0 {
		fixed -= 2 // the first word says more than others
	}
	switch {
	case fixed >= 2*m.opt.Constants:
		return max(m.opt.Values-1, 2)
	case fixed >= m.opt.Constants:
		return m.opt.Values
	case fixed == m.opt.Constants-1:
		return 2 * m.opt.Values
	}
	return 0
}

func hasLetter(t string) bool {
	for i := range len(t) {
		if isLetter(t[i]) {
			return true
		}
	}
	return false
}

// placeHash identifies a key whose i-th token is left open.
func placeHash(tokens []string, i int) uint64 {
	h := uint64(len(tokens))*0x9e3779b97f4a7c15 + uint64(i)
	for k, t := range tokens {
		if k != i {
			h = (h ^ xxhash.Sum64String(t)) * 1099511628211
			h ^= h >> 29
		}
	}
	return h
}

// at returns the place that is tokens with the i-th open, made if need be. Templates that
// were merged or have changed since they were entered are taken out.
func (m *Miner) at(tokens []string, i int) *place {
	h := placeHash(tokens, i)
	p := m.places[h]
	if p == nil {
		p = &place{}
		m.places[h] = p
	}
	kept := p.members[:0]
	for _, t := range p.members {
		if t = m.Resolve(t); !t.gapped && !slices.Contains(kept, t) && equalBut(t.tokens, tokens, i) {
			kept = append(kept, t)
		}
	}
	p.members = kept
	return p
}

// equalBut tells whether a and b differ at position i at most.
func equalBut(a, b []string, i int) bool {
	return len(a) == len(b) && slices.Equal(a[:i], b[:i]) && slices.Equal(a[i+1:], b[i+1:])
}

// enter adds t to its family.
func (m *Miner) enter(t *Template) {
	t.family = family(t.tokens)
	if list := m.relatives(t.tokens); len(list) < maxFamily && !slices.Contains(list, t) {
		m.families[t.family] = append(list, t)
	}
}

// settle enters t under each of its open positions, and merges where enough values were seen,
// or where a typed value stands in the place of a word.
func (m *Miner) settle(t *Template) {
	m.enter(t)
	for i := range t.tokens {
		if n := m.need(t.tokens, i); n > 0 {
			if p := m.join(t, i); len(p.members) > 1 && (t.tokens[i] == Wild || len(p.members) >= n) {
				m.merge(p, i)
				return
			}
		}
	}
}

// join adds t to the place that is its i-th position left open.
func (m *Miner) join(t *Template, i int) *place {
	p := m.at(t.tokens, i)
	if !slices.Contains(p.members, t) {
		p.members = append(p.members, t)
	}
	return p
}

// merge makes one template of the members of p, which differ at position i only. The one
// with most lines keeps its id.
func (m *Miner) merge(p *place, i int) {
	first := slices.MinFunc(p.members, byCount)
	for _, t := range p.members {
		if t != first {
			m.absorb(first, t)
		}
	}
	tokens, shown := slices.Clone(first.tokens), slices.Clone(first.Shown)
	tokens[i], shown[i] = Wild, Wild
	m.become(first, tokens, shown)
}
