package ipmi

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// DeviceID says what the BMC is (section 20.1).
type DeviceID struct {
	ID, Revision byte
	Firmware     string // major.minor
	IPMI         string // 1.5 or 2.0
	Manufacturer uint32 // IANA enterprise number
	Product      uint16
}

// GetDeviceID identifies the BMC.
func GetDeviceID(ctx context.Context, c Conn) (DeviceID, error) {
	b, err := do(ctx, c, 11, Request{NetFn: netFnApp, Cmd: 0x01})
	if err != nil {
		return DeviceID{}, fmt.Errorf("device id: %w", err)
	}
	return DeviceID{
		ID: b[0], Revision: b[1] & 0x0f,
		Firmware:     firmware(b[2]&0x7f, b[3]),
		IPMI:         fmt.Sprintf("%d.%d", b[4]&0x0f, b[4]>>4),
		Manufacturer: uint32(b[6]) | uint32(b[7])<<8 | uint32(b[8]&0x0f)<<16, Product: le16(b[9:]),
	}, nil
}

// firmware writes a version as ipmitool does. The minor part is BCD, but some BMCs have it
// in binary.
func firmware(major, minor byte) string {
	if minor>>4 > 9 || minor&0x0f > 9 {
		return fmt.Sprintf("%d.%02d", major, minor)
	}
	return fmt.Sprintf("%d.%02x", major, minor)
}

// SelfTest runs nothing: it fetches the result of the last self test (section 20.4).
// ok is false when the BMC found a fault; known is false when it does not test itself.
func SelfTest(ctx context.Context, c Conn) (ok, known bool, err error) {
	b, err := do(ctx, c, 2, Request{NetFn: netFnApp, Cmd: 0x04})
	if err != nil {
		return false, false, fmt.Errorf("self test results: %w", err)
	}
	return b[0] == 0x55, b[0] != 0x56, nil
}

// Chassis is the state of power and enclosure (section 28.2).
type Chassis struct {
	PowerOn, Overload, Interlock, PowerFault, ControlFault bool
	Intrusion, DriveFault, CoolingFault                    bool
	Identify                                               byte // 0 off, 1 for a while, 2 on
	IdentifyKnown                                          bool
	RestorePolicy                                          string
}

// ChassisStatus reads the state of power and enclosure.
func ChassisStatus(ctx context.Context, c Conn) (Chassis, error) {
	b, err := do(ctx, c, 3, Request{NetFn: netFnChassis, Cmd: 0x01})
	if err != nil {
		return Chassis{}, fmt.Errorf("chassis status: %w", err)
	}
	bit := func(i int, n uint) bool { return b[i]>>n&1 != 0 }
	return Chassis{
		PowerOn: bit(0, 0), Overload: bit(0, 1), Interlock: bit(0, 2), PowerFault: bit(0, 3), ControlFault: bit(0, 4),
		Intrusion: bit(2, 0), DriveFault: bit(2, 2), CoolingFault: bit(2, 3),
		Identify: b[2] >> 4 & 3, IdentifyKnown: bit(2, 6),
		RestorePolicy: [...]string{"always_off", "previous", "always_on", "unknown"}[b[0]>>5&3],
	}, nil
}

// PowerOnTime is how long the system has been powered on in all its life (section 28.14).
func PowerOnTime(ctx context.Context, c Conn) (time.Duration, error) {
	b, err := do(ctx, c, 5, Request{NetFn: netFnChassis, Cmd: 0x0f})
	if err != nil {
		return 0, fmt.Errorf("power-on hours counter: %w", err)
	}
	count := uint64(le16(b[1:])) | uint64(le16(b[3:]))<<16
	return time.Duration(count*uint64(b[0])) * time.Minute, nil
}

// Watchdog is the BMC's watchdog timer (section 27.7).
type Watchdog struct {
	Running   bool
	Use       string
	Action    string
	Remaining time.Duration // negative when the BMC does not tell
	Expired   bool          // for any use, since the flags were cleared
}

// GetWatchdog reads the watchdog timer.
func GetWatchdog(ctx context.Context, c Conn) (Watchdog, error) {
	b, err := do(ctx, c, 6, Request{NetFn: netFnApp, Cmd: 0x25})
	if err != nil {
		return Watchdog{}, fmt.Errorf("watchdog timer: %w", err)
	}
	tick := 100 * time.Millisecond
	w := Watchdog{
		Running: b[0]&0x40 != 0, Expired: b[3] != 0,
		Use:       [...]string{"reserved", "bios_frb2", "bios_post", "os_load", "sms_os", "oem", "reserved", "reserved"}[b[0]&7],
		Action:    [...]string{"none", "hard_reset", "power_down", "power_cycle", "reserved", "reserved", "reserved", "reserved"}[b[1]&7],
		Remaining: -1,
	}
	if len(b) >= 8 { // some leave the present count out
		w.Remaining = time.Duration(le16(b[6:])) * tick
	}
	return w, nil
}

// Power is the system's power draw by DCMI (DCMI 1.5, section 6.6.1), in watts.
type Power struct {
	Current, Minimum, Maximum, Average uint16
	Period                             time.Duration // of minimum, maximum and average
	Active                             bool          // the BMC measures at present
}

// dcmiGroup leads every DCMI request and answer.
const dcmiGroup = 0xdc

// HasDCMI asks whether the BMC speaks DCMI (section 6.1.1 of DCMI 1.5). A BMC that
// refuses the question for whatever reason does not.
func HasDCMI(ctx context.Context, c Conn) (bool, error) {
	b, err := do(ctx, c, 0, Request{NetFn: netFnGroup, Cmd: 0x01, Data: []byte{dcmiGroup, 1}})
	var code CompletionCode
	if errors.As(err, &code) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("DCMI capabilities: %w", err)
	}
	return len(b) > 0 && b[0] == dcmiGroup, nil
}

// DCMIPower reads the system's power draw.
func DCMIPower(ctx context.Context, c Conn) (Power, error) {
	b, err := do(ctx, c, 18, Request{NetFn: netFnGroup, Cmd: 0x02, Data: []byte{dcmiGroup, 1, 0, 0}})
	if err == nil && b[0] != dcmiGroup {
		err = fmt.Errorf("%w: not a DCMI answer", ErrMalformed)
	}
	if err != nil {
		return Power{}, fmt.Errorf("DCMI power: %w", err)
	}
	ms := uint32(le16(b[13:])) | uint32(le16(b[15:]))<<16
	return Power{
		Current: le16(b[1:]), Minimum: le16(b[3:]), Maximum: le16(b[5:]), Average: le16(b[7:]),
		Period: time.Duration(ms) * time.Millisecond, Active: b[17]&0x40 != 0,
	}, nil
}

// DCMIPowerLimit reads the power cap in watts (DCMI 1.5, section 6.6.2). active is false
// when none is in force.
func DCMIPowerLimit(ctx context.Context, c Conn) (watts uint16, active bool, err error) {
	b, err := do(ctx, c, 0, Request{NetFn: netFnGroup, Cmd: 0x03, Data: []byte{dcmiGroup, 0, 0}})
	var code CompletionCode
	switch {
	case errors.As(err, &code) && code == 0x80: // no limit is set
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("DCMI power limit: %w", err)
	case len(b) < 6:
		return 0, false, fmt.Errorf("DCMI power limit: %w: %d bytes", ErrMalformed, len(b))
	}
	return le16(b[4:]), true, nil
}

// DCMITemperature is one reading of DCMI, in degrees Celsius.
type DCMITemperature struct {
	Entity   string // inlet, cpu or baseboard
	Instance byte
	Celsius  int
}

// maxDCMISets bounds the answers about one entity; each has up to eight readings.
const maxDCMISets = 8

// DCMITemperatures reads the temperatures of DCMI 1.5, section 6.7.3. It tells those at the
// air inlet, of processors and of the baseboard.
func DCMITemperatures(ctx context.Context, c Conn) ([]DCMITemperature, error) {
	var out []DCMITemperature
	for i, name := range [...]string{"inlet", "cpu", "baseboard"} {
		for start, set := 1, 0; set < maxDCMISets; set++ {
			const temperature, all = 1, 0
			b, err := do(ctx, c, 3, Request{NetFn: netFnGroup, Cmd: 0x10, Data: []byte{dcmiGroup, temperature, byte(0x40 + i), all, byte(start)}})
			if err == nil && (b[0] != dcmiGroup || len(b) < 3+2*int(b[2])) {
				err = fmt.Errorf("%w: not a DCMI answer", ErrMalformed)
			}
			if err != nil {
				return out, fmt.Errorf("DCMI temperatures: %w", err)
			}
			for pair := b[3 : 3+2*int(b[2])]; len(pair) > 0; pair = pair[2:] {
				t := DCMITemperature{Entity: name, Instance: pair[1], Celsius: int(pair[0] & 0x7f)}
				if pair[0]&0x80 != 0 { // sign and magnitude
					t.Celsius = -t.Celsius
				}
				out = append(out, t)
			}
			if start += int(b[2]); b[2] == 0 || start > int(b[1]) {
				break
			}
		}
	}
	return out, nil
}
