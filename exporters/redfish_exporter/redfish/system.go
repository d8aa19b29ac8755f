package redfish

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectSystems reads every ComputerSystem: health, power and boot state, BIOS.
func collectSystems(_ context.Context, o *sink) {
	o.fail(o.s.topErrs[0])
	for _, n := range o.s.systems {
		p, ok := o.part(n, hw.Enclosure, "")
		if !ok {
			continue
		}
		o.status(p, n)
		o.powerState(p, n)
		o.info(p, n)
		o.indicator(p, n)
		o.send(hw.MemorySizeBytes, p, n, "MemorySummary.TotalSystemMemoryGiB", 1<<30)
		if v := n.str("BiosVersion"); v != "" {
			bios := hw.Part{ID: p.ID + "/Bios", Type: hw.Enclosure, Name: "BIOS", Parent: p.ID}
			o.s.schema.Send(o.ch, hw.FirmwareInfo, bios, 1, v)
		}
		o.summary(n, p, "ProcessorSummary", hw.CPU)
		o.summary(n, p, "MemorySummary", hw.Memory)
		o.boot(n, p)
		o.rollups(n, p)
		o.hpeUsage(n, p.ID)
	}
}

// summary sends the state of all processors or DIMMs together, which some BMCs report
// although the single part stays silent.
func (o *sink) summary(n Node, p hw.Part, key, kind string) {
	if sum := n.obj(key); sum.m != nil {
		o.status(hw.Part{ID: p.ID + "/" + key, Type: kind, Name: key, Parent: p.ID}, sum)
	}
}

// boot sends how far the system has booted and what it boots next.
func (o *sink) boot(n Node, p hw.Part) {
	last, override := n.str("BootProgress.LastState"), n.str("Boot.BootSourceOverrideTarget")
	enabled, mode := n.str("Boot.BootSourceOverrideEnabled"), n.str("Boot.BootSourceOverrideMode")
	if last+override+enabled+mode == "" {
		return
	}
	desc := prometheus.NewDesc("redfish_boot_info", "Boot state and override; the value is always 1.",
		[]string{"hw_id", "last_state", "override_target", "override_enabled", "mode"}, nil)
	o.ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1,
		hw.Label(p.ID), hw.Label(last), hw.Label(override), hw.Label(enabled), hw.Label(mode))
}

// powerState sends whether the part is powered; states between on and off count as on.
func (o *sink) powerState(p hw.Part, n Node) {
	switch strings.ToLower(n.str("PowerState")) {
	case "on", "poweringoff", "paused":
		o.flag(hw.PowerState, p, true, true)
	case "off", "poweringon":
		o.flag(hw.PowerState, p, false, true)
	}
}

// indicator sends the locating LED.
func (o *sink) indicator(p hw.Part, n Node) {
	if v, ok := n.truth("LocationIndicatorActive"); ok {
		o.flag(hw.IndicatorLED, p, v, true)
		return
	}
	switch strings.ToLower(n.str("IndicatorLED")) {
	case "lit", "blinking":
		o.flag(hw.IndicatorLED, p, true, true)
	case "off":
		o.flag(hw.IndicatorLED, p, false, true)
	}
}

// collectChassis reads every Chassis: health, power state, intrusion.
func collectChassis(_ context.Context, o *sink) {
	o.fail(o.s.topErrs[1])
	for _, n := range o.s.chassis {
		if missing(n) {
			continue
		}
		parent := ""
		if up := n.link("Links.ContainedBy"); up != "" {
			parent = short(up)
		}
		p, ok := o.part(n, hw.Enclosure, parent)
		if !ok {
			continue
		}
		o.status(p, n)
		o.powerState(p, n)
		o.info(p, n)
		o.indicator(p, n)
		switch strings.ToLower(n.str("PhysicalSecurity.IntrusionSensor")) {
		case "normal":
			o.flag(hw.IntrusionAlarm, p, false, true)
		case "hardwareintrusion", "tamperingdetected":
			o.flag(hw.IntrusionAlarm, p, true, true)
		}
		o.storageBatteries(n, p.ID)
	}
}

// collectManagers reads every Manager: health, power state, firmware.
func collectManagers(_ context.Context, o *sink) {
	o.fail(o.s.topErrs[2])
	for _, n := range o.s.managers {
		p, ok := o.part(n, hw.Enclosure, "")
		if !ok {
			continue
		}
		o.status(p, n)
		o.powerState(p, n)
		o.info(p, n)
		if v := n.str("FirmwareVersion"); v != "" {
			bmc := hw.Part{ID: p.ID + "/Firmware", Type: hw.Enclosure, Name: n.name(), Parent: p.ID}
			o.s.schema.Send(o.ch, hw.FirmwareInfo, bmc, 1, v)
		}
		for i, r := range n.list("Redundancy") {
			o.redundancy(r, p.ID, i)
		}
	}
}
