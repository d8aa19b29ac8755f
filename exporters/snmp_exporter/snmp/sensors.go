package snmp

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// reading is one hardware value or state found in what a device said.
type reading struct {
	part   hw.Part
	metric hw.Metric // empty for a state
	value  float64   // in the unit of the metric
	state  string
	oid    string // of the value or state
}

// kind is what a rule's metric stands for.
type kind struct {
	metric hw.Metric
	limit  string
	dBm    bool
}

// kinds are the words for metrics in rules.
var kinds = map[string]kind{
	"celsius": {metric: hw.TemperatureCelsius}, "rpm": {metric: hw.FanSpeedRPM}, "fanratio": {metric: hw.FanSpeedRatio},
	"volts": {metric: hw.VoltageVolts}, "amperes": {metric: hw.CurrentAmperes}, "watts": {metric: hw.PowerWatts},
	"wattsmax": {metric: hw.PowerLimitWatts, limit: hw.Max}, "joules": {metric: hw.EnergyJoules}, "hertz": {metric: hw.FrequencyHertz},
	"humidity": {metric: hw.HumidityRatio}, "charge": {metric: hw.BatteryChargeRatio}, "timeleft": {metric: hw.BatteryTimeLeftSeconds},
	"utilization": {metric: hw.UtilizationRatio}, "optical": {metric: hw.OpticalPowerWatts, dBm: true}, "opticalwatts": {metric: hw.OpticalPowerWatts},
	"memory": {metric: hw.MemorySizeBytes}, "disk": {metric: hw.DiskSizeBytes}, "volume": {metric: hw.VolumeSizeBytes},
}

// hardware finds what tables say about hardware and sends it in the common schema.
func (p *profiles) hardware(tables []*table, ch chan<- prometheus.Metric) {
	schema := hw.New("snmp")
	seen := map[string]bool{}
	for _, r := range p.readings(tables) {
		key := string(r.metric) + "\x00" + r.part.Type + "\x00" + r.part.ID
		if seen[key] {
			continue
		}
		seen[key] = true
		switch r.metric {
		case "":
			schema.SendStatus(ch, r.part, r.state)
		case hw.PowerLimitWatts:
			schema.Send(ch, r.metric, r.part, r.value, hw.Max)
		default:
			schema.Send(ch, r.metric, r.part, r.value)
		}
	}
	neighbours(tables, ch)
}

func (p *profiles) readings(tables []*table) []reading {
	byModule := map[string]*table{}
	for _, t := range tables {
		byModule[t.m.name] = t
	}
	var out []reading
	for i := range p.rules {
		if t := byModule[p.rules[i].Profile]; t != nil {
			out = p.rules[i].apply(t, out)
		}
	}
	out = entitySensors(byModule["entity"], byModule["entity"], standardSensors, out)
	out = entitySensors(byModule["cisco"], byModule["entity"], ciscoSensors, out)
	out = raritanSensors(byModule["raritan_px"], out)
	return supermicroSensors(byModule["supermicro"], out)
}

// apply reads every row that r is about.
func (r *rule) apply(t *table, out []reading) []reading {
	for _, row := range t.columns[r.column()] {
		if !r.wanted(t, row) {
			continue
		}
		part := hw.Part{ID: r.id(row.Index), Type: r.Type, Name: r.label(t, row.Index)}
		if r.valueOID != "" {
			if v, ok := r.read(row.Value); ok {
				out = append(out, reading{part: part, metric: r.kind.metric, value: v, oid: r.valueOID + "." + row.Index})
			}
		}
		if r.statusOID == "" {
			continue
		}
		if s, ok := t.lookup(r.statusOID, row.Index); ok && s.IsNumber() {
			state, known := r.states[int(int64(s.Num))]
			if !known {
				state = hw.Unknown
			}
			out = append(out, reading{part: part, state: state, oid: r.statusOID + "." + row.Index})
		}
	}
	return out
}

// column is the one whose rows are the parts.
func (r *rule) column() string {
	if r.valueOID != "" {
		return r.valueOID
	}
	return r.statusOID
}

// id tells parts of one type apart: by the object that is read and the row.
func (r *rule) id(index string) string {
	name := r.Value
	if name == "" {
		name = r.Status
	}
	if r.scalar || index == "" {
		return name
	}
	return name + "." + index
}

// label is the name for people: what the device calls the row, or what the rule calls it.
func (r *rule) label(t *table, index string) string {
	var words []string
	for _, oid := range r.nameOIDs {
		v, ok := t.lookup(oid, index)
		if !ok {
			continue
		}
		text := valueText(v, "DisplayString", "")
		if me := t.m.byOID[oid]; me != nil && v.IsNumber() && me.EnumValues[int(v.Num)] != "" {
			text = me.EnumValues[int(v.Num)]
		}
		if text = hw.Label(text); text != "" {
			words = append(words, text)
		}
	}
	named := len(words) > 0
	if r.Text != "" {
		words = append(words, r.Text)
	}
	if !named && !r.scalar && index != "" && len(index) < 24 {
		words = append(words, index)
	}
	return strings.Join(words, " ")
}

// wanted applies the conditions of r to a row.
func (r *rule) wanted(t *table, row walk.Row) bool {
	if row.Value.IsNumber() {
		if slices.Contains(r.Skip, row.Value.Float()) {
			return false
		}
	}
	for oid, allowed := range r.whenOIDs {
		v, ok := t.lookup(oid, row.Index)
		if !ok || !v.IsNumber() {
			return false
		}
		if !slices.Contains(allowed, v.Float()) {
			return false
		}
	}
	for oid, banned := range r.unlessOIDs {
		if v, ok := t.lookup(oid, row.Index); ok && slices.Contains(banned, v.Float()) {
			return false
		}
	}
	return true
}

// read turns a value into the unit of the metric.
func (r *rule) read(v walk.Value) (float64, bool) {
	f, ok := number(v, false)
	if !ok {
		if f, ok = leadingNumber(v.Text()); !ok {
			return 0, false
		}
	}
	if r.Scale != 0 {
		f *= r.Scale
	}
	if r.Unit == "fahrenheit" {
		f = (f - 32) * 5 / 9
	}
	if r.kind.dBm {
		f = wattsOfDBm(f)
	}
	return f, true
}

// wattsOfDBm converts a power level in dBm.
func wattsOfDBm(dBm float64) float64 { return math.Pow(10, dBm/10) / 1000 }

// leadingNumber reads the number that a text like "28 C/82 F" begins with.
func leadingNumber(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.' || n == 0 && s[n] == '-') {
		n++
	}
	f, err := strconv.ParseFloat(s[:n], 64)
	return f, err == nil
}
