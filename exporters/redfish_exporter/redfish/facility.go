package redfish

import (
	"context"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectFacility reads what is outside of servers: power shelves and PDUs, cooling units,
// and the switches of fabrics such as NVLink.
func collectFacility(ctx context.Context, o *sink) {
	power, _ := o.get(ctx, o.s.rootLink("PowerEquipment"), inner)
	for _, kind := range []string{"PowerShelves", "RackPDUs", "FloorPDUs", "ElectricalBuses", "TransferSwitches", "Switchgear"} {
		each(o.members(ctx, power.link(kind), inner, false), func(n Node) { o.equipment(ctx, n) })
	}
	cooling, _ := o.get(ctx, o.s.rootLink("ThermalEquipment"), inner)
	for _, kind := range []string{"CDUs", "CoolingUnits", "HeatExchangers", "ImmersionUnits"} {
		each(o.members(ctx, cooling.link(kind), inner, false), func(n Node) { o.equipment(ctx, n) })
	}
	each(o.members(ctx, o.s.rootLink("Fabrics"), inner, false), func(fabric Node) {
		parent := short(fabric.id())
		each(o.members(ctx, fabric.link("Switches"), inner, false), func(n Node) { o.fabricSwitch(ctx, n, parent) })
	})
}

// equipment sends a PowerDistribution or CoolingUnit with what it is made of.
func (o *sink) equipment(ctx context.Context, n Node) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Enclosure, "")
	if !ok {
		return
	}
	o.status(p, n)
	o.info(p, n)
	if m, ok := o.get(ctx, n.link("Metrics"), sensors); ok {
		o.send(hw.PowerWatts, p, m, "PowerWatts", 1)
		o.send(hw.EnergyJoules, p, m, "EnergykWh", 3.6e6)
		o.within(-273.15, 1000, hw.TemperatureCelsius, p, m, "TemperatureCelsius", 1)
	}
	o.environment(ctx, n, p, sensors, n.link("Metrics") == "")
	for _, s := range o.members(ctx, n.link("Sensors"), sensors, false) {
		o.sensor(s, p.ID, nil)
	}
	each(o.members(ctx, n.link("PowerSupplies"), health, true), func(s Node) { o.supply(ctx, s, p.ID, Node{}) })
	for i, r := range n.list("PowerSupplyRedundancy") {
		o.redundancy(r, p.ID, i)
	}
	for _, key := range []string{"Outlets", "Mains", "Branches", "Feeders"} {
		for _, c := range o.members(ctx, n.link(key), health, false) {
			o.circuit(c, p.ID)
		}
	}
	for _, key := range []string{"Pumps", "Reservoirs", "PrimaryCoolantConnectors", "SecondaryCoolantConnectors", "Filters"} {
		for _, c := range o.members(ctx, n.link(key), health, false) {
			o.coolant(c, p.ID)
		}
	}
	o.leaks(ctx, n, p.ID)
}

// circuit sends an Outlet or Circuit.
func (o *sink) circuit(n Node, parent string) {
	p, ok := o.part(n, hw.Enclosure, parent)
	if !ok || missing(n) {
		return
	}
	o.status(p, n)
	o.powerState(p, n)
	o.send(hw.PowerWatts, p, n, "PowerWatts", 1)
	o.send(hw.VoltageVolts, p, n, "Voltage", 1)
	o.send(hw.CurrentAmperes, p, n, "CurrentAmps", 1)
	o.send(hw.EnergyJoules, p, n, "EnergykWh", 3.6e6)
}

// coolant sends a pump, reservoir or connector of a cooling unit.
func (o *sink) coolant(n Node, parent string) {
	p, ok := o.part(n, hw.Enclosure, parent)
	if !ok || missing(n) {
		return
	}
	o.status(p, n)
	o.within(0, 1e6, hw.FanSpeedRPM, p, n, "PumpSpeedPercent.SpeedRPM", 1)
	o.within(0, 255, hw.FanSpeedRatio, p, n, "PumpSpeedPercent", 0.01)
	o.send(hw.FlowCubicMeters, p, n, "FlowLitersPerMinute", 1e-3/60)
	o.within(-273.15, 1000, hw.TemperatureCelsius, p, n, "SupplyTemperatureCelsius", 1)
	o.send(hw.PressurePascals, p, n, "SupplyPressurekPa", 1e3)
	back := hw.Part{ID: p.ID + "/Return", Type: p.Type, Name: p.Name + " return", Parent: p.ID}
	o.within(-273.15, 1000, hw.TemperatureCelsius, back, n, "ReturnTemperatureCelsius", 1)
	o.send(hw.PressurePascals, back, n, "ReturnPressurekPa", 1e3)
}

// fabricSwitch sends a switch of a fabric and its ports.
func (o *sink) fabricSwitch(ctx context.Context, n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Network, parent)
	if !ok {
		return
	}
	o.status(p, n)
	o.info(p, n)
	for _, port := range o.members(ctx, n.link("Ports"), slow, false) {
		o.port(ctx, port, p.ID)
	}
}
