package redfish

import (
	"context"
	"strings"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectThermal reads temperatures and fans: ThermalSubsystem and the older Thermal.
func collectThermal(ctx context.Context, o *sink) {
	each(o.s.chassis, func(ch Node) {
		parent := short(ch.id())
		old, _ := o.get(ctx, ch.link("Thermal"), sensors)
		for i, t := range old.list("Temperatures") {
			o.temperature(t, parent, i)
		}
		for i, r := range old.list("Redundancy") {
			o.redundancy(r, parent+"/Thermal", i)
		}
		sub, ok := o.get(ctx, ch.link("ThermalSubsystem"), sensors)
		if ok {
			o.rollup(sub, parent)
		}
		fans := o.members(ctx, sub.link("Fans"), sensors, false)
		// A service in transition may list fewer fans in one of the two.
		if oldFans := old.list("Fans"); len(fans) < len(oldFans) {
			for i, f := range oldFans {
				o.oldFan(f, parent, i)
			}
		} else {
			for _, f := range fans {
				o.fan(f, parent)
			}
		}
		for i, r := range sub.list("FanRedundancy") {
			o.redundancy(r, parent+"/ThermalSubsystem", i)
		}
		for _, pump := range o.members(ctx, sub.link("Pumps"), sensors, false) {
			o.coolant(pump, parent)
		}
		if ch.link("Sensors") == "" {
			o.thermalMetrics(ctx, sub, parent)
		}
		o.leaks(ctx, sub, parent)
	})
}

// temperature sends an entry of Thermal.Temperatures.
func (o *sink) temperature(n Node, parent string, i int) {
	if missing(n) {
		return
	}
	p, ok := o.element(n, hw.Temperature, parent, "Temperatures", i)
	if !ok {
		return
	}
	o.within(-273.15, 1000, hw.TemperatureCelsius, p, n, firstPath(n, "ReadingCelsius", "CurrentReading"), 1)
	o.oldThresholds(hw.TemperatureLimitCelsius, p, n)
	o.status(p, n)
}

// firstPath is the first path that holds something.
func firstPath(n Node, paths ...string) string {
	for _, p := range paths {
		if n.has(p) {
			return p
		}
	}
	return paths[0]
}

// oldFan sends an entry of Thermal.Fans. Its unit is told, or is rpm by the property's name;
// iLO 4 counts in percent under its own names.
func (o *sink) oldFan(n Node, parent string, i int) {
	if missing(n) {
		return
	}
	p, ok := o.element(n, hw.Fan, parent, "Fans", i)
	if !ok {
		return
	}
	path := firstPath(n, "Reading", "ReadingRPM", "CurrentReading")
	if path != "ReadingRPM" && inPercent(n) {
		o.within(0, 255, hw.FanSpeedRatio, p, n, path, 0.01)
	} else {
		o.within(0, 1e6, hw.FanSpeedRPM, p, n, path, 1)
		o.oldThresholds(hw.FanSpeedLimitRPM, p, n)
	}
	o.info(p, n)
	o.status(p, n)
}

// inPercent says that a fan's reading is a percentage. Where no unit is told, a range that
// ends at 100 tells it.
func inPercent(n Node) bool {
	switch strings.ToLower(n.first("ReadingUnits", "Units")) {
	case "percent", "%", "percentage", "pwm":
		return true
	case "":
		top, ok, err := n.num("MaxReadingRange")
		return ok && err == nil && top > 0 && top <= 100
	}
	return false
}

// fan sends a Fan resource.
func (o *sink) fan(n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Fan, parent)
	if !ok {
		return
	}
	o.within(0, 255, hw.FanSpeedRatio, p, n, "SpeedPercent", 0.01)
	o.within(0, 1e6, hw.FanSpeedRPM, p, n, "SpeedPercent.SpeedRPM", 1)
	o.send(hw.PowerWatts, p, n, "PowerWatts", 1)
	o.info(p, n)
	o.status(p, n)
}

// thermalMetrics sends the readings of ThermalMetrics, for chassis that have no Sensors.
func (o *sink) thermalMetrics(ctx context.Context, sub Node, parent string) {
	m, ok := o.get(ctx, sub.link("ThermalMetrics"), sensors)
	if !ok {
		return
	}
	for i, t := range m.list("TemperatureReadingsCelsius") {
		if p, ok := o.element(t, hw.Temperature, parent, "ThermalMetrics", i); ok {
			if t.str("DeviceName") == "" {
				p.Name = t.first("PhysicalContext", "DataSourceUri")
			}
			o.within(-273.15, 1000, hw.TemperatureCelsius, p, t, "Reading", 1)
		}
	}
}

// leaks sends the leak detectors of a liquid-cooled chassis.
func (o *sink) leaks(ctx context.Context, sub Node, parent string) {
	detection, ok := o.get(ctx, sub.link("LeakDetection"), sensors)
	if !ok {
		return
	}
	detectors := o.members(ctx, detection.link("LeakDetectors"), sensors, false)
	// Groups hold excerpts of detectors that may have no resource of their own.
	for _, g := range detection.list("LeakDetectorGroups") {
		for i, d := range g.list("Detectors") {
			if d.link("DataSourceUri") == "" {
				o.leak(d, parent+"/LeakDetectorGroups/"+g.first("GroupName"), i)
			}
		}
	}
	for i, d := range detectors {
		o.leak(d, parent, i)
	}
}

func (o *sink) leak(n Node, parent string, i int) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, hw.Enclosure, parent)
	if n.id() == "" {
		p, ok = o.element(n, hw.Enclosure, parent, "LeakDetectors", i)
	}
	if !ok {
		return
	}
	switch state := strings.ToLower(n.str("DetectorState")); state {
	case "ok":
		o.flag(hw.LeakDetected, p, false, true)
	case "warning", "critical":
		o.flag(hw.LeakDetected, p, true, true)
	case "", "unavailable", "absent":
	default:
		o.odd()
	}
	o.status(p, n)
}

// rollup sends the state of a subsystem as a whole.
func (o *sink) rollup(n Node, parent string) {
	if p, ok := o.part(n, hw.Enclosure, parent); ok {
		o.status(p, n)
	}
}

// redundancy sends a redundancy group.
func (o *sink) redundancy(n Node, parent string, i int) {
	state := stateOf(n)
	if state == "" || missing(n) {
		return
	}
	p, ok := o.element(n, hw.Enclosure, parent, "Redundancy", i)
	if !ok {
		return
	}
	for _, known := range []string{hw.OK, hw.Degraded, hw.Failed, hw.Unknown} {
		v := 0.0
		if known == state {
			v = 1
		}
		o.s.schema.Send(o.ch, hw.RedundancyStatus, p, v, known)
	}
}
