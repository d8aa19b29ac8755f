package demo

import (
	"math"
	"time"
)

// Names of the recorded series, as rules/node.yml makes them from node metrics.
const (
	recCPU  = "instance:node_cpu_utilisation:ratio"
	recMem  = "instance:node_memory_used:ratio"
	recFS   = "instance_mountpoint:node_filesystem_used:ratio"
	recDisk = "instance_device:node_disk_io_utilisation:ratio"
	recRx   = "instance_device:node_network_receive_bytes:rate5m"
	recTx   = "instance_device:node_network_transmit_bytes:rate5m"
)

// signal is one recorded series of one host as a function of time.
type signal struct {
	metric     string
	host       string
	label      string // "mountpoint", "device" or "" when the series is the host's own
	labelValue string
	value      func(days float64, t time.Time) float64 // days from the fleet's start of life; negative is the past
	max        float64                                 // physical bound
	noise      float64                                 // relative, of smooth hourly noise
}

// gap is a time in which a host was not scraped.
type gap struct {
	host     string
	from, to float64 // days before the start
}

// Fleet is the demo's set of hosts.
type Fleet struct {
	seed    uint64
	start   time.Time
	signals []signal
	gaps    []gap
	live    *live
}

// daily is 0 at night and 1 in the early afternoon.
func daily(t time.Time) float64 {
	h := float64(t.Unix()%86400) / 3600
	return 0.5 - 0.5*math.Cos((h-3)/24*2*math.Pi)
}

// weekly is lower at the weekend.
func weekly(t time.Time) float64 {
	if d := t.UTC().Weekday(); d == time.Saturday || d == time.Sunday {
		return 0.55
	}
	return 1
}

// load is an office-hours curve between lo and hi.
func load(lo, hi float64) func(float64, time.Time) float64 {
	return func(_ float64, t time.Time) float64 { return lo + (hi-lo)*daily(t)*weekly(t) }
}

// grow is now at the start and grows by perDay.
func grow(now, perDay float64) func(float64, time.Time) float64 {
	return func(d float64, _ time.Time) float64 { return now + perDay*d }
}

// filling grows slowly until 16 days ago and then by fast a day, so that it is full, at 1,
// daysLeft from the start.
func filling(daysLeft, fast, slow float64) func(float64, time.Time) float64 {
	now := 1 - daysLeft*fast
	return func(d float64, _ time.Time) float64 {
		if d < -16 {
			return now - 16*fast + (d+16)*slow
		}
		return min(now+d*fast, 1)
	}
}

// leak grows by perDay from base and falls back at each restart (days before the start).
func leak(base, perDay float64, restarts ...float64) func(float64, time.Time) float64 {
	return func(d float64, t time.Time) float64 {
		since := d + 31
		for _, r := range restarts {
			if d >= -r {
				since = d + r
			}
		}
		return min(base+perDay*since+0.02*daily(t), 0.99)
	}
}

// cleaned fills from lo to hi in the course of a week and is emptied on Sunday at 02:00 UTC.
func cleaned(lo, hi float64) func(float64, time.Time) float64 {
	const week = 7 * 86400
	return func(_ float64, t time.Time) float64 {
		// 1970-01-04 was a Sunday.
		s := math.Mod(float64(t.Unix())-3*86400-2*3600, week) / week
		return lo + (hi-lo)*s
	}
}

// nightly is a batch that runs from 01:00 to 04:00 UTC.
func nightly(idle, busy float64) func(float64, time.Time) float64 {
	return func(_ float64, t time.Time) float64 {
		if h := t.UTC().Hour(); h >= 1 && h < 4 {
			return busy
		}
		return idle
	}
}

// NewFleet describes the fleet as it is at start.
func NewFleet(seed uint64, start time.Time) *Fleet {
	f := &Fleet{seed: seed, start: start.Truncate(5 * time.Minute)}
	f.web("web-1", 0.42, 0.78)
	f.web("web-2", 0.38, 0.72)
	f.host("db-1", load(0.20, 0.55), grow(0.71, 0.0005), 0.05)
	f.fs("db-1", "/", grow(0.34, 0.0004))
	f.fs("db-1", "/var/lib/postgresql", filling(9, 0.019, 0.004))
	f.io("db-1", load(0.10, 0.45), load(3e6, 14e6), load(6e6, 30e6))
	f.host("cache-1", load(0.08, 0.22), leak(0.36, 0.048, 21, 9.5), 0.01)
	f.fs("cache-1", "/", grow(0.21, 0.0002))
	f.io("cache-1", load(0.01, 0.03), load(8e6, 40e6), load(9e6, 44e6))
	f.host("batch-1", nightly(0.06, 0.88), nightly(0.30, 0.62), 0.04)
	f.fs("batch-1", "/", grow(0.55, 0.001))
	f.fs("batch-1", "/scratch", cleaned(0.18, 0.81))
	f.io("batch-1", nightly(0.03, 0.70), nightly(4e5, 60e6), nightly(3e5, 20e6))
	f.gaps = []gap{{"web-2", 11.3, 11.1}, {"db-1", 3.4, 3.37}, {"batch-1", 22.0, 21.2}}
	f.live = newLive(f)
	return f
}

func (f *Fleet) web(host string, disk, peak float64) {
	f.host(host, load(0.08, peak), load(0.46, 0.58), 0.06)
	f.fs(host, "/", grow(disk, 0.0008))
	f.fs(host, "/var/log", cleaned(0.12, 0.36))
	f.io(host, load(0.02, 0.09), load(5e5, 9e6), load(2e6, 48e6))
}

func (f *Fleet) host(name string, cpu, mem func(float64, time.Time) float64, noise float64) {
	f.signals = append(f.signals,
		signal{metric: recCPU, host: name, value: cpu, max: 1, noise: noise},
		signal{metric: recMem, host: name, value: mem, max: 1, noise: noise / 6})
}

func (f *Fleet) fs(host, mount string, v func(float64, time.Time) float64) {
	f.signals = append(f.signals, signal{metric: recFS, host: host, label: "mountpoint", labelValue: mount, value: v, max: 1, noise: 0.001})
}

func (f *Fleet) io(host string, disk, rx, tx func(float64, time.Time) float64) {
	f.signals = append(f.signals,
		signal{metric: recDisk, host: host, label: "device", labelValue: "nvme0n1", value: disk, max: 1, noise: 0.10},
		signal{metric: recRx, host: host, label: "device", labelValue: "eth0", value: rx, max: 1.25e9, noise: 0.10},
		signal{metric: recTx, host: host, label: "device", labelValue: "eth0", value: tx, max: 1.25e9, noise: 0.10})
}

// at is the value of s at t: its curve with smooth hourly noise and a little of each minute's.
func (f *Fleet) at(s signal, t time.Time) float64 {
	id := name64(s.metric + s.host + s.labelValue)
	hour := t.Unix() / 3600
	frac := float64(t.Unix()%3600) / 3600
	a, b := f.gauss(id, uint64(hour)), f.gauss(id, uint64(hour+1))
	smooth := a + (b-a)*(3-2*frac)*frac*frac
	fine := f.gauss(id, uint64(t.Unix()/60)|1<<62)
	v := s.value(t.Sub(f.start).Hours()/24, t) * (1 + s.noise*(smooth+0.3*fine))
	return min(max(v, 0), s.max)
}

// gauss is close enough to normal (Irwin-Hall of four), mean 0 and variance 1.
func (f *Fleet) gauss(parts ...uint64) float64 {
	var sum float64
	for i := range uint64(4) {
		sum += unit(hash(f.seed, append(parts, i)...))
	}
	return (sum - 2) * math.Sqrt(3)
}

func (f *Fleet) missing(host string, t time.Time) bool {
	ago := f.start.Sub(t).Hours() / 24
	for _, g := range f.gaps {
		if g.host == host && ago <= g.from && ago >= g.to {
			return true
		}
	}
	return false
}
