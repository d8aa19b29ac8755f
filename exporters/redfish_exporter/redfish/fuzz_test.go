package redfish

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
	d := newDriver(f, nil)
	m := &Module{Collectors: collectorNames(), Concurrency: 4}
	probe := &exporter.Probe{Target: "http://bmc", Log: quiet()}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := newClient(probe.Target, exporter.Credential{}, m, quiet(), func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = sameAnswer(body)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for range 2 { // the second scrape starts from what the first one left
			s := newScrape(c, m, probe, d.schema, unlimited())
			if s.open(ctx) == nil {
				checkFamilies(t, collectAll(ctx, s))
			}
			s.close()
		}
	})
}

// sameAnswer answers every request with the same bytes.
type sameAnswer []byte

func (b sameAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b))}, nil
}

// collectAll runs every collector over s.
func collectAll(ctx context.Context, s *scrape) []prometheus.Metric {
	ch, done := make(chan prometheus.Metric, 64), make(chan []prometheus.Metric)
	go func() {
		var all []prometheus.Metric
		for m := range ch {
			all = append(all, m)
		}
		done <- all
	}()
	for _, u := range collectors() {
		o := &sink{s: s, ch: ch}
		u.collect(ctx, o)
		o.close(u.name)
	}
	close(ch)
	return <-done
}

// checkFamilies: the exposition parses, and no sample is there twice.
func checkFamilies(t *testing.T, metrics []prometheus.Metric) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(metricList(metrics))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			t.Fatal(err)
		}
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := p.TextToMetricFamilies(&out); err != nil {
		t.Fatalf("exposition does not parse: %v", err)
	}
}

type metricList []prometheus.Metric

func (metricList) Describe(chan<- *prometheus.Desc) {}

func (l metricList) Collect(ch chan<- prometheus.Metric) {
	for _, m := range l {
		ch <- m
	}
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
