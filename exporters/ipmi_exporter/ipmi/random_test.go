package ipmi_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

// TestRandomSensorsAgree compares sensors with any factors, formats, functions, units and
// thresholds with what the peers make of them.
func TestRandomSensorsAgree(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "random.emu")
			if err := os.WriteFile(file, []byte(randomBMC(rand.New(rand.NewPCG(seed, 1)), 200)), 0o600); err != nil {
				t.Fatal(err)
			}
			agreeWithPeers(t, file)
		})
	}
}

// randomBMC defines a BMC with n sensors for the simulator.
func randomBMC(r *rand.Rand, n int) string {
	var out strings.Builder
	out.WriteString("mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\n")
	for i := 1; i <= n; i++ {
		sdr := randomSDR(r, i)
		mask := r.IntN(64)
		fmt.Fprintf(&out, "sensor_add 0x20 0 %d 0x%02x 0x01\n", i, sdr[12])
		fmt.Fprintf(&out, "sensor_set_threshold 0x20 0 %d readable %06b", i, mask)
		for k := range 6 { // in both from the top down
			sdr[36+k] = byte(1 + r.IntN(127))
			fmt.Fprintf(&out, " 0x%02x", sdr[36+k])
		}
		scanning := "scanning"
		if r.IntN(20) == 0 {
			scanning = "no-scanning"
		}
		const none = "000000000000000"
		fmt.Fprintf(&out, "\nsensor_set_event_support 0x20 0 %d enable %s per-state %s %s %s %s\n", i, scanning, none, none, none, none)
		fmt.Fprintf(&out, "sensor_set_value 0x20 0 %d %d 0\nmain_sdr_add 0x20", i, 1+r.IntN(127))
		sdr[18] = byte(mask)
		for _, b := range sdr {
			fmt.Fprintf(&out, " 0x%02x", b)
		}
		out.WriteByte('\n')
	}
	return out.String() + "mc_enable 0x20\n"
}

// randomSDR is a full record of an analog sensor. Functions that grow fast, or know no
// negative values, get factors that suit them.
func randomSDR(r *rand.Rand, number int) []byte {
	linear, format := 0, r.IntN(3)
	if r.IntN(2) == 0 {
		linear = r.IntN(12)
	}
	m, b, bExp, rExp := 1+r.IntN(511), r.IntN(1024)-512, r.IntN(16)-8, r.IntN(16)-8
	switch linear {
	case 1, 2, 3, 10:
		b, format = r.IntN(512), 0
	case 4, 5, 6, 8, 9:
		bExp, rExp = min(bExp, 0), -8+r.IntN(4)
	}
	if linear == 0 && r.IntN(2) == 0 {
		m = -m
	}
	s := make([]byte, 48)
	binary.LittleEndian.PutUint16(s, uint16(number))
	s[2], s[3], s[5], s[7], s[8], s[9] = 0x51, 1, 0x20, byte(number), byte(1+r.IntN(0x30)), byte(1+r.IntN(0x7e))
	s[10], s[11], s[12], s[13] = 0x7f, byte(r.IntN(4))<<2|0x40, byte(1+r.IntN(4)), 1
	s[20], s[21], s[22], s[23] = byte(format)<<6|byte(r.IntN(7))<<3, byte(1+r.IntN(92)), 0, byte(linear)
	if r.IntN(4) == 0 {
		s[20], s[22] = s[20]|byte(1+r.IntN(2))<<1, byte(1+r.IntN(92))
	}
	s[24], s[25], s[26], s[27], s[29] = byte(m), byte(m>>8)<<6, byte(b), byte(b>>8)<<6, byte(rExp)<<4|byte(bExp)&0x0f
	name := fmt.Sprintf("Sensor %d", number)
	s[47] = 0xc0 | byte(len(name))
	s = append(s, name...)
	s[4] = byte(len(s) - 5)
	return s
}

// TestNonLinearAgrees does so with sensors whose factors depend on the reading, and that
// have any of the functions 70h to 7Fh.
func TestNonLinearAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	b := &ipmitest.BMC{Sensors: map[[2]byte][]byte{}, Factors: map[[2]byte][]byte{}}
	for i := range 16 {
		sdr := randomSDR(r, i)
		sdr[7], sdr[23] = byte(i), 0x70+byte(i)
		reading := byte(1 + r.IntN(127))
		b.SDRs = append(b.SDRs, sdr)
		b.Sensors[[2]byte{0, byte(i)}] = []byte{reading, 0xc0, 0}
		b.Factors[[2]byte{byte(i), reading}] = append([]byte{reading}, randomSDR(r, i)[24:30]...)
	}
	addr := b.Start(t)
	rows := ipmitoolSensors(t, addr)
	rep, readings, _ := readAll(t, dial(t, addr, ipmi.Options{}))
	if len(rows) != len(rep.Sensors) || len(rows) != 16 {
		t.Fatalf("%d rows, %d sensors", len(rows), len(rep.Sensors))
	}
	for i, row := range rows {
		s := &rep.Sensors[i]
		if r := readings[s]; !r.HasValue || !sameNumber(row[1], r.Value, 0.00051) {
			t.Errorf("%s: %v (%v), ipmitool %q", s.Name, r.Value, r.HasValue, row)
		}
	}
}
