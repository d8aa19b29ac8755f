// Package mine finds the templates behind log lines as they stream by: lines that differ only
// in typed values share one at once, and words and stretches of words that turn out to vary
// are found when enough values were seen. Ids are made from the first key of a template, so
// they are the same after a restart and on another machine; an id that was merged into
// another still resolves.
package mine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Template is one kind of message.
type Template struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"` // typed placeholders, <*> where a word varies, <**> where a stretch does
	Count     int64     `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Origin              // of the first line that told
	Example   string    `json:"example,omitempty"`
	Hours     [24]int32 `json:"hours"`                // lines in the last 24 hours, by hour modulo 24
	HourStart int64     `json:"hour_start,omitempty"` // hour (Unix/3600) up to which Hours is current
	MeanHour  float64   `json:"mean_hour,omitempty"`  // lines per hour, exponentially forgotten
	Into      string    `json:"into,omitempty"`       // the template this one was merged into
	Key       string    `json:"key"`                  // what is compared: every value is <*>
	Shown     []string  `json:"shown"`                // the words of Text
	tokens    []string  // of Key
	family    uint64    // of tokens
	gapped    bool      // there is a Gap in Key
}

// Options bound a Miner.
type Options struct {
	MaxTemplates int // beyond it, new kinds join a catch-all of their length; default 20,000
	Values       int // distinct words at one place that make it vary; default 4
	Constants    int // fixed words beside it; with one less, twice as many values; default 3
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

// maxTokens is how many tokens of a line take part; the rest counts as one varying token.
const maxTokens = 60

// Miner groups lines. It is not safe for concurrent use.
type Miner struct {
	opt      Options
	byKey    map[string]*known    // by the key that the template has or had when it was merged
	byID     map[string]*Template // merged ones too
	live     int
	places   map[uint64]*place      // one position left open: which templates differ only there
	families map[uint64][]*Template // by length and first word
	keyer    keyer
	index    index
	alias    map[string]*known // by other keys that a template covers
	recent   map[string]*known // by masked line
}

// known is the template of a key. Masked lines share it with their key.
type known struct{ t *Template }

// New returns an empty miner.
func New(opt Options) *Miner {
	opt.defaults()
	m := &Miner{
		opt: opt, byKey: map[string]*known{}, byID: map[string]*Template{},
		places: make(map[uint64]*place, 2048), families: map[uint64][]*Template{},
		recent: make(map[string]*known, 2048), alias: map[string]*known{},
	}
	m.index.words = make(map[uint64][]*entry, 2048)
	m.keyer.errors = newErrors()
	m.keyer.slots = slots{values: opt.Values, seen: map[uint64][]uint64{}}
	return m
}

// Len is how many templates there are.
func (m *Miner) Len() int { return m.live }

// Find returns the template of a masked line and whether it is new. It does not count the
// line: callers that remember which masked line has which template count there.
func (m *Miner) Find(masked []byte) (t *Template, isNew bool) {
	if k := m.recent[string(masked)]; k != nil {
		return m.Resolve(k.t), false
	}
	k, isNew := m.find(masked)
	if len(m.recent) >= maxRecent {
		clear(m.recent)
	}
	m.recent[string(masked)] = k
	t = m.Resolve(k.t)
	return t, isNew && t == k.t
}

// maxMerged bounds the templates that were merged into others, whose ids still resolve, as a
// multiple of MaxTemplates.
const maxMerged = 5

// maxRecent and maxAlias bound the masked lines and the keys whose template is remembered.
const (
	maxRecent = 1 << 15
	maxAlias  = 1 << 11
)

func (m *Miner) find(masked []byte) (k *known, isNew bool) {
	m.keyer.read(masked)
	for len(m.keyer.slots.grown) > 0 {
		slot := m.keyer.slots.grown[0]
		m.keyer.slots.grown = m.keyer.slots.grown[1:]
		m.rekey(func(t *Template) bool { return concerns(slot, t.Text) })
		maps.DeleteFunc(m.recent, func(line string, _ *known) bool { return concerns(slot, line) })
		m.keyer.read(masked)
	}
	if k := m.byKey[string(m.keyer.key.text)]; k != nil {
		return k, false
	}
	if k := m.alias[string(m.keyer.key.text)]; k != nil {
		return k, false
	}
	key, tokens := string(m.keyer.key.text), m.keyer.key.tokens()
	t := m.lookUp(key, tokens)
	if t == nil {
		t = m.byID[idOf(key)] // the key that it had first
	}
	if t != nil {
		return m.know(key, &known{t}), false
	}
	if m.live >= m.opt.MaxTemplates || len(m.byID) >= maxMerged*m.opt.MaxTemplates {
		return m.catchAll(len(tokens)), false
	}
	k = m.add(tokens, m.keyer.shown.tokens(), key)
	m.post(k.t)
	if slices.Contains(tokens, Wild) {
		m.reassign(k.t)
	}
	m.settle(k.t)
	m.generalise(m.Resolve(k.t))
	return k, true
}

// know remembers the template of a key that is none's own.
func (m *Miner) know(key string, k *known) *known {
	if len(m.alias) >= maxAlias {
		clear(m.alias)
		clear(m.recent)
	}
	m.alias[key] = k
	return k
}

// lookUp returns the template that covers a key that is none's own, the one with most fixed
// words, or nil.
func (m *Miner) lookUp(key string, tokens []string) *Template {
	t := m.wild(tokens)
	m.index.lookUp(key)
	if o, words := m.index.covering(); o != nil && (t == nil || words > countWords(split(nil, t.Key))) {
		return o
	}
	return t
}

// rekey merges those of the concerned templates whose keys are equal now that a slot varies.
func (m *Miner) rekey(concerned func(*Template) bool) {
	m.keyer.slots.fixed = true
	defer func() { m.keyer.slots.fixed = false }()
	for _, t := range m.sorted(concerned) {
		if t.Into != "" {
			continue
		}
		m.keyer.read([]byte(t.Text))
		if key := m.keyer.key.text; string(key) != t.Key {
			m.become(t, m.keyer.key.tokens(), m.keyer.shown.tokens())
		}
	}
}

// become gives t a new key, or merges it into the template that has that key already.
func (m *Miner) become(t *Template, tokens, shown []string) {
	key := strings.Join(tokens, " ")
	own := m.byKey[key]
	switch {
	case own != nil && m.Resolve(own.t) != t:
		m.absorb(m.Resolve(own.t), t)
		return
	case own == nil:
		if own = m.alias[key]; own == nil {
			own = &known{}
		}
		own.t, m.byKey[key] = t, own
		delete(m.alias, key)
	}
	if k := m.byKey[t.Key]; k != nil && k.t == t && t.Key != key {
		delete(m.byKey, t.Key)
		m.know(t.Key, k)
	}
	t.tokens, t.Shown, t.Key, t.Text = tokens, shown, key, strings.Join(shown, " ")
	t.gapped = strings.Contains(key, Gap)
	m.reassign(t)
	m.index.lookUp(t.Key)
	if t.gapped {
		m.absorbInstances(t)
		return
	}
	if o, _ := m.index.covering(); o != nil {
		m.absorb(o, t)
		return
	}
	for _, o := range m.relatives(tokens) {
		if o != t && m.covers(tokens, o.tokens) {
			m.absorb(t, o)
		}
	}
	m.settle(t)
}

// reassign looks up the keys anew that t, which has become more general, may cover: the same
// template is found for them then after a restart.
func (m *Miner) reassign(t *Template) {
	from, to := strings.Index(t.Key, "<*"), strings.LastIndex(t.Key, "*>")
	if from < 0 || to < 0 {
		return
	}
	if !t.gapped {
		m.enter(t) // or it would not be found among its relatives
	}
	before, after := strings.TrimRight(t.Key[:from], " "), strings.TrimLeft(t.Key[to+2:], " ")
	for key, k := range m.alias {
		if strings.HasPrefix(key, before) && strings.HasSuffix(key, after) && (m.Resolve(k.t) != t && m.isInstance(key, t) || m.Resolve(k.t) == t && t.gapped) {
			if o := m.lookUp(key, strings.Split(key, " ")); o != nil {
				k.t = o
			}
		}
	}
}

// isInstance tells whether t covers a key.
func (m *Miner) isInstance(key string, t *Template) bool {
	if t.gapped {
		return m.index.isInstance(key, t.Key)
	}
	return strings.Count(key, " ") == len(t.tokens)-1 && m.covers(t.tokens, strings.Split(key, " "))
}

// absorb merges o into t, or into what t was merged into, unless it is merged already.
func (m *Miner) absorb(t, o *Template) {
	if t = m.Resolve(t); t == o || o.Into != "" {
		return
	}
	t.absorb(o)
	o.Into = t.ID
	m.live--
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
func (m *Miner) All() []*Template { return m.sorted(func(*Template) bool { return true }) }

// sorted returns the live templates that want wants, most frequent first.
func (m *Miner) sorted(want func(*Template) bool) (out []*Template) {
	for _, t := range m.byID {
		if t.Into == "" && want(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, byCount)
	return out
}

// byCount orders templates, most frequent first.
func byCount(a, b *Template) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ID, b.ID))
}

func idOf(key string) string { return fmt.Sprintf("%016x", xxhash.Sum64String(key))[:12] }

func (m *Miner) add(tokens, shown []string, key string) *known {
	t := &Template{ID: idOf(key), Text: strings.Join(shown, " "), Key: key, tokens: tokens, Shown: shown}
	k := &known{t}
	m.byKey[key], m.byID[t.ID] = k, t
	m.live++
	return k
}

func (m *Miner) catchAll(n int) *known {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = Wild
	}
	key := strings.Join(tokens, " ")
	if k := m.byKey[key]; k != nil {
		return k
	}
	if t := m.byID[idOf(key)]; t != nil {
		return m.know(key, &known{t})
	}
	return m.add(tokens, tokens, key)
}

// absorb adds the counts of o, which is no longer a template of its own.
func (t *Template) absorb(o *Template) {
	t.Count += o.Count
	if t.First.IsZero() || !o.First.IsZero() && o.First.Before(t.First) {
		t.First, t.Origin, t.Example = o.First, o.Origin, o.Example
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
