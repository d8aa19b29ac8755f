// Package beacon finds hosts inside that call the same place again and again at regular
// times, as implants do to ask for orders, by address and by the name the client asked for.
package beacon

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Options are the thresholds. The zero value takes the defaults in brackets.
type Options struct {
	MinConnections int     `yaml:"min_connections"` // half of it, if very regular over six hours [20]
	MinScore       float64 `yaml:"min_score"`       // of the four subscores together [0.75]
	MinTiming      float64 `yaml:"min_timing"`      // of the timing subscore alone [0.7]
}

func (o Options) withDefaults() Options {
	if o.MinConnections <= 0 {
		o.MinConnections = 20
	}
	if o.MinScore <= 0 {
		o.MinScore = .75
	}
	if o.MinTiming <= 0 {
		o.MinTiming = .7
	}
	return o
}

const (
	window = 24 * time.Hour
	keep   = 512 // connections remembered a pair
	// maxScatter is the largest median deviation of a beacon's interval, relative to it.
	// A jitter of 30 % has 0.15, one of 50 % 0.25, and chance (a Poisson process) 0.69.
	maxScatter = 0.4
	// What is faster, or over sooner, is a burst: a retrying client, a scan, a flood.
	minInterval = 1.0 // seconds
	minSpan     = 15 * time.Minute
	// Half the calls are enough for what is spread over slowSpan and scores slowScore.
	slowSpan  = 6 * time.Hour
	slowScore = 0.85
	// staying is the share of the thresholds that is enough for what was a beacon before:
	// it should not come and go with every missed call.
	staying = 0.7
)

// Track is what is remembered of one source and destination.
type Track struct {
	Times    []int64 // Unix seconds*10, of each attempt
	Sizes    []int64 // payload sent; empty for names
	LastPort uint16
	Failed   int
	Next     int // number of attempts at which it is judged again
	Active   bool
	Score    Score
	Severity detect.Severity
}

// State is what the detector remembers.
type State struct {
	Pairs   detect.Cache[uint64, Track]
	Clients detect.Cache[uint64, detect.Set] // sources of a destination: its prevalence
	Callers detect.Cache[uint64, detect.Set] // those of them that do so regularly and harmlessly
	Sources detect.Cache[uint64, bool]       // sources seen at all
	Book    detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the pairs it remembers, and by half the
// destinations, of which there are fewer.
func New(o Options, maxEntries int) *Detector {
	return &Detector{o: o.withDefaults(), s: State{
		Pairs: detect.NewCache[uint64, Track](maxEntries), Clients: detect.NewCache[uint64, detect.Set](maxEntries / 2),
		Callers: detect.NewCache[uint64, detect.Set](maxEntries / 2), Sources: detect.NewCache[uint64, bool](maxEntries), Book: detect.NewBook("beacon"),
	}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "beacon" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	if e.App != nil {
		return d.name(e)
	}
	c := e.Conn
	// Inside, regular calls are what monitoring does all day; an implant's way out through
	// a proxy shows in the names it asks for.
	if !e.Evidence.OrigInside || e.Evidence.RespInside || c.Proto == zeek.ICMP || !c.Resp.IsGlobalUnicast() || evidence.Broadcast(c.Resp) || infrastructure(c) {
		return 0
	}
	src, dst := evidence.Hash(c.Orig), evidence.Hash(c.Resp)
	d.s.Sources.At(src)
	d.s.Clients.At(dst).Add(src)
	key := evidence.Mix(evidence.Mix(src, dst), uint64(c.Proto)<<16|uint64(c.RespPort))
	t := d.s.Pairs.At(key)
	if e.Evidence.Outcome == evidence.Failed {
		t.Failed++
	}
	// A client that gets no answer repeats its SYN from the same port; the sensor may log
	// that as a connection of its own, but it is the same attempt.
	if len(t.Times) > 0 && c.OrigPort == t.LastPort && c.Proto == zeek.TCP {
		return t.row()
	}
	t.LastPort = c.OrigPort
	t.add(c.Time, max(c.OrigBytes, 0), true)
	return d.judge(e, t, c.Orig.String(), c.Resp.String(), detect.Service(c), d.s.Clients.At(dst).Len())
}

// infrastructure is what every host does regularly: ask for names and the time.
func infrastructure(c *zeek.Conn) bool {
	return (c.RespPort == 53 || c.RespPort == 123) && c.Proto == zeek.UDP || c.RespPort == 5353 || c.RespPort == 67
}

// name follows the name a TLS or HTTP client asked for: behind a content network one
// address serves many names, and one name has many addresses.
func (d *Detector) name(e *detect.Event) float64 {
	a := e.App
	if e.Kind != zeek.KindTLS && e.Kind != zeek.KindHTTP || a.Name == "" || !evidence.Internal(a.Orig) {
		return 0
	}
	name := strings.ToLower(a.Name)
	src, dst := evidence.Hash(a.Orig), hashName(name)
	d.s.Clients.At(dst).Add(src)
	t := d.s.Pairs.At(evidence.Mix(src, dst))
	t.add(a.Time, 0, false)
	return d.judge(e, t, a.Orig.String(), name, e.Kind.String(), d.s.Clients.At(dst).Len())
}

func hashName(s string) uint64 {
	h := uint64(len(s))
	for i := range len(s) {
		h = evidence.Mix(h, uint64(s[i]))
	}
	return h
}

func (t *Track) add(ns, size int64, sized bool) {
	tick := ns / 100_000_000
	for len(t.Times) > 0 && (tick-t.Times[0] > int64(window/(100*time.Millisecond)) || len(t.Times) >= keep) {
		t.Times = t.Times[1:]
		if len(t.Sizes) > 0 {
			t.Sizes = t.Sizes[1:]
		}
	}
	t.Times = append(t.Times, tick)
	if sized {
		t.Sizes = append(t.Sizes, size)
	}
}

// span is the time from the first remembered attempt to the last.
func (t *Track) span() time.Duration {
	return time.Duration(t.Times[len(t.Times)-1]-t.Times[0]) * 100 * time.Millisecond
}

// row is the score of a connection of a pair that was judged before.
func (t *Track) row() float64 {
	switch {
	case !t.Active:
		return 0
	case t.harmless():
		return min(t.Score.Total, .49)
	}
	return t.Score.Total
}

// judge scores the pair when it has grown by a tenth since the last time.
func (d *Detector) judge(e *detect.Event, t *Track, src, dst, service string, clients int) float64 {
	n := len(t.Times)
	if n < d.o.MinConnections && (n < d.o.MinConnections/2 || t.span() < slowSpan) {
		t.Next, t.Active = 0, false
		return 0
	}
	if t.Next--; t.Next > 0 {
		d.count(e, t, src, dst, service)
		return t.row()
	}
	t.Next = max(1, n/10)
	t.Score = Measure(t.Times, t.Sizes)
	t.Active = d.regular(t)
	if !t.Active {
		return 0
	}
	t.Severity = d.severity(t, e.App != nil && !literal(dst) || e.Conn != nil && web(e.Conn), clients)
	if t.harmless() && (t.Score.Interval > lazy || n < d.o.MinConnections) {
		t.Active = false
		return 0
	}
	f := d.count(e, t, src, dst, service)
	f.Source, f.Destination, f.Service, f.Score, f.Severity = src, dst, service, max(f.Score, t.Score.Total), t.Severity
	every := time.Duration(t.Score.Interval * float64(time.Second))
	title := fmt.Sprintf("%s calls %s (%s) every %s", src, dst, service, detect.Span(every))
	if n := d.callers(f, t, src); n > 1 {
		f.Source, title = "", fmt.Sprintf("%d hosts call %s (%s) regularly", n, dst, service)
	}
	f.Describe(title, []string{
		fmt.Sprintf("%d attempts in %s, one every %s, half of them within %.1f s of that", n, detect.Span(t.span()), detect.Span(every), t.Score.MAD),
		fmt.Sprintf("timing %.2f, size %.2f, hourly histogram %.2f, coverage %.2f", t.Score.Timing, t.Score.Size, t.Score.Histogram, t.Score.Coverage),
		fmt.Sprintf("%d of the hosts inside talk to it", clients),
	}, "interval_seconds", strconv.FormatFloat(t.Score.Interval, 'f', 1, 64), "attempts", strconv.Itoa(n), "failed", strconv.Itoa(t.Failed))
	return t.row()
}

// regular tells whether what Measure found is a beacon.
func (d *Detector) regular(t *Track) bool {
	s, share := &t.Score, 1.0
	if t.Active {
		share = staying
	}
	if len(t.Times) < d.o.MinConnections && min(s.Total, s.Timing) < share*slowScore {
		return false
	}
	return s.Total >= share*d.o.MinScore && s.Timing >= share*d.o.MinTiming && s.MAD*share <= maxScatter*s.Interval && s.Interval >= minInterval && t.span() >= minSpan
}

func (d *Detector) count(e *detect.Event, t *Track, src, dst, service string) *detect.Finding {
	if !t.Active {
		return &detect.Finding{}
	}
	if t.harmless() {
		src = "" // one finding for all who do so
	}
	f := d.s.Book.Finding("beacon", src+"/"+dst+"/"+service, e.Time())
	f.Add(e)
	return f
}

// harmless tells whether a beacon is listed only.
func (t *Track) harmless() bool { return t.Severity == detect.Info || t.Severity == detect.Low }

// callers is how many sources one finding is about.
func (d *Detector) callers(f *detect.Finding, t *Track, src string) int {
	if !t.harmless() {
		return 1
	}
	set := d.s.Callers.At(hashName(f.Destination + "/" + f.Service))
	if f.Connections == 1 {
		*set = detect.Set{}
	}
	set.Add(hashName(src))
	return set.Len()
}

// hasty is the interval, in seconds, below which even web traffic is suspicious: push and
// update services that poll do so every few minutes, or keep one connection open.
const hasty = 120

// lazy is the interval, in seconds, above which harmless calls are not even listed.
const lazy = 2400

// crowd is how many hosts must be known before it says something that only one of them
// talks to a place.
const crowd = 20

// severity is what a beacon is worth. Software of all kinds calls home regularly over the
// web; that is listed, but does not flag connections, unless it is very regular and only
// one host of many does it. It is nothing when many hosts do it.
func (d *Detector) severity(t *Track, web bool, clients int) detect.Severity {
	share := float64(clients) / float64(max(d.s.Sources.Len(), 1))
	failing := t.Failed > len(t.Times)/2
	switch {
	case clients >= 5 && share > .3:
		return detect.Info
	case web && !failing && t.Score.Interval > hasty:
		if clients == 1 && d.s.Sources.Len() >= crowd && t.Score.Total >= .9 && len(t.Times) >= 2*d.o.MinConnections {
			return detect.Medium
		}
		return detect.Low
	case t.Score.Total >= .9 || failing:
		return detect.High
	}
	return detect.Medium
}

// literal tells whether a client named its server by a bare address, as little honest
// software does.
func literal(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil
}

// web tells whether c is web, mail or push traffic, as recognised or, where the sensor did
// not see the beginning, by its port.
func web(c *zeek.Conn) bool {
	for _, name := range []string{"ssl", "http", "quic", "smtp", "imap"} {
		if strings.Contains(c.Service, name) {
			return true
		}
	}
	switch c.RespPort {
	case 80, 443, 993, 5223, 5228:
		return c.Service == ""
	}
	return false
}
