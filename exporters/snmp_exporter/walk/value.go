package walk

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// Value is one value of a device in little memory: 410,000 of them are held for a switch with
// ten thousand ports. Num holds integers (two's complement), floats (as bits of a float64) and
// counters; Str holds octets, OIDs without the leading dot and IP addresses.
type Value struct {
	Str string
	Num uint64
	Tag gosnmp.Asn1BER
}

// valueOf copies what is needed of p, so that the packet it came in can be freed.
func valueOf(p *gosnmp.SnmpPDU) Value {
	v := Value{Tag: p.Type}
	switch x := p.Value.(type) {
	case int:
		v.Num = uint64(x)
	case uint:
		v.Num = uint64(x)
	case uint32:
		v.Num = uint64(x)
	case uint64:
		v.Num = x
	case int64:
		v.Num = uint64(x)
	case float32:
		v.Num = math.Float64bits(float64(x))
	case float64:
		v.Num = math.Float64bits(x)
	case string:
		v.Str = strings.TrimPrefix(x, ".")
	case []byte:
		v.Str = string(x)
	case *big.Int:
		v.Num = x.Uint64()
	case bool:
		if x {
			v.Num = 1
		}
	}
	return v
}

// IsNumber tells whether v is a number on the wire.
func (v Value) IsNumber() bool {
	switch v.Tag {
	case gosnmp.Integer, gosnmp.Counter32, gosnmp.Gauge32, gosnmp.TimeTicks, gosnmp.Counter64, gosnmp.Uinteger32,
		gosnmp.OpaqueFloat, gosnmp.OpaqueDouble, gosnmp.Boolean:
		return true
	}
	return false
}

// Float is the number v stands for; Counter64 is taken as it is.
func (v Value) Float() float64 {
	switch v.Tag {
	case gosnmp.OpaqueFloat, gosnmp.OpaqueDouble:
		return math.Float64frombits(v.Num)
	case gosnmp.Integer:
		return float64(int64(v.Num))
	default:
		return float64(v.Num)
	}
}

// Text is the value as text; octets are given as they are.
func (v Value) Text() string {
	switch v.Tag {
	case gosnmp.OctetString, gosnmp.ObjectIdentifier, gosnmp.IPAddress, gosnmp.BitString, gosnmp.ObjectDescription, gosnmp.Opaque, gosnmp.NsapAddress:
		return v.Str
	case gosnmp.OpaqueFloat:
		return strconv.FormatFloat(v.Float(), 'f', -1, 32)
	case gosnmp.OpaqueDouble:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case gosnmp.Integer:
		return strconv.FormatInt(int64(v.Num), 10)
	case gosnmp.Counter32, gosnmp.Gauge32, gosnmp.TimeTicks, gosnmp.Counter64, gosnmp.Uinteger32, gosnmp.Boolean:
		return strconv.FormatUint(v.Num, 10)
	}
	return v.Str
}

// CompareOID orders two dotted OIDs as numbers, -1, 0 or 1. A leading dot is ignored.
func CompareOID(a, b string) int {
	a, b = strings.TrimPrefix(a, "."), strings.TrimPrefix(b, ".")
	for a != "" && b != "" {
		x, restA := nextArc(a)
		y, restB := nextArc(b)
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
		a, b = restA, restB
	}
	switch a {
	case b:
		return 0
	case "":
		return -1
	default:
		return 1
	}
}

func nextArc(s string) (n uint64, rest string) {
	for i := range len(s) {
		if s[i] == '.' {
			return n, s[i+1:]
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, ""
}

// Under tells whether oid is root or lies below it.
func Under(oid, root string) bool {
	return strings.HasPrefix(oid, root) && (len(oid) == len(root) || oid[len(root)] == '.')
}
