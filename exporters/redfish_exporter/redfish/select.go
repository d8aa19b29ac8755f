package redfish

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"
)

// selector is what a client knows about $select on its service.
type selector struct {
	offered bool
	refused map[string]bool // kinds of resources that could not be had in part
}

// learn reads ProtocolFeaturesSupported of the service root.
func (s *selector) learn(root Node) {
	s.offered, _ = root.truth("ProtocolFeaturesSupported.SelectQuery")
}

// selection is a kind of resource of which few properties are used: many of the same kind,
// each asked for alone also where collections can be expanded.
func selection(address string) (kind, properties string) {
	dir, last := path.Split(address)
	switch parent := path.Base(dir); {
	case last == "MemoryMetrics":
		return last, "Id,LifeTime,CurrentPeriod,HealthData,BandwidthPercent,Oem"
	case last == "Metrics" && path.Base(path.Dir(path.Clean(dir))) == "Ports":
		return "PortMetrics", "Id,RXBytes,TXBytes,RXErrors,TXErrors,PCIeErrors"
	case parent == "FirmwareInventory":
		return parent, "Id,Name,Version,Status"
	case parent == "PCIeDevices":
		return parent, "Id,Name,Manufacturer,Model,PartNumber,SerialNumber,FirmwareVersion,Status,PCIeErrors"
	}
	return "", ""
}

// requestSlow asks for a slow-changing resource, by $select for what is used of it where the
// service can do that. A kind that was refused, or came without its Id, as a page of a
// collection does, is asked for whole from then on.
func (s *scrape) requestSlow(ctx context.Context, address string, p priority, query string, opt options) (Node, error) {
	kind, properties := selection(address)
	if query != "" || kind == "" || strings.Contains(address, "?") || !s.c.selectable(kind) {
		return s.request(ctx, address, p, query, opt)
	}
	// Many of a kind wait for their turn while the first is tried.
	part, tooLate := opt, false
	part.admit = func() bool {
		tooLate = !s.c.selectable(kind)
		return !tooLate && (opt.admit == nil || opt.admit())
	}
	n, err := s.request(ctx, address, p, "$select="+properties, part)
	var status *statusError
	switch {
	case tooLate:
		return s.request(ctx, address, p, "", opt)
	case err == nil && n.has("Id"), ctx.Err() != nil, errors.Is(err, errDeferred), errors.Is(err, errNotModified),
		errors.As(err, &status) && status.code == http.StatusNotFound, err != nil && !expandFault(err):
		return n, err
	}
	s.c.mu.Lock()
	if s.c.selects.refused == nil {
		s.c.selects.refused = map[string]bool{}
	}
	s.c.selects.refused[kind] = true
	s.c.mu.Unlock()
	return s.request(ctx, address, p, "", opt)
}

// selectable says whether resources of a kind may be asked for in part.
func (c *client) selectable(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.selects.offered && !c.selects.refused[kind]
}
