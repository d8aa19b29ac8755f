package mine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// State is what a Miner has learnt, as it is saved: live templates and merged ones.
type State struct {
	Templates []*Template         `json:"templates"`
	Slots     map[uint64][]uint64 `json:"slots,omitempty"` // values seen after a key, hashed
}

// State returns the miner's templates for saving, ordered by id. It
// is valid until the next Find.
func (m *Miner) State() State {
	s := State{Templates: make([]*Template, 0, len(m.byID)), Slots: m.keyer.slots.seen}
	for _, t := range m.byID {
		s.Templates = append(s.Templates, t)
	}
	slices.SortFunc(s.Templates, func(a, b *Template) int { return strings.Compare(a.ID, b.ID) })
	return s
}

// ErrState is wrapped by errors of Restore.
var ErrState = errors.New("saved templates are damaged")

// Restore returns a miner that continues where s was saved.
func Restore(s State, opt Options) (*Miner, error) {
	m := New(opt)
	for _, t := range s.Templates {
		if t == nil || t.ID == "" || m.byID[t.ID] != nil {
			return nil, fmt.Errorf("%w: empty or repeated id", ErrState)
		}
		t.tokens = nil
		if t.Key != "" { // of an empty line
			t.tokens = strings.Split(t.Key, " ")
		}
		if len(t.Shown) != len(t.tokens) {
			return nil, fmt.Errorf("%w: key and text of %s differ", ErrState, t.ID)
		}
		t.gapped = strings.Contains(t.Key, Gap)
		m.byID[t.ID] = t
	}
	for _, t := range s.Templates {
		hops := 0
		for u := t; u.Into != ""; hops++ {
			if u = m.byID[u.Into]; u == nil || hops > len(s.Templates) {
				return nil, fmt.Errorf("%w: %s was merged into something unknown", ErrState, t.ID)
			}
		}
	}
	for _, t := range s.Templates {
		root := m.Resolve(t)
		m.byKey[t.Key] = &known{root}
		if t.Into == "" {
			m.live++
		}
	}
	for _, t := range s.Templates {
		if t.Into == "" {
			m.post(t)
			if t.gapped {
				continue
			}
			m.enter(t)
			for i := range t.tokens {
				if m.need(t.tokens, i) > 0 {
					m.join(t, i)
				}
			}
		}
	}
	maps.Copy(m.keyer.slots.seen, s.Slots)
	m.rekey(func(*Template) bool { return true }) // an earlier version may have made other keys
	return m, nil
}
