// Package longconn finds connections of hosts inside to outside that stay open for very
// long, as tunnels and remote shells do.
package longconn

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
	Hours float64 `yaml:"hours"` // duration [8]
}

// State is what the detector remembers.
type State struct {
	Usual detect.Cache[uint64, int] // long connections to a destination before, by all sources
	Book  detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the destinations it remembers.
func New(o Options, maxEntries int) *Detector {
	if o.Hours <= 0 {
		o.Hours = 8
	}
	return &Detector{o: o, s: State{Usual: detect.NewCache[uint64, int](maxEntries), Book: detect.NewBook("long_connection")}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "long_connection" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	c := e.Conn
	if c == nil || !(c.Duration >= d.o.Hours*3600) || c.Proto == zeek.ICMP || e.Evidence.Outcome != evidence.Worked ||
		!e.Evidence.OrigInside || e.Evidence.RespInside || !c.Resp.IsGlobalUnicast() {
		return 0
	}
	before := d.s.Usual.At(evidence.Mix(evidence.Hash(c.Resp), uint64(c.RespPort)))
	*before++
	f := d.s.Book.Finding("long connection", c.Orig.String()+"/"+c.Resp.String()+"/"+detect.Service(c), c.Time)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score, f.Severity = c.Orig.String(), c.Resp.String(), detect.Service(c), .6, detect.Low
	if *before > 5 {
		f.Severity, f.Score = detect.Info, .4 // a service that people keep open
	}
	f.Describe(fmt.Sprintf("%s kept a connection to %s open for %s", c.Orig, c.Resp, detect.Span(time.Duration(c.Duration*float64(time.Second)))),
		[]string{fmt.Sprintf("%.1f hours; %d other long connections to this service are known", c.Duration/3600, *before-1)},
		"duration_seconds", strconv.FormatFloat(c.Duration, 'f', 0, 64))
	return f.Score
}
