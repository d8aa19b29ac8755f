// Package firstseen finds what is new after a time of learning: a host inside that starts
// to answer on a port it never answered on, and a kind of service that nobody inside ever
// used outside.
package firstseen

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
	LearnHours float64 `yaml:"learn_hours"` // of log time before anything is new [24]
	MinSeen    int     `yaml:"min_seen"`    // connections of a host before it is known [100]
}

// Host is what is known of one host inside.
type Host struct {
	First  int64
	Seen   int
	Listen detect.Set
}

// State is what the detector remembers.
type State struct {
	Start    int64
	Hosts    detect.Cache[uint64, Host]
	Services detect.Set // used outside by anyone inside
	Book     detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the hosts it remembers.
func New(o Options, maxEntries int) *Detector {
	if o.LearnHours <= 0 {
		o.LearnHours = 24
	}
	if o.MinSeen <= 0 {
		o.MinSeen = 100
	}
	return &Detector{o: o, s: State{Hosts: detect.NewCache[uint64, Host](maxEntries), Book: detect.NewBook("first_seen")}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "first_seen" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// ephemeral is where operating systems take client ports from: what answers there is
// rarely a service.
const ephemeral = 32768

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	c := e.Conn
	if c == nil || e.Evidence.Outcome != evidence.Worked || c.Proto != zeek.TCP || c.State == zeek.OTH || c.RespPort >= ephemeral {
		return 0
	}
	if d.s.Start == 0 {
		d.s.Start = c.Time
	}
	learning := time.Duration(c.Time-d.s.Start).Hours() < d.o.LearnHours
	switch {
	case e.Evidence.RespInside:
		return d.listener(e, learning)
	case e.Evidence.OrigInside:
		return d.service(e, learning)
	}
	return 0
}

func (d *Detector) listener(e *detect.Event, learning bool) float64 {
	c := e.Conn
	h := d.s.Hosts.At(evidence.Hash(c.Resp))
	if h.First == 0 {
		h.First = c.Time
	}
	h.Seen++
	known := h.Seen > d.o.MinSeen && time.Duration(c.Time-h.First).Hours() >= d.o.LearnHours
	if !h.Listen.Add(uint64(c.RespPort)) || learning || !known {
		return 0
	}
	return d.tell(e, "new service", "l/"+c.Resp.String()+"/"+detect.Service(c),
		fmt.Sprintf("%s answers on %s for the first time", c.Resp, detect.Service(c)),
		fmt.Sprintf("%d connections to this host were seen before, none of them to this port was answered", h.Seen-1))
}

func (d *Detector) service(e *detect.Event, learning bool) float64 {
	c := e.Conn
	if !d.s.Services.Add(uint64(c.RespPort)) || learning {
		return 0
	}
	return d.tell(e, "new outbound service", "s/"+detect.Service(c),
		fmt.Sprintf("%s is the first host inside to use %s outside, at %s", c.Orig, detect.Service(c), c.Resp),
		strconv.Itoa(d.s.Services.Len()-1)+" other services were used outside before")
}

func (d *Detector) tell(e *detect.Event, kind, key, title, reason string) float64 {
	c := e.Conn
	f := d.s.Book.Finding(kind, key, c.Time)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score, f.Severity = c.Orig.String(), c.Resp.String(), detect.Service(c), .4, detect.Info
	f.Describe(title, []string{reason})
	return f.Score
}
