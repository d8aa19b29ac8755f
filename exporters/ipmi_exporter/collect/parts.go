package collect

import (
	"strconv"
	"strings"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// parent names the entity that a sensor watches, e.g. processor_1.
func parent(e ipmi.Entity) string {
	name := e.Name()
	if name == "" {
		name = "entity_" + strconv.Itoa(int(e.ID))
	}
	return name + "_" + strconv.Itoa(int(e.Instance&0x7f))
}

// entityType maps what a part is to a hw_type.
func entityType(e ipmi.Entity) string {
	switch e.ID {
	case 0x03, 0x09, 0x41:
		return hw.CPU
	case 0x04, 0x1a:
		return hw.PhysicalDisk
	case 0x08, 0x20:
		return hw.Memory
	case 0x0a, 0x13, 0x14:
		return hw.PowerSupply
	case 0x1d, 0x1e:
		return hw.Fan
	case 0x28:
		return hw.Battery
	}
	return hw.Enclosure
}

// sensorHWType maps a sensor to a hw_type: by what it measures, then by what it watches.
func sensorHWType(s *ipmi.Sensor) string {
	if s.Analog && s.Unit.Simple() {
		switch s.Unit.Base {
		case ipmi.UnitCelsius, ipmi.UnitFahrenheit, ipmi.UnitKelvin:
			return hw.Temperature
		case ipmi.UnitVolt:
			return hw.Voltage
		case ipmi.UnitRPM:
			return hw.Fan
		}
	}
	switch s.Type {
	case ipmi.TypeTemperature:
		return hw.Temperature
	case ipmi.TypeVoltage:
		return hw.Voltage
	case ipmi.TypeFan, ipmi.TypeCooling:
		return hw.Fan
	case ipmi.TypeProcessor:
		return hw.CPU
	case ipmi.TypePowerSupply, ipmi.TypePowerUnit:
		return hw.PowerSupply
	case ipmi.TypeMemory:
		return hw.Memory
	case ipmi.TypeDrive:
		return hw.PhysicalDisk
	case ipmi.TypeBattery:
		return hw.Battery
	case ipmi.TypeLAN:
		return hw.Network
	}
	return entityType(s.Entity)
}

// measure is where a sensor's value goes.
type measure struct {
	value, limit hw.Metric
	scale        float64
	offset       float64 // added before scale
	unit         string  // label, for readings that have no family of their own
}

// Families for readings whose unit has none in the shared schema.
const (
	otherReading hw.Metric = "ipmi_other_reading"
	otherLimit   hw.Metric = "ipmi_other_reading_limit"
)

// measureOf finds the family of an analog sensor, in base units.
func measureOf(s *ipmi.Sensor) measure {
	m := measure{scale: 1}
	u := s.Unit
	switch {
	case u.Percent && u.Combine == 0 && u.Rate == 0:
		m.value, m.scale = hw.UtilizationRatio, 0.01
		if sensorHWType(s) == hw.Fan {
			m.value = hw.FanSpeedRatio
		} else if strings.Contains(strings.ToLower(s.Name), "humid") { // IPMI has no type for it
			m.value = hw.HumidityRatio
		}
	case !u.Simple():
		// A quotient or a product of units, or a rate.
	case u.Base == ipmi.UnitCelsius:
		m.value, m.limit = hw.TemperatureCelsius, hw.TemperatureLimitCelsius
	case u.Base == ipmi.UnitFahrenheit:
		m.value, m.limit, m.offset, m.scale = hw.TemperatureCelsius, hw.TemperatureLimitCelsius, -32, 5.0/9
	case u.Base == ipmi.UnitKelvin:
		m.value, m.limit, m.offset = hw.TemperatureCelsius, hw.TemperatureLimitCelsius, -273.15
	case u.Base == ipmi.UnitVolt:
		m.value, m.limit = hw.VoltageVolts, hw.VoltageLimitVolts
	case u.Base == ipmi.UnitAmpere:
		m.value, m.limit = hw.CurrentAmperes, hw.CurrentLimitAmperes
	case u.Base == ipmi.UnitWatt:
		m.value, m.limit = hw.PowerWatts, hw.PowerLimitWatts
	case u.Base == ipmi.UnitRPM:
		m.value, m.limit = hw.FanSpeedRPM, hw.FanSpeedLimitRPM
	case u.Base == ipmi.UnitJoule:
		m.value = hw.EnergyJoules
	case u.Base == ipmi.UnitHertz:
		m.value = hw.FrequencyHertz
	case u.Base == ipmi.UnitCFM:
		m.value, m.scale = hw.FlowCubicMeters, 0.028316846592/60
	case u.Base == ipmi.UnitKilopascal:
		m.value, m.scale = hw.PressurePascals, 1000
	case u.Base == ipmi.UnitPSI:
		m.value, m.scale = hw.PressurePascals, 6894.757293168
	}
	if m.value == "" {
		m.value, m.limit, m.unit = otherReading, otherLimit, u.String()
	} else if m.limit == "" {
		m.limit, m.unit = otherLimit, baseUnit(m.value)
	}
	return m
}

// baseUnit is the unit of a family without limits of its own.
func baseUnit(m hw.Metric) string {
	switch m {
	case hw.FrequencyHertz:
		return "hertz"
	case hw.EnergyJoules:
		return "joules"
	case hw.FlowCubicMeters:
		return "cubic_meters_per_second"
	case hw.PressurePascals:
		return "pascals"
	}
	return "ratio"
}

func (m measure) convert(v float64) float64 {
	switch {
	case m.scale == 0.01: // 30 percent is 0.3
		return v / 100
	case m.offset == 0 && m.scale == 1:
		return v
	}
	return (v + m.offset) * m.scale
}

// limitType names the threshold with index k.
func limitType(k int) string {
	return [...]string{hw.LowDegraded, hw.LowCritical, hw.LowFatal, hw.HighDegraded, hw.HighCritical, hw.HighFatal}[k]
}
