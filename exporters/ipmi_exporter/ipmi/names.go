package ipmi

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textKind tells the two users of type/length bytes apart.
type textKind byte

const (
	sdrText textKind = iota // type 0 is Unicode
	fruText                 // type 0 is binary
)

// decodeText decodes a type/length byte and what follows it (section 43.15 for SDRs,
// chapter 13 of the FRU specification): binary, BCD plus, 6-bit ASCII or 8-bit. size is the
// number of bytes used, the type/length byte included.
func decodeText(kind textKind, b []byte) (s string, size int) {
	s, size = rawText(kind, b)
	return clean(s), size
}

// rawText is decodeText with padding and control characters as they are.
func rawText(kind textKind, b []byte) (s string, size int) {
	if len(b) == 0 {
		return "", 0
	}
	n := int(b[0] & 0x3f)
	if kind == sdrText {
		n = int(b[0] & 0x1f)
	}
	// A record that ends early is read as far as it goes.
	raw := b[1:min(1+n, len(b))]
	switch b[0] >> 6 {
	case 1:
		s = bcdPlus(raw)
	case 2:
		s = sixBit(raw)
	case 3:
		s = latin1(raw)
	default:
		if kind == fruText {
			s = hexText(raw)
		} else {
			s = unicodeText(raw)
		}
	}
	return s, 1 + len(raw)
}

// bcdPlus has two characters a byte, the first in the high nibble.
func bcdPlus(b []byte) string {
	const digits = "0123456789 -.:,_"
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&0x0f])
	}
	return string(out)
}

// sixBit has four characters in three bytes, least significant bits first.
func sixBit(b []byte) string {
	out := make([]byte, 0, len(b)*4/3)
	var bits, n uint
	for _, x := range b {
		bits |= uint(x) << n
		for n += 8; n >= 6; n -= 6 {
			out = append(out, byte(bits&0x3f)+' ')
			bits >>= 6
		}
	}
	return string(out)
}

// latin1 is the 8-bit type, ASCII plus Latin-1. Firmware that writes UTF-8 is understood.
func latin1(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for _, x := range b {
		s.WriteRune(rune(x))
	}
	return s.String()
}

// unicodeText is type 0 of SDR names. The specification leaves the encoding open; UTF-16
// is assumed when every second byte says so.
func unicodeText(b []byte) string {
	if len(b) >= 2 && len(b)%2 == 0 && b[1] == 0 {
		var s strings.Builder
		for i := 0; i+1 < len(b); i += 2 {
			s.WriteRune(rune(b[i]) | rune(b[i+1])<<8)
		}
		return s.String()
	}
	return latin1(b)
}

func hexText(b []byte) string {
	const digits = "0123456789abcdef"
	allZero := true
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		allZero = allZero && x == 0
		out = append(out, digits[x>>4], digits[x&0x0f])
	}
	if allZero { // an empty field of fixed length
		return ""
	}
	return string(out)
}

// clean makes text from a device fit for a label: no control characters, no padding.
func clean(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 { // a C string in a longer field
		s = s[:i]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
