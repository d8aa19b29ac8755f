package redfish

import (
	"context"
	"sync"
)

// priority orders waiting requests: lower goes first.
type priority int

const (
	urgent   priority = iota // the tree's upper levels and the session
	sensors                  // what changes by the second
	inner                    // collections and what leads on to further resources, so that no chain ends last
	health                   // what changes by the day
	lazy                     // what another resource shows too
	counters                 // error counters and the like that may be a few minutes old
	slow                     // inventory
	numPriorities
)

// slots bounds the requests in flight to one BMC. A free slot goes to the most urgent
// waiter, in order of arrival.
type slots struct {
	mu      sync.Mutex
	free    int
	waiting [numPriorities][]chan struct{}
}

func newSlots(n int) *slots { return &slots{free: n} }

// acquire waits for a slot; release must follow when it returns nil.
func (s *slots) acquire(ctx context.Context, p priority) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting[p] = append(s.waiting[p], turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for i, w := range s.waiting[p] {
		if w == turn {
			s.waiting[p] = append(s.waiting[p][:i], s.waiting[p][i+1:]...)
			s.mu.Unlock()
			return ctx.Err()
		}
	}
	s.mu.Unlock()
	s.release() // the turn came at the same moment
	return ctx.Err()
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.waiting {
		if len(s.waiting[p]) > 0 {
			close(s.waiting[p][0])
			s.waiting[p] = s.waiting[p][1:]
			return
		}
	}
	s.free++
}
