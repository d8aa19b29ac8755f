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
	family    uint64    // of tokens
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
	byKey    map[string]*Template // exact key and keys with <*>, joined by blanks
	byID     map[string]*Template // merged ones too
	live     int
	places   map[uint64]*place      // one position left open: which templates differ only there
	families map[uint64][]*Template // by length and first word
	keyer    keyer
	recent   map[string]*Template // by masked line
	alias    map[string]*Template // by key that a template covers
}

// New returns an empty miner.
func New(opt Options) *Miner {
	opt.defaults()
	m := &Miner{
		opt: opt, byKey: map[string]*Template{}, byID: map[string]*Template{},
		places: map[uint64]*place{}, families: map[uint64][]*Template{},
		recent: map[string]*Template{}, alias: map[string]*Template{},
	}
	m.keyer.slots = slots{values: opt.Values, seen: map[uint64][]uint64{}}
	return m
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

// maxMerged bounds the templates that were merged into others, whose ids still resolve, as a
// multiple of MaxTemplates.
const maxMerged = 5

// maxRecent bounds the masked lines and keys whose template is remembered.
const maxRecent = 1 << 15

func (m *Miner) find(masked []byte) (t *Template, isNew bool) {
	m.keyer.read(masked)
	if m.keyer.slots.grown {
		m.keyer.slots.grown = false
		m.rekey("=\"'`")
		m.keyer.read(masked)
	}
	if t := m.byKey[string(m.keyer.key.text)]; t != nil {
		return m.Resolve(t), false
	}
	if t := m.alias[string(m.keyer.key.text)]; t != nil {
		return m.Resolve(t), false
	}
	key, tokens := string(m.keyer.key.text), m.keyer.key.tokens()
	if t := m.wild(tokens); t != nil {
		if len(m.alias) >= maxRecent {
			clear(m.alias)
		}
		m.alias[key] = t
		return t, false
	}
	if m.live >= m.opt.MaxTemplates || len(m.byID) >= maxMerged*m.opt.MaxTemplates {
		return m.catchAll(len(tokens)), false
	}
	t = m.add(tokens, m.keyer.shown.tokens(), key)
	m.index(t)
	return m.Resolve(t), m.Resolve(t) == t
}

// rekey merges the templates whose keys are equal now that a slot varies. Those without a
// character of where cannot have changed.
func (m *Miner) rekey(where string) {
	for _, t := range m.All() {
		if t.Into != "" || where != "" && !strings.ContainsAny(t.Text, where) {
			continue
		}
		m.keyer.read([]byte(t.Text))
		if key := m.keyer.key.text; string(key) != t.Key {
			m.become(t, m.keyer.key.tokens(), m.keyer.shown.tokens())
		}
	}
}

// become gives t a new key, and merges it into the template that has that key already.
func (m *Miner) become(t *Template, tokens, shown []string) {
	t.tokens, t.Shown = tokens, shown
	t.Key, t.Text = strings.Join(tokens, " "), strings.Join(shown, " ")
	if o := m.byKey[t.Key]; o != nil {
		if o = m.Resolve(o); o != t {
			m.absorb(o, t)
			return
		}
	}
	m.byKey[t.Key] = t
	for _, o := range m.relatives(tokens) {
		if o != t && m.covers(tokens, o.tokens) {
			m.absorb(t, o)
		}
	}
	m.index(t)
}

// absorb merges o into t.
func (m *Miner) absorb(t, o *Template) {
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
func (m *Miner) All() []*Template {
	out := make([]*Template, 0, m.live)
	for _, t := range m.byID {
		if t.Into == "" {
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
