// Package agent serves recorded devices: it reads .snmprec files and net-snmp walks, and answers
// SNMPv1 and SNMPv2c requests from them. Tests, benchmarks and the demo ask it instead of a device.
package agent

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// BER tags of the values a record may hold.
const (
	tagInteger   = 0x02
	tagOctets    = 0x04
	tagNull      = 0x05
	tagOID       = 0x06
	tagIP        = 0x40
	tagCounter32 = 0x41
	tagGauge32   = 0x42
	tagTicks     = 0x43
	tagOpaque    = 0x44
	tagCounter64 = 0x46
)

// Object is one recorded instance. Raw is the BER content of its value.
type Object struct {
	OID string
	Tag byte
	Raw []byte

	key string // arcs as four bytes each, so that keys sort as OIDs do
	ber []byte // encoded OID
}

// Device is the content of a recording, in OID order.
type Device struct{ objects []Object }

// NewDevice sorts objects into a device. Of several with one OID the last is kept.
func NewDevice(objects []Object) (*Device, error) {
	for i := range objects {
		o := &objects[i]
		arcs, err := parseOID(o.OID)
		if err != nil {
			return nil, err
		}
		o.key, o.ber = oidKey(arcs), encodeOID(arcs)
	}
	slices.SortStableFunc(objects, func(a, b Object) int { return strings.Compare(a.key, b.key) })
	out := objects[:0]
	for i, o := range objects {
		if i+1 < len(objects) && objects[i+1].key == o.key {
			continue
		}
		out = append(out, o)
	}
	return &Device{objects: out}, nil
}

// Len is the number of objects.
func (d *Device) Len() int { return len(d.objects) }

// Objects are the objects in OID order; the slice must not be changed.
func (d *Device) Objects() []Object { return d.objects }

// maxLine bounds one line of a recording.
const maxLine = 1 << 20

// Read reads a recording: lines OID|TAG|VALUE (.snmprec), or the output of snmpwalk -On.
// Lines that cannot be understood are counted in skipped; the error is set if none could.
func Read(r io.Reader) (d *Device, skipped int, err error) {
	var objects []Object
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	for sc.Scan() {
		line := bytes.TrimRight(sc.Bytes(), "\r")
		if len(bytes.TrimSpace(line)) == 0 || line[0] == '#' {
			continue
		}
		parse := parseRec
		if line[0] == '.' || bytes.Contains(line, []byte(" = ")) && !bytes.Contains(line, []byte("|")) {
			parse = parseWalk
		}
		o, err := parse(string(line))
		if err != nil {
			skipped++
			continue
		}
		objects = append(objects, o)
	}
	if err := sc.Err(); err != nil {
		return nil, skipped, fmt.Errorf("recording: %w", err)
	}
	if len(objects) == 0 {
		return nil, skipped, fmt.Errorf("recording: none of %d lines is OID|TAG|VALUE or the output of snmpwalk -On", skipped)
	}
	d, err = NewDevice(objects)
	return d, skipped, err
}

// parseRec reads OID|TAG|VALUE. A tag ending in x has its value in hexadecimal, in e escaped;
// behind a colon stands the name of a variation, of which the initial value is taken.
func parseRec(line string) (Object, error) {
	part := strings.SplitN(line, "|", 3)
	if len(part) != 3 {
		return Object{}, fmt.Errorf("%q is not OID|TAG|VALUE", line)
	}
	tag, variation, varies := strings.Cut(part[1], ":")
	value := part[2]
	if varies {
		initial := ""
		for kv := range strings.SplitSeq(value, ",") {
			if k, v, _ := strings.Cut(kv, "="); k == "initial" || k == "value" || (k == "min" && initial == "") {
				initial = v
			}
		}
		if value = initial; value == "" && variation != "null" {
			value = "0"
		}
	}
	octets := []byte(value)
	switch {
	case strings.HasSuffix(tag, "x"):
		var err error
		if octets, err = hex.DecodeString(value); err != nil {
			return Object{}, fmt.Errorf("%s: %w", part[0], err)
		}
		tag = strings.TrimSuffix(tag, "x")
	case strings.HasSuffix(tag, "e"):
		if u, err := strconv.Unquote(`"` + strings.ReplaceAll(value, `"`, `\"`) + `"`); err == nil {
			octets = []byte(u)
		}
		tag = strings.TrimSuffix(tag, "e")
	}
	n, err := strconv.ParseUint(tag, 10, 8)
	if err != nil {
		return Object{}, fmt.Errorf("%s: tag %q", part[0], part[1])
	}
	return newObject(part[0], byte(n), value, octets)
}

func newObject(oid string, tag byte, text string, octets []byte) (Object, error) {
	o := Object{OID: strings.TrimPrefix(oid, "."), Tag: tag}
	if _, err := parseOID(o.OID); err != nil {
		return o, err
	}
	switch tag {
	case tagInteger:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return o, err
		}
		o.Raw = encodeInt(n)
	case tagCounter32, tagGauge32, tagTicks, tagCounter64:
		n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return o, err
		}
		o.Raw = encodeUint(n)
	case tagOID:
		arcs, err := parseOID(strings.TrimPrefix(text, "."))
		if err != nil {
			return o, err
		}
		o.Raw = encodeOID(arcs)
	case tagIP:
		if len(octets) == 4 {
			o.Raw = octets
			break
		}
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return o, err
		}
		o.Raw = ip.AsSlice()
	case tagOctets, tagOpaque:
		o.Raw = octets
	case tagNull:
	default:
		return o, fmt.Errorf("%s: unknown tag %d", oid, tag)
	}
	return o, nil
}

// parseWalk reads a line of snmpwalk -On: .1.3.6.1 = Counter32: 7
func parseWalk(line string) (Object, error) {
	oid, rest, ok := strings.Cut(line, " = ")
	if !ok {
		return Object{}, fmt.Errorf("%q is not a line of snmpwalk", line)
	}
	kind, value, ok := strings.Cut(rest, ":")
	value = strings.TrimSpace(value)
	if !ok {
		kind, value = "STRING", strings.Trim(rest, `"`)
	}
	switch kind {
	case "STRING":
		value = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
		return newObject(oid, tagOctets, value, []byte(value))
	case "Hex-STRING":
		raw, err := hex.DecodeString(strings.ReplaceAll(value, " ", ""))
		if err != nil {
			return Object{}, err
		}
		return newObject(oid, tagOctets, "", raw)
	case "INTEGER":
		return newObject(oid, tagInteger, number(value), nil)
	case "Counter32":
		return newObject(oid, tagCounter32, number(value), nil)
	case "Gauge32", "Unsigned32":
		return newObject(oid, tagGauge32, number(value), nil)
	case "Counter64":
		return newObject(oid, tagCounter64, number(value), nil)
	case "Timeticks":
		value = strings.TrimPrefix(value, "(")
		value, _, _ = strings.Cut(value, ")")
		return newObject(oid, tagTicks, value, nil)
	case "OID":
		return newObject(oid, tagOID, value, nil)
	case "IpAddress":
		return newObject(oid, tagIP, value, []byte(value))
	}
	return Object{}, fmt.Errorf("%s: unknown type %q", oid, kind)
}

// number strips the unit and the name of an enumeration: "up(1)", "42 percent".
func number(s string) string {
	if _, n, ok := strings.Cut(s, "("); ok {
		s, _, _ = strings.Cut(n, ")")
	}
	s, _, _ = strings.Cut(s, " ")
	return s
}

// WriteRec writes one object as a line of a .snmprec file. Text that is not plain is written in
// hexadecimal.
func WriteRec(w io.Writer, oid string, tag byte, value string) error {
	oid = strings.TrimPrefix(oid, ".")
	if tag == tagOctets || tag == tagOpaque {
		for i := range len(value) {
			if value[i] < ' ' || value[i] > '~' {
				_, err := fmt.Fprintf(w, "%s|%dx|%x\n", oid, tag, value)
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "%s|%d|%s\n", oid, tag, value)
	return err
}
