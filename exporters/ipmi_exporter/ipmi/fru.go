package ipmi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"
)

// FRU is the inventory of one replaceable unit (Platform Management FRU Information
// Storage Definition 1.3). Fields that the unit does not have are empty.
type FRU struct {
	ChassisType                                                                  byte
	ChassisPart, ChassisSerial                                                   string
	BoardMade                                                                    time.Time
	BoardManufacturer, BoardName, BoardSerial, BoardPart                         string
	ProductManufacturer, ProductName, ProductPart, ProductVersion, ProductSerial string
	AssetTag                                                                     string
	Capacity                                                                     uint16 // of a power supply, in watts
}

// Empty tells whether nothing was found.
func (f *FRU) Empty() bool { return *f == FRU{} }

const (
	maxFRU      = 64 << 10 // the address space of Read FRU Data
	fruHeader   = 8
	fruChunk    = 32
	maxMulti    = 64 // multi-records walked
	leastFRUGet = 8
	cmdFRUInfo  = 0x10
	cmdFRURead  = 0x11
)

// ErrNoFRU means that there is no inventory under an id.
var ErrNoFRU = errors.New("no FRU inventory")

// ReadFRU reads and decodes the FRU with that id: the header and the areas it names, not
// the whole device. Damaged areas are left out.
func ReadFRU(ctx context.Context, c Conn, id byte) (*FRU, error) {
	b, err := do(ctx, c, 3, Request{NetFn: netFnStorage, Cmd: cmdFRUInfo, Data: []byte{id}})
	if Absent(err) {
		return nil, fmt.Errorf("FRU %d: %w: %w", id, ErrNoFRU, err)
	}
	if err != nil {
		return nil, fmt.Errorf("FRU %d: %w", id, err)
	}
	r := &fruReader{conn: c, id: id, size: int(le16(b)), words: b[2]&1 != 0, chunk: fruChunk}
	if r.size < fruHeader {
		return nil, fmt.Errorf("FRU %d: %w: it has %d bytes", id, ErrNoFRU, r.size)
	}
	f, err := decodeFRU(func(offset, n int) ([]byte, error) { return r.read(ctx, offset, n) })
	if err != nil {
		return nil, fmt.Errorf("FRU %d: %w", id, err)
	}
	return f, nil
}

// DecodeFRU decodes a dump of a whole FRU device.
func DecodeFRU(dump []byte) (*FRU, error) {
	return decodeFRU(func(offset, n int) ([]byte, error) {
		if offset >= len(dump) {
			return nil, nil
		}
		return dump[offset:min(offset+n, len(dump))], nil
	})
}

// fruReader reads parts of a FRU device.
type fruReader struct {
	conn  Conn
	id    byte
	size  int
	words bool // offsets and counts are in words of two bytes
	chunk int
}

// read returns n bytes at offset, fewer at the end of the device.
func (r *fruReader) read(ctx context.Context, offset, n int) ([]byte, error) {
	n = min(n, r.size-offset)
	var out []byte
	for len(out) < n {
		at, want := offset+len(out), min(r.chunk, n-len(out))
		if r.words {
			at, want = at/2, (want+1)/2
		}
		b, err := do(ctx, r.conn, 1, Request{NetFn: netFnStorage, Cmd: cmdFRURead, Data: []byte{r.id, byte(at), byte(at >> 8), byte(want)}})
		var code CompletionCode
		if errors.As(err, &code) {
			switch code {
			case CodeCannotReturnLength, 0xc7, 0xc8, CodeUnspecified, 0xcc:
				if r.chunk /= 2; r.chunk >= leastFRUGet {
					continue
				}
			}
			if Absent(err) {
				err = fmt.Errorf("%w: %w", ErrNoFRU, err)
			}
		}
		if err != nil {
			return out, err
		}
		if len(b) == 1 {
			return out, fmt.Errorf("%w: no FRU bytes at offset %d", ErrMalformed, at)
		}
		out = append(out, b[1:]...)
	}
	return out[:max(n, 0)], nil
}

// decodeFRU reads the common header and the areas through read, which may return fewer
// bytes than asked.
func decodeFRU(read func(offset, n int) ([]byte, error)) (*FRU, error) {
	h, err := read(0, fruHeader)
	if err != nil {
		return nil, err
	}
	if len(h) < fruHeader || h[0]&0x0f != 1 || checksum(h) != 0 {
		return nil, fmt.Errorf("%w: no valid header", ErrNoFRU)
	}
	f := &FRU{}
	for i, decode := range map[int]func([]byte){2: f.chassis, 3: f.board, 4: f.product} {
		area, err := readArea(read, int(h[i])*8)
		if err != nil {
			return nil, err
		}
		if area != nil {
			decode(area)
		}
	}
	if h[5] != 0 {
		if err := f.multiRecords(read, int(h[5])*8); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// readArea returns an info area without its checksum, nil when it is absent or damaged.
func readArea(read func(offset, n int) ([]byte, error), offset int) ([]byte, error) {
	if offset == 0 {
		return nil, nil
	}
	h, err := read(offset, fruHeader)
	if err != nil || len(h) < fruHeader || h[0]&0x0f != 1 || h[1] == 0 {
		return nil, err
	}
	n := int(h[1]) * 8
	rest, err := read(offset+fruHeader, n-fruHeader)
	if err != nil {
		return nil, err
	}
	area := append(append(make([]byte, 0, n), h...), rest...)
	if len(area) == n && checksum(area) == 0 {
		return area[:n-1], nil
	}
	// Some vendors write no checksum, or areas that end early; fields are still bounded.
	return area, nil
}

// fields splits the type/length coded fields from b up to the end mark 0xc1.
func fields(b []byte, language byte, out ...*string) {
	for _, p := range out {
		if len(b) == 0 || b[0] == 0xc1 {
			return
		}
		s, n := decodeText(fruText, b)
		if b[0]>>6 == 3 && language != 0 && language != 25 && n > 2 && n%2 == 1 {
			s = clean(utf16Text(b[1:n])) // languages other than English use Unicode
		}
		*p = s
		b = b[n:]
	}
}

func utf16Text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

func (f *FRU) chassis(b []byte) {
	f.ChassisType = b[2]
	fields(b[3:], 0, &f.ChassisPart, &f.ChassisSerial)
}

func (f *FRU) board(b []byte) {
	if minutes := int64(b[3]) | int64(b[4])<<8 | int64(b[5])<<16; minutes != 0 {
		f.BoardMade = time.Date(1996, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
	}
	fields(b[6:], b[2], &f.BoardManufacturer, &f.BoardName, &f.BoardSerial, &f.BoardPart)
}

func (f *FRU) product(b []byte) {
	fields(b[3:], b[2], &f.ProductManufacturer, &f.ProductName, &f.ProductPart, &f.ProductVersion, &f.ProductSerial, &f.AssetTag)
}

// multiRecords looks for the power supply record (type 0) for its capacity.
func (f *FRU) multiRecords(read func(offset, n int) ([]byte, error), offset int) error {
	for range maxMulti {
		h, err := read(offset, 5)
		if err != nil {
			return err
		}
		if len(h) < 5 || checksum(h) != 0 || h[1]&0x0f != 2 {
			return nil
		}
		if h[0] == 0 && h[2] >= 2 {
			d, err := read(offset+5, 2)
			if err != nil {
				return err
			}
			if len(d) == 2 {
				f.Capacity = le16(d) & 0x0fff
			}
		}
		if h[1]&0x80 != 0 {
			return nil
		}
		offset += 5 + int(h[2])
		if offset >= maxFRU {
			return nil
		}
	}
	return nil
}
