package redfish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
)

// kept is a resource kept between scrapes. It is compressed: hundreds of targets have a
// hundred of them each.
type kept struct {
	packed []byte // its JSON
	etag   string
	at     time.Time
	// structure says that it is a collection that only refers to its members, all on one
	// page. Parts are changed more rarely than every few minutes, so it is kept for slowFor.
	structure bool
}

func (k kept) node() (Node, error) {
	raw, err := s2.Decode(nil, k.packed)
	if err != nil {
		return Node{}, fmt.Errorf("unpack kept resource: %w", err)
	}
	n, err := decode(raw)
	n.etag, n.raw = k.etag, nil
	return n, err
}

// recall finds what is kept of path.
func (s *scrape) recall(path string) (k kept, ok bool) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	k, ok = s.c.cache[path]
	return k, ok
}

// remember keeps a resource for later scrapes.
func (s *scrape) remember(path string, n Node) {
	raw := n.raw
	if raw == nil { // it came inside another one
		var err error
		if raw, err = json.Marshal(n.m); err != nil {
			return // what was decoded can be encoded
		}
	}
	list := memberList(n)
	s.keep(path, kept{s2.Encode(nil, raw), n.etag, s.now(), len(list) > 0 && !list[0].full() && nextPage(n) == ""})
}

func (s *scrape) keep(path string, k kept) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if _, ok := s.c.cache[path]; ok || len(s.c.cache) < maxResources {
		s.c.cache[path] = k
	}
}

// fetch reads from the service, or from memory what may be a few minutes old.
func (s *scrape) fetch(ctx context.Context, path string, p priority, query string) (Node, time.Duration, error) {
	old, ok := s.recall(path)
	switch {
	case p >= lazy:
		return s.fetchSlow(ctx, path, p, query, old, ok)
	case p == sensors && query == "":
		return s.fetchSensor(ctx, path, old, ok)
	case ok && query == "" && p != fresh && old.structure && s.now().Sub(old.at) < slowFor:
		n, err := old.node()
		return n, 0, err // structure, no data: its age says nothing
	case p == health || p == late:
		return s.fetchHealth(ctx, path, p, query, old, ok)
	}
	n, err := s.request(ctx, path, p, query, options{})
	if err == nil && p != fresh && query == "" && len(memberList(n)) > 0 {
		s.remember(path, n)
	}
	return n, 0, err
}

// fetchSensor reads what changes by the second. When the scrape's time is over before its turn,
// the last reading is shown; those waiting longest go first.
func (s *scrape) fetchSensor(ctx context.Context, path string, old kept, ok bool) (Node, time.Duration, error) {
	n, err := s.request(ctx, path, sensors, "", options{since: old.at})
	if err == nil {
		s.remember(path, n)
		return n, 0, nil
	}
	if age := s.now().Sub(old.at); ok && ctx.Err() != nil && age < sensorFor {
		n, err = old.node()
		return n, age, err
	}
	return Node{}, 0, err
}

// fetchHealth reads what changes by the day. Once the scrape has taken long enough the copy
// of an earlier one is shown; those waiting longest go first, so all get their turn.
func (s *scrape) fetchHealth(ctx context.Context, path string, p priority, query string, old kept, ok bool) (Node, time.Duration, error) {
	age := s.now().Sub(old.at)
	ok = ok && query == "" && age < healthFor
	opt := options{}
	switch {
	case ok:
		opt.since, opt.admit = old.at, func() bool { return time.Since(s.start) < s.healthFree || s.healthReads.Add(1) <= healthLeast }
	case p == late && s.cold && s.sluggish:
		opt.admit = func() bool { return time.Since(s.start) < coldUntil }
	}
	n, err := s.request(ctx, path, p, query, opt)
	switch {
	case err == nil && query == "":
		s.remember(path, n)
	case ok && err != nil && (errors.Is(err, errDeferred) || ctx.Err() != nil):
		n, err = old.node()
		return n, age, err
	}
	return n, 0, err
}

// fetchSlow reads what changes slowly, from memory while that is fresh.
func (s *scrape) fetchSlow(ctx context.Context, path string, p priority, query string, old kept, ok bool) (Node, time.Duration, error) {
	age, keep := s.now().Sub(old.at), slowFor
	if p == lazy {
		keep = lazyFor
	}
	// Where more is stale than can be read at once, the oldest goes first.
	if ok && (age < keep || age < s.backlog*9/10) {
		n, err := old.node()
		return n, age, err
	}
	limit := int64(slowNew)
	if ok {
		limit = slowStale
	}
	// Asked when its turn has come, so that time spent waiting counts.
	admit := func() bool {
		took := time.Since(s.start)
		return took < s.slowFree || (s.slowReads.Add(1) <= limit && (!s.cold || (took < coldUntil && !s.sluggish)))
	}
	n, err := s.requestSlow(ctx, path, p, query, options{admit: admit, etag: old.etag, since: old.at})
	switch {
	case err == nil:
		s.remember(path, n)
		return n, 0, nil
	case errors.Is(err, errNotModified):
		old.at = s.now()
		s.keep(path, old)
		n, err = old.node()
		return n, 0, err
	case ok && !absent(err):
		s.c.mu.Lock()
		s.c.backlog = max(s.c.backlog, age)
		s.c.mu.Unlock()
		n, err = old.node()
		return n, age, err
	}
	return Node{}, 0, err
}

// planned is a request that a scrape made and the next one will make as well.
type planned struct {
	path, query string
	p           priority
}

// foresee starts every request that the last scrape with these collectors made, so that
// nothing waits for the resource that leads to it. Collectors find the answers when they
// come to them; what they no longer ask for is not foreseen again.
func (s *scrape) foresee(ctx context.Context) {
	s.c.mu.Lock()
	plan := s.c.plans[s.planKey()]
	s.c.mu.Unlock()
	ctx, s.stopForeseen = context.WithCancel(ctx)
	for _, r := range plan {
		s.foreseen.Go(func() {
			_, _, _ = s.load(ctx, r.path, r.p, r.query, false) // whoever asks gets the error
		})
	}
}

// close ends what was foreseen and notes what the next scrape can start with.
func (s *scrape) close() {
	if s.stopForeseen != nil {
		s.stopForeseen()
		s.foreseen.Wait()
	}
	s.mu.Lock()
	var plan []planned
	for path, e := range s.entries {
		if e.wanted && !e.adopted && !e.unplanned {
			p := e.p
			if p == late {
				p = health // it was the first scrape
			}
			plan = append(plan, planned{path, e.query, p})
		}
	}
	s.mu.Unlock()
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if len(s.c.plans) < maxPlans || s.c.plans[s.planKey()] != nil {
		s.c.plans[s.planKey()] = plan
	}
	for path, k := range s.c.cache {
		if s.entries[path] == nil && s.now().Sub(k.at) > slowFor {
			delete(s.c.cache, path) // gone from the device
		}
	}
}

func (s *scrape) planKey() string { return strings.Join(s.m.Collectors, ",") }
