// Package flood finds one source that throws connections or packets at one service much
// faster than clients do (denial of service), and one that keeps calling a service that
// never answers.
package flood

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
	PerMinute int   `yaml:"per_minute"` // unproductive connections of a source to a service [100]
	Packets   int64 `yaml:"packets"`    // in one connection that got no answer [50,000]
	Calls     int   `yaml:"calls"`      // unanswered calls in a day without one that worked [100]
}

func (o Options) withDefaults() Options {
	if o.PerMinute <= 0 {
		o.PerMinute = 100
	}
	if o.Packets <= 0 {
		o.Packets = 50_000
	}
	if o.Calls <= 0 {
		o.Calls = 100
	}
	return o
}

// Burst is what one source did to one service.
type Burst struct {
	Minute     int64
	Count      int // in this minute
	Day        int64
	Failed, OK int // in this day
	LastPort   uint16
}

// State is what the detector remembers.
type State struct {
	Bursts detect.Cache[uint64, Burst]
	Book   detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the pairs it remembers.
func New(o Options, maxEntries int) *Detector {
	return &Detector{o: o.withDefaults(), s: State{Bursts: detect.NewCache[uint64, Burst](maxEntries), Book: detect.NewBook("flood")}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "flood" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	c := e.Conn
	if c == nil || c.Proto == zeek.ICMP && e.Evidence.Outcome == evidence.Neutral || !c.Resp.IsGlobalUnicast() {
		return 0
	}
	b := d.s.Bursts.At(evidence.Mix(evidence.Mix(evidence.Hash(c.Orig), evidence.Hash(c.Resp)), uint64(c.Proto)<<16|uint64(c.RespPort)))
	if e.Evidence.Outcome == evidence.Worked {
		b.OK++
		return 0
	}
	if day := c.Time / int64(24*time.Hour); b.Day != day {
		b.Day, b.Failed, b.OK = day, 0, 0
	}
	if minute := c.Time / int64(time.Minute); b.Minute != minute {
		b.Minute, b.Count = minute, 0
	}
	b.Count++
	retry := c.Proto == zeek.TCP && c.OrigPort == b.LastPort
	b.LastPort = c.OrigPort
	if !retry && e.Evidence.Outcome == evidence.Failed {
		b.Failed++
	}
	switch {
	case b.Count >= d.o.PerMinute || c.OrigPkts >= d.o.Packets && c.RespPkts <= 0:
		return d.flood(e, b)
	case b.Failed >= d.o.Calls && b.OK == 0 && e.Evidence.OrigInside:
		return d.unanswered(e, b)
	}
	return 0
}

func (d *Detector) flood(e *detect.Event, b *Burst) float64 {
	c := e.Conn
	f := d.s.Book.Finding("flood", "f/"+c.Orig.String()+"/"+c.Resp.String(), c.Time)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score = c.Orig.String(), c.Resp.String(), detect.Service(c), .95
	f.Severity = detect.Medium
	if e.Evidence.OrigInside {
		f.Severity = detect.High
	}
	what := fmt.Sprintf("%d connections without use in a minute; the limit is %d", b.Count, d.o.PerMinute)
	if c.OrigPkts >= d.o.Packets {
		what = fmt.Sprintf("%d packets in one connection, none came back", c.OrigPkts)
	}
	f.Describe(fmt.Sprintf("%s floods %s (%s)", c.Orig, c.Resp, detect.Service(c)),
		[]string{what, fmt.Sprintf("%d such connections since %s", f.Connections, f.Start.Format(time.TimeOnly))},
		"per_minute", strconv.Itoa(b.Count))
	return f.Score
}

func (d *Detector) unanswered(e *detect.Event, b *Burst) float64 {
	c := e.Conn
	f := d.s.Book.Finding("unanswered calls", "u/"+c.Orig.String()+"/"+c.Resp.String()+"/"+detect.Service(c), c.Time)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score, f.Severity = c.Orig.String(), c.Resp.String(), detect.Service(c), .7, detect.Low
	f.Describe(fmt.Sprintf("%s keeps calling %s (%s), which never answers", c.Orig, c.Resp, detect.Service(c)),
		[]string{fmt.Sprintf("%d attempts today, none answered", b.Failed), "a dead server of an implant, a decommissioned one of yours, or a firewall"},
		"attempts", strconv.Itoa(b.Failed))
	return f.Score
}
