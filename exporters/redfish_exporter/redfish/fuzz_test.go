package redfish

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/exporter"
)

// FuzzResource answers every request with the same bytes: whatever a BMC says, the probe
// ends, its exposition parses and no collector panics.
func FuzzResource(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `null`, `{"Members":[{"@odata.id":"/redfish/v1/Systems/1"}]}`,
		`{"@odata.id":"/a","@odata.type":"#X","Status":{"Health":"OK"},"Systems":{"@odata.id":"/s"},"Thermal":{"@odata.id":"/t"}}`,
		`{"Temperatures":[{"ReadingCelsius":"12"},{"ReadingCelsius":{}}],"Fans":[{"Reading":5,"ReadingUnits":"Percent"}],"Thermal":{"@odata.id":"/t"},"Members":[{"@odata.id":"/1"}]}`,
		`{"Members":[{"@odata.id":"/1","@odata.type":"#C","Sensors":{"@odata.id":"/s"},"Reading":1,"ReadingType":"Temperature","ReadingUnits":"[degF]"}]}`,
		`{"Members":[{"@odata.id":"/1"}],"Memory":{"@odata.id":"/m"},"CapacityMiB":"x","LifeTime":{"CorrectableECCErrorCount":1e999},"Metrics":{"@odata.id":"/q"}}`,
		`{"Members":[{"@odata.id":"/1"}],"Members@odata.nextLink":"/2","Oem":{"Hpe":{"Links":{"SmartStorage":"/x"}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
		defer web.Close()
		d := newDriver(t, func(c *Config) { c.Modules["default"].Collectors = collectorNames() })
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		var out bytes.Buffer
		_ = exporter.ProbeOnce(ctx, d, "redfish", &exporter.Probe{Target: web.URL, Log: quiet()}, &out)
		p := expfmt.NewTextParser(model.UTF8Validation)
		if _, err := p.TextToMetricFamilies(strings.NewReader(out.String())); err != nil {
			t.Fatalf("exposition does not parse: %v", err)
		}
		if strings.Contains(out.String(), `reason="panic"`) {
			t.Fatalf("panic:\n%s", out.String())
		}
	})
}

// FuzzDuration compares the ISO 8601 reader with what it must hold of any text.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"PT1M", "P3DT2H10M5.5S", "P1W", "PT", "P", "", "PT1.5.5S", "P-1D", "PT1e9S"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := isoSeconds(s); ok && (v < 0 || !strings.HasPrefix(s, "P") || v != v) {
			t.Fatalf("%q gives %v", s, v)
		}
	})
}

func TestISOSeconds(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want float64
		ok   bool
	}{
		{"PT23H59M34.5S", 86374.5, true},
		{"P1DT1S", 86401, true},
		{"P2W", 1209600, true},
		{"PT0S", 0, true},
		{"P1M", 0, false},
		{"P1Y", 0, false},
		{"PT5", 0, false},
		{"PS", 0, false},
		{"5S", 0, false},
		{"P", 0, false},
	} {
		if got, ok := isoSeconds(tc.in); got != tc.want || ok != tc.ok {
			t.Errorf("%s: %v %v, want %v %v", tc.in, got, ok, tc.want, tc.ok)
		}
	}
}
