package ipmi

import "slices"

// redactFRU copies the image of a FRU device without what identifies a unit or its owner:
// serial numbers, the asset tag, custom fields. What is of no known form is blanked.
func redactFRU(image []byte) []byte {
	out := slices.Clone(image)
	if len(out) < fruHeader || out[0]&0x0f != 1 || checksum(out[:fruHeader]) != 0 {
		clear(out)
		return out
	}
	for _, area := range []struct {
		at     int // offset in the header
		fields int // offset of the first field in the area
		keep   func(field int) bool
	}{
		{2, 3, func(n int) bool { return n == 0 }},          // chassis part number
		{3, 6, func(n int) bool { return n < 4 && n != 2 }}, // manufacturer, name, part number
		{4, 3, func(n int) bool { return n < 4 }},           // manufacturer, name, part number, version
	} {
		if start := int(out[area.at]) * 8; start > 0 && start < len(out) {
			redactArea(out[start:], area.fields, area.keep)
		}
	}
	return out
}

// redactArea overwrites fields of the area that b begins with, and mends its checksum.
func redactArea(b []byte, fields int, keep func(field int) bool) {
	if len(b) < fruHeader || b[0]&0x0f != 1 {
		clear(b[min(1, len(b)):min(fruHeader, len(b))])
		return
	}
	b = b[:min(max(int(b[1])*8, fruHeader), len(b))]
	good := checksum(b) == 0
	end := len(b)
	if good {
		end-- // the checksum
	}
	at := fields
	for n := 0; at < end && b[at] != 0xc1; n++ {
		size := int(b[at] & 0x3f)
		if !keep(n) {
			for i := at + 1; i < min(at+1+size, end); i++ {
				b[i] = 'X' // a digit pair, a hexadecimal pair or a letter: a constant in every encoding
			}
		}
		at += 1 + size
	}
	if at < end {
		clear(b[at+1 : end]) // nothing belongs behind the end mark
	}
	if good {
		b[end] = checksum(b[:end])
	}
}
