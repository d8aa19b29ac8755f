package redfish

import (
	"strings"

	"github.com/inframind/inframind/internal/exporter/hw"
)

// quantity is what a sensor measures: its metric, that of its thresholds, and its hw_type.
type quantity struct {
	metric hw.Metric
	limit  hw.Metric // empty when the schema has none
	kind   string    // empty: by physical context
}

// quantityOf finds the quantity of a Sensor's ReadingType (DSP0268); for services that leave
// it out, by the unit.
func quantityOf(n Node) (quantity, bool) {
	kind := n.str("ReadingType")
	if kind == "" {
		kind = map[string]string{
			"Cel": "Temperature", "C": "Temperature", "°C": "Temperature", "Celsius": "Temperature", "[degF]": "Temperature", "K": "Temperature",
			"V": "Voltage", "mV": "Voltage", "kV": "Voltage", "Volts": "Voltage", "A": "Current", "mA": "Current", "Amps": "Current",
			"W": "Power", "mW": "Power", "kW": "Power", "Watts": "Power", "RPM": "Rotational", "{rev}/min": "Rotational",
			"J": "EnergyJoules", "kJ": "EnergyJoules", "kW.h": "EnergykWh", "kWh": "EnergykWh", "W.h": "EnergyWh", "Wh": "EnergyWh",
			"Hz": "Frequency", "kHz": "Frequency", "MHz": "Frequency", "GHz": "Frequency",
			"%": "Percent", "Percent": "Percent", "Pa": "Pressure", "kPa": "PressurekPa", "L/min": "LiquidFlow",
		}[n.str("ReadingUnits")]
	}
	if kind == "Rotational" && strings.Contains(n.str("ReadingUnits"), "%") {
		kind = "Percent"
	}
	switch kind {
	case "Temperature":
		return quantity{hw.TemperatureCelsius, hw.TemperatureLimitCelsius, hw.Temperature}, true
	case "Voltage":
		return quantity{hw.VoltageVolts, hw.VoltageLimitVolts, hw.Voltage}, true
	case "Current":
		return quantity{hw.CurrentAmperes, hw.CurrentLimitAmperes, ""}, true
	case "Power":
		return quantity{hw.PowerWatts, hw.PowerLimitWatts, ""}, true
	case "EnergyJoules", "EnergykWh", "EnergyWh":
		return quantity{hw.EnergyJoules, "", ""}, true
	case "Rotational":
		return quantity{hw.FanSpeedRPM, hw.FanSpeedLimitRPM, hw.Fan}, true
	case "Frequency":
		return quantity{hw.FrequencyHertz, "", ""}, true
	case "Humidity":
		return quantity{hw.HumidityRatio, "", hw.Enclosure}, true
	case "Pressure", "PressurekPa", "PressurePa", "Barometric":
		return quantity{hw.PressurePascals, "", hw.Enclosure}, true
	case "AirFlow", "AirFlowCMM", "LiquidFlow", "LiquidFlowLPM":
		return quantity{hw.FlowCubicMeters, "", hw.Enclosure}, true
	case "Percent":
		if n.str("ReadingType") == "Rotational" || strings.EqualFold(n.str("PhysicalContext"), "Fan") || strings.Contains(strings.ToLower(n.name()), "fan") {
			return quantity{hw.FanSpeedRatio, "", hw.Fan}, true
		}
		return quantity{hw.UtilizationRatio, "", ""}, true
	}
	return quantity{}, false
}

// scaleOf is the factor from the sensor's unit (UCUM, as ReadingUnits says) to the base
// unit, and an offset added before it.
func scaleOf(kind, unit string) (factor, offset float64) {
	switch unit {
	case "mV", "mA", "mW":
		return 1e-3, 0
	case "kV", "kA", "kW", "kPa":
		return 1e3, 0
	case "MW", "MHz", "MJ":
		return 1e6, 0
	case "GHz":
		return 1e9, 0
	case "kHz", "kJ":
		return 1e3, 0
	case "kW.h", "kWh":
		return 3.6e6, 0
	case "W.h", "Wh":
		return 3600, 0
	case "J", "W", "V", "A", "Hz", "Pa", "Cel", "RPM", "{rev}/min", "m3/s":
		return 1, 0
	case "K":
		return 1, -273.15
	case "[degF]":
		return 5.0 / 9, -32
	case "%", "Percent":
		return 0.01, 0
	case "mm[Hg]":
		return 133.322, 0
	case "[psi]", "psi":
		return 6894.757, 0
	case "[ft_i]3/min", "[cft_i]/min", "CFM":
		return 0.028316846592 / 60, 0
	case "m3/min":
		return 1.0 / 60, 0
	case "L/min":
		return 1e-3 / 60, 0
	case "L/s":
		return 1e-3, 0
	}
	// No unit, or one we do not know: the one that the schema gives to the type.
	switch kind {
	case "EnergykWh":
		return 3.6e6, 0
	case "EnergyWh":
		return 3600, 0
	case "PressurekPa":
		return 1e3, 0
	case "Barometric":
		return 133.322, 0
	case "AirFlow":
		return 0.028316846592 / 60, 0
	case "AirFlowCMM":
		return 1.0 / 60, 0
	case "LiquidFlow", "LiquidFlowLPM":
		return 1e-3 / 60, 0
	case "Percent", "Humidity":
		return 0.01, 0
	}
	return 1, 0
}

// kindOf maps PhysicalContext to hw_type.
func kindOf(context string) string {
	c := strings.ToLower(context)
	for _, k := range []struct{ part, kind string }{
		{"gpu", hw.GPU},
		{"accelerator", hw.GPU},
		{"cpu", hw.CPU},
		{"powersupply", hw.PowerSupply},
		{"powersubsystem", hw.PowerSupply},
		{"memory", hw.Memory},
		{"fan", hw.Fan},
		{"storage", hw.PhysicalDisk},
		{"network", hw.Network},
		{"battery", hw.Battery},
	} {
		if strings.Contains(c, k.part) {
			return k.kind
		}
	}
	return hw.Enclosure
}

// threshold is a limit of a reading: where the Sensor and the older resources keep it.
type threshold struct{ limit, sensor, old string }

func thresholds() []threshold {
	return []threshold{
		{hw.HighDegraded, "Thresholds.UpperCaution.Reading", "UpperThresholdNonCritical"},
		{hw.HighCritical, "Thresholds.UpperCritical.Reading", "UpperThresholdCritical"},
		{hw.HighFatal, "Thresholds.UpperFatal.Reading", "UpperThresholdFatal"},
		{hw.LowDegraded, "Thresholds.LowerCaution.Reading", "LowerThresholdNonCritical"},
		{hw.LowCritical, "Thresholds.LowerCritical.Reading", "LowerThresholdCritical"},
		{hw.LowFatal, "Thresholds.LowerFatal.Reading", "LowerThresholdFatal"},
	}
}

// oldThresholds sends the limits of an entry of Thermal or Power.
func (o *sink) oldThresholds(m hw.Metric, p hw.Part, n Node) {
	for _, t := range thresholds() {
		o.send(m, p, n, t.old, 1, t.limit)
	}
}

// normal is a name without case, spaces and punctuation, to find the same sensor in two
// resources.
func normal(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)
}
