package redfish

import (
	"context"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// full checks that a scrape of the generated server is complete where it must always be.
func full(t testing.TB, text string) {
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

// fullServers are the ways in which a service offers a full server.
var fullServers = []struct {
	name     string
	levels   int // of $expand
	requests int // that a cold scrape may take
}{
	{"expand one level", 1, 30},
	{"expand many levels", 6, 30},
	{"expand refused", 0, 90},
}

func fullService(levels int) *redfishtest.Service {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 200 * time.Millisecond}
	svc.OfferExpand(levels)
	return svc
}

// TestFullServer holds requests and sessions of a full server; BenchmarkFullServer its time.
func TestFullServer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, tc := range fullServers {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			svc := fullService(tc.levels)
			web := serve(t, svc)
			d := newDriver(t, nil)
			d.budget = budget{slowFree, healthFree}
			full(t, scrapeText(t, d, web, 20*time.Second))
			st := svc.Stats()
			if st.Requests > tc.requests || st.Peak > 5 {
				t.Errorf("%d requests (limit %d), %d at a time (limit 4 and a login)", st.Requests, tc.requests, st.Peak)
			}
			svc.Reset()
			full(t, scrapeText(t, d, web, 20*time.Second))
			if again := svc.Stats(); again.MadeSession != st.MadeSession || again.Sessions != 1 {
				t.Errorf("the second scrape made %d sessions, %d open; want 0 and 1", again.MadeSession-st.MadeSession, again.Sessions)
			}
			if err := d.Close(context.Background()); err != nil {
				t.Error(err)
			}
			if n := svc.Stats().Sessions; n != 0 {
				t.Errorf("%d sessions left after Close", n)
			}
		})
	}
}

// BenchmarkFullServer times the first scrapes of a target at 200 ms a request. The bars: 2 s
// and 30 requests where $expand is offered, 5 s where it is refused.
func BenchmarkFullServer(b *testing.B) {
	for _, tc := range fullServers {
		b.Run(tc.name, func(b *testing.B) {
			svc := fullService(tc.levels)
			web := serve(b, svc)
			timed := func(d *Driver) (seconds, requests float64) {
				svc.Reset()
				start := time.Now()
				full(b, scrapeText(b, d, web, 20*time.Second))
				return time.Since(start).Seconds(), float64(svc.Stats().Requests)
			}
			for b.Loop() {
				d := newDriver(b, nil)
				d.budget = budget{slowFree, healthFree}
				for _, scrape := range []string{"first", "second", "third"} {
					seconds, requests := timed(d)
					b.ReportMetric(seconds, "s-"+scrape)
					b.ReportMetric(requests, "requests-"+scrape)
				}
				if err := d.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
