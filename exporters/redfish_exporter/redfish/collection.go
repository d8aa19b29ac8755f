package redfish

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/exporter"
)

// members reads a collection and all its members. Members that cannot be read are left out;
// the error then says so, beside what could be read. age is that of the oldest part.
func (s *scrape) members(ctx context.Context, link string, p priority, deep bool) ([]Node, time.Duration, error) {
	refs, age, err := s.references(ctx, link, p, deep)
	if err != nil && len(refs) == 0 {
		return nil, 0, err
	}
	nodes, memberAge, errs := s.all(ctx, refs, p)
	return nodes, max(age, memberAge), errors.Join(err, errs)
}

// references lists the addresses of a collection's members over all its pages.
func (s *scrape) references(ctx context.Context, link string, p priority, deep bool) (refs []string, age time.Duration, err error) {
	switch p {
	case health:
		p = inner
	case sensors:
		p = lists
	}
	seen := map[string]bool{}
	pages := map[string]bool{}
	for range maxPages {
		n, a, err := s.expanded(ctx, link, p, deep)
		if err != nil {
			return refs, age, err
		}
		age = max(age, a)
		for _, m := range memberList(n) {
			id := m.id()
			if id == "" || seen[id] {
				continue
			}
			if len(refs) >= maxMembers {
				return refs, age, exporter.Failf(exporter.ReasonProtocol, "%s: more than %d members", link, maxMembers)
			}
			seen[id] = true
			refs = append(refs, id)
		}
		pages[link] = true
		next := nextPage(n)
		if next == "" {
			return refs, age, nil
		}
		if pages[next] {
			return refs, age, exporter.Failf(exporter.ReasonProtocol, "%s: pages form a circle", link)
		}
		link = next
	}
	return refs, age, exporter.Failf(exporter.ReasonProtocol, "%s: more than %d pages", link, maxPages)
}

// memberList is a collection's members, also as services before Redfish 1.0 wrote them.
func memberList(n Node) []Node {
	for _, key := range []string{"Members", "Links.Members", "links.Member"} {
		if l := n.list(key); len(l) > 0 {
			return l
		}
	}
	return nil
}

func nextPage(n Node) string {
	for _, key := range []string{"Members@odata.nextLink", "@odata.nextLink"} {
		if s, ok := n.m[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// all reads resources in parallel, in the order of refs.
func (s *scrape) all(ctx context.Context, refs []string, p priority) ([]Node, time.Duration, error) {
	nodes, ages, errs := make([]Node, len(refs)), make([]time.Duration, len(refs)), make([]error, len(refs))
	var wg sync.WaitGroup
	for i, ref := range refs {
		wg.Go(func() { nodes[i], ages[i], errs[i] = s.get(ctx, ref, p) })
	}
	wg.Wait()
	var out []Node
	var oldest time.Duration
	var failed []error
	for i, n := range nodes {
		switch {
		case errs[i] == nil:
			out, oldest = append(out, n), max(oldest, ages[i])
		case !absent(errs[i]):
			failed = append(failed, fmt.Errorf("member %d of %d: %w", i+1, len(refs), errs[i]))
		}
	}
	return out, oldest, errors.Join(failed...)
}
