package ipmi_test

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/testdata"
)

// ipmitoolSensors runs `ipmitool sensor` and returns its rows: name, reading, unit, state
// and the thresholds lnr lcr lnc unc ucr unr.
func ipmitoolSensors(t *testing.T, addr string) [][]string {
	t.Helper()
	tool, err := exec.LookPath("ipmitool")
	if err != nil {
		t.Skip("ipmitool is not installed")
	}
	host, port, _ := strings.Cut(addr, ":")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool, "-I", "lanplus", "-C", "3", "-H", host, "-p", port, "-U", ipmitest.User, "-P", ipmitest.Password, "sensor").Output()
	if err != nil {
		t.Fatalf("ipmitool: %v", err)
	}
	var rows [][]string
	for line := range strings.SplitSeq(strings.TrimRight(string(out), "\n"), "\n") {
		row := strings.Split(line, "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if len(row) == 10 {
			rows = append(rows, row)
		}
	}
	return rows
}

func dial(t testing.TB, addr string, opt ipmi.Options) ipmi.Conn {
	t.Helper()
	if opt.User == "" {
		opt.User, opt.Password = ipmitest.User, []byte(ipmitest.Password)
	}
	c, err := ipmi.Dial(t.Context(), addr, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// readAll reads repository, readings and thresholds of a BMC.
func readAll(t testing.TB, c ipmi.Conn) (*ipmi.Repository, map[*ipmi.Sensor]ipmi.Reading, map[*ipmi.Sensor]ipmi.Thresholds) {
	t.Helper()
	ctx := t.Context()
	info, err := ipmi.SDRInfo(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	reader := ipmi.NewSDRReader(info)
	if err := reader.Read(ctx, c); err != nil {
		t.Fatal(err)
	}
	id, err := ipmi.GetDeviceID(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	quirks, err := ipmi.QuirksFor(id, nil)
	if err != nil {
		t.Fatal(err)
	}
	rep := ipmi.DecodeRecords(reader.Records, quirks)
	var own []*ipmi.Sensor
	for i := range rep.Sensors {
		if s := &rep.Sensors[i]; s.CanRead() && !s.Bridged() {
			own = append(own, s)
		}
	}
	readings := map[*ipmi.Sensor]ipmi.Reading{}
	if err := ipmi.ReadSensors(ctx, c, own, quirks, func(r ipmi.Reading) { readings[r.Sensor] = r }); err != nil {
		t.Fatal(err)
	}
	ths, err := ipmi.ReadThresholds(ctx, c, own)
	if err != nil {
		t.Fatal(err)
	}
	thresholds := map[*ipmi.Sensor]ipmi.Thresholds{}
	for i, s := range own {
		thresholds[s] = ths[i]
	}
	return rep, readings, thresholds
}

// simulated are the definitions of BMCs for the simulator: our generated ones and, where
// they are at hand, those captured from real servers.
func simulated(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/bmc-*.emu")
	if err != nil || len(files) == 0 {
		t.Fatalf("no generated BMCs: %v", err)
	}
	captured, err := filepath.Glob(filepath.Join(testdata.Root(), "ipmi", "infrasim", "*", "*.emu"))
	if err != nil {
		t.Fatal(err)
	}
	if len(captured) == 0 {
		t.Log("recordings of real servers are not here; set INFRAMIND_TESTDATA to the folder that holds them")
	}
	return append(files, captured...)
}

// TestPeersAgree compares every reading, state, unit and threshold with what ipmitool and
// FreeIPMI make of the same BMCs.
func TestPeersAgree(t *testing.T) {
	for _, file := range simulated(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".emu"), func(t *testing.T) {
			t.Parallel()
			agreeWithPeers(t, file)
		})
	}
}

func agreeWithPeers(t *testing.T, file string) {
	addr := ipmitest.Sim(t, file)
	rep, readings, thresholds := readAll(t, dial(t, addr, ipmi.Options{}))
	if rep.Damaged > 0 {
		t.Errorf("%d damaged records", rep.Damaged)
	}
	byRecord := map[uint16][]*ipmi.Sensor{}
	var order []*ipmi.Sensor // the first of each record, as ipmitool lists them
	for i := range rep.Sensors {
		s := &rep.Sensors[i]
		if s.EventOnly {
			continue
		}
		if len(byRecord[s.Record]) == 0 {
			order = append(order, s)
		}
		byRecord[s.Record] = append(byRecord[s.Record], s)
	}
	t.Run("ipmitool", func(t *testing.T) {
		rows := ipmitoolSensors(t, addr)
		if len(rows) != len(order) {
			t.Fatalf("%d rows for %d records", len(rows), len(order))
		}
		for i, row := range rows {
			s := order[i]
			if s.Bridged() {
				continue
			}
			if diff := compareRow(s, readings[s], thresholds[s], row); diff != "" {
				t.Errorf("%s %q: %s\nipmitool %q", s.ID(), s.Name, diff, row)
			}
		}
	})
	t.Run("freeipmi", func(t *testing.T) { agreeWithFreeIPMI(t, addr, byRecord, readings, thresholds) })
}

func agreeWithFreeIPMI(t *testing.T, addr string, byRecord map[uint16][]*ipmi.Sensor, readings map[*ipmi.Sensor]ipmi.Reading, thresholds map[*ipmi.Sensor]ipmi.Thresholds) {
	seen := map[uint16]int{}
	for _, row := range freeIPMISensors(t, addr) {
		id, err := strconv.ParseUint(row[0], 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		same := byRecord[uint16(id)]
		n := seen[uint16(id)]
		seen[uint16(id)]++
		if n >= len(same) {
			t.Errorf("we have %d sensors of record %d: %q", len(same), id, row)
			continue
		}
		s := same[n]
		if s.LUN != 0 || s.Bridged() {
			continue // FreeIPMI does not ask them
		}
		if diff := compareFreeIPMI(s, readings[s], thresholds[s], row); diff != "" {
			t.Errorf("%s %q: %s\nipmi-sensors %q", s.ID(), s.Name, diff, row)
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d records compared", len(seen))
	}
}

// freeIPMISensors runs ipmi-sensors and returns its rows: record, name, type, reading, unit,
// the thresholds lnr lcr lnc unc ucr unr, and the states in hexadecimal.
func freeIPMISensors(t *testing.T, addr string) [][]string {
	t.Helper()
	tool, err := exec.LookPath("ipmi-sensors")
	if err != nil {
		t.Skip("ipmi-sensors is not installed (Debian package freeipmi-tools)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool, "-D", "LAN_2_0", "-h", addr, "-u", ipmitest.User, "-p", ipmitest.Password, "-l", "ADMIN", "-W", "opensesspriv",
		"--sdr-cache-directory", t.TempDir(), "--quiet-cache", "--shared-sensors", "--comma-separated-output", "--no-header-output",
		"--output-sensor-thresholds", "--output-event-bitmask").Output()
	if err != nil {
		t.Fatalf("ipmi-sensors: %v", err)
	}
	var rows [][]string
	for line := range strings.Lines(string(out)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		if extra := len(row) - 12; extra > 0 { // a comma in a name
			row = append(row[:1], row[1+extra:]...)
		}
		rows = append(rows, row)
	}
	return rows
}

// twoPlaces is the error of FreeIPMI, which rounds to two places and cuts negative values.
const twoPlaces = 0.0101

// compareFreeIPMI looks for differences with a row of ipmi-sensors.
func compareFreeIPMI(s *ipmi.Sensor, r ipmi.Reading, th ipmi.Thresholds, row []string) string {
	const cubeRoot = 11 // FreeIPMI computes x^(1/3) in integers
	if s.Linear == cubeRoot || s.Analog && noFactors(s) {
		return ""
	}
	if row[3] == "N/A" && row[11] == "N/A" {
		if r.Usable() && (r.HasValue || r.HasState) {
			return fmt.Sprintf("has a reading %+v", r)
		}
		return ""
	}
	if row[3] != "N/A" && (!r.HasValue || !sameNumber(row[3], r.Value, twoPlaces)) {
		return fmt.Sprintf("value %v (%v)", r.Value, r.HasValue)
	}
	mask := uint16(0x7fff)
	if s.Threshold() {
		mask = 0x3f // the rest is reserved, and set by many
	}
	if bits, err := strconv.ParseUint(strings.TrimSuffix(row[11], "h"), 16, 16); err != nil || uint16(bits)&mask != r.States {
		return fmt.Sprintf("states %#x %v", r.States, err)
	}
	for col, k := range []int{ipmi.LNR, ipmi.LCR, ipmi.LNC, ipmi.UNC, ipmi.UCR, ipmi.UNR} {
		want, have := finite(row[5+col], "N/A"), th.Mask&(1<<k) != 0
		if want == "N/A" && have || want != "N/A" && s.Readable&(1<<k) != 0 && (!have || !sameNumber(want, th.Value[k], twoPlaces)) {
			return fmt.Sprintf("threshold %d is %v (%v)", k, th.Value[k], have)
		}
	}
	return ""
}

// noFactors tells whether a reading cannot be converted: a compact record, or factors of 0.
func noFactors(s *ipmi.Sensor) bool { return !s.Analog || s.Factors.M == 0 && s.Factors.B == 0 }

// finite is text, or none for a threshold like the logarithm of 0, which is none.
func finite(text, none string) string {
	if strings.HasSuffix(text, "inf") || strings.HasSuffix(text, "nan") {
		return none
	}
	return text
}

// sameNumber tells whether v, rounded to places that leave an error of tolerance, is text.
func sameNumber(text string, v, tolerance float64) bool {
	want, err := strconv.ParseFloat(text, 64)
	return err == nil && math.Abs(want-v) <= max(tolerance, 1e-9*math.Abs(v))
}

func compareRow(s *ipmi.Sensor, r ipmi.Reading, th ipmi.Thresholds, row []string) string {
	if row[1] == "na" {
		if r.HasValue || r.Usable() && r.HasState && row[3] != "na" {
			return fmt.Sprintf("has a value %v", r.Value)
		}
		return ""
	}
	if row[2] == "discrete" {
		if want := row[3]; want != "na" {
			got := fmt.Sprintf("0x%02x%02x", byte(r.States), byte(r.States>>8)|0x80)
			if got[:4] != want[:4] || (byte(r.States>>8)&0x7f) != hexByte(want[4:])&0x7f {
				return fmt.Sprintf("states %s", got)
			}
		}
		return ""
	}
	if noFactors(s) {
		return "" // ipmitool shows 0 or the raw byte
	}
	if ours, theirs := strings.ReplaceAll(s.Unit.String(), " ", ""), strings.ReplaceAll(row[2], " ", ""); ours != theirs && (s.Unit.Rate == 0 || !strings.HasPrefix(ours, theirs)) {
		return fmt.Sprintf("unit %q", s.Unit)
	}
	if !r.HasValue || !sameNumber(row[1], r.Value, 0.00051) {
		return fmt.Sprintf("value %v (%v)", r.Value, r.HasValue)
	}
	if !s.Threshold() {
		return ""
	}
	for col, k := range map[int]int{4: ipmi.LNR, 5: ipmi.LCR, 6: ipmi.LNC, 7: ipmi.UNC, 8: ipmi.UCR, 9: ipmi.UNR} {
		have := th.Mask&(1<<k) != 0
		if finite(row[col], "na") == "na" {
			if have {
				return fmt.Sprintf("threshold %d is %v", k, th.Value[k])
			}
			continue
		}
		if s.Readable&(1<<k) == 0 {
			continue // ipmitool takes the BMC's word, we also want the SDR's
		}
		if !have || !sameNumber(row[col], th.Value[k], 0.00051) {
			return fmt.Sprintf("threshold %d is %v %v", k, th.Value[k], have)
		}
	}
	return ""
}

func hexByte(s string) byte {
	n, err := strconv.ParseUint(s, 16, 8)
	if err != nil {
		return 0
	}
	return byte(n)
}
