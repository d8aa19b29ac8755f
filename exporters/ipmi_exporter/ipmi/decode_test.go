package ipmi

import (
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/testdata"
)

func TestConvert(t *testing.T) {
	cases := []struct {
		name string
		s    Sensor
		raw  byte
		want float64
		ok   bool
	}{
		{"unsigned", Sensor{Analog: true, Factors: Factors{M: 63, RExp: -3}}, 192, 12.096, true},
		{"twos complement", Sensor{Analog: true, Factors: Factors{Format: formatTwos, M: 1}}, 0xf8, -8, true},
		{"ones complement", Sensor{Analog: true, Factors: Factors{Format: formatOnes, M: 1}}, 0xfb, -4, true},
		{"ones complement of minus zero", Sensor{Analog: true, Factors: Factors{Format: formatOnes, M: 1}}, 0xff, 0, true},
		{"B with a positive exponent", Sensor{Analog: true, Factors: Factors{M: 160, B: -65, BExp: 2, RExp: -4}}, 231, 3.046, true},
		{"B with a negative exponent", Sensor{Analog: true, Factors: Factors{M: 1, B: 100, BExp: -1, RExp: -2}}, 95, 1.05, true},
		{"negative M", Sensor{Analog: true, Factors: Factors{M: -120, RExp: -3}}, 100, -12, true},
		{"only B", Sensor{Analog: true, Factors: Factors{B: 5}}, 100, 5, true},
		{"no factors", Sensor{Analog: true}, 100, 0, false},
		{"one by zero", Sensor{Analog: true, Linear: 7, Factors: Factors{M: 1}}, 0, math.Inf(1), false},
		{"logarithm of zero", Sensor{Analog: true, Linear: 1, Factors: Factors{M: 1}}, 0, math.Inf(-1), false},
		{"root of a negative number", Sensor{Analog: true, Linear: 10, Factors: Factors{Format: formatTwos, M: 1}}, 0xff, math.NaN(), false},
		{"unknown function", Sensor{Analog: true, Linear: 12, Factors: Factors{M: 1}}, 1, 0, false},
		{"discrete", Sensor{Factors: Factors{M: 1}}, 1, 0, false},
	}
	for _, tc := range cases {
		got, ok := tc.s.Convert(tc.raw)
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: %v %v, want %v %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}

func TestFactors(t *testing.T) {
	// M = -2 (10 bits: 11 1111 1110), B = 300 (01 0010 1100), R exponent -3, B exponent 2.
	got := decodeFactors([]byte{0xfe, 0xc0, 0x2c, 0x40, 0, 0xd2})
	if want := (Factors{M: -2, B: 300, RExp: -3, BExp: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestText(t *testing.T) {
	cases := []struct {
		kind textKind
		in   string // hexadecimal
		want string
		size int
	}{
		{sdrText, "83" + "29dca6", "IPMI", 4}, // the specification's own example of packed 6-bit
		{sdrText, "42" + "12a3", "12 3", 3},
		{sdrText, "44" + "1b2d3e4f", "1-2:3,4_", 5},
		{sdrText, "c3" + "43b055", "C°U", 4},       // Latin-1
		{sdrText, "c4" + "43c2b055", "C°U", 5},     // UTF-8
		{sdrText, "c6" + "465231000000", "FR1", 7}, // padded with NUL
		{sdrText, "c4" + "20462020", "F", 5},
		{sdrText, "04" + "41004200", "AB", 5}, // UTF-16
		{sdrText, "c5" + "4142", "AB", 3},     // cut off
		{sdrText, "", "", 0},
		{fruText, "03" + "0a0b0c", "0a0b0c", 4},
		{fruText, "03" + "000000", "", 4},
		{fruText, "c0", "", 1},
	}
	for _, tc := range cases {
		b, err := hex.DecodeString(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if got, size := decodeText(tc.kind, b); got != tc.want || size != tc.size {
			t.Errorf("%s: %q %d, want %q %d", tc.in, got, size, tc.want, tc.size)
		}
	}
}

func TestAlphaSuffix(t *testing.T) {
	for n, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 27: "AB", 51: "AZ", 52: "BA", 127: "DX"} {
		if got := alphaSuffix(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// compact makes a shared compact record for the drive slot type.
func compact(name string, how, offset byte) []byte {
	b := make([]byte, 32, 64)
	b[2], b[3], b[5], b[7], b[12], b[13], b[23], b[24] = 0x51, 2, 0x20, 0x10, 0x0d, 0x6f, how, offset
	b[31] = 0xc0 | byte(len(name))
	b = append(b, name...)
	b[4] = byte(len(b) - 5)
	return b
}

func TestSharedRecords(t *testing.T) {
	cases := []struct {
		name        string
		how, offset byte
		q           Quirks
		want        string
		entities    string
	}{
		{"Temp ", 0x03, 5, Quirks{}, "Temp 5,Temp 6,Temp 7", "0.0 0.0 0.0"},
		{"Temp ", 0x13, 0x80 | 26, Quirks{}, "Temp AA,Temp AB,Temp AC", "0.0 0.1 0.2"},
		{"Drive 0", 0x02, 0, Quirks{}, "Drive 00,Drive 01", "0.0 0.0"},
		{"Drive 15", 0x03, 0, Quirks{CountUp: true}, "Drive 15,Drive 16,Drive 17", "0.0 0.0 0.0"},
		{"A ", 0x02, 1, Quirks{CountUp: true}, "A 1,A 2", "0.0 0.0"},
		{"Alone", 0x01, 0x7f, Quirks{}, "Alone", "0.0"},
		{"Alone", 0x00, 0, Quirks{}, "Alone", "0.0"},
	}
	for _, tc := range cases {
		rep := DecodeRecords([][]byte{compact(tc.name, tc.how, tc.offset)}, tc.q)
		var names, entities []string
		for i, s := range rep.Sensors {
			names, entities = append(names, s.Name), append(entities, s.Entity.String())
			if int(s.Number) != 0x10+i {
				t.Errorf("%q: number %d", tc.name, s.Number)
			}
		}
		if got := strings.Join(names, ","); got != tc.want || strings.Join(entities, " ") != tc.entities {
			t.Errorf("%q: %s %v, want %s %s", tc.name, got, entities, tc.want, tc.entities)
		}
	}
}

func TestQuirks(t *testing.T) {
	dell, err := QuirksFor(DeviceID{Manufacturer: 674}, nil)
	if err != nil || !dell.CountUp || dell.CPULevels {
		t.Errorf("%+v %v", dell, err)
	}
	sm, err := QuirksFor(DeviceID{Manufacturer: 10876}, []string{"ignore_scanning_disabled"})
	if err != nil || !sm.CPULevels || !sm.IgnoreScanning || len(sm.Names) != 2 {
		t.Errorf("%+v %v", sm, err)
	}
	if st := sm.States(0xc0, 0x70); len(st) != 3 || StateName(st, 2) != "overheat" || st[2].Severity != Failed {
		t.Errorf("%+v", st)
	}
	if (Quirks{}).States(0xc0, 0x70) != nil {
		t.Error("OEM states without the quirk")
	}
	if _, err := QuirksFor(DeviceID{}, []string{"none_such"}); err == nil {
		t.Error("unknown quirk accepted")
	}
	rep := DecodeRecords([][]byte{func() []byte { b := compact("X", 1, 0); b[5] = 0x2c; return b }()}, Quirks{AnyOwner: true})
	if !rep.Sensors[0].CanRead() {
		t.Error("assume_bmc_owner has no effect")
	}
	r := Reading{Sensor: &Sensor{Analog: true, Event: EventThreshold, Factors: Factors{M: 1}}}
	r.decode([]byte{7, 0x00, 0}, Quirks{IgnoreScanning: true})
	if !r.HasValue || r.Value != 7 {
		t.Errorf("ignore_scanning_disabled: %+v", r)
	}
}

func TestReadingFlags(t *testing.T) {
	full := &Sensor{Analog: true, Event: EventThreshold, Factors: Factors{M: 1}}
	discrete := &Sensor{Event: EventSensorSpecific}
	cases := []struct {
		name   string
		s      *Sensor
		in     []byte
		value  bool
		state  bool
		states uint16
		usable bool
	}{
		{"good", full, []byte{5, 0xc0, 0xc0}, true, true, 0, true},
		{"warning", full, []byte{5, 0xc0, 0xc8}, true, true, 0x08, true},
		{"scanning off", full, []byte{5, 0x80, 0xc0}, false, false, 0, false},
		{"unavailable", full, []byte{5, 0xe0, 0xc0}, false, false, 0, false},
		{"short", full, []byte{5, 0xc0}, true, false, 0, true},
		{"value only", full, []byte{5}, true, false, 0, true},
		{"empty", full, nil, false, false, 0, false},
		{"discrete", discrete, []byte{0, 0xc0, 0x81, 0xff}, false, true, 0x7f81, true},
		{"discrete, one byte", discrete, []byte{0, 0xc0, 0x02}, false, true, 0x02, true},
	}
	for _, tc := range cases {
		r := Reading{Sensor: tc.s}
		r.decode(tc.in, Quirks{})
		if r.HasValue != tc.value || r.HasState != tc.state || r.States != tc.states || r.Usable() != tc.usable {
			t.Errorf("%s: %+v", tc.name, r)
		}
	}
}

func TestStates(t *testing.T) {
	for typ := range 256 {
		for e := range 128 {
			for _, s := range StatesOf(SensorType(typ), EventType(e)) {
				if strings.ToLower(s.Name) != s.Name || strings.ContainsAny(s.Name, " -!~?") {
					t.Errorf("type %d event %d: odd state name %q", typ, e, s.Name)
				}
			}
			if n := len(StatesOf(SensorType(typ), EventType(e))); n > 15 {
				t.Errorf("type %d event %d: %d states", typ, e, n)
			}
		}
	}
	ps := StatesOf(TypePowerSupply, EventSensorSpecific)
	if StateName(ps, 0) != "presence_detected" || StateName(ps, 3) != "input_lost" || StateName(ps, 12) != "state_12" || ps[2].Severity != Predicted {
		t.Errorf("%+v", ps)
	}
	if w := StatesOf(0x23, EventSensorSpecific); StateName(w, 8) != "timer_interrupt" || StateName(w, 5) != "state_5" {
		t.Errorf("%+v", w)
	}
}

func TestUnits(t *testing.T) {
	for _, tc := range []struct {
		u    Unit
		want string
	}{
		{Unit{Base: 1}, "degrees C"},
		{Unit{Base: 18}, "RPM"},
		{Unit{Percent: true}, "percent"},
		{Unit{Base: 1, Rate: 4}, "degrees C/min"},
		{Unit{Base: 35, Combine: 1, Modifier: 24}, "cu cm/hour"},
		{Unit{Base: 16, Combine: 2, Modifier: 34}, "Newton * m"},
		{Unit{Base: 6, Percent: true}, "% Watts"},
		{Unit{Base: 200}, "unknown"},
		{Unit{Base: 92}, "grams"},
		{Unit{Base: 65}, "color temp deg K"},
		{Unit{Base: 91}, "fatal error"},
	} {
		if got := tc.u.String(); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.u, got, tc.want)
		}
	}
}

func TestSELDecode(t *testing.T) {
	psu := Sensor{Owner: 0x20, Number: 0x61, Name: "PS1 Status", Type: TypePowerSupply, Event: EventSensorSpecific}
	temp := Sensor{Owner: 0x20, Number: 0x05, Name: "Inlet", Type: TypeTemperature, Event: EventThreshold, Analog: true, Unit: Unit{Base: 1}, Factors: Factors{M: 1, Format: formatTwos}}
	x := NewSensorIndex([]Sensor{psu, temp})
	cases := []struct {
		in, want string
		sev      Severity
		at       int64
	}{
		{"0100" + "02" + "88be5c5e" + "2000" + "04" + "08" + "61" + "6f" + "01ffff", "power supply PS1 Status: failure detected asserted", Failed, 0x5e5cbe88},
		{"0200" + "02" + "88be5c5e" + "2000" + "04" + "08" + "61" + "ef" + "01ffff", "power supply PS1 Status: failure detected deasserted", Info, 0x5e5cbe88},
		{"0300" + "02" + "88be5c5e" + "2000" + "04" + "01" + "05" + "01" + "59302a", "temperature Inlet: upper critical going high (reading 48 degrees C, threshold 42) asserted", Failed, 0x5e5cbe88},
		{"0400" + "02" + "10000000" + "2000" + "04" + "05" + "77" + "6f" + "00ffff", "physical security #0x77: general chassis intrusion asserted", Degraded, 0},
		{"0500" + "c1" + "88be5c5e" + "911200" + "313131313131", "OEM record 0xc1 of manufacturer 4753: 31 31 31 31 31 31", Info, 0x5e5cbe88},
		{"0600" + "e0" + "aabbcc" + "55555555555555555555", "OEM record 0xe0: aa bb cc 55 55 55 55 55 55 55 55 55 55", Info, 0},
		{"0700" + "02" + "ffffffff" + "2000" + "04" + "c7" + "01" + "6f" + "0fffff", "oem #0x01: state 15 asserted", Info, 0},
	}
	for _, tc := range cases {
		raw, err := hex.DecodeString(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		e := SELRecord(raw).Decode(x)
		at := int64(0)
		if !e.Time.IsZero() {
			at = e.Time.Unix()
		}
		if e.String() != tc.want || e.Severity != tc.sev || at != tc.at {
			t.Errorf("%s\n got %q %v %d\nwant %q %v %d", tc.in, e, e.Severity, at, tc.want, tc.sev, tc.at)
		}
	}
}

// TestCapturedRepositories decodes the SDR dumps and FRU images of captured servers.
func TestCapturedRepositories(t *testing.T) {
	dir := testdata.Dir(t, "ipmi/infrasim")
	dumps, err := filepath.Glob(filepath.Join(dir, "*", "*.sdr.bin"))
	if err != nil || len(dumps) == 0 {
		t.Fatalf("no dumps: %v", err)
	}
	for _, f := range dumps {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		records := SplitRecords(raw)
		rep := DecodeRecords(records, Quirks{})
		n := 0
		for _, r := range records {
			n += len(r)
		}
		if n != len(raw) || rep.Damaged != 0 || len(rep.Sensors) < 50 || len(rep.FRUs) == 0 {
			t.Errorf("%s: %d of %d bytes, %d damaged, %d sensors, %d FRUs", filepath.Base(f), n, len(raw), rep.Damaged, len(rep.Sensors), len(rep.FRUs))
		}
		for _, s := range rep.Sensors {
			if s.Name == "" {
				t.Errorf("%s: sensor %s has no name", filepath.Base(f), s.ID())
			}
		}
	}
	images, err := filepath.Glob(filepath.Join(dir, "*", "fru_20_*.bin"))
	if err != nil || len(images) == 0 {
		t.Fatalf("no images: %v", err)
	}
	named := 0
	for _, f := range images {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fru, err := DecodeFRU(raw)
		if err == nil && (fru.BoardManufacturer != "" || fru.ProductManufacturer != "") {
			named++
		}
		if err == nil {
			checkRedaction(t, filepath.Base(f), raw, *fru)
		}
	}
	if named*2 < len(images) {
		t.Errorf("only %d of %d FRU images name a manufacturer", named, len(images))
	}
}

// checkRedaction compares a unit's inventory with what archives have of it.
func checkRedaction(t *testing.T, name string, raw []byte, fru FRU) {
	t.Helper()
	hidden, err := DecodeFRU(redactFRU(raw))
	if err != nil {
		t.Errorf("%s: redacted: %v", name, err)
		return
	}
	for _, pair := range [][2]*string{{&fru.ChassisSerial, &hidden.ChassisSerial}, {&fru.BoardSerial, &hidden.BoardSerial}, {&fru.ProductSerial, &hidden.ProductSerial}, {&fru.AssetTag, &hidden.AssetTag}} {
		if *pair[0] != "" && *pair[0] == *pair[1] {
			t.Errorf("%s: %q is still there", name, *pair[0])
		}
		*pair[0], *pair[1] = "", ""
	}
	if fru != *hidden {
		t.Errorf("%s: %+v became %+v", name, fru, hidden)
	}
}

func TestFRUPowerSupply(t *testing.T) {
	area := func(b ...byte) []byte {
		for len(b)%8 != 7 {
			b = append(b, 0)
		}
		b[1] = byte((len(b) + 1) / 8)
		return append(b, checksum(b))
	}
	board := area(1, 0, 25, 0x40, 0x38, 0x00, 0xc3, 'A', 'C', 'M', 0x83, 0x29, 0xdc, 0xa6, 0xc1)
	head := []byte{1, 0, 0, 1, 0, byte(1 + len(board)/8), 0}
	head = append(head, checksum(head))
	rec := []byte{0xee, 0x02} // 750 W
	multi := []byte{0, 0x82, byte(len(rec)), checksum(rec)}
	multi = append(append(multi, checksum(multi)), rec...)
	f, err := DecodeFRU(append(append(head, board...), multi...))
	if err != nil || f.BoardManufacturer != "ACM" || f.BoardName != "IPMI" || f.Capacity != 750 || !f.BoardMade.Equal(time.Date(1996, 1, 11, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v %v", f, err)
	}
	if _, err := DecodeFRU(make([]byte, 64)); err == nil {
		t.Error("an empty EEPROM has an inventory")
	}
}
