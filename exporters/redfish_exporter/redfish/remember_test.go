package redfish

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

const oneDrive = "/redfish/v1/Systems/0/Storage/1/Drives/5"

func setHealth(svc *redfishtest.Service, path, health string) {
	svc.Edit(func(tree map[string]any) {
		tree[path].(map[string]any)["Status"] = map[string]any{"State": "Enabled", "Health": health}
	})
}

// TestHealthTakesTurns: when there is no time for all drives, each is still read in one of
// the next scrapes, and what is shown meanwhile says how old it is.
func TestHealthTakesTurns(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 10 * time.Millisecond}
	web := serve(t, svc)
	d := newDriver(t, func(c *Config) { c.Modules["default"].Collectors = []string{"storage"} })
	d.budget = budget{slowFree, 40 * time.Millisecond}
	scrapeText(t, d, web, 10*time.Second)
	setHealth(svc, oneDrive, "Critical")
	read := map[string]bool{}
	found := 0
	for i := 0; i < 40 && (len(read) < 24 || found == 0); i++ {
		svc.Reset()
		f := families(t, scrapeText(t, d, web, 10*time.Second))
		if n := count(f, "hw_physical_disk_size_bytes"); n != 24 {
			t.Fatalf("scrape %d: %d drives", i, n)
		}
		asked := 0
		for _, p := range svc.Stats().Paths {
			if strings.Contains(p, "/Drives/") {
				read[p] = true
				asked++
			}
		}
		if age, ok := value(f, "redfish_data_age_seconds", "collector", "storage"); asked < 24 && (!ok || age <= 0) {
			t.Errorf("scrape %d read %d of 24 drives and shows an age of %v", i, asked, age)
		}
		if v, _ := value(f, "hw_status", "hw_name", "Disk 1:5", "state", "failed"); v == 1 && found == 0 {
			found = i + 1
		}
	}
	if len(read) != 24 || found == 0 {
		t.Errorf("%d of 24 drives were read again, the failed one was found in scrape %d", len(read), found)
	}
}

// TestCopiesHideNoFault: a drive that cannot be read any more is not shown from memory.
func TestCopiesHideNoFault(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	broken := false
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if broken && r.URL.Path == oneDrive {
			http.Error(w, "{}", http.StatusInternalServerError)
			return true
		}
		return false
	}
	web := serve(t, svc)
	d := newDriver(t, nil)
	d.budget = budget{slowFree, healthFree}
	full(t, scrapeText(t, d, web, 10*time.Second))
	broken = true
	f := families(t, scrapeText(t, d, web, 10*time.Second))
	if _, ok := value(f, "hw_status", "hw_name", "Disk 1:5"); ok {
		t.Error("a drive that answers HTTP 500 is shown as it was")
	}
	if v, _ := value(f, "collector_success", "collector", "storage"); v != 0 {
		t.Error("storage counts as success")
	}
}

// TestForeseen: the second scrape starts with what the first one found, and stops asking for
// what is gone.
func TestForeseen(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 20 * time.Millisecond}
	web := serve(t, svc)
	d := newDriver(t, nil)
	d.budget = budget{slowFree, healthFree}
	full(t, scrapeText(t, d, web, 10*time.Second))
	svc.Edit(func(tree map[string]any) {
		delete(tree, oneDrive)
		s := tree["/redfish/v1/Systems/0/Storage/1"].(map[string]any)
		s["Drives"] = slices.DeleteFunc(slices.Clone(s["Drives"].([]any)), func(v any) bool { return v.(map[string]any)["@odata.id"] == oneDrive })
	})
	asked := func() (at int) {
		svc.Reset()
		f := families(t, scrapeText(t, d, web, 10*time.Second))
		if n := count(f, "hw_physical_disk_size_bytes"); n != 23 {
			t.Errorf("%d drives, want 23", n)
		}
		for _, m := range f["collector_success"].GetMetric() {
			if m.GetGauge().GetValue() != 1 {
				t.Errorf("collector failed: %v", m.GetLabel())
			}
		}
		return slices.Index(svc.Stats().Paths, "GET "+oneDrive)
	}
	if at := asked(); at < 0 {
		t.Error("the second scrape did not foresee the drive")
	}
	if at := asked(); at >= 0 {
		t.Error("the third scrape asks for a drive that is gone")
	}
}

// TestExpandEnds: a service that stops to expand, after a scrape in which it did, costs
// requests but no metric.
func TestExpandEnds(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	svc.OfferExpand(1)
	ended := false
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if ended && r.URL.Query().Has("$expand") {
			http.Error(w, "{}", http.StatusInternalServerError)
			return true
		}
		return false
	}
	web := serve(t, svc)
	d := newDriver(t, nil)
	full(t, scrapeText(t, d, web, 20*time.Second))
	ended = true
	for range 3 {
		full(t, scrapeText(t, d, web, 20*time.Second))
	}
	svc.Reset()
	full(t, scrapeText(t, d, web, 20*time.Second))
	for _, p := range svc.Stats().Paths {
		if strings.Contains(p, "$expand") {
			t.Errorf("still asked: %s", p)
		}
	}
}

// TestDeadlineShowsCopies: a scrape with too little time shows what an earlier one read.
func TestDeadlineShowsCopies(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 20 * time.Millisecond}
	web := serve(t, svc)
	d := newDriver(t, nil)
	d.budget = budget{slowFree, healthFree}
	full(t, scrapeText(t, d, web, 10*time.Second))
	start := time.Now()
	text := scrapeText(t, d, web, 300*time.Millisecond)
	if took := time.Since(start); took > 800*time.Millisecond {
		t.Errorf("took %s", took)
	}
	f := families(t, text)
	if n := count(f, "hw_memory_size_bytes", "hw_type", "memory"); n != 32 {
		t.Errorf("%d DIMMs, want all 32:\n%s", n, grep(text, "collector_failure"))
	}
}

// TestSensorsTakeTurns: more sensors than a scrape has time for are all shown from the second
// scrape on, the oldest reading no older than a few scrapes.
func TestSensorsTakeTurns(t *testing.T) {
	svc := &redfishtest.Service{Tree: sensorTree(60, false, time.Now()), Delay: 50 * time.Millisecond}
	web := serve(t, svc)
	d := newDriver(t, func(c *Config) { c.Modules["default"].Collectors = []string{"sensors"} })
	if n := count(families(t, scrapeText(t, d, web, 20*time.Second)), "hw_temperature_celsius"); n != 60 {
		t.Fatalf("%d sensors with time enough", n)
	}
	read := map[string]bool{}
	for i := 0; i < 40 && len(read) < 60; i++ {
		svc.Reset()
		f := families(t, scrapeText(t, d, web, 600*time.Millisecond))
		if n := count(f, "hw_temperature_celsius"); n != 60 {
			t.Errorf("scrape %d: %d sensors, want 60", i, n)
		}
		for _, p := range svc.Stats().Paths {
			if strings.Contains(p, "/Sensors/T") {
				read[p] = true
			}
		}
	}
	if len(read) != 60 {
		t.Errorf("%d of 60 sensors were read again", len(read))
	}
}
