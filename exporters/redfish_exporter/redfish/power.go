package redfish

import (
	"context"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectPower reads power draw, limits, voltages and supplies: PowerSubsystem, the
// chassis' EnvironmentMetrics and the older Power.
func collectPower(ctx context.Context, o *sink) {
	each(o.s.chassis, func(ch Node) {
		parent := short(ch.id())
		old, _ := o.get(ctx, ch.link("Power"), sensors)
		drawn := false
		for i, c := range old.list("PowerControl") {
			drawn = o.powerControl(c, parent, i) || drawn
		}
		for i, v := range old.list("Voltages") {
			o.voltage(v, parent, i)
		}
		for i, r := range old.list("Redundancy") {
			o.redundancy(r, parent+"/Power", i)
		}
		sub, ok := o.get(ctx, ch.link("PowerSubsystem"), sensors)
		if ok {
			o.rollup(sub, parent)
		}
		supplies := o.members(ctx, sub.link("PowerSupplies"), sensors, true)
		if oldSupplies := old.list("PowerSupplies"); len(supplies) < len(oldSupplies) {
			for i, n := range oldSupplies {
				o.oldSupply(n, parent, i)
			}
		} else {
			// iLO 6 gives the supplies a resource but leaves their readings in Power.
			each(supplies, func(n Node) { o.supply(ctx, n, parent, sameSupply(n, oldSupplies)) })
		}
		for i, r := range sub.list("PowerSupplyRedundancy") {
			o.redundancy(r, parent+"/PowerSubsystem", i)
		}
		each(o.members(ctx, sub.link("Batteries"), health, false), func(n Node) { o.battery(ctx, n, parent) })
		if p := (hw.Part{ID: parent, Type: hw.Enclosure, Name: ch.name()}); sub.m != nil {
			o.send(hw.PowerLimitWatts, p, sub, "CapacityWatts", 1, capacity)
		}
		o.environment(ctx, ch, hw.Part{ID: parent, Type: hw.Enclosure, Name: ch.name()}, sensors, !drawn)
	})
}

// capacity is the limit_type of what can be delivered at most, beside the cap that is set.
const capacity = "capacity"

// powerControl sends an entry of Power.PowerControl and says whether it told the draw.
func (o *sink) powerControl(n Node, parent string, i int) bool {
	p, ok := o.element(n, hw.Enclosure, parent, "PowerControl", i)
	if !ok {
		return false
	}
	drawn := o.sendFirst(hw.PowerWatts, p, n, 1, "PowerConsumedWatts", "PowerMetrics.AverageConsumedWatts", "PowerMetrics.PowerConsumedWatts")
	o.send(hw.PowerLimitWatts, p, n, "PowerCapacityWatts", 1, capacity)
	o.send(hw.PowerLimitWatts, p, n, "PowerLimit.LimitInWatts", 1, hw.Max)
	o.status(p, n)
	return drawn
}

// voltage sends an entry of Power.Voltages.
func (o *sink) voltage(n Node, parent string, i int) {
	if missing(n) {
		return
	}
	p, ok := o.element(n, hw.Voltage, parent, "Voltages", i)
	if !ok {
		return
	}
	o.send(hw.VoltageVolts, p, n, "ReadingVolts", 1)
	o.oldThresholds(hw.VoltageLimitVolts, p, n)
	o.status(p, n)
}

// oldSupply sends an entry of Power.PowerSupplies.
func (o *sink) oldSupply(n Node, parent string, i int) {
	if missing(n) {
		return
	}
	p, ok := o.element(n, hw.PowerSupply, parent, "PowerSupplies", i)
	if !ok {
		return
	}
	o.oldSupplyReadings(p, n)
	o.send(hw.PSULimitWatts, p, n, "PowerCapacityWatts", 1)
	o.within(0, 100, hw.PSUEfficiencyRatio, p, n, "EfficiencyPercent", 0.01)
	o.info(p, n)
	o.status(p, n)
}

func (o *sink) oldSupplyReadings(p hw.Part, n Node) {
	o.send(hw.PSUInputWatts, p, n, "PowerInputWatts", 1)
	o.sendFirst(hw.PSUOutputWatts, p, n, 1, "PowerOutputWatts", "LastPowerOutputWatts")
	o.send(hw.PSUInputVolts, p, n, "LineInputVoltage", 1)
}

// sameSupply finds the entry of Power.PowerSupplies for a PowerSupply resource.
func sameSupply(n Node, old []Node) Node {
	for _, key := range []string{"SerialNumber", "Name", "Id"} {
		for _, e := range old {
			if v := n.str(key); v != "" && (v == e.str(key) || key == "Id" && v == e.str("MemberId")) && unique(old, key, v) {
				return e
			}
		}
	}
	return Node{}
}

// unique says that no two entries share the text.
func unique(list []Node, key, v string) bool {
	n := 0
	for _, e := range list {
		if e.str(key) == v {
			n++
		}
	}
	return n <= 1
}

// supply sends a PowerSupply resource and its metrics, or the readings of old when it has none.
func (o *sink) supply(ctx context.Context, n Node, parent string, old Node) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.PowerSupply, parent)
	if !ok {
		return
	}
	o.send(hw.PSULimitWatts, p, n, "PowerCapacityWatts", 1)
	for _, e := range n.list("EfficiencyRatings") {
		if o.within(0, 100, hw.PSUEfficiencyRatio, p, e, "EfficiencyPercent", 0.01) {
			break // the first is the rated one; further ones are for other loads
		}
	}
	o.info(p, n)
	o.status(p, n)
	m, ok := o.get(ctx, n.link("Metrics"), sensors)
	if !ok {
		o.oldSupplyReadings(p, old)
		return
	}
	o.send(hw.PSUInputWatts, p, m, "InputPowerWatts", 1)
	o.send(hw.PSUOutputWatts, p, m, "OutputPowerWatts", 1)
	o.send(hw.PSUInputVolts, p, m, "InputVoltage", 1)
	o.send(hw.CurrentAmperes, p, m, "InputCurrentAmps", 1)
	o.send(hw.EnergyJoules, p, m, "EnergykWh", 3.6e6)
	o.within(-273.15, 1000, hw.TemperatureCelsius, p, m, "TemperatureCelsius", 1)
	o.within(0, 255, hw.FanSpeedRatio, p, m, "FanSpeedPercent", 0.01)
	for i, rail := range m.list("RailVoltage") {
		if q, ok := o.element(rail, hw.Voltage, p.ID, "RailVoltage", i); ok {
			o.send(hw.PSUOutputVolts, q, rail, "Reading", 1)
		}
	}
}

// battery sends a Battery resource and its metrics.
func (o *sink) battery(ctx context.Context, n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Battery, parent)
	if !ok {
		return
	}
	o.info(p, n)
	o.status(p, n)
	if m, ok := o.get(ctx, n.link("Metrics"), health); ok {
		o.within(0, 100, hw.BatteryChargeRatio, p, m, "ChargePercent", 0.01)
		o.within(-273.15, 1000, hw.TemperatureCelsius, p, m, "TemperatureCelsius", 1)
	}
}

// environment sends the EnvironmentMetrics of a part; power says whether its draw is wanted.
func (o *sink) environment(ctx context.Context, n Node, p hw.Part, prio priority, power bool) {
	m, ok := o.get(ctx, n.link("EnvironmentMetrics"), prio)
	if !ok {
		return
	}
	if power {
		o.send(hw.PowerWatts, p, m, "PowerWatts", 1)
	}
	if p.Type != hw.Enclosure { // a chassis' temperatures are its sensors
		o.within(-273.15, 1000, hw.TemperatureCelsius, p, m, "TemperatureCelsius", 1)
	}
	if !o.send(hw.EnergyJoules, p, m, "EnergyJoules", 1) {
		o.send(hw.EnergyJoules, p, m, "EnergykWh", 3.6e6)
	}
	o.send(hw.PowerLimitWatts, p, m, "PowerLimitWatts.SetPoint", 1, hw.Max)
	o.within(0, 100, hw.HumidityRatio, p, m, "HumidityPercent", 0.01)
}
