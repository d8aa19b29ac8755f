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

// varies tells whether the value of a slot does not tell templates apart, and remembers it.
func (s *slots) varies(slot, value []byte) bool {
	if bytes.IndexByte(value, '<') >= 0 {
		return true
	}
	h := xxhash.Sum64(slot)
	seen := s.seen[h]
	if len(seen) >= s.values {
		return true
	}
	v := xxhash.Sum64(value)
	if slices.Contains(seen, v) {
		return false
	}
	if seen == nil && len(s.seen) >= maxSlots {
		return false
	}
	s.seen[h] = append(seen, v)
	if len(seen)+1 < s.values {
		return false
	}
	s.grown = true
	return true
}
