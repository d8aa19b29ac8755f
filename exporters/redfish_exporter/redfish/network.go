package redfish

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// bitsPerByte turns link speeds into the base unit.
const bitsPerByte = 8

// collectNetwork reads adapters with their ports, and the interfaces of systems and managers.
func collectNetwork(ctx context.Context, o *sink) {
	var ports atomic.Int64
	first := health
	if o.s.cold && o.s.sluggish {
		first = late // drives and DIMMs are worth more: let them queue before
		pause(ctx, time.Until(o.s.start.Add(lateAfter)))
	}
	each(o.s.chassis, func(ch Node) {
		parent := short(ch.id())
		for _, key := range []string{"NetworkAdapters", "FabricAdapters"} {
			each(o.members(ctx, ch.link(key), first, false), func(n Node) { ports.Add(o.adapter(ctx, n, parent, first)) })
		}
	})
	each(o.s.systems, func(sys Node) {
		parent := short(sys.id())
		each(o.members(ctx, sys.link("FabricAdapters"), first, false), func(n Node) { ports.Add(o.adapter(ctx, n, parent, first)) })
		if ports.Load() > 0 {
			return
		}
		// Adapters that no chassis lists are found by the system's interfaces.
		each(o.members(ctx, sys.link("NetworkInterfaces"), first, false), func(n Node) {
			if a, ok := o.get(ctx, n.link("Links.NetworkAdapter"), first); ok {
				ports.Add(o.adapter(ctx, a, parent, first))
			}
		})
	})
	// The adapters' ports have shown the links already.
	prio := first
	if ports.Load() > 0 {
		prio = lazy
	}
	each(o.s.systems, func(sys Node) {
		for _, n := range o.members(ctx, sys.link("EthernetInterfaces"), prio, false) {
			o.ethernet(n, short(sys.id()))
		}
		o.oldAdapters(ctx, sys)
	})
	each(o.s.managers, func(m Node) {
		for _, n := range o.members(ctx, m.link("EthernetInterfaces"), slow, false) {
			o.ethernet(n, short(m.id()))
		}
	})
}

// adapter sends a NetworkAdapter and says how many ports it has.
func (o *sink) adapter(ctx context.Context, n Node, parent string, prio priority) int64 {
	if missing(n) {
		return 0
	}
	p, ok := o.part(n, hw.Network, parent)
	if !ok {
		return 0
	}
	o.info(p, n)
	o.status(p, n)
	ports := "Ports"
	if !n.has(ports) {
		ports = "NetworkPorts"
	}
	for _, c := range n.list("Controllers") {
		if v := c.str("FirmwarePackageVersion"); v != "" {
			o.s.schema.Send(o.ch, hw.FirmwareInfo, p, 1, v)
			break
		}
	}
	members := o.children(ctx, n, ports, prio)
	for _, port := range members {
		o.port(ctx, port, p.ID)
	}
	return int64(len(members))
}

// port sends a Port or an older NetworkPort.
func (o *sink) port(ctx context.Context, n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Network, parent)
	if !ok {
		return
	}
	o.linkUp(p, n)
	if !o.send(hw.NetworkBandwidthBytes, p, n, "CurrentSpeedGbps", 1e9/bitsPerByte) {
		o.send(hw.NetworkBandwidthBytes, p, n, "CurrentLinkSpeedMbps", 1e6/bitsPerByte)
	}
	o.status(p, n)
	m, ok := o.get(ctx, n.link("Metrics"), counters)
	if !ok {
		return
	}
	o.send(hw.NetworkIOBytes, p, m, "RXBytes", 1, "receive")
	o.send(hw.NetworkIOBytes, p, m, "TXBytes", 1, "transmit")
	o.send(hw.Errors, p, m, "RXErrors", 1, "receive")
	o.send(hw.Errors, p, m, "TXErrors", 1, "transmit")
	o.pcieErrors(m.obj("PCIeErrors"), p)
}

// linkUp sends the state of the link, as each generation of the schema words it.
func (o *sink) linkUp(p hw.Part, n Node) {
	switch strings.ToLower(n.str("LinkStatus")) {
	case "up", "linkup", "starting", "training":
		o.flag(hw.NetworkUp, p, true, true)
	case "down", "linkdown", "nolink", "notconnected", "disconnected":
		o.flag(hw.NetworkUp, p, false, true)
	}
}

func (o *sink) ethernet(n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Network, parent)
	if !ok {
		return
	}
	o.linkUp(p, n)
	o.send(hw.NetworkBandwidthBytes, p, n, "SpeedMbps", 1e6/bitsPerByte)
	o.status(p, n)
}
