package redfish

import (
	"fmt"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// sensorTree is a service with n sensors and, when reported, a metric report of all.
func sensorTree(n int, reported bool, at time.Time) map[string]any {
	t := redfishtest.Full()
	chassis := t["/redfish/v1/Chassis/0"].(map[string]any)
	delete(chassis, "Thermal")
	delete(chassis, "Power")
	base := "/redfish/v1/Chassis/0/Sensors"
	chassis["Sensors"] = map[string]any{"@odata.id": base}
	refs, values := []any{}, []any{}
	for i := range n {
		p := fmt.Sprintf("%s/T%d", base, i)
		t[p] = map[string]any{
			"@odata.id": p, "Id": fmt.Sprintf("T%d", i), "Name": fmt.Sprintf("Temp %d", i), "ReadingType": "Temperature",
			"ReadingUnits": "Cel", "Reading": 20.0, "Status": map[string]any{"Health": "OK", "State": "Enabled"},
		}
		refs = append(refs, map[string]any{"@odata.id": p})
		values = append(values, map[string]any{"MetricProperty": p + "#/Reading", "MetricValue": fmt.Sprint(30 + i), "Timestamp": at.Format(time.RFC3339)})
	}
	t[base] = map[string]any{"@odata.id": base, "Members": refs}
	if reported {
		root := t["/redfish/v1"].(map[string]any)
		root["TelemetryService"] = map[string]any{"@odata.id": "/redfish/v1/TelemetryService"}
		reports := "/redfish/v1/TelemetryService/MetricReports"
		t["/redfish/v1/TelemetryService"] = map[string]any{"@odata.id": "/redfish/v1/TelemetryService", "MetricReports": map[string]any{"@odata.id": reports}}
		t[reports] = map[string]any{"@odata.id": reports, "Members": []any{map[string]any{"@odata.id": reports + "/Platform"}}}
		t[reports+"/Platform"] = map[string]any{"@odata.id": reports + "/Platform", "Id": "Platform", "MetricValues": values}
	}
	return t
}

// TestMetricReports: from the second scrape on one report answers for all sensors.
func TestMetricReports(t *testing.T) {
	for _, tc := range []struct {
		name     string
		reported bool
		at       time.Time
		want     float64 // second scrape, sensor 5
		fewer    bool
	}{
		{"no telemetry", false, time.Now(), 20, false},
		{"report", true, time.Now(), 35, true},
		{"stale report", true, time.Now().Add(-time.Hour), 20, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			svc := &redfishtest.Service{Tree: sensorTree(60, tc.reported, tc.at)}
			web := serve(t, svc)
			d := newDriver(t, func(c *Config) { c.Modules["default"].Collectors = []string{"sensors"} })
			first := families(t, scrapeText(t, d, web, 10*time.Second))
			if n := count(first, "hw_temperature_celsius"); n != 60 {
				t.Errorf("first scrape: %d sensors, want 60", n)
			}
			svc.Reset()
			second := families(t, scrapeText(t, d, web, 10*time.Second))
			if n := count(second, "hw_temperature_celsius"); n != 60 {
				t.Errorf("second scrape: %d sensors, want 60", n)
			}
			if v, _ := value(second, "hw_temperature_celsius", "hw_name", "Temp 5"); v != tc.want {
				t.Errorf("second scrape: sensor 5 reads %v, want %v", v, tc.want)
			}
			if n := svc.Stats().Requests; (n < 20) != tc.fewer {
				t.Errorf("second scrape: %d requests", n)
			}
		})
	}
}
