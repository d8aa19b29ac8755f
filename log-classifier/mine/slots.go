package mine

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// slots are places whose values are told apart until they are seen to vary: the right side
// of a key, or quoted text after a word. A slot varies once it had enough distinct values.
type slots struct {
	values int // that make a slot vary
	seen   map[uint64][]uint64
	grown  []string // keys whose values have come to vary; "" for quoted text
	fixed  bool     // templates are read again: nothing is learnt from them twice
}

// maxSlots bounds the slots that are remembered; those beyond never vary.
const maxSlots = 20_000

// varies tells whether the value of a slot does not tell templates apart, and remembers it. A
// value with a placeholder never does; where one was seen, one word less makes a slot vary.
func (s *slots) varies(slot, value []byte) bool { return s.vary(slot, value, s.values) }

// vary is varies with the number of values that are enough.
func (s *slots) vary(slot, value []byte, enough int) bool {
	if bytes.Contains(value, gapText) {
		return false
	}
	h := xxhash.Sum64(slot)
	seen := s.seen[h]
	if len(seen) >= enough {
		return true
	}
	typed := bytes.IndexByte(value, '<') >= 0
	if s.fixed {
		return typed
	}
	v := uint64(typedValue)
	if !typed {
		v = xxhash.Sum64(value)
	}
	if slices.Contains(seen, v) || seen == nil && len(s.seen) >= maxSlots {
		return typed
	}
	seen = append(seen, v)
	if len(seen) == enough-1 && slices.Contains(seen, typedValue) {
		seen = append(seen, v) // enough
	}
	s.seen[h] = seen
	if len(seen) >= enough {
		s.grown = append(s.grown, string(slot))
	}
	return typed || len(seen) >= enough
}

// typedValue stands for all values with a placeholder.
const typedValue = 1

// variesQuoted is varies of text in quotes after a word.
func (s *slots) variesQuoted(word, text []byte) bool {
	if string(word) == Wild { // any word, in a template
		return bytes.IndexByte(text, '<') >= 0 && !bytes.Contains(text, gapText)
	}
	n, enough := len(s.grown), s.values
	if len(word) > 1 && word[len(word)-1] == '=' { // key="value"
		enough = 2
	}
	varies := s.vary(word, text, enough)
	for i := range s.grown[n:] {
		s.grown[n+i] = "" // the word may be shown otherwise in templates
	}
	return varies
}

// concerns tells whether a text may be read otherwise now that a slot varies.
func concerns(slot, text string) bool {
	if slot == "" {
		return strings.ContainsAny(text, "\"'`")
	}
	return strings.Contains(text, slot) && strings.Contains(text, "=")
}
