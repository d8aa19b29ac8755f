package redfish

import (
	"context"
	"strings"
	"sync"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectStorage reads controllers, drives and volumes: Storage, drives of the chassis, and
// for services without Storage what stands in for it.
func collectStorage(ctx context.Context, o *sink) {
	each(o.s.systems, func(sys Node) {
		parent := short(sys.id())
		units := o.members(ctx, sys.link("Storage"), inner, true)
		each(units, func(n Node) { o.storage(ctx, n, parent) })
		if len(units) == 0 {
			o.smartStorage(ctx, sys, parent)
		}
		o.simpleStorage(ctx, sys, parent, len(units) > 0)
	})
	if link := o.s.root.link("Storage"); link != "" { // Swordfish: storage that belongs to no system
		each(o.members(ctx, link, inner, true), func(n Node) { o.storage(ctx, n, "") })
	}
	each(o.s.chassis, func(ch Node) {
		for _, n := range o.children(ctx, ch, "Drives", health) {
			o.drive(ctx, n, short(ch.id()))
		}
		// Enclosures list drives that no Storage knows, e.g. unconfigured ones.
		for _, n := range o.linked(ctx, ch, "Links.Drives", health) {
			o.drive(ctx, n, short(ch.id()))
		}
	})
}

// storage sends one storage subsystem.
func (o *sink) storage(ctx context.Context, n Node, parent string) {
	id := short(n.id())
	// The drives are references; one request with $expand brings all of them.
	if refs := n.list("Drives"); len(refs) > 1 && !refs[0].full() {
		if full, ok := o.whole(ctx, n); ok {
			n = full
		}
	}
	if p, ok := o.part(n, hw.DiskController, parent); ok && !missing(n) {
		o.status(p, n)
	}
	var inline []Node
	for _, c := range n.list("StorageControllers") {
		if c.full() && !c.has("Members") { // else it is a collection, as Controllers is
			inline = append(inline, c)
		}
	}
	o.controllerBattery(n, id)
	for i, c := range inline {
		if !missing(c) {
			o.controller(c, id, i)
			o.controllerBattery(c, id)
		}
	}
	if len(inline) == 0 {
		for i, c := range o.members(ctx, firstLink(n, "Controllers", "StorageControllers"), health, false) {
			o.controller(c, id, i)
		}
	}
	for i, r := range n.list("Redundancy") {
		o.redundancy(r, id, i)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, v := range o.children(ctx, n, "Volumes", health) {
			o.volume(v, id)
		}
	})
	each(o.children(ctx, n, "Drives", health), func(d Node) { o.drive(ctx, d, id) })
	wg.Wait()
}

// whole reads a resource again with what it holds, where that may save requests.
func (o *sink) whole(ctx context.Context, n Node) (Node, bool) {
	path, err := clean(n.id(), o.s.c.base.Host)
	if err != nil {
		return Node{}, false
	}
	o.s.c.mu.Lock()
	query := o.s.c.expand.forRequest(path, false)
	o.s.c.mu.Unlock()
	if query == "" {
		return Node{}, false
	}
	full, err := o.s.request(ctx, path, inner, query, options{})
	if err != nil || !full.has("Drives") {
		if err == nil || expandFault(err) {
			o.s.c.mu.Lock()
			o.s.c.expand.refuse(path)
			o.s.c.mu.Unlock()
		}
		return Node{}, false
	}
	o.s.adopt(full, path, 0)
	return full, true
}

func (o *sink) controller(n Node, parent string, i int) {
	p, ok := o.part(n, hw.DiskController, parent)
	if n.id() == "" || strings.Contains(n.id(), "#") {
		p, ok = o.element(n, hw.DiskController, parent, "StorageControllers", i)
	}
	if !ok {
		return
	}
	o.info(p, n)
	o.status(p, n)
}

// drive sends one Drive.
func (o *sink) drive(ctx context.Context, n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.PhysicalDisk, parent)
	if !ok {
		return
	}
	o.send(hw.DiskSizeBytes, p, n, "CapacityBytes", 1)
	o.within(0, 100, hw.DiskLifeLeftRatio, p, n, "PredictedMediaLifeLeftPercent", 0.01)
	o.info(p, n)
	state := stateOf(n)
	if (o.driveQuirks(p, n) || n.str("StatusIndicator") == "PredictiveFailureAnalysis") && state != hw.Failed {
		state = hw.PredictedFailure
	}
	if state != "" {
		o.s.schema.SendStatus(o.ch, p, state)
	}
	o.indicator(p, n)
	for _, op := range n.list("Operations") {
		o.operation(p, op)
	}
	m, ok := o.get(ctx, n.link("Metrics"), counters)
	if !ok {
		return
	}
	o.send(hw.DiskPowerOnSeconds, p, m, "PowerOnHours", 3600)
	o.send(hw.TemperatureCelsius, p, m, "NVMeSMART.CompositeTemperatureCelsius", 1)
	if used, ok := o.num(m, "NVMeSMART.PercentageUsed"); ok && used >= 0 && !n.has("PredictedMediaLifeLeftPercent") {
		o.s.schema.Send(o.ch, hw.DiskLifeLeftRatio, p, max(0, 1-used/100)) // a worn drive counts past 100
	}
	for _, e := range []struct{ path, kind string }{
		{"BadBlockCount", "bad_block"},
		{"CorrectableIOReadErrorCount", "read_correctable"},
		{"UncorrectableIOReadErrorCount", "read_uncorrectable"},
		{"CorrectableIOWriteErrorCount", "write_correctable"},
		{"UncorrectableIOWriteErrorCount", "write_uncorrectable"},
		{"NVMeSMART.MediaAndDataIntegrityErrors", "media"},
	} {
		o.send(hw.Errors, p, m, e.path, 1, e.kind)
	}
}

// volume sends one Volume: state, size, running operations such as a rebuild.
func (o *sink) volume(n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.LogicalDisk, parent)
	if !ok {
		return
	}
	o.sendFirst(hw.VolumeSizeBytes, p, n, 1, "CapacityBytes", "Capacity.Data.AllocatedBytes")
	o.send(hw.VolumeUsedBytes, p, n, "Capacity.Data.ConsumedBytes", 1)
	if raid := n.first("RAIDType", "VolumeType"); raid != "" {
		o.s.schema.Send(o.ch, hw.Info, p, 1, "", raid, "", "")
	}
	o.status(p, n)
	for _, op := range n.list("Operations") {
		o.operation(p, op)
	}
}

// operation sends the progress of a running operation.
func (o *sink) operation(p hw.Part, op Node) {
	if name := op.first("OperationName", "Operation"); name != "" {
		o.within(0, 100, hw.VolumeOperation, p, op, "PercentageComplete", 0.01, name)
	}
}

// simpleStorage sends the devices of SimpleStorage, the only list that services before
// Storage have. known says that Storage shows them already.
func (o *sink) simpleStorage(ctx context.Context, sys Node, parent string, known bool) {
	if known {
		return
	}
	for _, n := range o.members(ctx, sys.link("SimpleStorage"), health, false) {
		id := short(n.id())
		if p, ok := o.part(n, hw.DiskController, parent); ok && !missing(n) {
			o.status(p, n)
		}
		for i, d := range n.list("Devices") {
			if missing(d) {
				continue
			}
			if p, ok := o.element(d, hw.PhysicalDisk, id, "Devices", i); ok {
				o.send(hw.DiskSizeBytes, p, d, "CapacityBytes", 1)
				o.info(p, d)
				o.status(p, d)
			}
		}
	}
}
