package snmp

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

// valueText is a value as a label shows it. typ says how octets are to be read.
func valueText(v walk.Value, typ, hint string) string {
	if v.Tag != gosnmp.OctetString && v.Tag != gosnmp.BitString && v.Tag != gosnmp.Opaque && v.Tag != gosnmp.ObjectDescription && v.Tag != gosnmp.NsapAddress {
		return strings.ToValidUTF8(v.Text(), "�")
	}
	b := []byte(v.Str)
	if text, ok := displayHint(hint, b); ok {
		return strings.ToValidUTF8(text, "�")
	}
	switch typ {
	case "DisplayString":
		return strings.ToValidUTF8(v.Str, "�")
	case "PhysAddress48":
		return physAddress(b)
	case "InetAddressIPv4":
		var a [4]byte
		copy(a[:], b)
		return fmt.Sprintf("%d.%d.%d.%d", a[0], a[1], a[2], a[3])
	case "InetAddressIPv6":
		return inet6(b)
	case "gauge", "counter", "Integer", "Integer32", "EnumAsInfo":
		if len(b) == 0 {
			return "0"
		}
		return strconv.Itoa(int(b[0]))
	}
	return hexText(b)
}

// displayHint formats octets by a DISPLAY-HINT (RFC 2579, section 3.1). The last specification
// is repeated until the octets are used up. ok is false for no octets or a malformed hint.
func displayHint(hint string, data []byte) (text string, ok bool) {
	if hint == "" || len(data) == 0 {
		return "", false
	}
	specs, ok := parseHint(hint)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for i := 0; len(data) > 0; i++ {
		s := specs[min(i, len(specs)-1)]
		if s.size == 0 && !s.repeat && i >= len(specs)-1 {
			return "", false // takes nothing for ever
		}
		times := 1
		if s.repeat {
			times, data = int(data[0]), data[1:]
			if s.size == 0 {
				times = min(times, 1) // more would repeat nothing
			}
		}
		for t := range times {
			if len(data) == 0 && t > 0 {
				break
			}
			n := min(s.size, len(data))
			if !s.write(&b, data[:n]) {
				return "", false
			}
			data = data[n:]
			if s.sep != 0 && len(data) > 0 && (s.term == 0 || t != times-1) {
				b.WriteByte(s.sep)
			}
		}
		if s.term != 0 && len(data) > 0 {
			b.WriteByte(s.term)
		}
	}
	return b.String(), true
}

type hintSpec struct {
	repeat    bool
	size      int
	format    byte
	sep, term byte
}

func parseHint(hint string) ([]hintSpec, bool) {
	var specs []hintSpec
	plain := func() bool { return hint != "" && hint[0] != '*' && (hint[0] < '0' || hint[0] > '9') }
	for hint != "" {
		var s hintSpec
		if hint[0] == '*' {
			s.repeat, hint = true, hint[1:]
		}
		digits := 0
		for digits < len(hint) && hint[digits] >= '0' && hint[digits] <= '9' {
			digits++
		}
		n, err := strconv.Atoi(hint[:digits])
		if err != nil || n > 1<<16 || digits == len(hint) || !strings.ContainsRune("dxoat", rune(hint[digits])) {
			return nil, false
		}
		s.size, s.format, hint = n, hint[digits], hint[digits+1:]
		if plain() {
			s.sep, hint = hint[0], hint[1:]
			if s.repeat && plain() {
				s.term, hint = hint[0], hint[1:]
			}
		}
		specs = append(specs, s)
	}
	return specs, true
}

func (s hintSpec) write(b *strings.Builder, data []byte) bool {
	switch s.format {
	case 'a', 't':
		b.Write(data)
		return true
	case 'x':
		fmt.Fprintf(b, "%X", data)
		return true
	}
	if len(data) > 8 {
		return false
	}
	var n uint64
	for _, x := range data {
		n = n<<8 | uint64(x)
	}
	base := 10
	if s.format == 'o' {
		base = 8
	}
	b.WriteString(strconv.FormatUint(n, base))
	return true
}

// dateAndTime reads a DateAndTime (RFC 2579) as Unix seconds; without a zone it is UTC.
func dateAndTime(b []byte) (float64, error) {
	if len(b) != 8 && len(b) != 11 {
		return 0, fmt.Errorf("DateAndTime of %d octets", len(b))
	}
	zone := time.UTC
	if len(b) == 11 {
		offset := int(b[9])*3600 + int(b[10])*60
		switch {
		case b[8] == '-':
			offset = -offset
		case b[8] != '+':
			return 0, fmt.Errorf("DateAndTime with zone %q", b[8])
		}
		zone = time.FixedZone("", offset)
	}
	if b[2] < 1 || b[2] > 12 || b[3] < 1 || b[3] > 31 {
		return 0, fmt.Errorf("DateAndTime of month %d, day %d", b[2], b[3])
	}
	t := time.Date(int(binary.BigEndian.Uint16(b)), time.Month(b[2]), int(b[3]), int(b[4]), int(b[5]), int(b[6]), int(b[7])*1e8, zone)
	return float64(t.Unix()), nil
}

// ntpEpoch is 1900-01-01 in Unix seconds.
const ntpEpoch = -2208988800

// ntpTime reads an NTP timestamp: seconds since 1900 and a fraction, 32 bits each.
func ntpTime(b []byte) (float64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("NTP timestamp of %d octets", len(b))
	}
	return float64(binary.BigEndian.Uint32(b)) + ntpEpoch + float64(binary.BigEndian.Uint32(b[4:]))/(1<<32), nil
}

// strptime layouts of the conversions that devices' clocks use.
var strptimeLayouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'd': "_2", 'e': "_2", 'm': "1", 'Y': "2006", 'y': "06",
	'H': "15", 'I': "3", 'M': "4", 'S': "5", 'p': "PM", 'Z': "MST", 'z': "-0700", 'f': "000000",
	'T': "15:4:5", 'R': "15:4", 'D': "1/_2/06", 'F': "2006-1-_2", 'n': " ", 't': " ", '%': "%",
}

// parseTime reads text by a strptime pattern as Unix seconds; without a zone it is UTC.
func parseTime(text, pattern string) (float64, error) {
	var layout strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			layout.WriteByte(pattern[i])
			continue
		}
		i++
		l, ok := strptimeLayouts[pattern[i]]
		if !ok {
			return 0, fmt.Errorf("datetime_pattern: %%%c is not known", pattern[i])
		}
		layout.WriteString(l)
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	t, err := time.Parse(squeeze(strings.ReplaceAll(layout.String(), "_2", "2")), squeeze(text))
	if err != nil {
		return 0, err
	}
	return float64(t.Unix()), nil
}
