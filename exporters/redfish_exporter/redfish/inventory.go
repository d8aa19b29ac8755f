package redfish

import (
	"context"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectPCIe reads PCIe devices: a collection of the chassis, or references of the system.
func collectPCIe(ctx context.Context, o *sink) {
	each(o.s.chassis, func(ch Node) {
		nodes := o.children(ctx, ch, "PCIeDevices", slow)
		nodes = append(nodes, o.linked(ctx, ch, "Links.PCIeDevices", slow)...)
		for _, n := range nodes {
			o.pcieDevice(n, short(ch.id()))
		}
		o.hpeDevices(ctx, ch)
	})
	each(o.s.systems, func(sys Node) {
		for _, n := range o.children(ctx, sys, "PCIeDevices", slow) {
			o.pcieDevice(n, short(sys.id()))
		}
	})
}

func (o *sink) pcieDevice(n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Enclosure, parent)
	if !ok {
		return
	}
	o.info(p, n)
	o.status(p, n)
	o.pcieErrors(n.obj("PCIeErrors"), p)
}

// collectFirmware reads the firmware inventory.
func collectFirmware(ctx context.Context, o *sink) {
	svc, ok := o.get(ctx, o.s.rootLink("UpdateService"), slow)
	if !ok {
		return
	}
	// Early Intel BMCs list their firmware under SoftwareInventory only.
	for _, n := range o.members(ctx, firstLink(svc, "FirmwareInventory", "SoftwareInventory"), slow, false) {
		if missing(n) {
			continue
		}
		p, ok := o.part(n, hw.Enclosure, "")
		if v := n.first("Version", "VersionString"); ok && v != "" {
			o.s.schema.Send(o.ch, hw.FirmwareInfo, p, 1, v)
		}
	}
}
