package ipmi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SELInfo is the state of the system event log (section 31.2).
type SELInfo struct {
	Entries  uint16
	Free     uint16 // bytes; 0xffff means that many or more
	Added    uint32 // time of the last addition, in the BMC's clock
	Erased   uint32 // time of the last erasure
	Overflow bool   // entries were lost
}

// GetSELInfo reads the state of the event log.
func GetSELInfo(ctx context.Context, c Conn) (SELInfo, error) {
	b, err := do(ctx, c, 14, Request{NetFn: netFnStorage, Cmd: 0x40})
	if err != nil {
		return SELInfo{}, fmt.Errorf("SEL info: %w", err)
	}
	le32 := func(b []byte) uint32 { return uint32(le16(b)) | uint32(le16(b[2:]))<<16 }
	return SELInfo{Entries: le16(b[1:]), Free: le16(b[3:]), Added: le32(b[5:]), Erased: le32(b[9:]), Overflow: b[13]&0x80 != 0}, nil
}

// SELTime reads the clock that stamps the entries (section 31.10), taken to be UTC. ok is
// false when it was never set.
func SELTime(ctx context.Context, c Conn) (t time.Time, ok bool, err error) {
	b, err := do(ctx, c, 4, Request{NetFn: netFnStorage, Cmd: 0x48})
	if err != nil {
		return t, false, fmt.Errorf("SEL time: %w", err)
	}
	v := uint32(le16(b)) | uint32(le16(b[2:]))<<16
	return time.Unix(int64(v), 0).UTC(), v > clockSet && v != 0xffffffff, nil
}

// clockSet is the largest time that counts from the BMC's start, before its clock was set.
const clockSet = 0x20000000

// SELRecord is one raw entry (section 32.1).
type SELRecord [16]byte

// ID is the entry's record id.
func (r SELRecord) ID() uint16 { return le16(r[:]) }

// stamp is the raw time; ok is false for records without one.
func (r SELRecord) stamp() (t uint32, ok bool) {
	if r[2] >= 0xe0 {
		return 0, false
	}
	t = uint32(le16(r[3:])) | uint32(le16(r[5:]))<<16
	return t, t > clockSet && t != 0xffffffff
}

// Cursor says how far an event log has been read.
type Cursor struct {
	First  SELRecord `json:"first"` // the oldest record of the log, when it was last seen
	Last   SELRecord `json:"last"`  // the newest record read
	Erased uint32    `json:"erased"`
	Added  uint32    `json:"added"`
	Count  uint16    `json:"count"` // entries when Added was seen
	Epoch  uint32    `json:"epoch"` // the erasure that this log began with
	Valid  bool      `json:"valid"`
}

// current tells whether nothing has happened since the log was read to its end.
func (c Cursor) current(info SELInfo) bool {
	told := info.Added != 0 && info.Added != 0xffffffff
	return c.Valid && c.Count == info.Entries && c.Erased == info.Erased && (c.Added == info.Added && told || info.Entries == 0)
}

// ReadSEL calls each for the entries after cursor, at most limit of them, and returns the
// cursor behind the last. epoch tells entries apart that a BMC without a clock makes alike
// before and after the log is cleared. A log that was cleared is read whole; where it has
// wrapped past the cursor, or the cursor's entry was deleted, those older than it are left out.
func ReadSEL(ctx context.Context, c Conn, info SELInfo, cur Cursor, limit int, each func(rec SELRecord, epoch uint32)) (Cursor, error) {
	if cur.current(info) {
		return cur, nil
	}
	if info.Entries == 0 {
		return Cursor{Erased: info.Erased, Added: info.Added, Valid: true}, nil
	}
	id, skip, err := cur.resume(ctx, c, info)
	if err != nil {
		return cur, err
	}
	old := cur.Last
	if id == 0 && !skip {
		cur.Epoch = info.Erased
	}
	seen := map[uint16]bool{}
	for n := 0; id != 0xffff && n < limit; {
		if seen[id] {
			return cur, fmt.Errorf("%w: the SEL goes in circles at record %d", ErrMalformed, id)
		}
		seen[id] = true
		next, rec, err := selEntry(ctx, c, id)
		if Absent(err) { // erased while we read
			return cur, nil
		}
		if err != nil {
			return cur, err
		}
		if id == 0 {
			cur.First = rec
		}
		id = next
		if skip && !newer(rec, old) {
			continue
		}
		each(rec, cur.Epoch)
		n++
		cur.Last, cur.Valid, cur.Erased = rec, true, info.Erased
	}
	if id == 0xffff { // all read: nothing to do until the log changes
		cur.Added, cur.Count, cur.Erased, cur.Valid = info.Added, info.Entries, info.Erased, true
	}
	return cur, nil
}

// resume finds where to go on: the id of the next record, 0 for the first one. With skip,
// records are to be left out that are not newer than the cursor's.
func (c Cursor) resume(ctx context.Context, conn Conn, info SELInfo) (id uint16, skip bool, err error) {
	if !c.Valid || c.Last == (SELRecord{}) {
		return 0, false, nil
	}
	next, rec, err := selEntry(ctx, conn, c.Last.ID())
	if err != nil && !Absent(err) {
		return 0, false, err
	}
	// Without a time the same event of another run of the BMC looks the same.
	_, stamped := c.Last.stamp()
	if err == nil && rec == c.Last && (stamped || c.Erased == info.Erased) {
		return next, false, nil
	}
	if c.Erased == info.Erased && info.Entries >= c.Count {
		return 0, true, nil // wrapped
	}
	_, first, err := selEntry(ctx, conn, 0)
	if err != nil && !Absent(err) {
		return 0, false, err
	}
	_, stamped = first.stamp()
	return 0, err == nil && stamped && first == c.First, nil // skip: no more than single entries were deleted
}

// newer tells whether rec came after old. Without times that cannot be told; then it is
// taken as new, because a repeated entry is better than a lost one.
func newer(rec, old SELRecord) bool {
	t, ok1 := rec.stamp()
	last, ok2 := old.stamp()
	if !ok1 || !ok2 {
		return rec != old
	}
	return t > last || t == last && int16(rec.ID()-old.ID()) > 0
}

func selEntry(ctx context.Context, c Conn, id uint16) (next uint16, rec SELRecord, err error) {
	// A whole entry at once needs no reservation.
	b, err := do(ctx, c, 18, Request{NetFn: netFnStorage, Cmd: 0x43, Data: []byte{0, 0, byte(id), byte(id >> 8), 0, 0xff}})
	if err != nil {
		return 0, rec, fmt.Errorf("SEL record %d: %w", id, err)
	}
	return le16(b), SELRecord(b[2:18]), nil
}

// Event is a decoded entry.
type Event struct {
	ID           uint16
	Time         time.Time // zero when the BMC gave none; its clock is taken to be UTC
	Record       byte      // record type
	Class        string    // sensor type in snake case, "oem" for OEM records
	Sensor       string    // name by SDR, or "#" and its number
	State        string
	Asserted     bool
	Severity     Severity
	Generator    uint16
	Number       byte
	Type         SensorType
	Event        EventType
	Data         []byte // event data, or an OEM's bytes
	Manufacturer uint32 // of a time-stamped OEM record
}

// Decode makes sense of a record. sensors names the sensor that sent it and may be nil.
func (r SELRecord) Decode(sensors *SensorIndex) Event {
	e := Event{ID: r.ID(), Record: r[2]}
	if t, ok := r.stamp(); ok {
		e.Time = time.Unix(int64(t), 0).UTC()
	}
	switch {
	case r[2] >= 0xe0:
		e.Class, e.Data = "oem", append([]byte(nil), r[3:]...)
		return e
	case r[2] >= 0xc0:
		e.Class, e.Data = "oem", append([]byte(nil), r[10:]...)
		e.Manufacturer = uint32(r[7]) | uint32(r[8])<<8 | uint32(r[9])<<16
		return e
	}
	e.Generator, e.Type, e.Number, e.Event = le16(r[7:]), SensorType(r[10]), r[11], EventType(r[12]&0x7f)
	e.Asserted, e.Data = r[12]&0x80 == 0, append([]byte(nil), r[13:]...)
	e.Class = e.Type.String()
	s := sensors.find(r[7], r[8]&3, r[11])
	e.Sensor = fmt.Sprintf("#0x%02x", r[11])
	if s != nil && s.Name != "" {
		e.Sensor = s.Name
	}
	states := StatesOf(e.Type, e.Event)
	n := int(r[13] & 0x0f)
	e.State = StateName(states, n)
	if e.Asserted && n < len(states) {
		e.Severity = states[n].Severity
	}
	if s != nil && e.Event == EventThreshold {
		e.State += thresholdDetail(s, r)
	}
	return e
}

// thresholdDetail says reading and threshold where event data 2 and 3 hold them.
func thresholdDetail(s *Sensor, r SELRecord) string {
	out := ""
	if r[13]>>6 == 1 && s.Analog && !s.Linear.NonLinear() {
		if v, ok := s.Convert(r[14]); ok {
			out = fmt.Sprintf(" (reading %.6g %s", v, s.Unit)
		}
	}
	if out == "" {
		return ""
	}
	if r[13]>>4&3 == 1 {
		if v, ok := s.Convert(r[15]); ok {
			out += fmt.Sprintf(", threshold %.6g", v)
		}
	}
	return out + ")"
}

// String is the line a person reads.
func (e Event) String() string {
	if e.Class == "oem" && e.Record >= 0xc0 {
		if e.Record < 0xe0 {
			return fmt.Sprintf("OEM record 0x%02x of manufacturer %d: % x", e.Record, e.Manufacturer, e.Data)
		}
		return fmt.Sprintf("OEM record 0x%02x: % x", e.Record, e.Data)
	}
	how := "asserted"
	if !e.Asserted {
		how = "deasserted"
	}
	return fmt.Sprintf("%s %s: %s %s", strings.ReplaceAll(e.Class, "_", " "), e.Sensor, strings.ReplaceAll(e.State, "_", " "), how)
}

// SensorIndex finds sensors by the address that events carry. A nil index finds none.
type SensorIndex struct{ byKey map[[3]byte]*Sensor }

// NewSensorIndex indexes sensors, those that only send events too.
func NewSensorIndex(sensors []Sensor) *SensorIndex {
	x := &SensorIndex{byKey: map[[3]byte]*Sensor{}}
	for i := range sensors {
		s := &sensors[i]
		key := [3]byte{s.Owner, s.LUN, s.Number}
		if old := x.byKey[key]; old == nil || old.EventOnly {
			x.byKey[key] = s
		}
	}
	return x
}

func (x *SensorIndex) find(owner, lun, number byte) *Sensor {
	if x == nil {
		return nil
	}
	return x.byKey[[3]byte{owner, lun, number}]
}

// String is the severity in words.
func (s Severity) String() string {
	return [...]string{"info", "predicted_failure", "degraded", "failed"}[s&3]
}

// IsUnsupported tells whether err says that the BMC does not offer a command at all.
func IsUnsupported(err error) bool {
	var code CompletionCode
	return errors.As(err, &code) && (code == CodeInvalidCommand || code == CodeInvalidForLUN)
}
