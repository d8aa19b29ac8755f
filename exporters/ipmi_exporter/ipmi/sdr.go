package ipmi

import (
	"fmt"
	"strconv"
	"strings"
)

// SDR record types (table 43-1 and following).
const (
	recordFull       = 0x01
	recordCompact    = 0x02
	recordEventOnly  = 0x03
	recordFRULocator = 0x11
)

// Sensor is one sensor of the repository. A shared compact record gives several.
type Sensor struct {
	Record    uint16 // id of its SDR
	Owner     byte   // 8-bit I2C address, or a system software id if odd
	Channel   byte
	LUN       byte
	Number    byte
	Entity    Entity
	Type      SensorType
	Event     EventType
	Name      string
	Unit      Unit
	Analog    bool      // has a numeric reading
	Factors   Factors   // how to convert it
	States    uint16    // discrete states that the sensor can return; 0 when not said
	Readable  byte      // thresholds that can be known, bits as in Thresholds
	Fixed     bool      // they are those of Set for ever
	Set       [6]byte   // raw thresholds as the SDR has them
	EventOnly bool      // cannot be read, only sends events
	Linear    Linearise // how the factors are applied
}

// Entity is what a sensor watches.
type Entity struct{ ID, Instance byte }

// String is id and instance, as ipmitool writes them.
func (e Entity) String() string {
	return strconv.Itoa(int(e.ID)) + "." + strconv.Itoa(int(e.Instance&0x7f))
}

// ID is stable over reboots: owner, LUN and number are what the BMC addresses by.
func (s *Sensor) ID() string {
	return fmt.Sprintf("%02x.%d.%02x", s.Owner, s.LUN, s.Number)
}

// CanRead tells whether there is a controller to ask for a reading. Event-only sensors and
// those of system software have none.
func (s *Sensor) CanRead() bool { return !s.EventOnly && s.Owner&1 == 0 }

// bridge is where the sensor is, zero at the BMC itself.
func (s *Sensor) bridge() Bridge {
	if s.Owner == bmcAddress {
		return Bridge{}
	}
	return Bridge{Address: s.Owner, Channel: s.Channel}
}

// Bridged tells whether the sensor is at another controller.
func (s *Sensor) Bridged() bool { return s.Owner != bmcAddress }

// Threshold tells whether the sensor compares an analog reading with thresholds.
func (s *Sensor) Threshold() bool { return s.Event == EventThreshold }

// FRULocator names a FRU device (record type 11h).
type FRULocator struct {
	Device  byte // address of the controller it is behind
	ID      byte // FRU device id
	LUN     byte
	Channel byte
	Logical bool // read by FRU commands; else an EEPROM on a bus
	Entity  Entity
	Name    string
}

// Repository is the decoded SDR repository.
type Repository struct {
	Sensors []Sensor
	FRUs    []FRULocator
	Damaged int // records that contradict themselves, left out

	quirks Quirks
}

// DecodeRecords decodes raw SDRs, each with its 5-byte header. Damaged ones are counted.
func DecodeRecords(records [][]byte, q Quirks) *Repository {
	rep := &Repository{quirks: q}
	for _, b := range records {
		if err := rep.add(b); err != nil {
			rep.Damaged++
		}
	}
	if q.AnyOwner {
		for i := range rep.Sensors {
			rep.Sensors[i].Owner = bmcAddress
		}
	}
	rep.separate()
	return rep
}

// SplitRecords cuts a dump of SDRs, one after the other, into records. A last record that
// is cut off is dropped.
func SplitRecords(dump []byte) [][]byte {
	var out [][]byte
	for len(dump) >= 5 {
		n := 5 + int(dump[4])
		if n > len(dump) {
			break
		}
		out = append(out, dump[:n])
		dump = dump[n:]
	}
	return out
}

func (rep *Repository) add(b []byte) error {
	if len(b) < 5 || len(b) < 5+int(b[4]) {
		return fmt.Errorf("%w: SDR of %d bytes", ErrMalformed, len(b))
	}
	b = b[:5+int(b[4])]
	least := map[byte]int{recordFull: 48, recordCompact: 32, recordEventOnly: 17, recordFRULocator: 16}[b[3]]
	if least == 0 { // says nothing about sensors or FRUs
		return nil
	}
	if len(b) < least {
		return fmt.Errorf("%w: SDR type %d of %d bytes", ErrMalformed, b[3], len(b))
	}
	switch b[3] {
	case recordFull:
		rep.Sensors = append(rep.Sensors, fullSensor(b))
	case recordCompact:
		rep.addShared(compactSensor(b), b[23], b[24])
	case recordEventOnly:
		rep.addShared(eventOnlySensor(b), b[12], b[13])
	case recordFRULocator:
		name, _ := decodeText(sdrText, b[15:])
		rep.FRUs = append(rep.FRUs, FRULocator{Device: b[5], ID: b[6], LUN: b[7] >> 3 & 3, Channel: b[8] >> 4, Logical: b[7]&0x80 != 0, Entity: Entity{b[12], b[13]}, Name: name})
	}
	return nil
}

func le16(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }

// fullSensor decodes record type 01h (table 43-1).
func fullSensor(b []byte) Sensor {
	s := Sensor{
		Record: le16(b), Owner: b[5], Channel: b[6] >> 4, LUN: b[6] & 3, Number: b[7], Entity: Entity{b[8], b[9]},
		Type: SensorType(b[12]), Event: EventType(b[13]), Unit: Unit{Percent: b[20]&1 != 0, Combine: b[20] >> 1 & 3, Rate: b[20] >> 3 & 7, Base: b[21], Modifier: b[22]},
		Linear: Linearise(b[23] & 0x7f), Factors: decodeFactors(b[24:30]),
	}
	s.Factors.Format = b[20] >> 6
	s.Analog = s.Factors.Format != formatNone
	s.setMasks(b)
	if s.Threshold() {
		// SDR order is from the top down, everywhere else it is from the bottom up.
		s.Set = [6]byte{LNC: b[41], LCR: b[40], LNR: b[39], UNC: b[38], UCR: b[37], UNR: b[36]}
	}
	s.Name, _ = decodeText(sdrText, b[47:])
	return s
}

// setMasks reads the mask bytes that full and compact records share.
func (s *Sensor) setMasks(b []byte) {
	if !s.Threshold() {
		s.States = le16(b[18:]) & 0x7fff
		return
	}
	// Bits 3:2 of the capabilities: 0 none, 1 readable, 2 settable too, 3 hard-coded in the
	// sensor: those the SDR tells, and the BMC is not asked.
	if access := b[11] >> 2 & 3; access != 0 {
		s.Readable, s.Fixed = b[18]&0x3f, access == 3
	}
}

// compactSensor decodes record type 02h (table 43-2). It has no factors, so a threshold
// sensor in one has states only.
func compactSensor(b []byte) Sensor {
	s := Sensor{
		Record: le16(b), Owner: b[5], Channel: b[6] >> 4, LUN: b[6] & 3, Number: b[7], Entity: Entity{b[8], b[9]},
		Type: SensorType(b[12]), Event: EventType(b[13]), Unit: Unit{Percent: b[20]&1 != 0, Combine: b[20] >> 1 & 3, Rate: b[20] >> 3 & 7, Base: b[21], Modifier: b[22]},
	}
	s.setMasks(b)
	s.Readable = 0 // nothing to convert a threshold with
	s.Name, _ = rawText(sdrText, b[31:])
	return s
}

// eventOnlySensor decodes record type 03h (table 43-3).
func eventOnlySensor(b []byte) Sensor {
	s := Sensor{Record: le16(b), Owner: b[5], Channel: b[6] >> 4, LUN: b[6] & 3, Number: b[7], Entity: Entity{b[8], b[9]}, Type: SensorType(b[10]), Event: EventType(b[11]), EventOnly: true}
	s.Name, _ = rawText(sdrText, b[16:])
	return s
}

// addShared expands a record that stands for several sensors with consecutive numbers
// (section 43.2): names get a numeric or alphabetic suffix, entities may count up too.
// s.Name is still as the record has it: "DIMM " and 1 make "DIMM 1".
func (rep *Repository) addShared(s Sensor, how, offset byte) {
	count := max(int(how&0x0f), 1)
	for i := 0; i < count && int(s.Number)+i <= 0xff; i++ {
		one := s
		one.Number += byte(i)
		if count > 1 {
			one.Name = rep.sharedName(s.Name, how>>4&3 == 1, int(offset&0x7f)+i)
		}
		one.Name = clean(one.Name)
		if offset&0x80 != 0 {
			one.Entity.Instance += byte(i)
		}
		rep.Sensors = append(rep.Sensors, one)
	}
}

func (rep *Repository) sharedName(name string, alpha bool, n int) string {
	if alpha {
		return name + alphaSuffix(n)
	}
	if rep.quirks.CountUp {
		digits := len(name) - len(strings.TrimRight(name, "0123456789"))
		if first, err := strconv.Atoi(name[len(name)-digits:]); err == nil {
			return name[:len(name)-digits] + strconv.Itoa(first+n)
		}
	}
	return name + strconv.Itoa(n)
}

// alphaSuffix is A for 0, Z for 25, AA for 26.
func alphaSuffix(n int) string {
	s := ""
	for n++; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

// separate drops repeated sensors, which some repositories have, so that ids are unique.
func (rep *Repository) separate() {
	seen := map[string]bool{}
	kept := rep.Sensors[:0]
	for _, s := range rep.Sensors {
		key := s.ID()
		if s.EventOnly {
			key += " event"
		}
		if seen[key] {
			rep.Damaged++
			continue
		}
		seen[key] = true
		kept = append(kept, s)
	}
	rep.Sensors = kept
}
