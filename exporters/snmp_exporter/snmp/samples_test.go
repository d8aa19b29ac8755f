package snmp

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

func octets(s string) walk.Value { return walk.Value{Tag: gosnmp.OctetString, Str: s} }
func integer(n int) walk.Value   { return walk.Value{Tag: gosnmp.Integer, Num: uint64(int64(n))} }

// TestConversion holds the series that the documentation of the format promises.
func TestConversion(t *testing.T) {
	for _, tc := range []struct {
		name   string
		metric string // YAML of one metric
		rows   map[string]walk.Value
		want   string
		unused int
	}{
		{"counter", "{name: m, oid: 1.1, type: counter, help: H}", map[string]walk.Value{"1.1.0": {Tag: gosnmp.Counter64, Num: 1<<53 + 5}}, "m 5", 0},
		{"negative gauge", "{name: m, oid: 1.1, type: gauge, help: H}", map[string]walk.Value{"1.1.0": integer(-3)}, "m -3", 0},
		{"scale and offset", "{name: m, oid: 1.1, type: gauge, help: H, scale: -1, offset: 2}", map[string]walk.Value{"1.1.0": integer(2)}, "m 0", 0},
		{"float", "{name: m, oid: 1.1, type: Float, help: H}", map[string]walk.Value{"1.1.0": {Tag: gosnmp.OpaqueDouble, Num: 0x3ff8000000000000}}, "m 1.5", 0},
		{"number as text", "{name: m, oid: 1.1, type: gauge, help: H}", map[string]walk.Value{"1.1.0": octets(" 42 ")}, "m 42", 0},
		{"no number", "{name: m, oid: 1.1, type: gauge, help: H}", map[string]walk.Value{"1.1.0": octets("n/a")}, "", 1},
		{"text", "{name: m, oid: 1.1, type: DisplayString, help: H}", map[string]walk.Value{"1.1.0": octets("a\"b\\\n\xff")}, `m{m="a\"b\\\n` + "�" + `"} 1`, 0},
		{"octets", "{name: m, oid: 1.1, type: OctetString, help: H}", map[string]walk.Value{"1.1.0": octets("\x01\xab")}, `m{m="0x01AB"} 1`, 0},
		{"no octets", "{name: m, oid: 1.1, type: OctetString, help: H}", map[string]walk.Value{"1.1.0": octets("")}, `m{m=""} 1`, 0},
		{"hint", "{name: m, oid: 1.1, type: OctetString, help: H, display_hint: '1d.1d.1d.1d'}", map[string]walk.Value{"1.1.0": octets("\xc0\x00\x02\x01")}, `m{m="192.0.2.1"} 1`, 0},
		{"OID as value", "{name: m, oid: 1.1, type: OctetString, help: H}", map[string]walk.Value{"1.1.0": {Tag: gosnmp.ObjectIdentifier, Str: "1.3.6.1"}}, `m{m="1.3.6.1"} 1`, 0},
		{"address", "{name: m, oid: 1.1, type: PhysAddress48, help: H}", map[string]walk.Value{"1.1.0": octets("\x00\x1a\x2b\x3c\x4d\x5e")}, `m{m="00:1A:2B:3C:4D:5E"} 1`, 0},
		{"enum as info", "{name: m, oid: 1.1, type: EnumAsInfo, help: H, enum_values: {1: up, 2: down}}", map[string]walk.Value{"1.1.0": integer(2)}, `m_info{m="down"} 1`, 0},
		{"unknown enum", "{name: m, oid: 1.1, type: EnumAsInfo, help: H, enum_values: {1: up}}", map[string]walk.Value{"1.1.0": integer(9)}, `m_info{m="9"} 1`, 0},
		{"enum as states", "{name: m, oid: 1.1, type: EnumAsStateSet, help: H, enum_values: {1: up, 2: down}}", map[string]walk.Value{"1.1.0": integer(2)}, "m{m=\"down\"} 1\nm{m=\"up\"} 0", 0},
		{"bits", "{name: m, oid: 1.1, type: Bits, help: H, enum_values: {0: a, 1: b, 9: c, 20: d}}", map[string]walk.Value{"1.1.0": octets("\x80\x40")}, "m{m=\"a\"} 1\nm{m=\"b\"} 0\nm{m=\"c\"} 1\nm{m=\"d\"} 0", 0},
		{"bits that are a number", "{name: m, oid: 1.1, type: Bits, help: H, enum_values: {0: a}}", map[string]walk.Value{"1.1.0": integer(1)}, "", 1},
		{"date", "{name: m, oid: 1.1, type: DateAndTime, help: H}", map[string]walk.Value{"1.1.0": octets("\x07\xe8\x02\x1d\x0c\x00\x00\x00+\x02\x00")}, "m 1.7092008e+09", 0},
		{"date without zone", "{name: m, oid: 1.1, type: DateAndTime, help: H}", map[string]walk.Value{"1.1.0": octets("\x07\xe8\x02\x1d\x0c\x00\x00\x00")}, "m 1.709208e+09", 0},
		{"broken date", "{name: m, oid: 1.1, type: DateAndTime, help: H}", map[string]walk.Value{"1.1.0": octets("\x07\xe8")}, "", 1},
		{"date as text", "{name: m, oid: 1.1, type: ParseDateAndTime, help: H, datetime_pattern: '%b %d %Y'}", map[string]walk.Value{"1.1.0": octets("Feb 29 2024")}, "m 1.7091648e+09", 0},
		{"NTP", "{name: m, oid: 1.1, type: NTPTimeStamp, help: H}", map[string]walk.Value{"1.1.0": octets("\x83\xaa\x7e\x80\x80\x00\x00\x00")}, "m 0.5", 0},
		{
			"regex", `{name: m, oid: 1.1, type: DisplayString, help: H, regex_extracts: {"_c": [{regex: '(\d+) C.*'}], "": [{regex: x, value: "1"}, {regex: '.*/(\d+).*', value: "$1.5"}]}}`,
			map[string]walk.Value{"1.1.0": octets("28 C/82 F")},
			"m 82.5\nm_c 28", 0,
		},
		{"regex that fits nothing", `{name: m, oid: 1.1, type: DisplayString, help: H, regex_extracts: {"": [{regex: '(\d+)'}]}}`, map[string]walk.Value{"1.1.0": octets("none")}, "", 1},

		{"index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}]}", map[string]walk.Value{"1.1.7": integer(1)}, `m{i="7"} 1`, 0},
		{"short index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}, {labelname: j, type: gauge}]}", map[string]walk.Value{"1.1.7": integer(1)}, `m{i="7",j="0"} 1`, 0},
		{"string index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: DisplayString}, {labelname: i, type: gauge}]}", map[string]walk.Value{"1.1.2.65.66.3": integer(1)}, `m{i="3",s="AB"} 1`, 0},
		{"fixed string index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: OctetString, fixed_size: 2}, {labelname: i, type: gauge}]}", map[string]walk.Value{"1.1.65.66.3": integer(1)}, `m{i="3",s="0x4142"} 1`, 0},
		{"implied string index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: DisplayString, implied: true}]}", map[string]walk.Value{"1.1.65.66": integer(1)}, `m{s="AB"} 1`, 0},
		{"MAC index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: PhysAddress48, fixed_size: 6}]}", map[string]walk.Value{"1.1.0.26.43.60.77.94": integer(1)}, `m{s="00:1A:2B:3C:4D:5E"} 1`, 0},
		{"IPv4 index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: InetAddressIPv4}]}", map[string]walk.Value{"1.1.192.0.2.1": integer(1)}, `m{s="192.0.2.1"} 1`, 0},
		{"InetAddress v4", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: InetAddress}, {labelname: i, type: gauge}]}", map[string]walk.Value{"1.1.1.4.192.0.2.1.8": integer(1)}, `m{i="8",s="192.0.2.1"} 1`, 0},
		{"InetAddress v6", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: InetAddress}]}", map[string]walk.Value{"1.1.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1": integer(1)}, `m{s="2001:0DB8:0000:0000:0000:0000:0000:0001"} 1`, 0},
		{"InetAddress of another kind", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: InetAddress}, {labelname: i, type: gauge}]}", map[string]walk.Value{"1.1.16.2.65.66.8": integer(1)}, `m{i="8",s="0x10024142"} 1`, 0},
		{"InetAddress without size", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: InetAddressMissingSize}]}", map[string]walk.Value{"1.1.1.192.0.2.1": integer(1)}, `m{s="192.0.2.1"} 1`, 0},
		{"enum index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: EnumAsInfo, enum_values: {1: one}}]}", map[string]walk.Value{"1.1.1": integer(1), "1.1.2": integer(2)}, "m{s=\"2\"} 2\nm{s=\"one\"} 1", 0},
		{"text that is its own index", "{name: m, oid: 1.1, type: DisplayString, help: H, indexes: [{labelname: m, type: gauge}]}", map[string]walk.Value{"1.1.5": octets("x")}, `m{m="5"} 1`, 0},
		{"index that claims too much", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: s, type: DisplayString}]}", map[string]walk.Value{"1.1.4294967295.65": integer(1)}, `m{s="A` + strings.Repeat("\x00", maxString-1) + `"} 1`, 0},

		{
			"lookup", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}], lookups: [{labels: [i], labelname: n, oid: 1.2, type: DisplayString}]}",
			map[string]walk.Value{"1.1.1": integer(5), "1.2.1": octets("eth0"), "1.1.2": integer(6)},
			"m{i=\"1\",n=\"eth0\"} 5\nm{i=\"2\",n=\"\"} 6", 0,
		},
		{
			"lookup that drops its index", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}], lookups: [{labels: [i], labelname: n, oid: 1.2, type: DisplayString}, {labels: [], labelname: i}]}",
			map[string]walk.Value{"1.1.1": integer(5), "1.2.1": octets("eth0")},
			`m{n="eth0"} 5`, 0,
		},
		{
			"duplicates: the last wins", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}], lookups: [{labels: [i], labelname: n, oid: 1.2, type: DisplayString}, {labels: [], labelname: i}]}",
			map[string]walk.Value{"1.1.1": integer(5), "1.2.1": octets("eth0"), "1.1.2": integer(6), "1.2.2": octets("eth0")},
			`m{n="eth0"} 6`, 0,
		},
		{
			"chain of lookups", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}], lookups: [{labels: [i], labelname: p, oid: 1.2, type: gauge}, {labels: [p], labelname: n, oid: 1.3, type: DisplayString}]}",
			map[string]walk.Value{"1.1.1": integer(5), "1.2.1": integer(9), "1.3.9": octets("x")},
			`m{i="1",n="x",p="9"} 5`, 0,
		},
		{
			"lookup of an enum", "{name: m, oid: 1.1, type: gauge, help: H, indexes: [{labelname: i, type: gauge}], lookups: [{labels: [i], labelname: n, oid: 1.2, type: EnumAsInfo, enum_values: {3: three}}]}",
			map[string]walk.Value{"1.1.1": integer(5), "1.2.1": integer(3)},
			`m{i="1",n="three"} 5`, 0,
		},
		{
			"InetAddress as value", "{name: m, oid: 1.2, type: InetAddress, help: H, indexes: [{labelname: i, type: gauge}]}",
			map[string]walk.Value{"1.1.1": integer(1), "1.2.1": octets("\xc0\x00\x02\x01"), "1.1.2": integer(0), "1.2.2": octets("x")},
			"m{i=\"1\",m=\"192.0.2.1\"} 1\nm{i=\"2\",m=\"0x78\"} 1", 0,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := conf.Parse("t", []byte("modules: {t: {walk: ['1'], metrics: ["+tc.metric+"]}}"))
			if err != nil {
				t.Fatal(err)
			}
			tab := newTable(compile("t", c.Modules["t"]))
			for _, oid := range sortedOIDs(tc.rows) {
				tab.addInstance(walk.Instance{OID: oid, Value: tc.rows[oid]})
			}
			out := newExposition()
			if n := tab.convert(out, true); n != tc.unused {
				t.Errorf("%d values unusable, want %d", n, tc.unused)
			}
			if got := lines(t, out); got != sortLines(tc.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func lines(t *testing.T, out *exposition) string {
	t.Helper()
	var b bytes.Buffer
	if err := out.write(&b); err != nil {
		t.Fatal(err)
	}
	var keep []string
	for l := range strings.SplitSeq(b.String(), "\n") {
		if l != "" && !strings.HasPrefix(l, "#") {
			keep = append(keep, l)
		}
	}
	return sortLines(strings.Join(keep, "\n"))
}

func TestDisplayHint(t *testing.T) {
	for _, tc := range []struct {
		hint, data, want string
		ok               bool
	}{
		{"1d.1d.1d.1d", "\xc0\x00\x02\x01", "192.0.2.1", true},
		{"1x:", "\x00\x1a\x2b", "00:1A:2B", true},
		{"255a", "Hello", "Hello", true},
		{"2d-1d-1d,1d:1d:1d.1d,1a1d:1d", "\x07\xe8\x02\x1d\x0c\x00\x00\x00+\x02\x00", "2024-2-29,12:0:0.0,+2:0", true},
		{"*1x:/1x:", "\x02\x0a\x0b\x0c\x0d", "0A:0B/0C:0D", true},
		{"1o", "\x08\x09", "1011", true},
		{"0a", "x", "", false},
		{"d", "x", "", false},
		{"9d", "123456789", "", false},
		{"1q", "x", "", false},
		{"1d", "", "", false},
	} {
		got, ok := displayHint(tc.hint, []byte(tc.data))
		if got != tc.want || ok != tc.ok {
			t.Errorf("%q on %x: %q, %v; want %q, %v", tc.hint, tc.data, got, ok, tc.want, tc.ok)
		}
	}
}

func FuzzDisplayHint(f *testing.F) {
	f.Add("2d-1d-1d,1d:1d:1d.1d,1a1d:1d", []byte("\x07\xe8\x02\x1d\x0c\x00\x00\x00"))
	f.Add("*1x:/1x:", []byte{2, 1, 2, 3})
	f.Fuzz(func(t *testing.T, hint string, data []byte) {
		if text, ok := displayHint(hint, data); ok && len(text) > 8*len(data)+len(data)*len(hint)+300 {
			t.Errorf("%d octets became %d", len(data), len(text))
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add("2.65.66.3", "DisplayString", 0, false)
	f.Add("1.4.192.0.2.1", "InetAddress", 0, false)
	f.Fuzz(func(t *testing.T, index, typ string, fixed int, implied bool) {
		ix := &conf.Index{Labelname: "i", Type: typ, FixedSize: max(0, min(fixed, 128)), Implied: implied}
		arcs := parseArcs(index)
		text, used, rest := indexText(arcs, ix)
		if len(used)+len(rest) < len(arcs) || len(text) > 8*maxString {
			t.Errorf("%q as %s: %d used, %d left of %d, text of %d bytes", index, typ, len(used), len(rest), len(arcs), len(text))
		}
	})
}

func sortedOIDs(m map[string]walk.Value) []string {
	return slices.SortedFunc(maps.Keys(m), walk.CompareOID)
}

func sortLines(s string) string {
	l := strings.Split(s, "\n")
	slices.Sort(l)
	return strings.Join(l, "\n")
}
