package redfish

import (
	"math"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

// What a resource holds by its schema (DSP0268), written down without the exporter's code:
// property, metric and factor to the base unit. A sample of a resource carries its address
// as hw_id, one of an array's element the chassis as hw_parent.

type property struct {
	path   string
	metric string
	factor float64
	labels string // "name=value", optional
}

func properties() map[string][]property {
	return map[string][]property{
		"ComputerSystem": {{"MemorySummary.TotalSystemMemoryGiB", "hw_memory_size_bytes", 1 << 30, ""}},
		"Memory":         {{"CapacityMiB", "hw_memory_size_bytes", 1 << 20, ""}, {"OperatingSpeedMhz", "hw_memory_frequency_hertz", 1e6, ""}},
		"Processor":      {{"TotalCores", "hw_cpu_cores", 1, ""}, {"TotalThreads", "hw_cpu_threads", 1, ""}},
		"Drive":          {{"CapacityBytes", "hw_physical_disk_size_bytes", 1, ""}, {"PredictedMediaLifeLeftPercent", "hw_physical_disk_life_left_ratio", 0.01, ""}},
		"Volume":         {{"CapacityBytes", "hw_logical_disk_size_bytes", 1, ""}},
		"PowerSupply":    {{"PowerCapacityWatts", "hw_power_supply_limit_watts", 1, ""}},
		"Fan":            {{"SpeedPercent.Reading", "hw_fan_speed_ratio", 0.01, ""}, {"SpeedPercent.SpeedRPM", "hw_fan_speed_rpm", 1, ""}},
		"Port":           {{"CurrentSpeedGbps", "hw_network_bandwidth_limit_bytes_per_second", 1e9 / 8, ""}},
		"NetworkPort":    {{"CurrentLinkSpeedMbps", "hw_network_bandwidth_limit_bytes_per_second", 1e6 / 8, ""}},
		"EthernetInterface": {
			{"SpeedMbps", "hw_network_bandwidth_limit_bytes_per_second", 1e6 / 8, ""},
		},
	}
}

// metricsOf are those of a part's sub-resource: its samples carry the address of the part.
func metricsOf() map[string][]property {
	return map[string][]property{
		"MemoryMetrics": {
			{"LifeTime.CorrectableECCErrorCount", "hw_errors_total", 1, "error_type=correctable_ecc"},
			{"LifeTime.UncorrectableECCErrorCount", "hw_errors_total", 1, "error_type=uncorrectable_ecc"},
		},
		"DriveMetrics":       {{"PowerOnHours", "hw_physical_disk_power_on_seconds_total", 3600, ""}},
		"PowerSupplyMetrics": {{"InputPowerWatts.Reading", "hw_power_supply_input_watts", 1, ""}, {"OutputPowerWatts.Reading", "hw_power_supply_output_watts", 1, ""}, {"InputVoltage.Reading", "hw_power_supply_input_volts", 1, ""}},
		"BatteryMetrics":     {{"ChargePercent.Reading", "hw_battery_charge_ratio", 0.01, ""}},
	}
}

type element struct {
	array string
	property
}

func elements() map[string][]element {
	return map[string][]element{
		"Thermal": {
			{"Temperatures", property{"ReadingCelsius", "hw_temperature_celsius", 1, ""}},
			{"Temperatures", property{"UpperThresholdCritical", "hw_temperature_limit_celsius", 1, "limit_type=high.critical"}},
			{"Fans", property{"Reading", "fan", 1, ""}},
		},
		"Power": {
			{"Voltages", property{"ReadingVolts", "hw_voltage_volts", 1, ""}},
			{"PowerControl", property{"PowerConsumedWatts", "hw_power_watts", 1, ""}},
			{"PowerControl", property{"PowerCapacityWatts", "hw_power_limit_watts", 1, "limit_type=capacity"}},
			{"PowerSupplies", property{"PowerInputWatts", "hw_power_supply_input_watts", 1, ""}},
			{"PowerSupplies", property{"PowerOutputWatts", "hw_power_supply_output_watts", 1, ""}},
			{"PowerSupplies", property{"LineInputVoltage", "hw_power_supply_input_volts", 1, ""}},
		},
	}
}

// sensorProperty is where a Sensor's reading belongs, by its type and unit.
func sensorProperty(n Node) (p property, ok bool) {
	p = map[string]property{
		"Temperature": {"", "hw_temperature_celsius", 1, ""}, "Voltage": {"", "hw_voltage_volts", 1, ""}, "Current": {"", "hw_current_amperes", 1, ""},
		"Power": {"", "hw_power_watts", 1, ""}, "Rotational": {"", "hw_fan_speed_rpm", 1, ""}, "EnergyJoules": {"", "hw_energy_joules_total", 1, ""},
		"EnergykWh": {"", "hw_energy_joules_total", 3.6e6, ""}, "Humidity": {"", "hw_humidity_ratio", 0.01, ""}, "Frequency": {"", "hw_frequency_hertz", 1, ""},
		"PressurekPa": {"", "hw_pressure_pascals", 1e3, ""}, "LiquidFlow": {"", "hw_flow_cubic_meters_per_second", 1e-3 / 60, ""},
	}[n.str("ReadingType")]
	switch n.str("ReadingUnits") {
	case "%":
		if n.str("ReadingType") == "Rotational" {
			p = property{"", "hw_fan_speed_ratio", 0.01, ""}
		}
	case "Cel", "V", "A", "W", "RPM", "J", "kW.h", "Hz", "", "kPa", "L/min":
	default:
		return p, false
	}
	p.path = "Reading"
	return p, p.metric != ""
}

// holds checks samples against resources.
type holds struct {
	f    map[string]*dto.MetricFamily
	tree map[string]any
}

// check compares one resource and says how many of its values were found.
func (h holds) check(t *testing.T, path string, n Node) (found int) {
	t.Helper()
	schema, _, _ := strings.Cut(strings.TrimPrefix(textOf(n.m["@odata.type"]), "#"), ".")
	look := func(p property, label, id string, v float64) {
		if h.has(p, label, id, v*p.factor) {
			found++
			return
		}
		t.Errorf("%s: %s %v: no %s of %v with %s=%q", path, p.path, v, p.metric, v*p.factor, label, id)
	}
	adapter, _, _ := strings.Cut(path, "/NetworkPorts/")
	if schema == "Port" && strings.Contains(path, "/Controllers/") || schema == "NetworkPort" && h.tree[adapter+"/Ports"] != nil {
		return 0 // lanes between a controller and its drives; the older form of a port
	}
	for _, p := range properties()[schema] {
		if v, ok := n.find(p.path).(float64); ok && !(strings.HasSuffix(p.path, "Percent") && (v < 0 || v > 100)) {
			look(p, "hw_id", short(path), v)
		}
	}
	for _, p := range metricsOf()[schema] {
		if v, ok := n.find(p.path).(float64); ok {
			look(p, "hw_id", short(path[:strings.LastIndexByte(path, '/')]), v)
		}
	}
	parent := short(path)
	if i := strings.LastIndexByte(parent, '/'); i >= 0 {
		parent = parent[:i]
	}
	for _, e := range elements()[schema] {
		// Of fans and supplies that have resources of their own, those are shown.
		if h.tree["/redfish/v1/"+parent+"/ThermalSubsystem/Fans"] != nil && e.array == "Fans" || h.tree["/redfish/v1/"+parent+"/PowerSubsystem/PowerSupplies"] != nil && e.array == "PowerSupplies" {
			continue
		}
		for _, m := range n.list(e.array) {
			v, ok := m.find(e.path).(float64)
			if !ok || missing(m) {
				continue
			}
			p := e.property
			if p.metric == "fan" {
				p.metric = "hw_fan_speed_rpm"
				if strings.EqualFold(m.str("ReadingUnits"), "Percent") {
					p.metric, p.factor = "hw_fan_speed_ratio", 0.01
				}
			}
			look(p, "hw_parent", parent, v)
		}
	}
	if schema == "Sensor" {
		p, ok := sensorProperty(n)
		if v, number := n.find("Reading").(float64); ok && number {
			chassis, _, _ := strings.Cut(short(path), "/Sensors/")
			if h.has(p, "hw_id", short(path), v*p.factor) || h.named(n.title(), chassis) {
				found++
			} else {
				t.Errorf("%s: no %s of %v", path, p.metric, v*p.factor)
			}
		}
	}
	return found
}

// has finds a sample of the value, to seven digits.
func (h holds) has(p property, label, id string, v float64) bool {
	name, want, _ := strings.Cut(p.labels, "=")
	for _, m := range h.f[p.metric].GetMetric() {
		l := labelsOf(m)
		if l[label] == id && (name == "" || l[name] == want) && math.Abs(m.GetGauge().GetValue()+m.GetCounter().GetValue()-v) <= 1e-7*math.Abs(v) {
			return true
		}
	}
	return false
}

// named says that the older resources of the chassis show a sensor under its name.
func (h holds) named(name, chassis string) bool {
	for _, metric := range []string{"hw_temperature_celsius", "hw_voltage_volts", "hw_fan_speed_rpm", "hw_fan_speed_ratio", "hw_power_watts"} {
		for _, m := range h.f[metric].GetMetric() {
			if l := labelsOf(m); l["hw_parent"] == chassis && strings.HasPrefix(normal(l["hw_name"]), normal(name)) {
				return true
			}
		}
	}
	return false
}

func labelsOf(m *dto.Metric) map[string]string {
	out := map[string]string{}
	for _, l := range m.GetLabel() {
		out[l.GetName()] = l.GetValue()
	}
	return out
}

func textOf(v any) string { s, _ := v.(string); return s }

// reachable are the resources that the tree's top leads to through collections and parts that
// are there: recordings are partial, and hold resources that nothing leads to.
func reachable(tree map[string]any) map[string]bool {
	// What other parts show too, or is no part of the machine.
	aside := map[string]bool{}
	for _, key := range []string{
		"Links", "Oem", "Actions", "@Redfish.Settings", "NetworkInterfaces", "GraphicsControllers", "USBControllers", "SimpleStorage", "DedicatedNetworkPorts",
	} {
		aside[key] = true
	}
	seen := map[string]bool{}
	var visit func(path string)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if id := textOf(v["@odata.id"]); id != "" {
				visit(id)
			}
			for k, e := range v {
				if !aside[k] {
					walk(e)
				}
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	visit = func(id string) {
		path := strings.TrimRight(id, "/")
		v, ok := tree[path].(map[string]any)
		if !ok || seen[path] || missing(Node{m: v}) {
			return
		}
		seen[path] = true
		walk(v)
	}
	for _, key := range []string{"Systems", "Chassis", "Managers"} {
		visit(rootPath + "/" + key)
	}
	return seen
}
