package ipmi_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// expectation is testdata/NAME.expect.json, made by gen_bmc.py from the SDR formula.
type expectation struct {
	Sensors []struct {
		Num        byte               `json:"num"`
		LUN        byte               `json:"lun"`
		Name       string             `json:"name"`
		Value      *float64           `json:"value"`
		Thresholds map[string]float64 `json:"thresholds"`
		Scanning   *bool              `json:"scanning"`
		Active     []string           `json:"active"`
		States     []int              `json:"states"`
		EventOnly  bool               `json:"event_only"`
	} `json:"sensors"`
	SELEntries int `json:"sel_entries"`
	FRU        *struct {
		Manufacturer, Product, Serial, Part string
	} `json:"fru"`
}

func thresholdNames() []string { return []string{"lnc", "lcr", "lnr", "unc", "ucr", "unr"} }

// close enough for values that went through a different order of floating point operations.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func TestGeneratedBMCs(t *testing.T) {
	files, err := filepath.Glob("../testdata/bmc-*.emu")
	if err != nil || len(files) != 4 {
		t.Fatalf("%d definitions, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".emu"), func(t *testing.T) {
			raw, err := os.ReadFile(strings.TrimSuffix(file, ".emu") + ".expect.json")
			if err != nil {
				t.Fatal(err)
			}
			var want expectation
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			c := dial(t, ipmitest.Sim(t, file), ipmi.Options{})
			checkSensors(t, c, want)
			checkInventory(t, c, want)
		})
	}
}

func checkSensors(t *testing.T, c ipmi.Conn, want expectation) {
	rep, readings, thresholds := readAll(t, c)
	if len(rep.Sensors) != len(want.Sensors) || rep.Damaged != 0 {
		t.Fatalf("%d sensors and %d damaged records, want %d and 0", len(rep.Sensors), rep.Damaged, len(want.Sensors))
	}
	byNum := map[byte]*ipmi.Sensor{}
	for i := range rep.Sensors {
		byNum[rep.Sensors[i].Number] = &rep.Sensors[i]
	}
	for _, w := range want.Sensors {
		s := byNum[w.Num]
		if s == nil {
			t.Errorf("sensor %d is missing", w.Num)
			continue
		}
		r := readings[s]
		if w.Name != s.Name && !strings.HasPrefix(s.Name, w.Name) { // shared names have a suffix
			t.Errorf("sensor %d is named %q, want %q", w.Num, s.Name, w.Name)
		}
		if w.EventOnly {
			if !s.EventOnly || r.Sensor != nil {
				t.Errorf("%s: %+v", s.Name, r)
			}
			continue
		}
		if w.States != nil {
			bits := uint16(0)
			for _, b := range w.States {
				bits |= 1 << b
			}
			if r.States != bits || !r.HasState || r.HasValue {
				t.Errorf("%s: %+v, want states %#x", s.Name, r, bits)
			}
			continue
		}
		if w.Scanning != nil && !*w.Scanning {
			if r.HasValue || !r.Disabled {
				t.Errorf("%s: a sensor that is not scanned has the value %v", s.Name, r.Value)
			}
			continue
		}
		if r.HasValue != (w.Value != nil) || w.Value != nil && !near(r.Value, *w.Value) {
			t.Errorf("%s: %v (%v), want %v", s.Name, r.Value, r.HasValue, w.Value)
		}
		checkThresholds(t, s, thresholds[s], w.Thresholds)
		active := uint16(0)
		for k, name := range thresholdNames() {
			for _, a := range w.Active {
				if a == name {
					active |= 1 << k
				}
			}
		}
		if s.Factors.Format == 0 && r.States != active { // the simulator compares unsigned only
			t.Errorf("%s: comparison bits %#x, want %#x", s.Name, r.States, active)
		}
	}
}

func checkThresholds(t *testing.T, s *ipmi.Sensor, th ipmi.Thresholds, want map[string]float64) {
	t.Helper()
	for k, name := range thresholdNames() {
		v, ok := want[name]
		if ok != (th.Mask&(1<<k) != 0) || ok && !near(th.Value[k], v) {
			t.Errorf("%s: threshold %s is %v (mask %#x), want %v %v", s.Name, name, th.Value[k], th.Mask, v, ok)
		}
	}
}

func checkInventory(t *testing.T, c ipmi.Conn, want expectation) {
	f, err := ipmi.ReadFRU(t.Context(), c, 0)
	if want.FRU == nil {
		if err == nil {
			t.Errorf("FRU 0 should be absent: %+v", f)
		}
	} else if err != nil || f.ProductManufacturer != want.FRU.Manufacturer || f.ProductName != want.FRU.Product ||
		f.ProductSerial != want.FRU.Serial || f.ChassisPart != want.FRU.Part || f.BoardSerial != "B"+want.FRU.Serial {
		t.Errorf("FRU %+v, %v; want %+v", f, err, want.FRU)
	}
	info, err := ipmi.GetSELInfo(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	cur, err := ipmi.ReadSEL(t.Context(), c, info, ipmi.Cursor{}, 1000, func(ipmi.SELRecord, uint32) { n++ })
	if err != nil || n != int(info.Entries) || want.SELEntries > 0 && n != want.SELEntries {
		t.Errorf("%d SEL entries, %v; want %d", n, err, want.SELEntries)
	}
	again := 0
	if _, err := ipmi.ReadSEL(t.Context(), c, info, cur, 1000, func(ipmi.SELRecord, uint32) { again++ }); err != nil || again != 0 {
		t.Errorf("second read gave %d entries, %v", again, err)
	}
}
