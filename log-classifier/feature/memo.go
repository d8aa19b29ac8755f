package feature

// memo remembers words by their hash: 64 bits are as good as the word itself. It is a table
// with open addressing, at most half full.
type memo struct {
	slot []slot
	n    int
}

// slot holds the hash beside the word, so that a search touches no word but the right one.
type slot struct {
	hash uint64
	word *wordInfo // nil: free
}

const (
	firstSlots = 1 << 10
	maxMemo    = 1 << 15 // words remembered; more are computed each time
)

// find returns what is known of the word with a hash, or nil.
func (m *memo) find(hash uint64) *wordInfo {
	if len(m.slot) == 0 {
		return nil
	}
	mask := uint64(len(m.slot) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if s := &m.slot[i]; s.word == nil || s.hash == hash {
			return s.word
		}
	}
}

// add remembers a word that find does not know, while there is room.
func (m *memo) add(w *wordInfo) {
	if m.n >= maxMemo {
		return
	}
	if 2*m.n >= len(m.slot) {
		old := m.slot
		m.slot = make([]slot, max(2*len(old), firstSlots))
		for _, o := range old {
			if o.word != nil {
				m.place(o.word)
			}
		}
	}
	m.place(w)
	m.n++
}

func (m *memo) place(w *wordInfo) {
	mask := uint64(len(m.slot) - 1)
	i := w.hash & mask
	for m.slot[i].word != nil {
		i = (i + 1) & mask
	}
	m.slot[i] = slot{w.hash, w}
}
