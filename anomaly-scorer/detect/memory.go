package detect

import "slices"

// Cache remembers up to Max recently used values by key, in two generations: when the
// young one is full the old one is forgotten. Memory is bounded and nothing is scanned.
// The fields are exported for encoding/gob.
type Cache[K comparable, V any] struct {
	Young, Old map[K]*V
	Max        int
}

// NewCache makes a Cache of at most maxEntries.
func NewCache[K comparable, V any](maxEntries int) Cache[K, V] {
	return Cache[K, V]{Young: map[K]*V{}, Old: map[K]*V{}, Max: maxEntries}
}

// Get returns the value of key, or nil.
func (c *Cache[K, V]) Get(key K) *V {
	if v, ok := c.Young[key]; ok {
		return v
	}
	v, ok := c.Old[key]
	if ok {
		delete(c.Old, key)
		c.put(key, v)
	}
	return v
}

// At returns the value of key, a new zero one when there is none.
func (c *Cache[K, V]) At(key K) *V {
	if v := c.Get(key); v != nil {
		return v
	}
	v := new(V)
	c.put(key, v)
	return v
}

func (c *Cache[K, V]) put(key K, v *V) {
	if c.Young == nil { // as gob leaves an empty map
		c.Young = map[K]*V{}
	}
	if len(c.Young) >= max(c.Max/2, 1) {
		c.Old, c.Young = c.Young, map[K]*V{}
	}
	c.Young[key] = v
}

// Len is the number of remembered values.
func (c *Cache[K, V]) Len() int { return len(c.Young) + len(c.Old) }

// setMax is where a Set stops counting.
const setMax = 8192

// Set counts distinct values; small ones are a list.
type Set struct {
	List []uint64
	Map  map[uint64]bool
}

// Add adds v and tells whether it is new. A full Set takes nothing in.
func (s *Set) Add(v uint64) bool {
	if s.Map != nil {
		if s.Map[v] || len(s.Map) >= setMax {
			return false
		}
		s.Map[v] = true
		return true
	}
	if slices.Contains(s.List, v) {
		return false
	}
	s.List = append(s.List, v)
	if len(s.List) > 32 {
		s.Map = make(map[uint64]bool, 64)
		for _, x := range s.List {
			s.Map[x] = true
		}
		s.List = nil
	}
	return true
}

// Merge adds the values of o.
func (s *Set) Merge(o *Set) {
	for _, v := range o.List {
		s.Add(v)
	}
	for v := range o.Map {
		s.Add(v)
	}
}

// Len is the number of distinct values, at most 8,192.
func (s *Set) Len() int { return len(s.List) + len(s.Map) }
