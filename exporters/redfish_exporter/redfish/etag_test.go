package redfish

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/exporter"
)

// TestETag: a slow-changing resource that has not changed is not sent again.
func TestETag(t *testing.T) {
	const path = "/redfish/v1/Systems/0/Memory/1/MemoryMetrics"
	sent, unchanged := 0, 0
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		w.Header().Set("ETag", `W/"7"`)
		if r.Header.Get("If-None-Match") == `W/"7"` {
			unchanged++
			w.WriteHeader(http.StatusNotModified)
			return true
		}
		sent++
		return false
	}
	web := serve(t, svc)
	d := newDriver(t, nil)
	probe := &exporter.Probe{Target: web.URL, Auth: credential(), Log: quiet()}
	c, err := d.client(t.Context(), probe, d.conf.Modules["default"])
	if err != nil {
		t.Fatal(err)
	}
	defer d.release(c)
	for i, later := range []time.Duration{0, time.Minute, slowFor + time.Minute, slowFor + 2*time.Minute} {
		s := newScrape(c, d.conf.Modules["default"], probe, d.schema, budget{slowFree, healthFree})
		s.now = func() time.Time { return time.Now().Add(later) }
		n, _, err := s.get(t.Context(), path, slow)
		if err != nil || !n.has("LifeTime.CorrectableECCErrorCount") {
			t.Fatalf("read %d: %v %v", i, n.m, err)
		}
	}
	if sent != 1 || unchanged != 1 {
		t.Errorf("sent %d times, unchanged %d times; want 1 and 1: kept, asked again after %s, kept", sent, unchanged, slowFor)
	}
}

// TestSlowResourcesAreSpread: on a slow BMC each scrape reads a few more of the slow
// resources, until all are there.
func TestSlowResourcesAreSpread(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 12 * time.Millisecond}
	web := serve(t, svc)
	d := newDriver(t, func(c *Config) { c.Modules["default"].Concurrency = 1 })
	d.budget = budget{slowFree, healthFree}
	last := -1
	for range 4 {
		f := families(t, scrapeText(t, d, web, 20*time.Second))
		n := count(f, "hw_errors_total", "error_type", "correctable_ecc")
		left, _ := value(f, "redfish_deferred_resources", "collector", "memory")
		if n <= last && left > 0 || n+int(left) != 32 {
			t.Fatalf("%d counters after %d, %v deferred", n, last, left)
		}
		last = n
	}
	if last < 10 {
		t.Errorf("%d counters after 4 scrapes", last)
	}
}

// TestOldestIsRefreshedFirst: with more stale resources than a scrape reads, all get their turn.
func TestOldestIsRefreshedFirst(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	web := serve(t, svc)
	d := newDriver(t, nil)
	probe := &exporter.Probe{Target: web.URL, Auth: credential(), Log: quiet()}
	m := d.conf.Modules["default"]
	c, err := d.client(t.Context(), probe, m)
	if err != nil {
		t.Fatal(err)
	}
	defer d.release(c)
	path := func(i int) string { return fmt.Sprintf("/redfish/v1/Systems/0/Memory/%d/MemoryMetrics", i) }
	oldest := time.Duration(0)
	for minute := range 60 {
		s := newScrape(c, m, probe, d.schema, budget{slowFree, healthFree})
		s.now = func() time.Time { return time.Now().Add(time.Duration(minute) * 10 * time.Minute) }
		s.start = s.start.Add(-time.Hour) // the time for free reads is over
		oldest = 0
		for i := range 32 {
			if _, age, err := s.get(t.Context(), path(i), counters); err == nil {
				oldest = max(oldest, age)
			}
		}
	}
	// 32 resources, 3 a scrape, a scrape every 10 minutes.
	if limit := 130 * time.Minute; oldest > limit {
		t.Errorf("the oldest of 32 resources is %s old, want at most %s", oldest, limit)
	}
}
