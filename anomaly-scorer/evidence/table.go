package evidence

import (
	"math"
	"net/netip"
)

// ways is the number of slots a key may be in.
const ways = 8

// Tally is what a Table keeps for a key: two counts that fade with a half-life.
type Tally struct {
	Bad, OK float32
	Seen    int64 // log time, seconds
}

// Table holds a bounded number of Tallies. When it is full the one not seen for longest
// among the few slots a key can take gives way, so memory and time per lookup are constant
// and nothing is allocated while scoring. It grows by doubling until Max.
// The fields are exported so that the state can be stored.
type Table struct {
	Keys  []uint64
	Vals  []Tally
	Max   int // slots
	Used  int
	Stale int64 // seconds after which an entry may be dropped at will
}

func newTable(maxSlots int, stale int64) *Table {
	return &Table{Keys: make([]uint64, 4096), Vals: make([]Tally, 4096), Max: maxSlots, Stale: stale}
}

// at returns the Tally of key, a zero one when there is none yet. The pointer is valid
// until the next call.
func (t *Table) at(key uint64, now int64) *Tally {
	if key == 0 {
		key = 1
	}
	mask := uint64(len(t.Keys) - 1)
	base := (key & mask) &^ (ways - 1)
	keys := t.Keys[base : base+ways]
	free, oldest := -1, 0
	for i, k := range keys {
		if k == key {
			return &t.Vals[base+uint64(i)]
		}
		if k == 0 {
			free = i
			break
		}
		if t.Vals[base+uint64(i)].Seen < t.Vals[base+uint64(oldest)].Seen {
			oldest = i
		}
	}
	if free < 0 {
		if now-t.Vals[base+uint64(oldest)].Seen < t.Stale && len(t.Keys) < t.Max {
			t.grow()
			return t.at(key, now)
		}
		free = oldest
	} else {
		t.Used++
	}
	keys[free] = key
	v := &t.Vals[base+uint64(free)]
	*v = Tally{Seen: now}
	return v
}

// peek is at without making an entry.
func (t *Table) peek(key uint64) Tally {
	if key == 0 {
		key = 1
	}
	base := (key & uint64(len(t.Keys)-1)) &^ (ways - 1)
	for i, k := range t.Keys[base : base+ways] {
		if k == key {
			return t.Vals[base+uint64(i)]
		}
	}
	return Tally{}
}

func (t *Table) grow() {
	old := *t
	t.Keys, t.Vals, t.Used = make([]uint64, 2*len(old.Keys)), make([]Tally, 2*len(old.Vals)), 0
	for i, k := range old.Keys {
		if k != 0 {
			*t.at(k, old.Vals[i].Seen) = old.Vals[i]
		}
	}
}

// decays holds 2^(-i/decaySteps) so that fading costs a lookup.
type decays [decaySteps * decayLives]float32

const (
	decaySteps = 64 // per half-life
	decayLives = 16 // half-lives after which nothing is left
)

func newDecays() *decays {
	var d decays
	for i := range d {
		d[i] = float32(math.Exp2(-float64(i) / decaySteps))
	}
	return &d
}

// fade applies the half-life to v for the time since it was last seen. A clock that jumps
// back leaves the counts as they are.
func (d *decays) fade(v *Tally, now, halfLife int64) {
	if now <= v.Seen {
		return
	}
	f := float32(0)
	if i := (now - v.Seen) * decaySteps / halfLife; i < int64(len(d)) {
		if i == 0 {
			return // too little to count: let it add up
		}
		f = d[i]
	}
	v.Bad *= f
	v.OK *= f
	v.Seen = now
}

// Mix hashes two words into one, well enough that hosts and services do not meet in a slot
// more often than chance has it.
func Mix(a, b uint64) uint64 {
	h := (a ^ 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	h ^= h >> 32
	h = (h ^ b) * 0x94d049bb133111eb
	h ^= h >> 29
	h *= 0xff51afd7ed558ccd
	return h ^ h>>32
}

// Hash is a fixed hash of an address.
func Hash(a netip.Addr) uint64 {
	if a.Is4() {
		b := a.As4()
		return Mix(4, uint64(b[0])<<24|uint64(b[1])<<16|uint64(b[2])<<8|uint64(b[3]))
	}
	b := a.As16()
	var hi, lo uint64
	for i := range 8 {
		hi, lo = hi<<8|uint64(b[i]), lo<<8|uint64(b[i+8])
	}
	return Mix(hi, lo)
}
