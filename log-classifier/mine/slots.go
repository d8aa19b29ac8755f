package mine

import (
	"bytes"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// slots are places whose values are told apart until they are seen to vary: the right side
// of a key, or quoted text after a word. A slot varies once it had enough distinct values.
type slots struct {
	values int // that make a slot vary
	seen   map[uint64][]uint64
	grown  bool // a slot has come to vary
}

// maxSlots bounds the slots that are remembered; those beyond never vary.
const maxSlots = 20_000

// varies tells whether the value of a slot does not tell templates apart, and remembers it. A
// value with a placeholder never does; where one was seen, one word less makes a slot vary.
func (s *slots) varies(slot, value []byte) bool {
	h := xxhash.Sum64(slot)
	seen := s.seen[h]
	if len(seen) >= s.values {
		return true
	}
	typed := bytes.IndexByte(value, '<') >= 0
	v := uint64(typedValue)
	if !typed {
		v = xxhash.Sum64(value)
	}
	if slices.Contains(seen, v) || seen == nil && len(s.seen) >= maxSlots {
		return typed
	}
	seen = append(seen, v)
	if len(seen) == s.values-1 && slices.Contains(seen, typedValue) {
		seen = append(seen, v) // enough
	}
	s.seen[h] = seen
	s.grown = s.grown || len(seen) >= s.values
	return typed || len(seen) >= s.values
}

// typedValue stands for all values with a placeholder.
const typedValue = 1
