package ipmi_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

// handle answers one command of a BMC, the n-th time it is given, counted from 1.
type handle func(n int, data []byte) (code byte, answer []byte, ok bool)

func handler(table map[[2]byte]handle) func(netFn, lun, cmd byte, data []byte) (byte, []byte, bool) {
	count := map[[2]byte]int{}
	return func(netFn, _, cmd byte, data []byte) (byte, []byte, bool) {
		key := [2]byte{netFn, cmd}
		count[key]++
		if h := table[key]; h != nil {
			return h(count[key], data)
		}
		return 0, nil, false
	}
}

func compactSDR(id uint16, number byte, name string) []byte {
	b := make([]byte, 32)
	binary.LittleEndian.PutUint16(b, id)
	b[2], b[3], b[5], b[7], b[12], b[13], b[31] = 0x51, 2, 0x20, number, 8, 0x6f, 0xc0|byte(len(name))
	b = append(b, name...)
	b[4] = byte(len(b) - 5)
	return b
}

func TestSDRTroubles(t *testing.T) {
	sdrs := [][]byte{compactSDR(0, 1, "One"), compactSDR(1, 2, "Two"), compactSDR(2, 3, "Three with a long name")}
	const storage, sensor = 0x0a, 0x04
	code := func(c byte, times ...int) handle {
		return func(n int, _ []byte) (byte, []byte, bool) {
			if slices.Contains(times, n) {
				return c, nil, true
			}
			return 0, nil, false
		}
	}
	always := func(c byte, answer ...byte) handle {
		return func(int, []byte) (byte, []byte, bool) { return c, answer, true }
	}
	cases := []struct {
		name  string
		read  int // bytes that the BMC returns at once
		table map[[2]byte]handle
		names string
		err   error
	}{
		{name: "reservation lost", table: map[[2]byte]handle{{storage, 0x23}: code(0xc5, 2, 4)}, names: "One,Two,Three with a long name"},
		{name: "repository updating", table: map[[2]byte]handle{{storage, 0x23}: code(0xd0, 1)}, names: "One,Two,Three with a long name"},
		{name: "busy", table: map[[2]byte]handle{{storage, 0x23}: code(0xc0, 3)}, names: "One,Two,Three with a long name"},
		{name: "eight bytes at once", read: 8, names: "One,Two,Three with a long name"},
		{name: "no reads past the end", table: map[[2]byte]handle{{storage, 0x23}: func(_ int, data []byte) (byte, []byte, bool) {
			return 0xca, nil, int(data[4])+int(data[5]) > len(sdrs[data[2]])
		}}, names: "One,Two,Three with a long name"},
		{name: "always busy", table: map[[2]byte]handle{{storage, 0x23}: always(0xc0)}, err: ipmi.CodeNodeBusy},
		{name: "two bytes at once", read: 2, err: ipmi.CodeCannotReturnLength},
		{name: "no bytes", table: map[[2]byte]handle{{storage, 0x23}: always(0, 1, 0)}, err: ipmi.ErrMalformed},
		{name: "next record is this one", table: map[[2]byte]handle{{storage, 0x23}: always(0, append([]byte{0, 0}, sdrs[0]...)...)}, err: ipmi.ErrMalformed},
		{name: "short info", table: map[[2]byte]handle{{storage, 0x20}: always(0, 0x51, 3)}, err: ipmi.ErrMalformed},
		{name: "empty", table: map[[2]byte]handle{{storage, 0x20}: always(0, make([]byte, 14)...), {storage, 0x23}: always(0xcb)}},
		{name: "device SDRs", table: map[[2]byte]handle{
			{storage, 0x20}: always(0xc1),
			{sensor, 0x20}:  always(0, 3, 0x81, 9, 0, 0, 0),
			{sensor, 0x22}:  always(0, 1, 0),
			{sensor, 0x21}: func(_ int, data []byte) (byte, []byte, bool) {
				id, from := int(data[2]), int(data[4])
				next := []byte{byte(id + 1), 0}
				if id == 2 {
					next = []byte{0xff, 0xff}
				}
				return 0, append(next, sdrs[id][from:min(from+int(data[5]), len(sdrs[id]))]...), true
			},
		}, names: "One,Two,Three with a long name"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			b := &ipmitest.BMC{SDRs: sdrs, MaxRead: tc.read, Handle: handler(tc.table)}
			c := dial(t, b.Start(t), ipmi.Options{})
			info, err := ipmi.SDRInfo(t.Context(), c)
			r := ipmi.NewSDRReader(info)
			if err == nil {
				err = r.Read(t.Context(), c)
			}
			if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Fatalf("%v, want %v", err, tc.err)
			}
			var names []string
			for _, s := range ipmi.DecodeRecords(r.Records, ipmi.Quirks{}).Sensors {
				names = append(names, s.Name)
			}
			if got := strings.Join(names, ","); err == nil && got != tc.names {
				t.Errorf("%s, want %s", got, tc.names)
			}
		})
	}
}

// TestBusySensor is asked once more; one that stays busy is an error of that sensor alone.
func TestBusySensor(t *testing.T) {
	b := &ipmitest.BMC{Sensors: map[[2]byte][]byte{{0, 1}: {0, 0xc0, 1}, {0, 2}: {0, 0xc0, 2}}}
	seen := map[byte]int{}
	b.Handle = func(netFn, _, cmd byte, data []byte) (byte, []byte, bool) {
		if netFn != 4 || cmd != 0x2d {
			return 0, nil, false
		}
		seen[data[0]]++
		return 0xc0, nil, data[0] == 3 || seen[data[0]] == 1
	}
	c := dial(t, b.Start(t), ipmi.Options{})
	var sensors []*ipmi.Sensor
	for n := range byte(3) {
		sensors = append(sensors, &ipmi.Sensor{Owner: 0x20, Number: n + 1, Event: ipmi.EventSensorSpecific})
	}
	got := map[byte]ipmi.Reading{}
	if err := ipmi.ReadSensors(t.Context(), c, sensors, ipmi.Quirks{}, func(r ipmi.Reading) { got[r.Sensor.Number] = r }); err != nil {
		t.Fatal(err)
	}
	if got[1].States != 1 || got[2].States != 2 || !errors.Is(got[3].Err, ipmi.CodeNodeBusy) || len(got) != 3 {
		t.Errorf("%+v", got)
	}
}

// TestHostileAnswers gives every command answers of every length from 0 to 40: nothing may
// panic, and what is too short is an error.
func TestHostileAnswers(t *testing.T) {
	var length atomic.Int64
	b := &ipmitest.BMC{SDRs: [][]byte{{}}}
	b.Handle = func(netFn, _, cmd byte, _ []byte) (byte, []byte, bool) {
		if netFn == 6 && (cmd == 0x38 || cmd == 0x54 || cmd == 0x3c) {
			return 0, nil, false
		}
		out := make([]byte, length.Load())
		for i := range out {
			out[i] = byte(0xff - i)
		}
		return 0, out, true
	}
	c := dial(t, b.Start(t), ipmi.Options{Suite: ipmi.Suite17})
	ctx := t.Context()
	sensors := []*ipmi.Sensor{{Owner: 0x20, Number: 1, Analog: true, Event: ipmi.EventThreshold, Readable: 0x3f, Linear: 0x70, Factors: ipmi.Factors{M: 1}}}
	for size := range 41 {
		length.Store(int64(size))
		short := 0
		note := func(err error) {
			if errors.Is(err, ipmi.ErrMalformed) {
				short++
			}
		}
		_, err := ipmi.GetDeviceID(ctx, c)
		note(err)
		_, _, err = ipmi.SelfTest(ctx, c)
		note(err)
		_, err = ipmi.ChassisStatus(ctx, c)
		note(err)
		_, err = ipmi.PowerOnTime(ctx, c)
		note(err)
		_, err = ipmi.GetWatchdog(ctx, c)
		note(err)
		_, err = ipmi.DCMIPower(ctx, c)
		note(err)
		_, _, err = ipmi.DCMIPowerLimit(ctx, c)
		note(err)
		_, err = ipmi.DCMITemperatures(ctx, c)
		note(err)
		_, err = ipmi.ReadFRU(ctx, c, 0)
		note(err)
		info, err := ipmi.SDRInfo(ctx, c)
		note(err)
		note(ipmi.NewSDRReader(info).Read(ctx, c))
		sel, err := ipmi.GetSELInfo(ctx, c)
		note(err)
		sel.Entries = 3
		_, err = ipmi.ReadSEL(ctx, c, sel, ipmi.Cursor{}, 5, func(r ipmi.SELRecord, _ uint32) { _ = r.Decode(nil).String() })
		note(err)
		if err := ipmi.ReadSensors(ctx, c, sensors, ipmi.Quirks{}, func(ipmi.Reading) {}); err != nil {
			t.Fatal(err)
		}
		if _, err := ipmi.ReadThresholds(ctx, c, sensors); err != nil {
			t.Fatal(err)
		}
		if size == 0 && short < 10 {
			t.Errorf("empty answers: only %d were found too short", short)
		}
	}
}
