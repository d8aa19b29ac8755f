package ipmi

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RepositoryInfo is what the BMC says about its SDRs. Two equal ones mean the same content.
type RepositoryInfo struct {
	Device   bool   // these are the device SDRs of a BMC without a repository
	Records  uint16 // as announced; some BMCs announce wrong
	Added    uint32 // time of the last addition, in the BMC's clock
	Erased   uint32 // time of the last removal
	Reserves bool   // reading needs a reservation
}

// Dated tells whether a change of the repository would show.
func (i RepositoryInfo) Dated() bool {
	told := func(t uint32) bool { return t != 0 && t != 0xffffffff }
	return told(i.Added) || told(i.Erased)
}

// SDRInfo asks for the state of the repository (section 33.9); a BMC without one is asked
// for its device SDRs (section 35.2).
func SDRInfo(ctx context.Context, c Conn) (RepositoryInfo, error) {
	b, err := do(ctx, c, 14, Request{NetFn: netFnStorage, Cmd: 0x20})
	if err == nil {
		le32 := func(b []byte) uint32 { return uint32(le16(b)) | uint32(le16(b[2:]))<<16 }
		return RepositoryInfo{Records: le16(b[1:]), Added: le32(b[5:]), Erased: le32(b[9:]), Reserves: b[13]&0x02 != 0}, nil
	}
	var code CompletionCode
	if !errors.As(err, &code) {
		return RepositoryInfo{}, fmt.Errorf("SDR repository info: %w", err)
	}
	// Operation 1: number of SDRs.
	d, derr := do(ctx, c, 2, Request{NetFn: netFnSensor, Cmd: 0x20, Data: []byte{1}})
	if derr != nil {
		return RepositoryInfo{}, fmt.Errorf("SDR repository info: %w; device SDR info: %w", err, derr)
	}
	info := RepositoryInfo{Device: true, Records: uint16(d[0]), Reserves: true}
	if d[1]&0x80 != 0 && len(d) >= 6 { // dynamic sensors: a change indicator follows
		info.Added = uint32(le16(d[2:])) | uint32(le16(d[4:]))<<16
	}
	return info, nil
}

const (
	maxRecords   = 4096 // SDRs have 16-bit ids, but no BMC comes near
	firstChunk   = 64   // bytes a read, a whole record; less for BMCs that cannot return so many
	safeChunk    = 32   // what fits every bus
	leastChunk   = 8
	maxConflicts = 10 // reservations lost in a row before giving up
)

// SDRReader reads a repository, in more than one go if need be: a slow BMC may take longer
// than one scrape grants.
type SDRReader struct {
	Info    RepositoryInfo
	Records [][]byte // raw, read so far
	Done    bool

	next        uint16
	seen        map[uint16]bool
	conn        Conn
	reservation [2]byte
	reserved    bool
	conflicts   int
	chunk       byte
	headFirst   bool // the BMC refuses reads past the end of a record
}

// NewSDRReader starts reading the repository that info describes.
func NewSDRReader(info RepositoryInfo) *SDRReader {
	return &SDRReader{Info: info, chunk: firstChunk, seen: map[uint16]bool{}}
}

// Read goes on reading (section 33.12) until Done or an error.
func (r *SDRReader) Read(ctx context.Context, c Conn) error {
	r.conn, r.reserved, r.conflicts = c, false, 0 // a reservation belongs to a session
	for !r.Done {
		id := r.next
		if len(r.Records) >= maxRecords {
			return fmt.Errorf("%w: more than %d SDRs", ErrMalformed, maxRecords)
		}
		rec, next, err := r.record(ctx, id)
		if id == 0 && Absent(err) && r.Info.Records == 0 { // an empty repository
			r.Done = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("SDR %d: %w", id, err)
		}
		r.Records = append(r.Records, rec)
		r.seen[id] = true
		if next != 0xffff && r.seen[next] {
			return fmt.Errorf("%w: the SDR repository goes in circles at record %d", ErrMalformed, next)
		}
		r.next, r.Done = next, next == 0xffff
	}
	return nil
}

// record reads one SDR in chunks and returns the id of the next.
func (r *SDRReader) record(ctx context.Context, id uint16) (rec []byte, next uint16, err error) {
	total := 5
	for len(rec) < total {
		if !r.reserved {
			if err := r.renew(ctx); err != nil {
				return nil, 0, err
			}
		}
		want := r.chunk
		// The first read goes past the header: most BMCs return what there is.
		if left := total - len(rec); (len(rec) > 0 || r.headFirst) && left < int(want) {
			want = byte(left)
		}
		netFn, get, _ := r.commands()
		b, err := do(ctx, r.conn, 2, Request{NetFn: netFn, Cmd: get, Data: []byte{r.reservation[0], r.reservation[1], byte(id), byte(id >> 8), byte(len(rec)), want}})
		if err != nil {
			if err = r.recover(ctx, err, len(rec) == 0); err != nil {
				return nil, 0, err
			}
			continue
		}
		if len(b) == 2 {
			return nil, 0, fmt.Errorf("%w: no bytes at offset %d of %d", ErrMalformed, len(rec), total)
		}
		next = le16(b)
		rec = append(rec, b[2:]...)
		if total == 5 && len(rec) >= 5 {
			total = 5 + int(rec[4])
		}
	}
	r.conflicts = 0
	return rec[:total], next, nil
}

// commands are those of the repository or of the device SDRs (section 35.3).
func (r *SDRReader) commands() (netFn, get, reserve byte) {
	if r.Info.Device {
		return netFnSensor, 0x21, 0x22
	}
	return netFnStorage, 0x23, 0x22
}

// renew takes a reservation. BMCs without the command are read without.
func (r *SDRReader) renew(ctx context.Context) error {
	netFn, _, reserve := r.commands()
	b, err := do(ctx, r.conn, 2, Request{NetFn: netFn, Cmd: reserve})
	if err != nil && !Absent(err) {
		return fmt.Errorf("reserve the SDR repository: %w", err)
	}
	if err == nil {
		r.reservation = [2]byte(b)
	}
	r.reserved = true
	return nil
}

// recover reacts to a refused read: smaller chunks, a new reservation, patience. start says
// that it was the first read of a record. It returns err when nothing is left to try.
func (r *SDRReader) recover(ctx context.Context, err error, start bool) error {
	var code CompletionCode
	if !errors.As(err, &code) {
		return err
	}
	switch code {
	case CodeReservation, CodeRepositoryUpdating, CodeNodeBusy, CodeTimeout, CodeCannotRespond:
		if r.conflicts++; r.conflicts > maxConflicts {
			return err
		}
		r.reserved = code != CodeReservation && code != CodeRepositoryUpdating
		return sleep(ctx, time.Duration(r.conflicts)*20*time.Millisecond)
	case CodeCannotReturnLength, 0xc7, 0xc8, CodeUnspecified, 0xc9, 0xcc:
		switch {
		case r.chunk > safeChunk:
			r.chunk = safeChunk
		case start && !r.headFirst:
			r.headFirst = true
		default:
			r.chunk /= 2
		}
		if r.chunk < leastChunk {
			return err
		}
		return nil
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
