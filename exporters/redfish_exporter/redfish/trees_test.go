package redfish

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/testdata"
)

// trees are the recorded services: archives and folders that hold systems or chassis.
func trees(t *testing.T) map[string]map[string]any {
	t.Helper()
	dir := testdata.Dir(t, "redfish")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") || strings.HasPrefix(e.Name(), "linuxfabrik") || e.Name() == "telegraf_dell" {
			continue // single answers, in several variants
		}
		tree, err := redfishtest.Load(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = tree
	}
	return out
}

// TestRecordedTrees scrapes every recorded service and compares what is found with what the
// tree holds, counted without the exporter.
func TestRecordedTrees(t *testing.T) {
	for name, tree := range trees(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svc := &redfishtest.Service{Tree: tree}
			web := serve(t, svc)
			d := newDriver(t, nil)
			text := scrapeText(t, d, web, 30*time.Second)
			f := families(t, text)
			if up, _ := value(f, "redfish_up"); up != 1 {
				t.Fatalf("down:\n%s", text)
			}
			for _, m := range f["collector_success"].GetMetric() {
				if m.GetGauge().GetValue() != 1 {
					t.Errorf("collector failed: %v", m.GetLabel())
				}
			}
			if v, _ := value(f, "probe_rejected_samples"); v != 0 {
				t.Errorf("%v samples rejected", v)
			}
			problems, err := promlint.New(strings.NewReader(text)).Lint()
			if err != nil || len(problems) > 0 {
				t.Errorf("lint: %v %v", problems, err)
			}
			want := inventory(tree)
			got := map[string]int{
				"drives":  count(f, "hw_status", "hw_type", "physical_disk", "state", "ok"),
				"memory":  count(f, "hw_memory_size_bytes", "hw_type", "memory"),
				"cpu":     count(f, "hw_status", "hw_type", "cpu", "state", "ok") + count(f, "hw_status", "hw_type", "gpu", "state", "ok"),
				"celsius": count(f, "hw_temperature_celsius"),
				"volts":   count(f, "hw_voltage_volts"),
				"fans":    count(f, "hw_fan_speed_rpm") + count(f, "hw_fan_speed_ratio"),
				"psu":     count(f, "hw_status", "hw_type", "power_supply", "state", "ok"),
				"volumes": count(f, "hw_logical_disk_size_bytes"),
			}
			for kind, n := range want {
				if got[kind] < n {
					t.Errorf("%s: %d found, the tree holds %d", kind, got[kind], n)
				}
			}
			t.Logf("%d requests, %d samples, found %v of %v", svc.Stats().Requests, strings.Count(text, "\n"), got, want)
			for _, m := range f["redfish_unparsed_values"].GetMetric() {
				if v := m.GetGauge().GetValue(); v > 0 {
					t.Logf("unparsed: %v in %v", v, m.GetLabel())
				}
			}
		})
	}
}

// inventory counts readings and parts of a tree by their schema types, each name once a
// chassis: the same sensor may be in Thermal and in Sensors.
func inventory(tree map[string]any) map[string]int {
	n := map[string]int{}
	seen, refs := map[string]bool{}, references(tree)
	once := func(kind, key string) {
		if !seen[kind+key] {
			seen[kind+key] = true
			n[kind]++
		}
	}
	reading := func(v any) bool { _, ok := v.(float64); return ok }
	for path, v := range tree {
		node := Node{m: v.(map[string]any)}
		schema, _, _ := strings.Cut(strings.TrimPrefix(textOf(node.m["@odata.type"]), "#"), ".")
		chassis := "/" + strings.Join(strings.SplitN(short(path), "/", 3)[:min(2, strings.Count(short(path), "/")+1)], "/")
		if missing(node) || !node.has("Id") {
			continue
		}
		switch schema {
		case "Drive":
			if node.has("Status") && refs[path] {
				once("drives", path)
			}
		case "Memory":
			if reading(node.find("CapacityMiB")) && refs[path] {
				once("memory", path)
			}
		case "Processor":
			if node.has("Status") && refs[path] {
				once("cpu", path)
			}
		case "Volume":
			if reading(node.find("CapacityBytes")) && refs[path] {
				once("volumes", path)
			}
		case "Thermal":
			for i, e := range node.list("Temperatures") {
				if !missing(e) && reading(e.find("ReadingCelsius")) {
					once("celsius", chassis+normal(e.title())+string(rune('a'+i)))
				}
			}
			for i, e := range node.list("Fans") {
				if !missing(e) && (reading(e.find("Reading")) || reading(e.find("ReadingRPM"))) {
					once("fans", chassis+normal(e.title())+string(rune('a'+i)))
				}
			}
		case "Power":
			for i, e := range node.list("Voltages") {
				if !missing(e) && reading(e.find("ReadingVolts")) {
					once("volts", chassis+normal(e.title())+string(rune('a'+i)))
				}
			}
			for i, e := range node.list("PowerSupplies") {
				if !missing(e) && e.has("Status") {
					once("psu", chassis+normal(e.title())+string(rune('a'+i)))
				}
			}
		}
	}
	// Sensors are counted where the same chassis shows them nowhere else.
	for path, v := range tree {
		node := Node{m: v.(map[string]any)}
		if !strings.HasPrefix(textOf(node.m["@odata.type"]), "#Sensor.") || !reading(node.find("Reading")) || !refs[path] {
			continue
		}
		chassisPath, _, _ := strings.Cut(path, "/Sensors/")
		if !shown(tree, chassisPath, node.title()) {
			kind := map[string]string{"Temperature": "celsius", "Voltage": "volts", "Rotational": "fans"}[node.str("ReadingType")]
			if kind != "" {
				n[kind]++
			}
		}
	}
	return n
}

func textOf(v any) string { s, _ := v.(string); return s }

func shown(tree map[string]any, chassis, name string) bool {
	for _, res := range []string{"Thermal", "Power"} {
		m, _ := tree[chassis+"/"+res].(map[string]any)
		for _, array := range []string{"Temperatures", "Fans", "Voltages"} {
			for _, e := range (Node{m: m}).list(array) {
				if normal(e.title()) == normal(name) {
					return true
				}
			}
		}
	}
	return false
}

// references are the addresses that resources of the tree point to: recordings are partial
// and hold resources that nothing leads to.
func references(tree map[string]any) map[string]bool {
	refs := map[string]bool{}
	var walk func(v any, self string)
	walk = func(v any, self string) {
		switch v := v.(type) {
		case map[string]any:
			if id := strings.TrimRight(textOf(v["@odata.id"]), "/"); id != self {
				refs[id] = true
			}
			for k, e := range v {
				if k != "Links" {
					walk(e, self)
				}
			}
		case []any:
			for _, e := range v {
				walk(e, self)
			}
		}
	}
	for path, v := range tree {
		walk(v, path)
	}
	return refs
}
