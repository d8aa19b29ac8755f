package collect

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

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

// BenchmarkWarmProbe is the same through the frame, with the exposition written.
func BenchmarkWarmProbe(b *testing.B) {
	addr := ipmitest.Sim(b, "../testdata/bmc-a.emu")
	d := newDriver(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		p := &exporter.Probe{Target: addr, Auth: adminCredential(), Log: slog.New(slog.DiscardHandler)}
		if err := exporter.ProbeOnce(b.Context(), keep{d}, Namespace, p, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkManyTargets scrapes 500 BMCs of 47 sensors in turn, sessions kept, and reports
// what a target costs. The BMC runs in the same process: its share of the CPU is included.
func BenchmarkManyTargets(b *testing.B) {
	const targets = 500
	sdrs, sensors := ipmitest.LoadSDRs(b, "../testdata/bmc-a.emu"), map[[2]byte][]byte{}
	for n := range 48 {
		sensors[[2]byte{0, byte(n)}] = []byte{100, 0xc0, 0}
	}
	for i, r := range sdrs {
		binary.LittleEndian.PutUint16(r, uint16(i))
	}
	addrs := make([]string, targets)
	for i := range addrs {
		addrs[i] = (&ipmitest.BMC{SDRs: sdrs, Sensors: sensors}).Start(b)
	}
	d := newDriver(b, Config{SessionIdle: model.Duration(time.Hour)})
	round := func() {
		for _, addr := range addrs {
			scrapeOnce(b, d, &exporter.Probe{Target: addr, Auth: adminCredential(), Log: slog.New(slog.DiscardHandler), Trace: exporter.NewTrace(false)})
		}
	}
	before := heap()
	round()
	kept := float64(heap()-before) / 1e6 / targets
	for b.Loop() {
		round()
	}
	b.ReportMetric(kept, "MB/target")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/targets, "ms/scrape")
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
