package collect

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/exporter"
)

// scrapeOnce does what a probe does, without HTTP and encoding of the registry's part.
func scrapeOnce(tb testing.TB, d *Driver, p *exporter.Probe) (text string, metrics int) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
	defer cancel()
	dev, err := d.Open(ctx, p)
	if err != nil {
		tb.Fatal(err)
	}
	defer dev.Close()
	var out bytes.Buffer
	ch := make(chan prometheus.Metric, 10_000)
	for _, c := range dev.Collectors {
		if c.Write != nil {
			err = c.Write(ctx, &out)
		} else {
			err = c.Collect(ctx, ch)
		}
		if err != nil {
			tb.Errorf("collector %s: %v", c.Name, err)
		}
	}
	return out.String(), len(ch)
}

// BenchmarkWarmScrape is a scrape of 47 sensors in a kept session with cached SDRs.
func BenchmarkWarmScrape(b *testing.B) {
	addr := ipmitest.Sim(b, "../testdata/bmc-a.emu")
	d := newDriver(b, Config{})
	p := &exporter.Probe{Target: addr, Auth: adminCredential(), Log: slog.New(slog.DiscardHandler), Trace: exporter.NewTrace(false)}
	scrapeOnce(b, d, p)
	b.ReportAllocs()
	for b.Loop() {
		scrapeOnce(b, d, p)
	}
}
