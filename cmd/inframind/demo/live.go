package demo

import (
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sizes of the demo's hosts.
const (
	cpus     = 4
	memBytes = 16 << 30
	fsBytes  = 200 << 30
)

// live turns the fleet's curves into node_exporter's metrics. Counters are the integral of
// the curves since the start of the process.
type live struct {
	mu    sync.Mutex
	last  time.Time
	sums  []float64 // by signal: integral of its value over seconds
	fleet *Fleet
	now   func() time.Time
}

func newLive(f *Fleet) *live {
	return &live{fleet: f, sums: make([]float64, len(f.signals)), now: time.Now}
}

var (
	hostLabels = []string{"instance"}
	cpuLabels  = []string{"instance", "cpu", "mode"}
	fsLabels   = []string{"instance", "device", "fstype", "mountpoint"}
	devLabels  = []string{"instance", "device"}

	cpuDesc   = prometheus.NewDesc("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", cpuLabels, nil)
	memTotal  = prometheus.NewDesc("node_memory_MemTotal_bytes", "Memory information field MemTotal_bytes.", hostLabels, nil)
	memAvail  = prometheus.NewDesc("node_memory_MemAvailable_bytes", "Memory information field MemAvailable_bytes.", hostLabels, nil)
	fsSize    = prometheus.NewDesc("node_filesystem_size_bytes", "Filesystem size in bytes.", fsLabels, nil)
	fsAvail   = prometheus.NewDesc("node_filesystem_avail_bytes", "Filesystem space available to non-root users in bytes.", fsLabels, nil)
	ioTime    = prometheus.NewDesc("node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", devLabels, nil)
	rxBytes   = prometheus.NewDesc("node_network_receive_bytes_total", "Network device statistic receive_bytes.", devLabels, nil)
	txBytes   = prometheus.NewDesc("node_network_transmit_bytes_total", "Network device statistic transmit_bytes.", devLabels, nil)
	liveDescs = []*prometheus.Desc{cpuDesc, memTotal, memAvail, fsSize, fsAvail, ioTime, rxBytes, txBytes}
)

// Describe implements prometheus.Collector.
func (f *Fleet) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range liveDescs {
		ch <- d
	}
}

// Collect implements prometheus.Collector. Scrape it with honor_labels, so that the
// instance is the demo's host.
func (f *Fleet) Collect(ch chan<- prometheus.Metric) {
	l := f.live
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if !l.last.IsZero() {
		dt := now.Sub(l.last).Seconds()
		for i, s := range f.signals {
			l.sums[i] += dt * f.at(s, l.last.Add(now.Sub(l.last)/2))
		}
	}
	elapsed := now.Sub(f.start).Seconds()
	l.last = now
	for i, s := range f.signals {
		f.collect(ch, s, f.at(s, now), l.sums[i], elapsed)
	}
}

func (f *Fleet) collect(ch chan<- prometheus.Metric, s signal, v, sum, elapsed float64) {
	gauge := func(d *prometheus.Desc, v float64, lv ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, lv...)
	}
	counter := func(d *prometheus.Desc, v float64, lv ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, lv...)
	}
	switch s.metric {
	case recCPU:
		for c := range cpus {
			counter(cpuDesc, math.Max(elapsed-sum, 0), s.host, string(rune('0'+c)), "idle")
			counter(cpuDesc, sum, s.host, string(rune('0'+c)), "user")
		}
	case recMem:
		gauge(memTotal, memBytes, s.host)
		gauge(memAvail, math.Round(memBytes*(1-v)), s.host)
	case recFS:
		gauge(fsSize, fsBytes, s.host, "/dev/nvme0n1", "ext4", s.labelValue)
		gauge(fsAvail, math.Round(fsBytes*(1-v)), s.host, "/dev/nvme0n1", "ext4", s.labelValue)
	case recDisk:
		counter(ioTime, sum, s.host, s.labelValue)
	case recRx:
		counter(rxBytes, math.Round(sum), s.host, s.labelValue)
	case recTx:
		counter(txBytes, math.Round(sum), s.host, s.labelValue)
	}
}
