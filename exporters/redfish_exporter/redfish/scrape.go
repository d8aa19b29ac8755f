package redfish

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/hw"
)

const (
	maxMembers   = 1000 // of one collection
	maxPages     = 50   // of one collection
	maxResources = 8000 // read in one scrape
	// slowFree is how long a scrape reads slow-changing resources without counting them;
	// after that slowNew of those never read, or slowStale of those read before, are left.
	// So a fast BMC is read whole at once, a slow one over several scrapes.
	slowFree  = 400 * time.Millisecond
	slowNew   = 5
	slowStale = 3
	// coldUntil ends the slow reads of the first scrape, which reads the structure too. When
	// the service root took longer than coldRoot and each part is a request, they wait.
	coldUntil = 3 * time.Second
	lateAfter = time.Second // when the structure of most services is read
	coldRoot  = 150 * time.Millisecond
	// How long resources are taken from memory: slow-changing ones, and readings that
	// another resource shows too.
	slowFor = 10 * time.Minute
	lazyFor = time.Minute
	// healthFree is how long a scrape reads the health of parts that an earlier one has read;
	// after that, but not before healthLeast of them, it shows copies of at most healthFor.
	healthFree  = 2500 * time.Millisecond
	healthFor   = 5 * time.Minute
	healthLeast = 4
	sensorFor   = 2 * time.Minute // age of a reading that is shown when there was no time for a new one
	maxPlans    = 16              // sets of collectors that are remembered for one target
)

var errDeferred = errors.New("left for a later scrape")

// scrape is one reading of a BMC. Every resource is requested at most once, whoever asks.
type scrape struct {
	c      *client
	m      *Module
	schema *hw.Schema
	probe  *exporter.Probe
	start  time.Time
	now    func() time.Time
	cold   bool // the client's first
	// sluggish says that a request takes long and there is no $expand to save any.
	sluggish bool
	backlog  time.Duration // age of the oldest resource that the last scrape left stale
	budget

	foreseen     sync.WaitGroup
	stopForeseen context.CancelFunc

	slowReads, healthReads atomic.Int64

	mu      sync.Mutex
	entries map[string]*entry
	ids     map[string]bool // hw_id by type that were sent

	root                       Node
	systems, chassis, managers []Node
	topErrs                    [3]error // of reading them
	logEntries                 []logEntry
	logsRead                   []string // logs read without an error
}

// budget is how long a scrape reads what it could also show from memory or leave out.
type budget struct{ slowFree, healthFree time.Duration }

// unlimited reads everything in one scrape.
func unlimited() budget { return budget{time.Hour, time.Hour} }

// entry is a resource that was, or is being, read.
type entry struct {
	done chan struct{}
	node Node
	err  error
	age  time.Duration
	// adopted says that it came inside another resource.
	adopted bool
	// How it was asked for, and whether a collector did so; unplanned ones are not foreseen.
	query             string
	p                 priority
	wanted, unplanned bool
}

func newScrape(c *client, m *Module, p *exporter.Probe, schema *hw.Schema, b budget) *scrape {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scrapes++
	backlog := c.backlog
	c.backlog = 0
	return &scrape{
		backlog: backlog, budget: b,
		cold: c.scrapes == 1,
		c:    c, m: m, probe: p, schema: schema, start: time.Now(), now: time.Now,
		entries: map[string]*entry{}, ids: map[string]bool{},
	}
}

// get reads the resource at link, once per scrape.
func (s *scrape) get(ctx context.Context, link string, p priority) (Node, time.Duration, error) {
	return s.read(ctx, link, p, "")
}

// read is get with a query; the answer is remembered under the path without it.
func (s *scrape) read(ctx context.Context, link string, p priority, query string) (Node, time.Duration, error) {
	path, err := clean(link, s.c.base.Host)
	if err != nil {
		return Node{}, 0, exporter.Fail(exporter.ReasonProtocol, err)
	}
	return s.load(ctx, path, p, query, true)
}

// load is read for a clean path; wanted says that a collector asks.
func (s *scrape) load(ctx context.Context, path string, p priority, query string, wanted bool) (Node, time.Duration, error) {
	s.mu.Lock()
	e := s.entries[path]
	if e == nil && len(s.entries) >= maxResources {
		s.mu.Unlock()
		return Node{}, 0, exporter.Failf(exporter.ReasonProtocol, "more than %d resources", maxResources)
	}
	owner := e == nil
	if owner {
		e = &entry{done: make(chan struct{}), query: query, p: p}
		s.entries[path] = e
	}
	e.wanted = e.wanted || wanted
	s.mu.Unlock()
	if owner {
		e.node, e.age, e.err = s.fetch(ctx, path, p, query)
		if e.err == nil {
			s.adopt(e.node, path, 0)
		}
		close(e.done)
	}
	select {
	case <-e.done:
		return e.node, e.age, e.err
	case <-ctx.Done():
	}
	// Whoever reads it notices the same deadline, and may have a copy.
	select {
	case <-e.done:
		return e.node, e.age, e.err
	case <-time.After(20 * time.Millisecond):
		return Node{}, 0, ctx.Err()
	}
}

// request asks the service.
func (s *scrape) request(ctx context.Context, path string, p priority, query string, opt options) (Node, error) {
	url := path
	switch {
	case query == "":
	case strings.Contains(path, "?"):
		url += "&" + query
	default:
		url += "?" + query
	}
	n, err := s.c.get(ctx, url, p, opt)
	if err == nil && s.probe.Trace.Recording() {
		s.record(path, n)
	}
	return n, err
}

// adopt remembers resources that came inside another one, so that they are not requested
// again. Depth is bounded by the levels that are ever asked for.
func (s *scrape) adopt(n Node, self string, depth int) {
	if depth > 6 {
		return
	}
	for _, v := range n.m {
		switch v := v.(type) {
		case map[string]any:
			s.adoptOne(Node{m: v}, self, depth)
		case []any:
			for _, e := range v {
				if m, ok := e.(map[string]any); ok {
					s.adoptOne(Node{m: m}, self, depth)
				}
			}
		}
	}
}

func (s *scrape) adoptOne(n Node, self string, depth int) {
	id := n.id()
	// Fragments are parts of another resource; excerpts of sensors have no @odata.type.
	_, typed := n.m["@odata.type"]
	if id != "" && typed && n.full() && !strings.Contains(id, "#") {
		if path, err := clean(id, s.c.base.Host); err == nil && path != self {
			s.mu.Lock()
			if s.entries[path] == nil && len(s.entries) < maxResources {
				e := &entry{done: make(chan struct{}), node: n, adopted: true}
				close(e.done)
				s.entries[path] = e
			}
			s.mu.Unlock()
		}
	}
	s.adopt(n, self, depth+1)
}

// rootLink is the address of a service under the root, the standard one when the root itself
// cannot be read.
func (s *scrape) rootLink(key string) string {
	if s.root.m == nil {
		return rootPath + "/" + key
	}
	return s.root.link(key)
}

// adopted says whether the resource at link came inside another one.
func (s *scrape) adopted(link string) bool {
	path, err := clean(link, s.c.base.Host)
	s.mu.Lock()
	defer s.mu.Unlock()
	return err == nil && s.entries[path] != nil && s.entries[path].adopted
}

// unplan keeps resources out of what the next scrape starts with.
func (s *scrape) unplan(links []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, link := range links {
		if path, err := clean(link, s.c.base.Host); err == nil && s.entries[path] != nil {
			s.entries[path].unplanned = true
		}
	}
}

// expanded reads a resource together with what it holds, where the service can do that.
func (s *scrape) expanded(ctx context.Context, link string, p priority, deep bool) (Node, time.Duration, error) {
	path, err := clean(link, s.c.base.Host)
	if err != nil {
		return Node{}, 0, exporter.Fail(exporter.ReasonProtocol, err)
	}
	s.c.mu.Lock()
	query := s.c.expand.forRequest(path, deep)
	s.c.mu.Unlock()
	if query != "" {
		s.forgetShallow(path)
	}
	n, age, err := s.read(ctx, path, p, query)
	if err == nil || errors.Is(err, errDeferred) || ctx.Err() != nil || !expandFault(err) || !s.askedExpanded(path) {
		return n, age, err
	}
	// Refused, broken or too large: the plain resource may still be had.
	s.c.mu.Lock()
	s.c.expand.refuse(path)
	s.c.mu.Unlock()
	s.mu.Lock()
	delete(s.entries, path)
	s.mu.Unlock()
	return s.read(ctx, path, p, "")
}

// askedExpanded says that path was asked for with $expand, by us or foreseen.
func (s *scrape) askedExpanded(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[path]
	return e != nil && strings.Contains(e.query, "$expand")
}

// forgetShallow forgets a collection that came inside another resource with references
// only, when reading it with its members saves requests.
func (s *scrape) forgetShallow(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[path]
	if e == nil || !e.adopted {
		return
	}
	if list := memberList(e.node); len(list) > 1 && !list[0].full() {
		delete(s.entries, path)
	}
}

// expandFault says whether an error may come from $expand and not from the resource.
func expandFault(err error) bool {
	switch exporter.Reason(err) {
	case exporter.ReasonUnauthorized, exporter.ReasonBusy, exporter.ReasonTimeout, exporter.ReasonRefused:
		return false
	}
	return true
}
