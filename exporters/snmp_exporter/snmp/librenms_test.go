package snmp

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/snmp_exporter/agent"
	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter/hw"
	"github.com/inframind/inframind/internal/testdata"
)

// expectedSensor is a sensor as LibreNMS shows it.
type expectedSensor struct {
	Class   string  `json:"sensor_class"`
	OID     string  `json:"sensor_oid"`
	Descr   string  `json:"sensor_descr"`
	Current float64 `json:"sensor_current"`
}

// unitOf is the schema's metric of a LibreNMS class, and the factor from its unit.
func unitOf(class string) (metric hw.Metric, factor float64) {
	switch class {
	case "temperature":
		return hw.TemperatureCelsius, 1
	case "fanspeed":
		return hw.FanSpeedRPM, 1
	case "voltage":
		return hw.VoltageVolts, 1
	case "current":
		return hw.CurrentAmperes, 1
	case "power":
		return hw.PowerWatts, 1
	case "humidity":
		return hw.HumidityRatio, 0.01
	case "frequency":
		return hw.FrequencyHertz, 1
	case "charge":
		return hw.BatteryChargeRatio, 0.01
	case "load":
		return hw.UtilizationRatio, 0.01
	case "runtime":
		return hw.BatteryTimeLeftSeconds, 60
	case "dbm":
		return hw.OpticalPowerWatts, 0
	case "power_consumed":
		return hw.EnergyJoules, 3.6e6
	}
	return "", 0
}

// readingsOf asks a recorded device as auto does.
func readingsOf(t *testing.T, d *Driver, addr, community string) []reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	dev := walk.NewDevice()
	client, err := walk.Dial(ctx, addr, walk.Options{Auth: &conf.Auth{Version: 2, Community: conf.Secret(community)}, Device: dev})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	p := walk.Params{Retries: 1, Timeout: time.Second}
	got, _, err := client.Get(ctx, p, []string{sysObjectID, sysUpTime})
	if err != nil {
		t.Fatalf("%s: %v", community, err)
	}
	s := &scrape{client: client, device: dev, opts: d.opts, out: newExposition(), keepAll: true}
	if err := s.auto(ctx, d.profiles.choose(s.identify(ctx, p, got))); err != nil {
		t.Errorf("%s: %v", community, err)
	}
	return d.profiles.readings(s.tables)
}

// TestSensorsAgreeWithLibreNMS replays devices and compares hardware sensors with what LibreNMS
// found in the same recordings, by class: value with unit, and name.
func TestSensorsAgreeWithLibreNMS(t *testing.T) {
	dir := testdata.Dir(t, "snmp")
	files, err := filepath.Glob(filepath.Join(dir, "librenms", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	addr := replay(t, files)
	d, err := New(&conf.Config{}, Options{WrapCounters: true})
	if err != nil {
		t.Fatal(err)
	}
	type score struct{ expected, found, value, name int }
	scores := map[string]*score{}
	for _, f := range files {
		name := agent.Community(f)
		readings := readingsOf(t, d, addr, name)
		byOID := map[string][]reading{}
		for _, r := range readings {
			byOID[r.oid] = append(byOID[r.oid], r)
		}
		for _, e := range expectedOf(t, filepath.Join(dir, "librenms_expected", name+".json.gz")) {
			metric, factor := unitOf(e.Class)
			if metric == "" && e.Class != "state" {
				continue // counts and the like are no hardware
			}
			s := scores[e.Class]
			if s == nil {
				s = &score{}
				scores[e.Class] = s
			}
			s.expected++
			want := e.Current * factor
			if e.Class == "dbm" {
				want = wattsOfDBm(e.Current)
			}
			r, ok := find(byOID[strings.TrimPrefix(e.OID, ".")], metric)
			if !ok {
				if testing.Verbose() {
					fmt.Printf("missing %s %s %s %q = %g\n", name, e.Class, e.OID, e.Descr, e.Current)
				}
				continue
			}
			s.found++
			if metric == "" || math.Abs(r.value-want) <= 0.011*math.Abs(want)+1e-9 {
				s.value++
			} else if testing.Verbose() {
				fmt.Printf("differs %s %s %s %q: %g, ours %g\n", name, e.Class, e.OID, e.Descr, want, r.value)
			}
			if alike(e.Descr, r.part.Name) {
				s.name++
			} else if testing.Verbose() {
				fmt.Printf("named %s %s %q, ours %q\n", name, e.Class, e.Descr, r.part.Name)
			}
		}
	}
	total := score{}
	for _, class := range slices.Sorted(maps.Keys(scores)) {
		s := scores[class]
		t.Logf("%-15s %4d expected, %5.1f %% found, %5.1f %% same value and unit, %5.1f %% same name", class, s.expected,
			100*float64(s.found)/float64(s.expected), 100*float64(s.value)/float64(s.expected), 100*float64(s.name)/float64(s.expected))
		total.expected += s.expected
		total.value += s.value
	}
	t.Logf("all: %d of %d agree (%.1f %%)", total.value, total.expected, 100*float64(total.value)/float64(total.expected))
	if total.value*100 < total.expected*90 {
		t.Errorf("only %d of %d sensors agree", total.value, total.expected)
	}
}

func find(rs []reading, metric hw.Metric) (reading, bool) {
	for _, r := range rs {
		if r.metric == metric {
			return r, true
		}
	}
	return reading{}, false
}

// alike compares names by their words: one contains most of the other's.
func alike(a, b string) bool {
	words := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	}
	x, y := words(a), words(b)
	if len(y) < len(x) {
		x, y = y, x
	}
	common := 0
	for _, w := range x {
		if slices.Contains(y, w) {
			common++
		}
	}
	return len(x) > 0 && common*2 >= len(x)
}

func expectedOf(t *testing.T, path string) []expectedSensor {
	t.Helper()
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Sensors struct {
			Discovery struct {
				Sensors []json.RawMessage `json:"sensors"`
			} `json:"discovery"`
		} `json:"sensors"`
	}
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []expectedSensor
	for _, raw := range all.Sensors.Discovery.Sensors {
		var e expectedSensor
		if err := json.Unmarshal(raw, &e); err == nil { // a sensor without a value is not compared
			out = append(out, e)
		}
	}
	return out
}

// replay serves recordings, each under its name.
func replay(t *testing.T, files []string) (addr string) {
	t.Helper()
	s := &agent.Server{Devices: map[string]*agent.Device{}}
	for _, f := range files {
		d, _, err := agent.ReadFile(f)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		s.Devices[agent.Community(f)] = d
	}
	return listen(t, s)
}

func listen(t *testing.T, s *agent.Server) (addr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, wait, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); wait() })
	return addr
}
