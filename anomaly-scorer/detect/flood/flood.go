// Package flood finds one source that throws connections or packets at one service much
// faster than clients do (denial of service), many that do so together, and one that keeps
// calling a service that never answers.
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
	Requests  int   `yaml:"requests"`   // answered connections in a minute, and 8 times the most before [1,000]
	Together  int   `yaml:"together"`   // unproductive connections a minute from outside to a service inside [1,000]
	Packets   int64 `yaml:"packets"`    // in one connection that got no answer [50,000]
	Calls     int   `yaml:"calls"`      // unanswered calls in a day without one that worked [100]
}

func (o Options) withDefaults() Options {
	for p, v := range map[*int]int{&o.PerMinute: 100, &o.Requests: 1000, &o.Together: 1000, &o.Calls: 100} {
		if *p <= 0 {
			*p = v
		}
	}
	if o.Packets <= 0 {
		o.Packets = 50_000
	}
	return o
}

const (
	// beyondPast is how many times the most requests of a minute before a flood has.
	beyondPast = 8
	// warming is how long what is usual is learned before answered requests are a flood.
	warming = 10 * time.Minute
)

// Burst is what one source, or all from outside, did to one service.
type Burst struct {
	Minute     int64
	Count      int  // unproductive, in this minute
	Answered   int  // in this minute
	Prev, Most int  // answered in the minute before, and the most in one before that; floods aside
	Flooded    bool // this minute
	Day        int64
	Failed, OK int // in this day
	LastPort   uint16
}

func (b *Burst) roll(now int64) {
	if day := now / int64(24*time.Hour); b.Day != day {
		b.Day, b.Failed, b.OK = day, 0, 0
	}
	if minute := now / int64(time.Minute); b.Minute != minute {
		b.Most = max(b.Most, b.Prev)
		b.Minute, b.Count, b.Prev, b.Answered = minute, 0, b.Answered, 0
		if b.Flooded { // it is no more usual the minute after
			b.Prev, b.Flooded = 0, false
		}
	}
}

// State is what the detector remembers.
type State struct {
	Start  int64 // log time of the first record
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
	if d.s.Start == 0 {
		d.s.Start = c.Time
	}
	service := evidence.Mix(evidence.Hash(c.Resp), uint64(c.Proto)<<16|uint64(c.RespPort))
	b := d.s.Bursts.At(evidence.Mix(evidence.Hash(c.Orig), service))
	b.roll(c.Time)
	if e.Evidence.Outcome == evidence.Worked {
		return d.answered(e, b)
	}
	b.Count++
	retry := c.Proto == zeek.TCP && c.OrigPort == b.LastPort
	b.LastPort = c.OrigPort
	if !retry && e.Evidence.Outcome == evidence.Failed {
		b.Failed++
	}
	switch {
	case c.OrigPkts >= d.o.Packets && c.RespPkts <= 0:
		return d.flood(e, fmt.Sprintf("%d packets in one connection, none came back", c.OrigPkts))
	case b.Count >= d.o.PerMinute:
		return d.flood(e, fmt.Sprintf("%d connections without use in a minute; the limit is %d", b.Count, d.o.PerMinute))
	case b.Failed >= d.o.Calls && b.OK == 0 && e.Evidence.OrigInside:
		return d.unanswered(e, b)
	case e.Evidence.RespInside && !e.Evidence.OrigInside:
		return d.together(e, service)
	}
	return 0
}

// answered looks for a flood of requests that the server still answers. Inside, and for
// names and the time, that is what servers do to each other.
func (d *Detector) answered(e *detect.Event, b *Burst) float64 {
	c := e.Conn
	b.OK++
	b.Answered++
	if b.Answered < d.o.Requests || e.Evidence.OrigInside == e.Evidence.RespInside || c.RespPort == 53 || c.RespPort == 123 ||
		time.Duration(c.Time-d.s.Start) < warming || b.Answered < beyondPast*b.Most {
		return 0
	}
	b.Prev, b.Flooded = 0, true
	return d.flood(e, fmt.Sprintf("%d answered connections in a minute; the most before was %d", b.Answered, b.Most))
}

// together counts what all sources outside throw at a service inside.
func (d *Detector) together(e *detect.Event, service uint64) float64 {
	c := e.Conn
	all := d.s.Bursts.At(evidence.Mix(service, 1))
	all.roll(c.Time)
	if all.Count++; all.Count < d.o.Together {
		return 0
	}
	f := d.s.Book.Finding("distributed flood", "d/"+c.Resp.String()+"/"+detect.Service(c), c.Time)
	f.Add(e)
	f.Destination, f.Service, f.Score, f.Severity = c.Resp.String(), detect.Service(c), .95, detect.High
	f.Describe(fmt.Sprintf("many sources flood %s (%s)", c.Resp, detect.Service(c)),
		[]string{fmt.Sprintf("%d connections without use in a minute, none of the sources loud by itself; the limit is %d", all.Count, d.o.Together)},
		"per_minute", strconv.Itoa(all.Count))
	return f.Score
}

func (d *Detector) flood(e *detect.Event, what string) float64 {
	c := e.Conn
	f := d.s.Book.Finding("flood", "f/"+c.Orig.String()+"/"+c.Resp.String(), c.Time)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score = c.Orig.String(), c.Resp.String(), detect.Service(c), .95
	f.Severity = detect.Medium
	if e.Evidence.OrigInside {
		f.Severity = detect.High
	}
	f.Describe(fmt.Sprintf("%s floods %s (%s)", c.Orig, c.Resp, detect.Service(c)),
		[]string{what, fmt.Sprintf("%d such connections since %s", f.Connections, f.Start.Format(time.TimeOnly))},
		"connections", strconv.Itoa(f.Connections))
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
