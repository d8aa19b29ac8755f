// Package scan finds sources that try many hosts (horizontal), many ports of one host
// (vertical), fast or slowly, with or without success, and hosts that many sources probe
// (distributed).
package scan

import (
	"fmt"
	"strconv"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Options are the thresholds. The zero value takes the defaults in brackets.
type Options struct {
	FastHosts  int `yaml:"fast_hosts"`  // hosts a source fails at within 10 minutes [10]
	SlowHosts  int `yaml:"slow_hosts"`  // and within a day [15]
	FastPorts  int `yaml:"fast_ports"`  // ports of one host within 10 minutes [15]
	SlowPorts  int `yaml:"slow_ports"`  // and within a day [20]
	Sources    int `yaml:"sources"`     // sources that probe one host within a day [20]
	SweepHosts int `yaml:"sweep_hosts"` // strangers on one port that answer within 10 minutes [40]
	SweepPorts int `yaml:"sweep_ports"` // ports of one host that answer within 10 minutes [30]
}

func (o Options) withDefaults() Options {
	for p, v := range map[*int]int{
		&o.FastHosts: 10, &o.SlowHosts: 15, &o.FastPorts: 15, &o.SlowPorts: 20, &o.Sources: 20, &o.SweepHosts: 40, &o.SweepPorts: 30,
	} {
		if *p <= 0 {
			*p = v
		}
	}
	return o
}

const (
	fast = 10 * time.Minute
	slow = 24 * time.Hour
	ring = 128 // remembered times of new targets
	bins = 256
)

// Fan is how many targets one source failed at.
type Fan struct {
	Start   int64 // Unix nanoseconds
	Failed  detect.Set
	Times   []int64 // of the last new targets
	Ports   detect.Set
	Worked  int    // of a target under distributed probing: the sources of the day before
	Service uint32 // protocol and port, or several
}

// several is the service of a Fan that tried more than one.
const several = 1 << 31

func service(c *zeek.Conn) uint32 { return uint32(c.Proto)<<16 | uint32(c.RespPort) }

// State is what the detector remembers.
type State struct {
	Start   int64                       // log time of the first record
	Reached detect.Cache[uint64, Reach] // by source and port, and by source and destination
	Hosts   detect.Cache[uint64, Fan]   // by source
	Ports   detect.Cache[uint64, Fan]   // by source and destination
	Targets detect.Cache[uint64, Fan]   // by destination
	Noise   Fan                         // of all hosts under distributed probing today
	Exposed detect.Set                  // those hosts
	Usual   [2][bins]int                // how many sources have failed at so many hosts, ports
	Book    detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the sources it remembers, and by half the places
// that answered them, which matter for minutes only.
func New(o Options, maxEntries int) *Detector {
	return &Detector{o: o.withDefaults(), s: State{
		Hosts: detect.NewCache[uint64, Fan](maxEntries), Ports: detect.NewCache[uint64, Fan](maxEntries),
		Targets: detect.NewCache[uint64, Fan](maxEntries), Reached: detect.NewCache[uint64, Reach](maxEntries / 2), Book: detect.NewBook("scan"),
	}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "scan" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector. Only first contacts count: talking to the same
// service again is no exploration.
func (d *Detector) Observe(e *detect.Event) float64 {
	if e.Conn == nil || !e.Evidence.First {
		return 0
	}
	c := e.Conn
	src, dst := evidence.Hash(c.Orig), evidence.Hash(c.Resp)
	if e.Evidence.Outcome == evidence.Worked {
		if f := d.s.Hosts.Get(src); f != nil {
			f.Worked++
		}
		if f := d.s.Ports.Get(evidence.Mix(src, dst)); f != nil {
			f.Worked++
		}
	}
	if e.Evidence.Outcome != evidence.Failed {
		return d.sweep(e, src, dst)
	}
	hosts := d.fan(&d.s.Hosts, src, c, dst, 0)
	ports := d.fan(&d.s.Ports, evidence.Mix(src, dst), c, uint64(service(c)), 1)
	hosts.Ports.Add(uint64(service(c)))
	probed, score := d.distributed(e, dst, src)
	horizontal, vertical := over(hosts, d.o.FastHosts, d.o.SlowHosts), over(ports, d.o.FastPorts, d.o.SlowPorts)
	if probed && !horizontal && !burst(ports, loud) {
		return score // one of the many that knock on this host: told once, there
	}
	if !horizontal && !vertical {
		return score
	}
	return d.tell(e, hosts, ports, horizontal, vertical)
}

// fan counts target for key and keeps the statistics of what is usual.
func (d *Detector) fan(in *detect.Cache[uint64, Fan], key uint64, c *zeek.Conn, target uint64, usual int) *Fan {
	f := in.At(key)
	if f.Start == 0 || time.Duration(c.Time-f.Start) > slow {
		*f = Fan{Start: c.Time, Service: service(c)}
	}
	if f.Service != service(c) {
		f.Service = several
	}
	n := f.Failed.Len()
	if !f.Failed.Add(target) {
		return f
	}
	h := &d.s.Usual[usual]
	if n > 0 && h[min(n, bins-1)] > 0 {
		h[min(n, bins-1)]--
	}
	h[min(n+1, bins-1)]++
	if len(f.Times) == ring {
		f.Times = append(f.Times[:0], f.Times[1:]...)
	}
	f.Times = append(f.Times, c.Time)
	return f
}

// loud is how many ports in 10 minutes set a source apart from the others that probe the
// same host all day.
const loud = 100

// over tells whether f reached one of its limits. A slow scan must fail more often than
// not; for a fast one a quarter is enough, as a sweep of web servers finds many.
func over(f *Fan, nFast, nSlow int) bool {
	n := f.Failed.Len()
	return n >= nSlow && n > f.Worked || n*3 >= f.Worked && burst(f, nFast)
}

// burst tells whether n targets were new within ten minutes.
func burst(f *Fan, n int) bool {
	t := f.Times
	return n <= ring && len(t) >= n && time.Duration(t[len(t)-1]-t[len(t)-n]) <= fast
}

// usual is the number of targets that 99 of 100 sources, other than the one that has n,
// stay below or at.
func (d *Detector) usual(i, n int) string {
	h := d.s.Usual[i]
	if own := &h[min(n, bins-1)]; *own > 0 {
		*own--
	}
	total := 0
	for _, k := range h {
		total += k
	}
	seen := 0
	for v, k := range h {
		if seen += k; seen*100 >= total*99 {
			return strconv.Itoa(v)
		}
	}
	return "0"
}

// tell makes or extends the one finding of a source: what it does to many hosts and to
// many ports is one scan.
func (d *Detector) tell(e *detect.Event, hosts, ports *Fan, horizontal, vertical bool) float64 {
	c := e.Conn
	f := d.s.Book.Finding("vertical scan", c.Orig.String(), hosts.Start)
	f.Add(e)
	f.Source, f.Score, f.Severity = c.Orig.String(), .95, detect.Medium
	if e.Evidence.OrigInside {
		f.Severity = detect.High
	}
	n, np := hosts.Failed.Len(), ports.Failed.Len()
	span := detect.Span(time.Duration(c.Time - hosts.Start))
	usual, usualPorts := d.usual(0, n), d.usual(1, np)
	if !horizontal && f.Kind != "horizontal scan" {
		f.Kind, f.Service, f.Destination = "vertical scan", "", c.Resp.String()
		span = detect.Span(time.Duration(c.Time - ports.Start))
		f.Describe(fmt.Sprintf("%s tried %d ports of %s in %s", c.Orig, np, c.Resp, span), []string{
			fmt.Sprintf("touched %d ports of %s in %s; usual maximum %s", np, c.Resp, span, usualPorts),
			fmt.Sprintf("%d of %d first contacts failed", np, np+ports.Worked),
		}, "ports", strconv.Itoa(np), "ports_usual", usualPorts)
		return f.Score
	}
	f.Kind, f.Service, f.Destination = "horizontal scan", "", ""
	what := fmt.Sprintf("%d hosts", n)
	if hosts.Service != several {
		f.Service = detect.Service(c)
		what += " on " + f.Service
	} else {
		what += fmt.Sprintf(" and %d ports", hosts.Ports.Len())
	}
	reasons := []string{
		fmt.Sprintf("touched %s in %s; usual maximum %s hosts", what, span, usual),
		fmt.Sprintf("%d of %d first contacts failed", n, n+hosts.Worked),
	}
	if vertical {
		reasons = append(reasons, fmt.Sprintf("%d ports of %s alone; usual maximum %s", np, c.Resp, usualPorts))
	}
	f.Describe(fmt.Sprintf("%s tried %s in %s", c.Orig, what, span), reasons, "hosts", strconv.Itoa(n), "hosts_usual", usual)
	return f.Score
}

// distributed counts the sources that probe one host, and tells whether they are many,
// today or the day before.
func (d *Detector) distributed(e *detect.Event, dst, src uint64) (probed bool, score float64) {
	c := e.Conn
	if e.Evidence.OrigInside || !e.Evidence.Flagged() {
		return false, 0
	}
	f := d.s.Targets.At(dst)
	if f.Start == 0 || time.Duration(c.Time-f.Start) > slow {
		*f = Fan{Start: c.Time, Worked: f.Failed.Len()}
	}
	f.Failed.Add(src)
	if f.Failed.Len() < d.o.Sources {
		return f.Worked >= d.o.Sources, 0
	}
	return true, d.noise(e, f, src, dst)
}

// noise makes the one finding of a day about all hosts that many sources probe.
func (d *Detector) noise(e *detect.Event, of *Fan, src, dst uint64) float64 {
	c, all := e.Conn, &d.s.Noise
	if all.Start == 0 || time.Duration(c.Time-all.Start) > slow {
		*all, d.s.Exposed = Fan{Start: of.Start}, detect.Set{}
	}
	if d.s.Exposed.Add(dst) {
		all.Failed.Merge(&of.Failed)
	}
	all.Failed.Add(src)
	all.Ports.Add(uint64(service(c)))
	b := d.s.Book.Finding("distributed probing", "d", all.Start)
	b.Add(e)
	n, hosts, to := all.Failed.Len(), d.s.Exposed.Len(), c.Resp.String()
	b.Destination = to
	if hosts > 1 {
		b.Destination, to = "", strconv.Itoa(hosts)+" hosts"
	}
	b.Severity, b.Score = detect.Low, .9
	b.Describe(fmt.Sprintf("%d sources probe %s", n, to), []string{
		fmt.Sprintf("%d sources tried %d ports of %s in %s without success", n, all.Ports.Len(), to, detect.Span(time.Duration(c.Time-all.Start))),
		"an address that the Internet can reach is probed like this all day; look at sources that were answered",
	}, "sources", strconv.Itoa(n), "ports", strconv.Itoa(all.Ports.Len()), "hosts", strconv.Itoa(hosts))
	return b.Score
}
