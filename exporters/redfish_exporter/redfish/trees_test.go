package redfish

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
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
		name := e.Name()
		if strings.HasSuffix(name, ".json") {
			continue // single answers: TestRecordedAnswers
		}
		if strings.HasPrefix(name, "linuxfabrik") || strings.HasPrefix(name, "lambdalabs") {
			continue // many small services: TestRecordedVariants
		}
		tree, err := redfishtest.Load(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = tree
	}
	return out
}

// TestRecordedTrees scrapes every recorded service and compares what is found with what the
// tree holds, read without the exporter.
func TestRecordedTrees(t *testing.T) {
	for name, tree := range trees(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkTree(t, tree)
		})
	}
}

// TestRecordedVariants does the same with small recordings of parts of a service, healthy
// and faulty. In each folder the files of one variant begin with its name.
func TestRecordedVariants(t *testing.T) {
	dir := testdata.Dir(t, "redfish")
	variants := map[string]map[string]any{}
	for _, archive := range []string{"linuxfabrik.tar.gz", "lambdalabs.tar.gz"} {
		files, err := redfishtest.Files(filepath.Join(dir, archive))
		if err != nil {
			t.Fatal(err)
		}
		resource := regexp.MustCompile(`^(.*)-(?:systems?|storages?|drive-\d+|volumes|volume-\d+|processors|cpu-\d+|managers?|ethernetinterfaces|nic-\d+|firmwareinventory|firmware-\d+)\.json$`)
		for name, raw := range files {
			variant, _, ok := strings.Cut(name, "/redfish/v1/")
			if m := resource.FindStringSubmatch(name); m != nil {
				variant, ok = m[1], true
			}
			if !ok {
				continue
			}
			if variants[variant] == nil {
				variants[variant] = map[string]any{}
			}
			redfishtest.Add(variants[variant], strings.TrimPrefix(name, variant+"/redfish/v1/"), raw)
		}
	}
	if len(variants) < 20 {
		t.Fatalf("%d variants", len(variants))
	}
	for name, tree := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Some hold one collection; the service says where it is.
			top := map[string]any{"@odata.id": rootPath, "RedfishVersion": "1.9.0", "UpdateService": map[string]any{"@odata.id": rootPath + "/UpdateService"}}
			for _, key := range []string{"Systems", "Chassis", "Managers"} {
				top[key] = map[string]any{"@odata.id": rootPath + "/" + key}
			}
			if tree[rootPath] == nil {
				tree[rootPath] = top
			}
			if tree[rootPath+"/UpdateService"] == nil {
				tree[rootPath+"/UpdateService"] = map[string]any{"FirmwareInventory": map[string]any{"@odata.id": rootPath + "/UpdateService/FirmwareInventory"}}
			}
			checkTree(t, tree)
		})
	}
}

// TestRecordedAnswers serves single answers, broken ones too, as the service's only content
// below the root: what they hold must be found, and nothing may panic.
func TestRecordedAnswers(t *testing.T) {
	dir := testdata.Dir(t, "redfish")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "telegraf_dell", "*.json"))
	if err != nil || len(files) == 0 || len(more) == 0 {
		t.Fatalf("%d and %d answers, %v", len(files), len(more), err)
	}
	for _, file := range append(files, more...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			n, bad := decode(raw)
			kind, _, _ := strings.Cut(strings.TrimPrefix(textOf(n.m["@odata.type"]), "#"), ".")
			if bad != nil { // dell_thermalinvalid.json
				kind = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "dell_"), "invalid.json")
			}
			at, known := map[string]string{
				"ServiceRoot": "", "ComputerSystemCollection": "/Systems", "ComputerSystem": "/Systems/0", "systems": "/Systems/0", "Manager": "/Managers/0",
				"Chassis": "/Chassis/0", "chassis": "/Chassis/0", "Power": "/Chassis/0/Power", "power": "/Chassis/0/Power", "Thermal": "/Chassis/0/Thermal", "thermal": "/Chassis/0/Thermal",
				"PCIeDevice": "/Chassis/0/PCIeDevices/0", "MemoryCollection": "/Systems/0/Memory", "Memory": "/Systems/0/Memory/3",
				"ProcessorCollection": "/Systems/0/Processors", "Processor": "/Systems/0/Processors/0", "StorageCollection": "/Systems/0/Storage",
				"Storage": "/Systems/0/Storage/0", "Drive": "/Systems/0/Storage/0/Drives/3", "Volume": "/Systems/0/Storage/0/Volumes/0",
			}[kind]
			if !known {
				t.Skipf("the generated server has no place for a %s", kind)
			}
			svc := &redfishtest.Service{Tree: redfishtest.Full(), Open: true}
			svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.TrimPrefix(strings.TrimRight(r.URL.Path, "/"), rootPath) != at {
					return false
				}
				_, _ = w.Write(raw)
				return true
			}
			web := serve(t, svc)
			text := scrapeText(t, newDriver(t, nil), web, 20*time.Second)
			f := families(t, text)
			if _, ok := value(f, "redfish_up"); !ok || strings.Contains(text, `reason="panic"`) {
				t.Errorf("no probe:\n%s", grep(text, "failure"))
			}
			if _, failed := value(f, "collector_failure_info", "reason", "protocol"); bad != nil {
				if !failed {
					t.Errorf("a broken answer counts as success:\n%s", grep(text, "failure"))
				}
				return
			}
			id, err := clean(n.id(), "")
			if kind == "Power" || kind == "Thermal" || err != nil {
				id = rootPath + at // parts of an array are known by where it was found
			}
			holds{f, nil}.check(t, id, n)
		})
	}
}

// checkTree scrapes a service and compares.
func checkTree(t *testing.T, tree map[string]any) {
	t.Helper()
	svc := &redfishtest.Service{Tree: tree}
	web := serve(t, svc)
	text := scrapeText(t, newDriver(t, nil), web, 2*time.Minute)
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
	values, parts := 0, 0
	for path := range reachable(tree) {
		n := Node{m: tree[path].(map[string]any)}
		if missing(n) {
			continue
		}
		if got := (holds{f, tree}).check(t, path, n); got > 0 {
			values += got
			parts++
		}
	}
	t.Logf("%d requests, %d samples; %d values of %d resources found", svc.Stats().Requests, strings.Count(text, "\n"), values, parts)
	for _, m := range f["redfish_unparsed_values"].GetMetric() {
		if v := m.GetGauge().GetValue(); v > 0 {
			t.Logf("unparsed: %v in %v", v, m.GetLabel())
		}
	}
}
