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

// TestCapturedBMCs replays BMCs that were captured from real servers and compares every
// reading, state and threshold with what ipmitool makes of them.
func TestCapturedBMCs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t, "ipmi/infrasim"), "*", "*.emu"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captured BMCs: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".emu"), func(t *testing.T) {
			addr := ipmitest.Sim(t, file)
			rows := ipmitoolSensors(t, addr)
			rep, readings, thresholds := readAll(t, dial(t, addr, ipmi.Options{}))
			if rep.Damaged > 0 {
				t.Errorf("%d damaged records", rep.Damaged)
			}
			byName := map[string][]*ipmi.Sensor{}
			last := -1
			for i := range rep.Sensors {
				s := &rep.Sensors[i]
				if s.EventOnly || int(s.Record) == last {
					continue // ipmitool shows the first sensor of a shared record only
				}
				last = int(s.Record)
				byName[short(s.Name)] = append(byName[short(s.Name)], s)
				if next := i + 1; next < len(rep.Sensors) && rep.Sensors[next].Record == s.Record {
					bare := strings.TrimRight(s.Name, "0123456789 ") // ipmitool does not number them
					byName[bare] = append(byName[bare], s)
				}
			}
			compared := 0
			for _, row := range rows {
				same := byName[short(row[0])]
				if len(same) == 0 {
					t.Errorf("ipmitool has a sensor %q that we have not", row[0])
					continue
				}
				s := same[0]
				byName[short(row[0])] = same[1:]
				if s.Owner != 0x20 {
					continue
				}
				compared++
				if diff := compareRow(s, readings[s], thresholds[s], row); diff != "" {
					t.Errorf("%s %q: %s\nipmitool %q", s.ID(), s.Name, diff, row)
				}
			}
			t.Logf("%d sensors compared with ipmitool, %d rows", compared, len(rows))
			if compared < 20 {
				t.Errorf("only %d sensors compared", compared)
			}
		})
	}
}

// TestCapturedEventLogs compares the event log of captured servers with ipmitool's reading.
func TestCapturedEventLogs(t *testing.T) {
	tool, err := exec.LookPath("ipmitool")
	if err != nil {
		t.Skip("ipmitool is not installed")
	}
	for _, name := range []string{"dell_r740xd", "quanta_d51"} {
		t.Run(name, func(t *testing.T) {
			addr := ipmitest.Sim(t, filepath.Join(testdata.Dir(t, "ipmi/infrasim/"+name), name+".emu"))
			host, port, _ := strings.Cut(addr, ":")
			out, err := exec.CommandContext(t.Context(), tool, "-I", "lanplus", "-C", "3", "-H", host, "-p", port, "-U", ipmitest.User, "-P", ipmitest.Password, "sel", "elist").Output()
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
			c := dial(t, addr, ipmi.Options{})
			rep, _, _ := readAll(t, c)
			index := ipmi.NewSensorIndex(rep.Sensors)
			info, err := ipmi.GetSELInfo(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			n, same := 0, 0
			if _, err := ipmi.ReadSEL(t.Context(), c, info, ipmi.Cursor{}, 1000, func(r ipmi.SELRecord) {
				e := r.Decode(index)
				if n < len(lines) && e.Class != "oem" {
					line := lines[n]
					if !strings.Contains(line, e.Sensor) || strings.Contains(line, "Asserted") != e.Asserted {
						t.Errorf("%s\nipmitool %s", e, line)
					}
					state, _, _ := strings.Cut(e.State, " (")
					if strings.Contains(letters(line), letters(state)) {
						same++
					}
				} else {
					same++
				}
				n++
			}); err != nil {
				t.Fatal(err)
			}
			// ipmitool words a few states in its own way.
			if n != len(lines) || same*10 < n*9 {
				t.Errorf("%d entries, ipmitool has %d; %d say the same", n, len(lines), same)
			}
		})
	}
}

// letters is s without anything but letters and digits, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// short is a name as ipmitool's table cuts it.
func short(name string) string {
	if len(name) > 16 {
		name = name[:16]
	}
	return strings.TrimSpace(name)
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
	v, err := strconv.ParseFloat(row[1], 64)
	if err != nil || !r.HasValue || math.Abs(v-r.Value) > 0.00051 {
		return fmt.Sprintf("value %v %v %v", r.Value, r.HasValue, err)
	}
	if !s.Threshold() {
		return ""
	}
	for col, k := range map[int]int{4: ipmi.LNR, 5: ipmi.LCR, 6: ipmi.LNC, 7: ipmi.UNC, 8: ipmi.UCR, 9: ipmi.UNR} {
		have := th.Mask&(1<<k) != 0
		if row[col] == "na" {
			if have {
				return fmt.Sprintf("threshold %d is %v", k, th.Value[k])
			}
			continue
		}
		v, err := strconv.ParseFloat(row[col], 64)
		if s.Readable&(1<<k) == 0 {
			continue // ipmitool takes the BMC's word, we also want the SDR's
		}
		if err != nil || !have || math.Abs(v-th.Value[k]) > 0.00051 {
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
