package snmp

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
)

// combined are types whose form is said by the object before them: of an index by its first
// arc, of a value by the column to the left.
var combined = map[string]map[int64]string{
	"InetAddress":            {1: "InetAddressIPv4", 2: "InetAddressIPv6"},
	"InetAddressMissingSize": {1: "InetAddressIPv4", 2: "InetAddressIPv6"},
	"LldpPortId":             {1: "DisplayString", 2: "DisplayString", 3: "PhysAddress48", 5: "DisplayString", 7: "DisplayString"},
}

// maxString bounds the length that an index may claim for a string.
const maxString = 1024

// parseArcs reads a dotted index; "" has no arcs.
func parseArcs(s string) []uint32 {
	if s == "" {
		return nil
	}
	out := make([]uint32, 0, strings.Count(s, ".")+1)
	for p := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			n = 0
		}
		out = append(out, uint32(n))
	}
	return out
}

func dotted(arcs []uint32) string {
	var b []byte
	for i, a := range arcs {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(a), 10)
	}
	return string(b)
}

// split takes n arcs off; some routers leave trailing zeros out, which are put back.
func split(arcs []uint32, n int) (head, tail []uint32) {
	if n <= len(arcs) {
		return arcs[:n:n], arcs[n:]
	}
	head = make([]uint32, min(n, maxString))
	copy(head, arcs)
	return head, nil
}

// indexText reads one part of an index as text; used are the arcs it consists of.
func indexText(arcs []uint32, ix *conf.Index) (text string, used, rest []uint32) {
	if forms, ok := combined[ix.Type]; ok {
		return combinedText(arcs, ix, forms)
	}
	switch ix.Type {
	case "PhysAddress48":
		used, rest = split(arcs, 6)
		return physAddress(octetsOf(used)), used, rest
	case "InetAddressIPv4":
		used, rest = split(arcs, 4)
		return dotted(used), used, rest
	case "InetAddressIPv6":
		used, rest = split(arcs, 16)
		return inet6(octetsOf(used)), used, rest
	case "OctetString", "DisplayString":
		content, used, rest := indexString(arcs, ix.FixedSize, ix.Implied)
		if text, ok := displayHint(ix.DisplayHint, content); ok {
			return text, used, rest
		}
		if ix.Type == "DisplayString" {
			return strings.ToValidUTF8(string(content), "�"), used, rest
		}
		return hexText(content), used, rest
	}
	used, rest = split(arcs, 1)
	if name, ok := ix.EnumValues[int(used[0])]; ok && ix.Type == "EnumAsInfo" {
		return name, used, rest
	}
	return strconv.FormatUint(uint64(used[0]), 10), used, rest
}

func combinedText(arcs []uint32, ix *conf.Index, forms map[int64]string) (text string, used, rest []uint32) {
	n := 2
	if ix.Type == "InetAddressMissingSize" {
		n = 1
	}
	head, tail := split(arcs, n)
	if form, ok := forms[int64(head[0])]; ok {
		// The size stands before the address: a form of fixed size does not need it, a string
		// of its own would read it as its length.
		sub := &conf.Index{Type: form}
		if form == "DisplayString" && n == 2 {
			sub.FixedSize = int(min(head[1], maxString))
		}
		text, used, rest = indexText(tail, sub)
		return text, append(append([]uint32(nil), head...), used...), rest
	}
	if n == 1 {
		return indexText(arcs, &conf.Index{Type: "OctetString", Implied: true})
	}
	return indexText(arcs, &conf.Index{Type: "OctetString", FixedSize: int(min(head[1], maxString)) + 2})
}

// indexString reads a string: its size comes from the MIB, is the rest of the index (IMPLIED),
// or is the first arc.
func indexString(arcs []uint32, fixed int, implied bool) (content []byte, used, rest []uint32) {
	n := fixed
	if implied {
		n = len(arcs)
	}
	var size []uint32
	if n == 0 {
		size, arcs = split(arcs, 1)
		n = int(min(size[0], maxString))
	}
	body, rest := split(arcs, n)
	return octetsOf(body), append(append([]uint32(nil), size...), body...), rest
}

func octetsOf(arcs []uint32) []byte {
	b := make([]byte, len(arcs))
	for i, a := range arcs {
		b[i] = byte(a)
	}
	return b
}

func physAddress(b []byte) string {
	var s []byte
	for i := range 6 {
		if i > 0 {
			s = append(s, ':')
		}
		var x byte
		if i < len(b) {
			x = b[i]
		}
		s = append(s, upperHex[x>>4], upperHex[x&15])
	}
	return string(s)
}

const upperHex = "0123456789ABCDEF"

func inet6(b []byte) string {
	var a [16]byte
	copy(a[:], b)
	var s strings.Builder
	for i := 0; i < 16; i += 2 {
		if i > 0 {
			s.WriteByte(':')
		}
		fmt.Fprintf(&s, "%02X%02X", a[i], a[i+1])
	}
	return s.String()
}

func hexText(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return fmt.Sprintf("0x%X", b)
}
