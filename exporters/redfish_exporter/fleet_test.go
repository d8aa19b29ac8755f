package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// BenchmarkFleet500 runs the real binary against 500 targets, two rounds, and reports what
// one process needs when each is scraped once a minute: cores and megabytes of that process.
func BenchmarkFleet500(b *testing.B) {
	b.Run("expand", func(b *testing.B) { benchmarkFleet(b, 1) })
	b.Run("plain", func(b *testing.B) { benchmarkFleet(b, 0) })
}

func benchmarkFleet(b *testing.B, levels int) {
	const targets = 500
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Open: true}
	svc.OfferExpand(levels)
	// Every address of 127.0.0.0/8 is this machine: one listener is all BMCs.
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		b.Fatal(err)
	}
	handler := svc.Start()
	defer handler.Close()
	web := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler.Config.Handler}}
	web.StartTLS()
	defer web.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	e := serveExporter(b, "modules: {default: {tls_config: {insecure_skip_verify: true}}}\n")
	round := func() {
		var wg sync.WaitGroup
		next := make(chan int)
		for range 16 {
			wg.Go(func() {
				for i := range next {
					text := e.probe(b, fmt.Sprintf("127.0.%d.%d:%s", 1+i/250, 1+i%250, port))
					if !strings.Contains(text, "redfish_up 1") {
						b.Errorf("target %d is down", i)
					}
				}
			})
		}
		for i := range targets {
			next <- i
		}
		close(next)
		wg.Wait()
	}
	round() // connections, structure
	for b.Loop() {
		before := cpuSeconds(b, e.cmd.Process.Pid)
		round()
		spent := cpuSeconds(b, e.cmd.Process.Pid) - before
		b.ReportMetric(spent/60, "cores-at-60s")
		b.ReportMetric(spent/targets*1000, "CPU-ms/scrape")
		b.ReportMetric(residentMB(b, e.cmd.Process.Pid), "MB-resident")
	}
}

// cpuSeconds reads user and system time of a process.
func cpuSeconds(b *testing.B, pid int) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	ticks := 0.0
	for _, f := range fields[11:13] {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += v
	}
	return ticks / 100 // USER_HZ
}

func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	pages, err := strconv.ParseFloat(strings.Fields(string(raw))[1], 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize()) / 1e6
}
