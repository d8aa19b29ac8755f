package redfish

import (
	"context"
	"strings"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// collectMemory reads every DIMM: health, size, clock, ECC errors.
func collectMemory(ctx context.Context, o *sink) {
	each(o.s.systems, func(sys Node) {
		parent := short(sys.id())
		each(o.members(ctx, sys.link("Memory"), health, true), func(n Node) { o.dimm(ctx, n, parent) })
	})
	each(o.s.chassis, func(ch Node) { // memory boards, accelerators
		each(o.members(ctx, ch.link("Memory"), health, true), func(n Node) { o.dimm(ctx, n, short(ch.id())) })
	})
}

func (o *sink) dimm(ctx context.Context, n Node, parent string) {
	// iLO before 5 has no Status there, but a word of its own.
	if missing(n) || strings.EqualFold(n.first("DIMMStatus", "Oem.Hpe.DIMMStatus", "Oem.Hp.DIMMStatus"), "NotPresent") {
		return
	}
	p, ok := o.part(n, hw.Memory, parent)
	if !ok {
		return
	}
	if !o.send(hw.MemorySizeBytes, p, n, "CapacityMiB", 1<<20) {
		o.send(hw.MemorySizeBytes, p, n, "SizeMB", 1<<20)
	}
	o.sendFirst(hw.MemoryFrequencyHertz, p, n, 1e6, "OperatingSpeedMhz", "MaximumFrequencyMHz")
	o.info(p, n)
	if n.has("Status") {
		o.status(p, n)
	} else {
		o.status(p, healthOf(dimmHealth(n.first("DIMMStatus", "Oem.Hpe.DIMMStatus", "Oem.Hp.DIMMStatus"))))
	}
	o.memoryMetrics(ctx, n, p)
	o.environment(ctx, n, p, counters, true)
}

// dimmHealth is HPE's word for the state of a DIMM as a Health.
func dimmHealth(word string) string {
	switch strings.ToLower(word) {
	case "goodinuse", "goodpartiallyinuse", "addedbutunused", "upgradedbutunused":
		return "OK"
	case "degraded", "expectedbutmissing", "doesnotmatch", "notsupported", "configurationerror":
		return "Warning"
	}
	return ""
}

// memoryMetrics sends ECC errors. Counters of the whole life are preferred; those since the
// last reset are the same thing to a Prometheus rate.
func (o *sink) memoryMetrics(ctx context.Context, n Node, p hw.Part) {
	m, ok := o.get(ctx, n.link("Metrics"), counters)
	if !ok {
		return
	}
	for _, e := range []struct{ key, kind string }{
		{"CorrectableECCErrorCount", "correctable_ecc"},
		{"UncorrectableECCErrorCount", "uncorrectable_ecc"},
		{"IndeterminateCorrectableErrorCount", "indeterminate_correctable"},
		{"IndeterminateUncorrectableErrorCount", "indeterminate_uncorrectable"},
	} {
		path := "LifeTime." + e.key
		if _, ok, _ := m.num(path); !ok {
			path = "CurrentPeriod." + e.key
		}
		o.send(hw.Errors, p, m, path, 1, e.kind)
	}
	// HBM of NVIDIA: rows that were taken out of service.
	o.send(hw.Errors, p, m, "Oem.Nvidia.RowRemapping.CorrectableRowRemappingCount", 1, "row_remapped_correctable")
	o.send(hw.Errors, p, m, "Oem.Nvidia.RowRemapping.UncorrectableRowRemappingCount", 1, "row_remapped_uncorrectable")
	o.within(0, 100, hw.UtilizationRatio, p, m, "BandwidthPercent", 0.01)
	o.within(0, 100, hw.DiskLifeLeftRatio, p, m, "HealthData.PredictedMediaLifeLeftPercent", 0.01)
}
