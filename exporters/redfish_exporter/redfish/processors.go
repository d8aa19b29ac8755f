package redfish

import (
	"context"
	"strconv"
	"strings"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectProcessors reads CPUs, GPUs and other accelerators.
func collectProcessors(ctx context.Context, o *sink) {
	each(o.s.systems, func(sys Node) {
		parent := short(sys.id())
		each(o.members(ctx, sys.link("Processors"), health, true), func(n Node) { o.processor(ctx, n, parent) })
	})
	each(o.s.chassis, func(ch Node) { // accelerators of a board without a system of its own
		each(o.members(ctx, ch.link("Processors"), health, true), func(n Node) { o.processor(ctx, n, short(ch.id())) })
	})
}

// processorKind maps ProcessorType to hw_type.
func processorKind(n Node) string {
	switch strings.ToLower(n.str("ProcessorType")) {
	case "gpu", "accelerator", "fpga", "dsp", "npu", "tpu", "dpu":
		return hw.GPU
	}
	return hw.CPU
}

func (o *sink) processor(ctx context.Context, n Node, parent string) {
	if missing(n) {
		return
	}
	p, ok := o.part(n, processorKind(n), parent)
	if !ok {
		return
	}
	o.send(hw.CPUCores, p, n, "TotalCores", 1)
	o.send(hw.CPUThreads, p, n, "TotalThreads", 1)
	o.sendFirst(hw.CPUFrequencyHertz, p, n, 1e6, "OperatingSpeedMHz", "MaxSpeedMHz")
	o.info(p, n)
	o.status(p, n)
	prio := counters
	if p.Type == hw.GPU {
		prio = health // their load and power are what people watch
	}
	if m, ok := o.get(ctx, firstLink(n, "Metrics", "Oem.Intel_RackScale.Metrics"), prio); ok {
		o.processorMetrics(m, p)
		if n.link("EnvironmentMetrics") == "" { // where these were before Redfish 2020.4
			o.send(hw.PowerWatts, p, m, "ConsumedPowerWatt", 1)
			o.within(-50, 200, hw.TemperatureCelsius, p, m, "TemperatureCelsius", 1)
		}
	}
	o.environment(ctx, n, p, prio, true)
	for _, port := range o.members(ctx, n.link("Ports"), slow, false) { // e.g. NVLink
		o.port(ctx, port, p.ID)
	}
}

func (o *sink) processorMetrics(m Node, p hw.Part) {
	o.within(0, 100, hw.UtilizationRatio, p, m, "BandwidthPercent", 0.01)
	o.sendFirst(hw.CPUFrequencyHertz, hw.Part{ID: p.ID + "/Average", Type: p.Type, Name: p.Name + " average", Parent: p.ID}, m, 1e6, "AverageFrequencyMHz", "OperatingSpeedMHz")
	o.send(hw.VoltageVolts, p, m, "CoreVoltage", 1)
	for _, e := range []struct{ path, kind string }{
		{"CacheMetricsTotal.LifeTime.CorrectableECCErrorCount", "cache_correctable_ecc"},
		{"CacheMetricsTotal.LifeTime.UncorrectableECCErrorCount", "cache_uncorrectable_ecc"},
		{"CorrectableCoreErrorCount", "core_correctable"},
		{"UncorrectableCoreErrorCount", "core_uncorrectable"},
		{"CorrectableOtherErrorCount", "other_correctable"},
		{"UncorrectableOtherErrorCount", "other_uncorrectable"},
	} {
		o.send(hw.Errors, p, m, e.path, 1, e.kind)
	}
	o.pcieErrors(m.obj("PCIeErrors"), p)
	for _, t := range []struct{ path, cause string }{
		{"PowerLimitThrottleDuration", "power"},
		{"ThermalLimitThrottleDuration", "thermal"},
		{"Oem.Nvidia.HardwareViolationThrottleDuration", "hardware"},
		{"Oem.Nvidia.GlobalSoftwareViolationThrottleDuration", "software"},
	} {
		if text := m.str(t.path); text != "" {
			s, ok := isoSeconds(text)
			if !ok {
				o.odd()
				continue
			}
			o.s.schema.Send(o.ch, hw.ThrottledSeconds, p, s, t.cause)
		}
	}
}

// pcieErrors sends the error counters that PCIeDevice, ProcessorMetrics and PortMetrics share.
func (o *sink) pcieErrors(n Node, p hw.Part) {
	for _, e := range []struct{ key, kind string }{
		{"CorrectableErrorCount", "pcie_correctable"},
		{"NonFatalErrorCount", "pcie_non_fatal"},
		{"FatalErrorCount", "pcie_fatal"},
		{"L0ToRecoveryCount", "pcie_l0_to_recovery"},
		{"ReplayCount", "pcie_replay"},
		{"ReplayRolloverCount", "pcie_replay_rollover"},
		{"NAKSentCount", "pcie_nak_sent"},
		{"NAKReceivedCount", "pcie_nak_received"},
	} {
		o.send(hw.Errors, p, n, e.key, 1, e.kind)
	}
}

// isoSeconds reads an ISO 8601 duration such as P3DT2H10M5.5S, as Redfish writes them.
// Years and months have no fixed length and are refused.
func isoSeconds(s string) (float64, bool) {
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" {
		return 0, false
	}
	units := map[byte]float64{'W': 7 * 86400, 'D': 86400}
	total := 0.0
	for s != "" {
		if s[0] == 'T' {
			units, s = map[byte]float64{'H': 3600, 'M': 60, 'S': 1}, s[1:]
			continue
		}
		i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if i <= 0 {
			return 0, false
		}
		v, err := strconv.ParseFloat(s[:i], 64)
		factor, known := units[s[i]]
		if err != nil || !known {
			return 0, false
		}
		total += v * factor
		s = s[i+1:]
	}
	return total, true
}
