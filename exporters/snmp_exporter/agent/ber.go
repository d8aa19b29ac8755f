package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errBER = errors.New("not a valid SNMP message")

// readTLV takes one tag, length and value off b.
func readTLV(b []byte) (tag byte, value, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errBER
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		c := n & 0x7f
		if c == 0 || c > 3 || len(b) < 2+c {
			return 0, nil, nil, errBER
		}
		n = 0
		for _, x := range b[2 : 2+c] {
			n = n<<8 | int(x)
		}
		head += c
	}
	if len(b)-head < n {
		return 0, nil, nil, errBER
	}
	return b[0], b[head : head+n], b[head+n:], nil
}

// expect is readTLV for a value whose tag is known.
func expect(tag byte, b []byte) (value, rest []byte, err error) {
	got, value, rest, err := readTLV(b)
	if err == nil && got != tag {
		err = errBER
	}
	return value, rest, err
}

func readInt(b []byte) (n int64, rest []byte, err error) {
	v, rest, err := expect(tagInteger, b)
	if err != nil {
		return 0, nil, err
	}
	if len(v) == 0 || len(v) > 8 {
		return 0, nil, errBER
	}
	n = int64(int8(v[0]))
	for _, x := range v[1:] {
		n = n<<8 | int64(x)
	}
	return n, rest, nil
}

func appendTLV(b []byte, tag byte, value []byte) []byte {
	b = append(b, tag)
	switch n := len(value); {
	case n < 0x80:
		b = append(b, byte(n))
	case n < 0x100:
		b = append(b, 0x81, byte(n))
	case n < 0x10000:
		b = append(b, 0x82, byte(n>>8), byte(n))
	default:
		b = append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, value...)
}

func encodeInt(n int64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	i := 0
	for i < 7 && (b[i] == 0 && b[i+1] < 0x80 || b[i] == 0xff && b[i+1] >= 0x80) {
		i++
	}
	return append([]byte(nil), b[i:]...)
}

func encodeUint(n uint64) []byte {
	b := make([]byte, 9)
	binary.BigEndian.PutUint64(b[1:], n)
	i := 0
	for i < 8 && b[i] == 0 && b[i+1] < 0x80 {
		i++
	}
	return b[i:]
}

// maxArcs bounds an OID, as the standard does.
const maxArcs = 128

func parseOID(s string) ([]uint32, error) {
	var arcs []uint32
	for p := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("OID %q: %w", s, err)
		}
		if arcs = append(arcs, uint32(n)); len(arcs) > maxArcs {
			return nil, fmt.Errorf("OID has more than %d arcs", maxArcs)
		}
	}
	if len(arcs) < 2 || arcs[0] > 2 || arcs[0] < 2 && arcs[1] > 39 {
		return nil, fmt.Errorf("OID %q cannot be encoded", s)
	}
	return arcs, nil
}

func oidKey(arcs []uint32) string {
	b := make([]byte, 0, 4*len(arcs))
	for _, a := range arcs {
		b = binary.BigEndian.AppendUint32(b, a)
	}
	return string(b)
}

func encodeOID(arcs []uint32) []byte {
	b := appendArc(nil, uint64(arcs[0])*40+uint64(arcs[1]))
	for _, a := range arcs[2:] {
		b = appendArc(b, uint64(a))
	}
	return b
}

func appendArc(b []byte, n uint64) []byte {
	var t [10]byte
	i := len(t) - 1
	t[i] = byte(n & 0x7f)
	for n >>= 7; n > 0; n >>= 7 {
		i--
		t[i] = byte(n&0x7f) | 0x80
	}
	return append(b, t[i:]...)
}

// decodeOID gives the arcs of an encoded OID.
func decodeOID(b []byte) ([]uint32, error) {
	if len(b) == 0 {
		return []uint32{0, 0}, nil
	}
	var arcs []uint32
	var n uint64
	for i, c := range b {
		if n = n<<7 | uint64(c&0x7f); n > 1<<32+80 {
			return nil, errBER
		}
		if c&0x80 != 0 {
			if i == len(b)-1 {
				return nil, errBER
			}
			continue
		}
		if arcs == nil {
			first := min(n/40, 2)
			arcs, n = append(arcs, uint32(first)), n-first*40
		}
		if n > 1<<32-1 || len(arcs) >= maxArcs {
			return nil, errBER
		}
		arcs, n = append(arcs, uint32(n)), 0
	}
	return arcs, nil
}
