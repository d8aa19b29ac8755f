package redfish

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// full checks that a scrape of the generated server is complete where it must always be.
func full(t *testing.T, text string) {
	t.Helper()
	f := families(t, text)
	for _, tc := range []struct {
		want   int
		name   string
		labels []string
	}{
		{24, "hw_physical_disk_size_bytes", nil},
		{24, "hw_status", []string{"hw_type", "physical_disk", "state", "ok"}},
		{32, "hw_memory_size_bytes", []string{"hw_type", "memory"}},
		{2, "hw_cpu_cores", nil},
		{10, "hw_temperature_celsius", nil},
		{8, "hw_fan_speed_rpm", nil},
		{2, "hw_power_supply_input_watts", nil},
		{12, "hw_voltage_volts", nil},
		{2, "hw_logical_disk_size_bytes", nil},
	} {
		if n := count(f, tc.name, tc.labels...); n != tc.want {
			t.Errorf("%s%v: %d series, want %d", tc.name, tc.labels, n, tc.want)
		}
	}
	if v, _ := value(f, "hw_status", "hw_name", "Disk 1:11", "state", "predicted_failure"); v != 1 {
		t.Error("the drive that announces its failure does not show it")
	}
	for _, c := range collectorNames() {
		if v, ok := value(f, "collector_success", "collector", c); ok && v != 1 {
			t.Errorf("collector %s failed", c)
		}
	}
}

// TestFullServerBars holds the time and the requests of a full server at 200 ms a request.
func TestFullServerBars(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, tc := range []struct {
		name     string
		levels   int
		limit    time.Duration
		requests int
	}{
		{"expand one level", 1, 2 * time.Second, 30},
		{"expand many levels", 6, 2 * time.Second, 30},
		{"expand refused", 0, 5 * time.Second, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 200 * time.Millisecond}
			svc.OfferExpand(tc.levels)
			web := serve(t, svc)
			var d *Driver
			var st redfishtest.Stats
			// Time on a shared machine: the best of three counts.
			for try := range 3 {
				svc.Reset()
				d = newDriver(t, nil)
				d.slowFree = slowFree
				start := time.Now()
				text := scrapeText(t, d, web, 10*time.Second)
				took := time.Since(start)
				st = svc.Stats()
				t.Logf("cold: %s, %d requests, %d at a time", took.Round(time.Millisecond), st.Requests, st.Peak)
				full(t, text)
				if st.Requests > tc.requests || st.Peak > 5 {
					t.Errorf("%d requests (limit %d), %d at a time (limit 4 and a login)", st.Requests, tc.requests, st.Peak)
				}
				if took <= slowdown*tc.limit {
					break
				}
				if try == 2 {
					t.Errorf("cold scrape took %s, limit %s", took, tc.limit)
				}
				if err := d.Close(context.Background()); err != nil {
					t.Error(err)
				}
			}
			made := svc.Stats().MadeSession
			svc.Reset()
			start := time.Now()
			full(t, scrapeText(t, d, web, 10*time.Second))
			t.Logf("warm: %s, %d requests", time.Since(start).Round(time.Millisecond), svc.Stats().Requests)
			if st := svc.Stats(); st.MadeSession != made || st.Sessions != 1 {
				t.Errorf("the second scrape made %d sessions, %d open; want 0 and 1", st.MadeSession-made, st.Sessions)
			}
			if err := d.Close(context.Background()); err != nil {
				t.Error(err)
			}
			if n := svc.Stats().Sessions; n != 0 {
				t.Errorf("%d sessions left after Close", n)
			}
			if os.Getenv("REDFISH_SHOW") != "" {
				for _, p := range st.Paths {
					fmt.Println(p)
				}
			}
		})
	}
}
