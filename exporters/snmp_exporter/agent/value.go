package agent

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// Value is what a client reads at the object.
func (o *Object) Value() walk.Value {
	v := walk.Value{Tag: gosnmp.Asn1BER(o.Tag)}
	switch o.Tag {
	case tagInteger:
		if n, _, err := readInt(appendTLV(nil, tagInteger, o.Raw)); err == nil {
			v.Num = uint64(n)
		}
	case tagCounter32, tagGauge32, tagTicks, tagCounter64:
		for _, b := range o.Raw {
			v.Num = v.Num<<8 | uint64(b)
		}
	case tagOID:
		arcs, err := decodeOID(o.Raw)
		if err != nil {
			break
		}
		for i, a := range arcs {
			if i > 0 {
				v.Str += "."
			}
			v.Str += strconv.FormatUint(uint64(a), 10)
		}
	case tagIP:
		if ip, ok := netip.AddrFromSlice(o.Raw); ok {
			v.Str = ip.String()
		}
	case tagOpaque:
		v = opaque(o.Raw)
	default:
		v.Str = string(o.Raw)
	}
	return v
}

// opaque reads the float or double that net-snmp wraps as Opaque.
func opaque(raw []byte) walk.Value {
	switch {
	case len(raw) == 7 && string(raw[:3]) == "\x9f\x78\x04":
		f := math.Float32frombits(binary.BigEndian.Uint32(raw[3:]))
		return walk.Value{Tag: gosnmp.OpaqueFloat, Num: math.Float64bits(float64(f))}
	case len(raw) == 11 && string(raw[:3]) == "\x9f\x79\x08":
		return walk.Value{Tag: gosnmp.OpaqueDouble, Num: binary.BigEndian.Uint64(raw[3:])}
	}
	return walk.Value{Tag: gosnmp.Opaque, Str: string(raw)}
}
