// Package mine finds the templates behind log lines as they stream by: lines that differ only
// in typed values share one at once, and words that turn out to vary are found when enough
// values were seen. Ids are made from the first key of a template, so they are the same after
// a restart and on another machine; an id that was merged into another still resolves.
package mine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Template is one kind of message.
type Template struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"` // typed placeholders, and <*> where a word varies
	Count     int64     `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Host      string    `json:"host,omitempty"` // where it was first seen
	Example   string    `json:"example,omitempty"`
	Hours     [24]int32 `json:"hours"`                // lines in the last 24 hours, by hour modulo 24
	HourStart int64     `json:"hour_start,omitempty"` // hour (Unix/3600) up to which Hours is current
	MeanHour  float64   `json:"mean_hour,omitempty"`  // lines per hour, exponentially forgotten
	Into      string    `json:"into,omitempty"`       // the template this one was merged into
	Key       string    `json:"key"`                  // what is compared: every value is <*>
	Shown     []string  `json:"shown"`                // the words of Text
	tokens    []string  // of Key
}

// Options bound a Miner.
type Options struct {
	MaxTemplates int // beyond it, new kinds join a catch-all of their length; default 20,000
	Values       int // distinct words at one place that make it vary; default 4
	Constants    int // fixed words a template keeps at least; default 3
}

func (o *Options) defaults() {
	if o.MaxTemplates <= 0 {
		o.MaxTemplates = 20_000
	}
	if o.Values <= 0 {
		o.Values = 4
	}
	if o.Constants <= 0 {
		o.Constants = 3
	}
}

// Wild stands for a word that varies.
const Wild = "<*>"

// firstConstants is how many fixed words must follow a first word that varies.
const firstConstants = 6

// maxTokens is how many tokens of a line take part; the rest counts as one varying token.
const maxTokens = 60

// Miner groups lines. It is not safe for concurrent use.
type Miner struct {
	opt    Options
	byKey  map[string]*Template // exact key and keys with <*>, joined by blanks
	byID   map[string]*Template // merged ones too
	live   int
	places map[uint64]*place // one position left open: which templates differ only there
	keyer  keyer
	recent map[string]*Template // by masked line
}

// place is a key with one position open.
type place struct{ members []*Template }

// New returns an empty miner.
func New(opt Options) *Miner {
	opt.defaults()
	return &Miner{opt: opt, byKey: map[string]*Template{}, byID: map[string]*Template{}, places: map[uint64]*place{}, recent: map[string]*Template{}}
}

// Len is how many templates there are.
func (m *Miner) Len() int { return m.live }

// Find returns the template of a masked line and whether it is new. It does not count the
// line: callers that remember which masked line has which template count there.
func (m *Miner) Find(masked []byte) (t *Template, isNew bool) {
	if t := m.recent[string(masked)]; t != nil {
		return m.Resolve(t), false
	}
	t, isNew = m.find(masked)
	if len(m.recent) >= maxRecent {
		clear(m.recent)
	}
	m.recent[string(masked)] = t
	return t, isNew
}

// maxRecent bounds the masked lines whose template is remembered.
const maxRecent = 1 << 15

func (m *Miner) find(masked []byte) (t *Template, isNew bool) {
	tokens, shown := m.keyer.tokens(masked)
	key := strings.Join(tokens, " ")
	if t := m.byKey[key]; t != nil {
		return m.Resolve(t), false
	}
	if t := m.wild(tokens); t != nil {
		m.byKey[key] = t
		return t, false
	}
	if m.live >= m.opt.MaxTemplates {
		return m.catchAll(len(tokens)), false
	}
	t = m.add(slices.Clone(tokens), slices.Clone(shown), key)
	m.index(t)
	return m.Resolve(t), m.Resolve(t) == t
}

// Resolve follows merges.
func (m *Miner) Resolve(t *Template) *Template {
	for t.Into != "" {
		t = m.byID[t.Into]
	}
	return t
}

// Get returns the template with an id, merges followed, or nil.
func (m *Miner) Get(id string) *Template {
	t := m.byID[id]
	if t == nil {
		return nil
	}
	return m.Resolve(t)
}

// All returns the templates, most frequent first.
func (m *Miner) All() []*Template {
	out := make([]*Template, 0, m.live)
	for _, t := range m.byID {
		if t.Into == "" {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Template) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID)) })
	return out
}

func (m *Miner) add(tokens, shown []string, key string) *Template {
	id := fmt.Sprintf("%016x", xxhash.Sum64String(key))[:12]
	if t := m.byID[id]; t != nil {
		return t
	}
	t := &Template{ID: id, Text: strings.Join(shown, " "), Key: key, tokens: tokens, Shown: shown}
	m.byKey[key], m.byID[id] = t, t
	m.live++
	return t
}

func (m *Miner) catchAll(n int) *Template {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = Wild
	}
	key := strings.Join(tokens, " ")
	if t := m.byKey[key]; t != nil {
		return t
	}
	return m.add(tokens, tokens, key)
}

// wild looks for a template that has <*> where the tokens differ from it.
func (m *Miner) wild(tokens []string) *Template {
	for i := range tokens {
		p := m.places[placeHash(tokens, i)]
		if p == nil {
			continue
		}
		for _, t := range p.members {
			if t = m.Resolve(t); len(t.tokens) == len(tokens) && matches(t.tokens, tokens) {
				return t
			}
		}
	}
	return nil
}

func matches(pattern, tokens []string) bool {
	for i, p := range pattern {
		if p != Wild && p != tokens[i] {
			return false
		}
	}
	return true
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

// file enters t under each of its open positions.
func (m *Miner) file(t *Template) {
	for i := range t.tokens {
		h := placeHash(t.tokens, i)
		if m.places[h] == nil {
			m.places[h] = &place{}
		}
		m.places[h].members = append(m.places[h].members, t)
	}
}

// index files t and merges where enough values were seen.
func (m *Miner) index(t *Template) {
	m.file(t)
	constants := 0
	for _, tok := range t.tokens {
		if !strings.Contains(tok, "<") {
			constants++
		}
	}
	for i, tok := range t.tokens {
		if i == 0 && constants < firstConstants {
			continue
		}
		p := m.places[placeHash(t.tokens, i)]
		if !strings.Contains(tok, "<") && constants-1 >= m.opt.Constants && len(p.members) >= m.opt.Values {
			m.merge(p, i)
			return
		}
	}
}

// merge makes one template of the members of p, which differ at position i only.
func (m *Miner) merge(p *place, i int) {
	first := m.Resolve(p.members[0])
	for _, t := range p.members[1:] {
		if t = m.Resolve(t); t != first {
			first.absorb(t)
			t.Into = first.ID
			m.live--
		}
	}
	p.members = p.members[:1]
	p.members[0] = first
	first.tokens, first.Shown = slices.Clone(first.tokens), slices.Clone(first.Shown)
	first.tokens[i], first.Shown[i] = Wild, Wild
	first.Key, first.Text = strings.Join(first.tokens, " "), strings.Join(first.Shown, " ")
	if t := m.byKey[first.Key]; t != nil && m.Resolve(t) != first {
		t = m.Resolve(t)
		t.absorb(first)
		first.Into = t.ID
		m.live--
		return
	}
	m.byKey[first.Key] = first
	m.index(first)
}

// absorb adds the counts of o, which is no longer a template of its own.
func (t *Template) absorb(o *Template) {
	t.Count += o.Count
	if t.First.IsZero() || !o.First.IsZero() && o.First.Before(t.First) {
		t.First, t.Host, t.Example = o.First, o.Host, o.Example
	}
	if o.Last.After(t.Last) {
		t.Last = o.Last
	}
	for h := range o.Hours {
		t.Hours[h] += o.Hours[h]
	}
	t.MeanHour += o.MeanHour
	t.HourStart = max(t.HourStart, o.HourStart)
}
