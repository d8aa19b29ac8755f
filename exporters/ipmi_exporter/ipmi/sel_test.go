package ipmi_test

import (
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

// entry is a SEL record with an id and a time; those up to 0x20000000 count from the BMC's start.
func entry(id uint16, at uint32) (r [16]byte) {
	binary.LittleEndian.PutUint16(r[:], id)
	r[2] = 2
	binary.LittleEndian.PutUint32(r[3:], at)
	copy(r[7:], []byte{0x20, 0, 4, 0x08, 0x61, 0x6f, 1, 0xff, 0xff})
	return r
}

// TestEventLogLife follows one event log through everything that happens to event logs: each
// entry is read exactly once.
func TestEventLogLife(t *testing.T) {
	const noon = 0x60000000
	b := &ipmitest.BMC{}
	add := func(r ...[16]byte) { b.SEL = append(b.SEL, r...); b.SELState.Added++ }
	remove := func(i, n int) { b.SEL = slices.Delete(b.SEL, i, i+n) }
	fill := func(r ...[16]byte) { b.SEL = nil; add(r...) }
	erased := func(at uint32) { b.SELState.Erased = at }
	steps := []struct {
		name   string
		change func()
		want   string // ids of the entries that are read
	}{
		{"first look", func() { erased(50); add(entry(1, noon), entry(2, noon+1), entry(3, noon+2)) }, "[1 2 3]"},
		{"nothing new", func() {}, "[]"},
		{"one more", func() { add(entry(4, noon+3)) }, "[4]"},
		{"one more in the same second", func() { add(entry(5, noon+3)) }, "[5]"},
		{"an old one is deleted", func() { remove(1, 1); erased(60) }, "[]"},
		{"one is deleted, one is new", func() { remove(1, 1); erased(61); add(entry(6, noon+4)) }, "[6]"},
		{"the newest is deleted", func() { remove(len(b.SEL)-1, 1); erased(62) }, "[]"},
		{"and one follows", func() { add(entry(7, noon+5)) }, "[7]"},
		{"the log is full and drops its oldest", func() { remove(0, 2); add(entry(8, noon+6), entry(9, noon+7)) }, "[8 9]"},
		{"it wraps past what was read", func() { fill(entry(10, noon+8), entry(11, noon+9), entry(12, noon+10), entry(13, noon+11)) }, "[10 11 12 13]"},
		{"a full log that tells no times", func() { remove(0, 1); add(entry(14, noon+12)); b.SELState.Added = 0xffffffff }, "[14]"},
		{"record ids start over", func() { b.SELState.Added = 99; add(entry(0xfffe, noon+13), entry(1, noon+14)) }, "[65534 1]"},
		{"cleared", func() { fill(); erased(70) }, "[]"},
		{"filled again, the clock set back", func() { add(entry(1, noon-100), entry(2, noon-99)) }, "[1 2]"},
		{"cleared and filled in between, the clock set back", func() { fill(entry(1, noon-200), entry(2, noon-199), entry(3, noon-198)); erased(71) }, "[1 2 3]"},
		{"cleared, and nobody noted it", func() { fill(entry(1, noon-300)) }, "[1]"},
		{"before the clock was set", func() { fill(entry(1, 5), entry(2, 6)); erased(72) }, "[1 2]"},
		{"still before it", func() { add(entry(3, 2)) }, "[3]"},
		{"the same after a power cut", func() { fill(entry(1, 5), entry(2, 6), entry(3, 2)); erased(73) }, "[1 2 3]"},
		{"no time at all", func() { add(entry(4, 0xffffffff)) }, "[4]"},
	}
	c := dial(t, b.Start(t), ipmi.Options{})
	var cur ipmi.Cursor
	known := map[string]bool{}
	for _, s := range steps {
		b.Lock(s.change)
		info, err := ipmi.GetSELInfo(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		got := []uint16{}
		cur, err = ipmi.ReadSEL(t.Context(), c, info, cur, 100, func(r ipmi.SELRecord, epoch uint32) {
			got = append(got, r.ID())
			key := fmt.Sprint(epoch, r)
			if known[key] {
				t.Errorf("%s: entry %d looks like one that was there before", s.name, r.ID())
			}
			known[key] = true
		})
		if err != nil || fmt.Sprint(got) != s.want {
			t.Errorf("%s: read %v, %v, want %s", s.name, got, err, s.want)
		}
	}
}

// TestEventLogsAgree compares event logs with ipmitool's reading.
func TestEventLogsAgree(t *testing.T) {
	tool, err := exec.LookPath("ipmitool")
	if err != nil {
		t.Skip("ipmitool is not installed")
	}
	for _, file := range simulated(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".emu")
		if slices.Contains([]string{"bmc-b", "bmc-c", "bmc-d"}, name) {
			continue // ipmitool does not know names in 6 bits, or of shared records
		}
		t.Run(name, func(t *testing.T) {
			addr := ipmitest.Sim(t, file)
			host, port, _ := strings.Cut(addr, ":")
			out, err := exec.CommandContext(t.Context(), tool, "-I", "lanplus", "-C", "3", "-H", host, "-p", port, "-U", ipmitest.User, "-P", ipmitest.Password, "sel", "elist").Output()
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
			if len(out) == 0 {
				lines = nil
			}
			c := dial(t, addr, ipmi.Options{})
			rep, _, _ := readAll(t, c)
			index := ipmi.NewSensorIndex(rep.Sensors)
			info, err := ipmi.GetSELInfo(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			n, same := 0, 0
			if _, err := ipmi.ReadSEL(t.Context(), c, info, ipmi.Cursor{}, 1000, func(r ipmi.SELRecord, _ uint32) {
				e := r.Decode(index)
				if n < len(lines) && e.Class != "oem" {
					line := lines[n]
					if !strings.Contains(line, e.Sensor) || strings.Contains(line, "Asserted") != e.Asserted {
						t.Errorf("%s\nipmitool %s", e, line)
					}
					state, _, _ := strings.Cut(e.State, " (")
					if strings.Contains(letters(line), letters(state)) {
						same++
					} else {
						t.Logf("%s\nipmitool words it differently: %s", e, line)
					}
				} else {
					same++
				}
				n++
			}); err != nil {
				t.Fatal(err)
			}
			// ipmitool words a few states in its own way.
			if n != len(lines) || same*10 < n*8 {
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
