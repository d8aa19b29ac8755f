package redfish

import (
	"context"
	"strings"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// What vendors keep in places of their own. Each quirk reads a property by its exact path,
// so it costs nothing where the property does not exist; none asks for the vendor's name.

// driveQuirk is a vendor's property of a Drive.
type driveQuirk struct {
	vendor string
	path   string
	apply  func(o *sink, p hw.Part, n Node, path string)
}

func driveQuirks() []driveQuirk {
	life := func(o *sink, p hw.Part, n Node, path string) {
		if !n.has("PredictedMediaLifeLeftPercent") {
			o.within(0, 100, hw.DiskLifeLeftRatio, p, n, path, 0.01)
		}
	}
	used := func(o *sink, p hw.Part, n Node, path string) {
		if v, ok := o.num(n, path); ok && !n.has("PredictedMediaLifeLeftPercent") && v >= 0 && v <= 100 {
			o.s.schema.Send(o.ch, hw.DiskLifeLeftRatio, p, 1-v/100)
		}
	}
	hours := func(o *sink, p hw.Part, n Node, path string) {
		o.within(0, 1e7, hw.DiskPowerOnSeconds, p, n, path, 3600)
	}
	celsius := func(o *sink, p hw.Part, n Node, path string) {
		if v, ok := o.num(n, path); ok && v > 0 && v < 150 { // 0 stands for "not known"
			o.s.schema.Send(o.ch, hw.TemperatureCelsius, p, v)
		}
	}
	return []driveQuirk{
		{"Dell", "Oem.Dell.DellPhysicalDisk.RemainingRatedWriteEndurance", life},
		{"Dell", "Oem.Dell.DellDrive.RemainingRatedWriteEndurance", life},
		{"Cisco", "Oem.Cisco.SmartData.PercentLifeLeft", life},
		{"Cisco", "Oem.Cisco.SmartData.PowerOnHours", hours},
		{"Cisco", "Oem.Cisco.SmartData.OperatingTemperatureInCel", celsius},
		{"HPE", "Oem.Hpe.CurrentTemperatureCelsius", celsius},
		{"HPE", "Oem.Hpe.PowerOnHours", hours},
		{"HPE", "Oem.Hpe.SSDEnduranceUtilizationPercentage", used},
		{"HPE SmartStorage", "CurrentTemperatureCelsius", celsius},
		{"HPE SmartStorage", "PowerOnHours", hours},
		{"HPE SmartStorage", "SSDEnduranceUtilizationPercentage", used},
		{"Huawei", "Oem.Huawei.TemperatureCelsius", celsius},
		{"Huawei", "Oem.Huawei.HoursOfPoweredUp", hours},
		{"Huawei", "Oem.Huawei.RemnantMediaWearout", life},
		{"Lenovo", "Oem.Lenovo.Temperature", celsius},
		{"Fujitsu", "Oem.ts_fujitsu.Temperature", celsius},
		{"Inspur", "Oem.Public.TemperatureCelsius", celsius},
		{"Inspur", "Oem.Public.HoursOfPoweredUp", hours},
		{"Supermicro", "Oem.Supermicro.Temperature", celsius},
		{"Supermicro", "Temperature", celsius},
	}
}

// driveQuirks sends what vendors add to a Drive. predicted says that the drive announces its
// failure: Dell and Cisco tell so in their own words while FailurePredicted may stay false.
func (o *sink) driveQuirks(p hw.Part, n Node) (predicted bool) {
	for _, q := range driveQuirks() {
		if n.has(q.path) {
			q.apply(o, p, n, q.path)
		}
	}
	alerts, _, _ := n.num("Oem.Cisco.PredictiveFailureCount")
	return alerts > 0 || strings.EqualFold(n.str("Oem.Dell.DellPhysicalDisk.PredictiveFailureState"), "SmartAlertPresent")
}

// healthOf makes a resource that says nothing but its health.
func healthOf(health string) Node {
	return Node{m: map[string]any{"Status": map[string]any{"Health": health}}}
}

// controllerBattery sends the battery or capacitor of a RAID controller, which Dell keeps in
// Storage and Cisco in the controller.
func (o *sink) controllerBattery(n Node, parent string) {
	p := hw.Part{ID: parent + "/Battery", Type: hw.Battery, Name: "RAID battery", Parent: parent}
	if b := n.obj("Oem.Dell.DellControllerBattery"); b.m != nil && o.s.claim(p.Type, p.ID) {
		p.Name = b.first("Name", "Id", "Description")
		o.status(p, healthOf(b.str("PrimaryStatus")))
	}
	b := n.obj("Oem.Cisco.Bbu")
	if there, told := b.truth("IsBatteryPresent"); b.m == nil || told && !there || !o.s.claim(p.Type, p.ID) {
		return
	}
	health := map[string]string{"optimal": "OK", "degraded": "Warning", "failed": "Critical"}[strings.ToLower(b.str("BbuStatus"))]
	o.status(p, healthOf(health))
	o.s.schema.Send(o.ch, hw.Info, p, 1, b.str("BbuVendor"), b.str("BbuDeviceName"), b.str("BbuSerialNumber"), b.str("BbuModuleVersion"))
	o.within(0, 100, hw.BatteryChargeRatio, p, b, "CapacitanceInPercent", 0.01)
	o.within(-50, 150, hw.TemperatureCelsius, p, b, "BbuTemperatureInCel", 1)
	o.send(hw.VoltageVolts, p, b, "BbuVoltageInVolts", 1)
}

// hpePower sends the power of each kind of part, where iLO 5 and later tell it.
func (o *sink) hpePower(n Node, parent string) {
	for key, kind := range map[string]string{"CpuWatts": hw.CPU, "DimmWatts": hw.Memory, "GpuWatts": hw.GPU} {
		p := hw.Part{ID: parent + "/PowerMetric/" + key, Type: kind, Name: strings.TrimSuffix(key, "Watts"), Parent: parent}
		if path := "Oem.Hpe.PowerMetric." + key; n.has(path) && o.s.claim(kind, p.ID) {
			o.send(hw.PowerWatts, p, n, path, 1)
		}
	}
}

// hpeUsage sends how busy the system is by iLO's own count.
func (o *sink) hpeUsage(sys Node, parent string) {
	for key, kind := range map[string]string{"CPUUtil": hw.CPU, "MemoryBusUtil": hw.Memory, "IOBusUtil": hw.Enclosure} {
		if path := "Oem.Hpe.SystemUsage." + key; sys.has(path) {
			o.within(0, 100, hw.UtilizationRatio, hw.Part{ID: parent + "/SystemUsage/" + key, Type: kind, Name: key, Parent: parent}, sys, path, 0.01)
		}
	}
}

// rollups sends HPE's and Dell's state of each subsystem, which covers parts that have no
// resource of their own.
func (o *sink) rollups(sys Node, p hw.Part) {
	kinds := map[string]string{
		"Fans": hw.Fan, "Memory": hw.Memory, "Network": hw.Network, "PowerSupplies": hw.PowerSupply, "Processors": hw.CPU,
		"Storage": hw.DiskController, "Temperatures": hw.Temperature, "SmartStorageBattery": hw.Battery, "BiosOrHardwareHealth": hw.Enclosure,
	}
	for _, vendor := range []string{"Oem.Hpe.AggregateHealthStatus", "Oem.Hp.AggregateHealthStatus"} {
		agg := sys.obj(vendor)
		for key, kind := range kinds {
			if sub := agg.obj(key); sub.m != nil {
				o.status(hw.Part{ID: p.ID + "/AggregateHealthStatus/" + key, Type: kind, Name: key, Parent: p.ID}, sub)
			}
		}
	}
	dell := map[string]string{
		"BatteryRollupStatus": hw.Battery, "CPURollupStatus": hw.CPU, "FanRollupStatus": hw.Fan, "PSRollupStatus": hw.PowerSupply,
		"StorageRollupStatus": hw.DiskController, "TempRollupStatus": hw.Temperature, "VoltRollupStatus": hw.Voltage,
		"SysMemPrimaryStatus": hw.Memory, "IntrusionRollupStatus": hw.Enclosure,
	}
	for key, kind := range dell {
		if v := sys.str("Oem.Dell.DellSystem." + key); v != "" {
			sub := hw.Part{ID: p.ID + "/DellSystem/" + key, Type: kind, Name: key, Parent: p.ID}
			o.status(sub, healthOf(v))
		}
	}
}

// storageBatteries sends the battery of HPE's storage controllers, which hangs off the chassis.
func (o *sink) storageBatteries(ch Node, parent string) {
	for _, vendor := range []string{"Oem.Hpe.SmartStorageBattery", "Oem.Hp.SmartStorageBattery"} {
		for i, b := range ch.list(vendor) {
			if missing(b) {
				continue
			}
			if p, ok := o.element(b, hw.Battery, parent, "SmartStorageBattery", i); ok {
				o.within(0, 100, hw.BatteryChargeRatio, p, b, "ChargeLevelPercent", 0.01)
				o.info(p, b)
				o.status(p, b)
			}
		}
	}
}

// smartStorage reads HPE's own storage tree, the only one that iLO 4 and some iLO 5 fill.
func (o *sink) smartStorage(ctx context.Context, sys Node, parent string) {
	for _, path := range []string{"Oem.Hpe.Links.SmartStorage", "Oem.Hp.Links.SmartStorage", "Oem.Hp.links.SmartStorage"} {
		smart, ok := o.get(ctx, sys.link(path), health)
		if !ok {
			continue
		}
		link := firstLink(smart, "Links.ArrayControllers", "links.ArrayControllers")
		each(o.members(ctx, link, inner, false), func(c Node) {
			p, ok := o.part(c, hw.DiskController, parent)
			if !ok || missing(c) {
				return
			}
			o.s.schema.Send(o.ch, hw.Info, p, 1, "", c.str("Model"), c.str("SerialNumber"), c.str("FirmwareVersion.Current.VersionString"))
			o.status(p, c)
			for _, d := range o.members(ctx, firstLink(c, "Links.PhysicalDrives", "links.PhysicalDrives"), health, false) {
				o.smartDrive(d, p.ID)
			}
			for _, v := range o.members(ctx, firstLink(c, "Links.LogicalDrives", "links.LogicalDrives"), health, false) {
				o.smartVolume(v, p.ID)
			}
		})
		return
	}
}

func firstLink(n Node, paths ...string) string {
	for _, p := range paths {
		if l := n.link(p); l != "" {
			return l
		}
	}
	return ""
}

func (o *sink) smartDrive(n Node, parent string) {
	p, ok := o.part(n, hw.PhysicalDisk, parent)
	if !ok || missing(n) {
		return
	}
	o.send(hw.DiskSizeBytes, p, n, "CapacityMiB", 1<<20)
	o.s.schema.Send(o.ch, hw.Info, p, 1, "", n.str("Model"), n.str("SerialNumber"), n.str("FirmwareVersion.Current.VersionString"))
	o.driveQuirks(p, n)
	o.status(p, n)
}

func (o *sink) smartVolume(n Node, parent string) {
	p, ok := o.part(n, hw.LogicalDisk, parent)
	if !ok || missing(n) {
		return
	}
	o.send(hw.VolumeSizeBytes, p, n, "CapacityMiB", 1<<20)
	if raid := n.str("Raid"); raid != "" {
		o.s.schema.Send(o.ch, hw.Info, p, 1, "", "RAID"+raid, "", "")
	}
	o.status(p, n)
	o.within(0, 100, hw.VolumeOperation, p, n, "RebuildCompletionPercentage", 0.01, "Rebuild")
}

// hpeDevices sends iLO's list of installed devices, which covers what has no resource in the
// schema's own collections.
func (o *sink) hpeDevices(ctx context.Context, ch Node) {
	for _, n := range o.members(ctx, firstLink(ch, "Oem.Hpe.Links.Devices", "Oem.Hp.Links.Devices"), slow, false) {
		p, ok := o.part(n, hw.Enclosure, short(ch.id()))
		if !ok || missing(n) {
			continue
		}
		o.s.schema.Send(o.ch, hw.Info, p, 1, "", n.first("ProductPartNumber", "PartNumber"), n.str("SerialNumber"), n.str("FirmwareVersion.Current.VersionString"))
		o.status(p, n)
	}
}

// oldAdapters sends HPE's network adapters from before NetworkAdapter had ports.
func (o *sink) oldAdapters(ctx context.Context, sys Node) {
	link := firstLink(sys, "Oem.Hpe.Links.NetworkAdapters", "Oem.Hp.Links.NetworkAdapters", "Oem.Hp.links.NetworkAdapters")
	for _, n := range o.members(ctx, link, slow, false) {
		p, ok := o.part(n, hw.Network, short(sys.id()))
		if !ok || missing(n) {
			continue
		}
		o.s.schema.Send(o.ch, hw.Info, p, 1, "", n.first("Name", "StructuredName"), n.str("SerialNumber"), n.str("Firmware.Current.VersionString"))
		o.status(p, n)
		for i, port := range n.list("PhysicalPorts") {
			if q, ok := o.element(port, hw.Network, p.ID, "PhysicalPorts", i); ok {
				o.linkUp(q, port)
				o.send(hw.NetworkBandwidthBytes, q, port, "SpeedMbps", 1e6/bitsPerByte)
				o.status(q, port)
			}
		}
	}
}
