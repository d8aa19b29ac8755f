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
		o.hpePower(old, parent)
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
		if p := (hw.Part{ID: parent, Type: hw.Enclosure, Name: ch.name()}); !o.send(hw.PowerLimitWatts, p, sub, "CapacityWatts", 1, capacity) {
			o.send(hw.PowerLimitWatts, p, ch, "MaxPowerWatts", 1, capacity)
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
	if v, ok := o.num(n, "PowerLimit.LimitInWatts"); ok && v > 0 { // 0 is Dell's word for no limit
		o.s.schema.Send(o.ch, hw.PowerLimitWatts, p, v, hw.Max)
	}
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
	o.sendFirst(hw.PSUInputWatts, p, n, 1, "PowerInputWatts", "Oem.Huawei.PowerInputWatts", "Oem.Public.PowerInputWatts")
	o.sendFirst(hw.PSUOutputWatts, p, n, 1, "PowerOutputWatts", "LastPowerOutputWatts", "Oem.Huawei.PowerOutputWatts", "Oem.Public.PowerOutputWatts")
	o.sendFirst(hw.PSUInputVolts, p, n, 1, "LineInputVoltage", "InputVoltage")
	o.sendFirst(hw.PSUOutputVolts, p, n, 1, "Oem.Huawei.OutputVoltage", "Oem.Public.OutputVoltage")
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
	o.within(0, 1e6, hw.FanSpeedRPM, p, m, "FanSpeedPercent.SpeedRPM", 1)
	for _, rails := range []struct {
		key, kind string
		metric    hw.Metric
	}{
		{"RailVoltage", hw.Voltage, hw.PSUOutputVolts},
		{"RailCurrentAmps", hw.PowerSupply, hw.CurrentAmperes},
		{"RailPowerWatts", hw.PowerSupply, hw.PSUOutputWatts},
	} {
		for i, rail := range m.list(rails.key) {
			if q, ok := o.element(rail, rails.kind, p.ID, rails.key, i); ok {
				o.send(rails.metric, q, rail, "Reading", 1)
			}
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
	if p.Type != hw.Enclosure || n.link("Sensors")+n.link("Thermal") == "" { // else a chassis' temperatures are its sensors
		o.within(-273.15, 1000, hw.TemperatureCelsius, p, m, "TemperatureCelsius", 1)
	}
	if !o.send(hw.EnergyJoules, p, m, "EnergyJoules", 1) {
		o.send(hw.EnergyJoules, p, m, "EnergykWh", 3.6e6)
	}
	o.send(hw.PowerLimitWatts, p, m, "PowerLimitWatts.SetPoint", 1, hw.Max)
	o.within(0, 100, hw.HumidityRatio, p, m, "HumidityPercent", 0.01)
}
