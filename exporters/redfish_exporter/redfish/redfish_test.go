package redfish

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Tests here wait for slow services more than they compute; fuzzing does not.
	if flag.Lookup("test.fuzz").Value.String() == "" {
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err)
		}
	}
	// net/http's server waits half a second after it has refused a body that is too large.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func credential() exporter.Credential {
	return exporter.Credential{Name: "test", Username: redfishtest.User, Password: redfishtest.Password}
}

// newDriver makes a driver whose default module trusts the test's certificate.
func newDriver(t testing.TB, change func(*Config)) *Driver {
	t.Helper()
	return newShippingDriver(t, nil, change)
}

// newShippingDriver is newDriver with a log store.
func newShippingDriver(t testing.TB, store eventlog.Store, change func(*Config)) *Driver {
	t.Helper()
	m := &Module{}
	m.TLS.InsecureSkipVerify = true
	conf := Config{Modules: map[string]*Module{"default": m}}
	if change != nil {
		change(&conf)
	}
	if err := conf.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := New(conf, quiet(), prometheus.NewRegistry(), store)
	if err != nil {
		t.Fatal(err)
	}
	d.budget = unlimited() // however slow the machine, everything at once
	t.Cleanup(func() {
		if err := d.Close(context.Background()); err != nil {
			t.Logf("close: %v", err)
		}
	})
	return d
}

// keep stops ProbeOnce from closing the driver, so that a test can scrape again.
type keep struct{ *Driver }

func (keep) Close(context.Context) error { return nil }

// scrapeText scrapes a service once and returns the exposition.
func scrapeText(t testing.TB, d *Driver, web *httptest.Server, limit time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out bytes.Buffer
	err := exporter.ProbeOnce(ctx, keep{d}, "redfish", &exporter.Probe{Target: web.URL, Auth: credential(), Log: quiet()}, &out)
	if err != nil && !errors.Is(err, exporter.ErrDown) {
		t.Fatal(err)
	}
	return out.String()
}

// families parses an exposition; that it parses is part of every test.
func families(t testing.TB, text string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	f, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("exposition does not parse: %v", err)
	}
	return f
}

// matching are the samples of a family whose labels include those given.
func matching(f map[string]*dto.MetricFamily, name string, labels []string) (out []*dto.Metric) {
	for _, m := range f[name].GetMetric() {
		have, match := labelsOf(m), true
		for i := 0; i < len(labels); i += 2 {
			match = match && have[labels[i]] == labels[i+1]
		}
		if match {
			out = append(out, m)
		}
	}
	return out
}

// value is the first of them.
func value(f map[string]*dto.MetricFamily, name string, labels ...string) (float64, bool) {
	for _, m := range matching(f, name, labels) {
		return m.GetGauge().GetValue() + m.GetCounter().GetValue(), true
	}
	return 0, false
}

// count is how many they are.
func count(f map[string]*dto.MetricFamily, name string, labels ...string) int {
	return len(matching(f, name, labels))
}

// serve starts a service and ends it with the test.
func serve(t testing.TB, s *redfishtest.Service) *httptest.Server {
	t.Helper()
	web := s.Start()
	t.Cleanup(web.Close)
	return web
}
