package snmp

import (
	"math"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// sensorColumns are those of ENTITY-SENSOR-MIB, and of the older Cisco form of it.
type sensorColumns struct {
	name                                  string // prefix of ids
	kind, scale, precision, value, status string
}

const (
	entPhysicalDescr = "1.3.6.1.2.1.47.1.1.1.1.2"
	entPhysicalName  = "1.3.6.1.2.1.47.1.1.1.1.7"
)

var (
	standardSensors = sensorColumns{
		"entPhySensor", "1.3.6.1.2.1.99.1.1.1.1", "1.3.6.1.2.1.99.1.1.1.2", "1.3.6.1.2.1.99.1.1.1.3", "1.3.6.1.2.1.99.1.1.1.4", "1.3.6.1.2.1.99.1.1.1.5",
	}
	ciscoSensors = sensorColumns{
		"entSensor", "1.3.6.1.4.1.9.9.91.1.1.1.1.1", "1.3.6.1.4.1.9.9.91.1.1.1.1.2", "1.3.6.1.4.1.9.9.91.1.1.1.1.3", "1.3.6.1.4.1.9.9.91.1.1.1.1.4", "1.3.6.1.4.1.9.9.91.1.1.1.1.5",
	}
)

// entityType maps EntitySensorDataType to the schema.
func entityType(n uint64, name string) (metric hw.Metric, typ string, dBm bool) {
	switch n {
	case 3, 4:
		return hw.VoltageVolts, hw.Voltage, false
	case 5:
		return hw.CurrentAmperes, hw.PowerSupply, false
	case 6:
		if optical(name) {
			return hw.OpticalPowerWatts, hw.Network, false
		}
		return hw.PowerWatts, hw.PowerSupply, false
	case 7:
		return hw.FrequencyHertz, hw.Voltage, false
	case 8:
		return hw.TemperatureCelsius, hw.Temperature, false
	case 9:
		return hw.HumidityRatio, hw.Enclosure, false
	case 10:
		return hw.FanSpeedRPM, hw.Fan, false
	case 14: // Cisco's own
		return hw.OpticalPowerWatts, hw.Network, true
	}
	return "", "", false
}

func optical(name string) bool {
	name = strings.ToLower(name)
	for _, w := range []string{"tx power", "rx power", "receive power", "transmit power", "dom "} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// entitySensors reads sensors that say themselves what they measure, in which scale and with how
// many decimals. names is the table with the names of parts.
func entitySensors(t, names *table, c sensorColumns, out []reading) []reading {
	if t == nil {
		return out
	}
	for _, row := range t.columns[c.value] {
		k, ok := t.lookup(c.kind, row.Index)
		v, isNumber := number(row.Value, false)
		if !ok || !isNumber {
			continue
		}
		oid := c.value + "." + row.Index
		name := physicalName(names, row.Index)
		metric, typ, dBm := entityType(k.Num, name)
		if metric == "" {
			continue
		}
		part := hw.Part{ID: c.name + "." + row.Index, Type: typ, Name: name}
		state := hw.OK
		if s, ok := t.lookup(c.status, row.Index); ok {
			state = map[uint64]string{1: hw.OK, 2: hw.Unknown, 3: hw.Failed}[s.Num]
		}
		if state == "" {
			state = hw.Unknown
		}
		out = append(out, reading{part: part, state: state, oid: c.status + "." + row.Index})
		// Out of range at either end means that the sensor does not know.
		if state != hw.OK || v <= -1e9 || v >= 1e9 {
			continue
		}
		scale, okScale := t.lookup(c.scale, row.Index)
		precision, okPrecision := t.lookup(c.precision, row.Index)
		if !okScale {
			scale.Num = 9
		}
		if !okPrecision {
			precision.Num = 0
		}
		digits := float64(int64(precision.Num))
		v *= math.Pow(10, 3*(float64(scale.Num)-9)-math.Min(math.Max(digits, -8), 9))
		switch {
		case dBm:
			v = wattsOfDBm(v)
		case metric == hw.HumidityRatio:
			v /= 100
		}
		out = append(out, reading{part: part, metric: metric, value: v, oid: oid})
	}
	return out
}

// physicalName is the part's name, or its description where the name says nothing.
func physicalName(t *table, index string) string {
	if t == nil {
		return ""
	}
	text := func(oid string) string {
		v, _ := t.lookup(oid, index)
		return hw.Label(valueText(v, "DisplayString", ""))
	}
	name, descr := text(entPhysicalName), text(entPhysicalDescr)
	if _, isNumber := leadingNumber(name); name == "" || isNumber && len(name) < 6 {
		return descr
	}
	return name
}

const (
	raritanInletValue     = "1.3.6.1.4.1.13742.6.5.2.3.1.4"
	raritanInletDigits    = "1.3.6.1.4.1.13742.6.3.3.4.1.7"
	raritanInletLabel     = "1.3.6.1.4.1.13742.6.3.3.3.1.2"
	raritanExternalValue  = "1.3.6.1.4.1.13742.6.5.5.3.1.4"
	raritanExternalType   = "1.3.6.1.4.1.13742.6.3.6.3.1.2"
	raritanExternalName   = "1.3.6.1.4.1.13742.6.3.6.3.1.4"
	raritanExternalDigits = "1.3.6.1.4.1.13742.6.3.6.3.1.17"
)

// raritanSensors reads inlets and sensors whose type is a number (PDU2-MIB SensorTypeEnumeration).
func raritanSensors(t *table, out []reading) []reading {
	if t == nil {
		return out
	}
	types := map[int]struct {
		metric hw.Metric
		typ    string
		factor float64
	}{
		1: {hw.CurrentAmperes, hw.PowerSupply, 1}, 4: {hw.VoltageVolts, hw.Voltage, 1}, 5: {hw.PowerWatts, hw.PowerSupply, 1},
		8: {hw.EnergyJoules, hw.PowerSupply, 3600}, 10: {hw.TemperatureCelsius, hw.Temperature, 1}, 11: {hw.HumidityRatio, hw.Enclosure, 0.01},
		23: {hw.FrequencyHertz, hw.PowerSupply, 1},
	}
	add := func(column, index, name string, typ int, digits string, v walk.Value) {
		k, ok := types[typ]
		f, isNumber := number(v, false)
		if !ok || !isNumber {
			return
		}
		d, _ := t.lookup(digits, index)
		f *= k.factor * math.Pow(10, -float64(min(d.Num, 9)))
		out = append(out, reading{part: hw.Part{ID: lastName(t, column) + "." + index, Type: k.typ, Name: name}, metric: k.metric, value: f, oid: column + "." + index})
	}
	for _, row := range t.columns[raritanInletValue] {
		arcs := parseArcs(row.Index)
		if len(arcs) != 3 {
			continue
		}
		label, _ := t.lookup(raritanInletLabel, dotted(arcs[:2]))
		add(raritanInletValue, row.Index, hw.Label(label.Text()), int(arcs[2]), raritanInletDigits, row.Value)
	}
	for _, row := range t.columns[raritanExternalValue] {
		typ, _ := t.lookup(raritanExternalType, row.Index)
		name, _ := t.lookup(raritanExternalName, row.Index)
		add(raritanExternalValue, row.Index, hw.Label(name.Text()), int(typ.Num), raritanExternalDigits, row.Value)
	}
	return out
}

func lastName(t *table, column string) string {
	if me := t.m.byOID[column]; me != nil {
		return me.Name
	}
	return column
}

const (
	smReading = "1.3.6.1.4.1.21317.1.3.1.2"
	smName    = "1.3.6.1.4.1.21317.1.3.1.13"
)

// supermicroSensors reads a table of IPMI sensors that has no units: the name tells them.
func supermicroSensors(t *table, out []reading) []reading {
	if t == nil {
		return out
	}
	for _, row := range t.columns[smReading] {
		nameValue, _ := t.lookup(smName, row.Index)
		name := hw.Label(nameValue.Text())
		v, ok := leadingNumber(row.Value.Text())
		if !ok || name == "" {
			continue
		}
		part := hw.Part{ID: "smSensorReading." + row.Index, Name: name}
		r := reading{part: part, value: v, oid: smReading + "." + row.Index}
		upper := strings.ToUpper(name)
		switch {
		case strings.Contains(upper, "INTRU"):
			r.part.Type, r.state = hw.Enclosure, hw.OK
			if v != 0 {
				r.state = hw.Failed
			}
		case upper == "VBAT" && v == math.Trunc(v):
			r.part.Type, r.state = hw.Battery, hw.OK // a discrete sensor: bit 2 is "present"
			if int(v)&4 == 0 {
				r.state = hw.Failed
			}
		case strings.Contains(upper, "TEMP"):
			r.part.Type, r.metric = hw.Temperature, hw.TemperatureCelsius
		case strings.HasPrefix(upper, "FAN"):
			r.part.Type, r.metric = hw.Fan, hw.FanSpeedRPM
		default:
			r.part.Type, r.metric = hw.Voltage, hw.VoltageVolts
		}
		// An absent sensor reads zero.
		if v == 0 && (r.metric == hw.TemperatureCelsius || r.metric == hw.FanSpeedRPM || r.metric == hw.VoltageVolts) {
			continue
		}
		out = append(out, r)
	}
	return out
}

const (
	lldpRemSysName  = "1.0.8802.1.1.2.1.4.1.1.9"
	lldpRemPortType = "1.0.8802.1.1.2.1.4.1.1.6"
	lldpRemPortID   = "1.0.8802.1.1.2.1.4.1.1.7"
	lldpRemChType   = "1.0.8802.1.1.2.1.4.1.1.4"
	lldpRemChassis  = "1.0.8802.1.1.2.1.4.1.1.5"
	lldpLocPortID   = "1.0.8802.1.1.2.1.3.7.1.3"
	lldpLocPortDesc = "1.0.8802.1.1.2.1.3.7.1.4"
	cdpDeviceID     = "1.3.6.1.4.1.9.9.23.1.2.1.1.6"
	cdpDevicePort   = "1.3.6.1.4.1.9.9.23.1.2.1.1.7"
	ifName          = "1.3.6.1.2.1.31.1.1.1.1"
)

// maxNeighbours bounds the edges of one device.
const maxNeighbours = 4096

// neighbours sends what is connected to which port, by LLDP and CDP: edges for a dependency map.
func neighbours(tables []*table, ch chan<- prometheus.Metric) {
	desc := prometheus.NewDesc("snmp_neighbor_info", "Neighbour of a port, as the device learned it; the value is always 1.",
		[]string{"protocol", "local_port", "remote_name", "remote_port", "remote_chassis"}, nil)
	sent := map[[5]string]bool{}
	send := func(labels ...string) {
		for i := range labels {
			labels[i] = hw.Label(labels[i])
		}
		key := [5]string(labels)
		if sent[key] || len(sent) >= maxNeighbours {
			return
		}
		sent[key] = true
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, labels...)
	}
	for _, t := range tables {
		text := func(oid, index, form string) string {
			v, _ := t.lookup(oid, index)
			return valueText(v, form, "")
		}
		for _, row := range t.columns[lldpRemPortID] {
			arcs := parseArcs(row.Index)
			if len(arcs) != 3 {
				continue
			}
			local := dotted(arcs[1:2])
			port := text(lldpLocPortDesc, local, "DisplayString")
			if port == "" {
				port = text(lldpLocPortID, local, "DisplayString")
			}
			if port == "" {
				port = local
			}
			send("lldp", port, text(lldpRemSysName, row.Index, "DisplayString"),
				text(lldpRemPortID, row.Index, lldpForm(t, lldpRemPortType, row.Index, 3)),
				text(lldpRemChassis, row.Index, lldpForm(t, lldpRemChType, row.Index, 4)))
		}
		for _, row := range t.columns[cdpDeviceID] {
			local := text(ifName, dotted(parseArcs(row.Index)[:1]), "DisplayString")
			send("cdp", local, valueText(row.Value, "DisplayString", ""), text(cdpDevicePort, row.Index, "DisplayString"), "")
		}
	}
}

// lldpForm is how an identifier is to be read: as an address if its subtype is mac.
func lldpForm(t *table, subtype, index string, mac uint64) string {
	if v, ok := t.lookup(subtype, index); ok && v.Num == mac {
		return "PhysAddress48"
	}
	return "DisplayString"
}
