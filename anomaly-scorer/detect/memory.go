package detect

import (
	"slices"

	"github.com/inframind/inframind/anomaly-scorer/evidence"
)

// Cache remembers up to Max recently used values by key, in two generations: when the
// young one is full the old one is forgotten, and its room used again. Memory is bounded
// and nothing is scanned. The fields are exported for encoding/gob.
type Cache[K comparable, V any] struct {
	Young, Old Generation[K, V]
	Max        int
}

// Generation holds values in blocks, so that they stay where they are and cost no
// allocation of their own.
type Generation[K comparable, V any] struct {
	Slot   map[K]int32
	Blocks [][]V
}

// block is how many values are allocated at a time.
const block = 1024

// NewCache makes a Cache of at most maxEntries.
func NewCache[K comparable, V any](maxEntries int) Cache[K, V] {
	return Cache[K, V]{Max: maxEntries}
}

// Get returns the value of key, or nil. The pointer is good until Max/2 other keys were
// asked for.
func (c *Cache[K, V]) Get(key K) *V {
	if i, ok := c.Young.Slot[key]; ok {
		return c.Young.at(i)
	}
	i, ok := c.Old.Slot[key]
	if !ok {
		return nil
	}
	old := c.Old.at(i)
	v := *old
	*old = *new(V)
	delete(c.Old.Slot, key)
	young := c.put(key)
	*young = v
	return young
}

// At returns the value of key, a new zero one when there is none.
func (c *Cache[K, V]) At(key K) *V {
	if v := c.Get(key); v != nil {
		return v
	}
	return c.put(key)
}

// put makes room for key in the young generation.
func (c *Cache[K, V]) put(key K) *V {
	if len(c.Young.Slot) >= max(c.Max/2, 1) {
		c.Old, c.Young = c.Young, c.Old
		c.Young.clear()
	}
	return c.Young.add(key)
}

// Len is the number of remembered values.
func (c *Cache[K, V]) Len() int { return len(c.Young.Slot) + len(c.Old.Slot) }

func (g *Generation[K, V]) at(i int32) *V { return &g.Blocks[i/block][i%block] }

// add gives key the next slot. The young generation, the only one that grows, has no gaps.
func (g *Generation[K, V]) add(key K) *V {
	if g.Slot == nil {
		g.Slot = map[K]int32{}
	}
	i := int32(len(g.Slot))
	if int(i/block) == len(g.Blocks) {
		g.Blocks = append(g.Blocks, make([]V, block))
	}
	g.Slot[key] = i
	return g.at(i)
}

func (g *Generation[K, V]) clear() {
	clear(g.Slot)
	for _, b := range g.Blocks {
		clear(b)
	}
}

const (
	setMax  = 8192 // where a Set stops counting
	setList = 32   // up to here it is a list
)

// Set counts distinct values. It keeps 32 bits of a hash of each: in a full Set a new value
// is taken for one that is there with a chance of one in half a million.
// The fields are exported for encoding/gob.
type Set struct {
	N      int
	Prints []uint32 // a list, or an open-addressed table in which 0 is free
}

// Add adds v and tells whether it is new. A full Set takes nothing in.
func (s *Set) Add(v uint64) bool { return s.add(max(uint32(evidence.Mix(v, 0)), 1)) }

func (s *Set) add(print uint32) bool {
	if len(s.Prints) <= setList {
		if slices.Contains(s.Prints, print) {
			return false
		}
		if s.N < setList {
			s.Prints, s.N = append(s.Prints, print), s.N+1
			return true
		}
		s.grow(4 * setList)
	}
	i := s.slot(print)
	if s.Prints[i] == print || s.N >= setMax {
		return false
	}
	if 4*s.N >= 3*len(s.Prints) {
		s.grow(2 * len(s.Prints))
		i = s.slot(print)
	}
	s.Prints[i], s.N = print, s.N+1
	return true
}

// slot is where print is in the table, or the free one where it belongs.
func (s *Set) slot(print uint32) int {
	mask := len(s.Prints) - 1
	i := int(print) & mask
	for s.Prints[i] != 0 && s.Prints[i] != print {
		i = (i + 1) & mask
	}
	return i
}

func (s *Set) grow(slots int) {
	old := s.Prints
	s.Prints = make([]uint32, slots)
	for _, p := range old {
		if p != 0 {
			s.Prints[s.slot(p)] = p
		}
	}
}

// Merge adds the values of o.
func (s *Set) Merge(o *Set) {
	for _, p := range o.Prints {
		if p != 0 {
			s.add(p)
		}
	}
}

// Len is the number of distinct values, at most 8,192.
func (s *Set) Len() int { return s.N }
