package redfish

import (
	"context"
	"slices"
	"sync"
	"time"
)

// priority orders waiting requests: lower goes first.
type priority int

const (
	urgent   priority = iota // the tree's upper levels and the session
	sensors                  // what changes by the second
	lists                    // collections of such
	inner                    // collections and what leads on to further resources, so that no chain ends last
	fresh                    // what must be read anew, e.g. event logs
	health                   // what changes by the day
	late                     // the same, of less weight: left out of a long first scrape
	lazy                     // what another resource shows too
	counters                 // error counters and the like that may be a few minutes old
	slow                     // inventory
	numPriorities
)

// slots bounds the requests in flight to one BMC. A free slot goes to the most urgent
// waiter; among equals to the one whose copy is oldest, then in order of arrival.
type slots struct {
	mu      sync.Mutex
	free    int
	waiting [numPriorities][]waiter
}

type waiter struct {
	turn  chan struct{}
	since time.Time // of the copy that is known; zero when there is none
}

func newSlots(n int) *slots { return &slots{free: n} }

// acquire waits for a slot; release must follow when it returns nil.
func (s *slots) acquire(ctx context.Context, p priority, since time.Time) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	queue := s.waiting[p]
	at, _ := slices.BinarySearchFunc(queue, since, func(w waiter, t time.Time) int {
		if w.since.After(t) {
			return 1
		}
		return -1 // behind its equals
	})
	s.waiting[p] = slices.Insert(queue, at, waiter{turn, since})
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	if i := slices.IndexFunc(s.waiting[p], func(w waiter) bool { return w.turn == turn }); i >= 0 {
		s.waiting[p] = slices.Delete(s.waiting[p], i, i+1)
		s.mu.Unlock()
		return ctx.Err()
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
			close(s.waiting[p][0].turn)
			s.waiting[p] = s.waiting[p][1:]
			return
		}
	}
	s.free++
}
