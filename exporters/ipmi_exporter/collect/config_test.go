package collect

import (
	"testing"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter/eventlog"
)

func TestConfig(t *testing.T) {
	for _, m := range []Module{
		{Collectors: []string{"none"}}, {Privilege: "root"}, {CipherSuite: 1}, {Version: "3"}, {Quirks: []string{"x"}}, {Refresh: -1},
	} {
		if (&Config{Modules: map[string]*Module{"m": &m}}).Validate() == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
	if (&Config{SessionIdle: -1}).Validate() == nil {
		t.Error("a negative session_idle is accepted")
	}
	if (&Config{Logs: eventlog.Config{Output: "kafka"}}).Validate() == nil {
		t.Error("an unknown output is accepted")
	}
	c := Config{Modules: map[string]*Module{"m": nil}}
	if err := c.Validate(); err != nil || c.Modules["default"] == nil || c.Modules["m"].Refresh == 0 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestMeasures(t *testing.T) {
	for _, tc := range []struct {
		s    ipmi.Sensor
		in   float64
		name string
		out  float64
	}{
		{ipmi.Sensor{Unit: ipmi.Unit{Base: ipmi.UnitFahrenheit}}, 212, "hw_temperature_celsius", 100},
		{ipmi.Sensor{Unit: ipmi.Unit{Base: ipmi.UnitKelvin}}, 293.15, "hw_temperature_celsius", 20},
		{ipmi.Sensor{Type: ipmi.TypeFan, Unit: ipmi.Unit{Percent: true}}, 30, "hw_fan_speed_ratio", 0.3},
		{ipmi.Sensor{Unit: ipmi.Unit{Percent: true}}, 45, "hw_utilization_ratio", 0.45},
		{ipmi.Sensor{Unit: ipmi.Unit{Base: ipmi.UnitKilopascal}}, 101.5, "hw_pressure_pascals", 101500},
		{ipmi.Sensor{Unit: ipmi.Unit{Base: ipmi.UnitCelsius, Rate: 4}}, 5, "ipmi_other_reading", 5},
		{ipmi.Sensor{Unit: ipmi.Unit{Base: ipmi.UnitJoule}}, 5, "hw_energy_joules_total", 5},
	} {
		m := measureOf(&tc.s)
		if got := m.convert(tc.in); string(m.value) != tc.name || got < tc.out-1e-9 || got > tc.out+1e-9 {
			t.Errorf("%s: %s %v, want %s %v", tc.s.Unit, m.value, got, tc.name, tc.out)
		}
	}
}
