package ipmi_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/testdata"
)

// TestRecordedStates finds the states that ipmitool names in recorded output of a server
// among ours, by sensor type.
func TestRecordedStates(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testdata.Dir(t, "ipmi/rackhd"), "ipmi-sdr-v-output"))
	if err != nil {
		t.Fatal(err)
	}
	kind := regexp.MustCompile(`Sensor Type \((\w+)\)\s*: .*\(0x([0-9a-fA-F]+)\)`)
	state := regexp.MustCompile(`\[([^\]]+)\]`)
	var ours []string
	found, all := 0, 0
	for line := range strings.SplitSeq(string(raw), "\n") {
		if m := kind.FindStringSubmatch(line); m != nil {
			n, err := strconv.ParseUint(m[2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			ours = nil
			if m[1] == "Discrete" {
				ours = stateLetters(ipmi.SensorType(n))
			}
			continue
		}
		m := state.FindStringSubmatch(line)
		if m == nil || len(ours) == 0 {
			continue
		}
		all++
		hit := false
		for _, o := range ours {
			hit = hit || o == letters(m[1]) || strings.Contains(o, letters(m[1])) || strings.Contains(letters(m[1]), o)
		}
		if hit {
			found++
		} else {
			t.Logf("ipmitool words it differently: %s", m[1])
		}
	}
	if all < 100 || found*10 < all*8 {
		t.Errorf("%d of %d states found", found, all)
	}
}

// stateLetters are the names of the states that a sensor of this type can have.
func stateLetters(typ ipmi.SensorType) []string {
	var out []string
	for e := range ipmi.EventType(0x0d) {
		for _, s := range ipmi.StatesOf(typ, e) {
			out = append(out, letters(s.Name))
		}
	}
	for _, s := range ipmi.StatesOf(typ, ipmi.EventSensorSpecific) {
		if s.Name != "" {
			out = append(out, letters(s.Name))
		}
	}
	return out
}

// TestRecordedUnits finds every unit of recorded ipmitool output among ours.
func TestRecordedUnits(t *testing.T) {
	known := map[string]bool{"discrete": true, "": true, "na": true}
	for base := range 93 {
		known[ipmi.Unit{Base: byte(base)}.String()] = true
		known[ipmi.Unit{Base: byte(base), Percent: true}.String()] = true
	}
	for _, name := range []string{"linuxfabrik/ipmi-sensor/thirtyeight-sensors-with-critical.txt", "linuxfabrik/ipmi-sensor/twentyfive-sensors-ok.txt", "rubyipmi/ipmitool/sensors.txt"} {
		raw, err := os.ReadFile(filepath.Join(testdata.Dir(t, "ipmi"), filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.SplitSeq(string(raw), "\n") {
			f := strings.Split(line, "|")
			if len(f) < 4 {
				continue
			}
			rows++
			if u := strings.TrimSpace(f[2]); !known[u] {
				t.Errorf("%s: unit %q", name, u)
			}
		}
		if rows < 20 {
			t.Errorf("%s: %d rows", name, rows)
		}
	}
}
