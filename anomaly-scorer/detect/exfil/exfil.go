// Package exfil finds hosts inside that send far more to one peer outside than they ever
// did before and than they get back.
package exfil

import (
	"fmt"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Options are the thresholds. The zero value takes the defaults in brackets.
type Options struct {
	MinBytes int64   `yaml:"min_bytes"` // sent to one peer in an hour [20,000,000]
	Growth   float64 `yaml:"growth"`    // times the source's own largest hour before [8]
	OutIn    float64 `yaml:"out_in"`    // times what came back [3]
}

func (o Options) withDefaults() Options {
	if o.MinBytes <= 0 {
		o.MinBytes = 20_000_000
	}
	if o.Growth <= 0 {
		o.Growth = 8
	}
	if o.OutIn <= 0 {
		o.OutIn = 3
	}
	return o
}

// unknownFactor raises MinBytes for a source without a past of some hours.
const unknownFactor = 5

// Flow is what one source sent to one peer in the current hour.
type Flow struct {
	Hour    int64
	Out, In int64
}

// Past is a source's own history: the largest hour to any one peer.
type Past struct {
	Max, Current int64 // bytes; Current is of Hour
	Hour, First  int64
}

// State is what the detector remembers.
type State struct {
	Flows detect.Cache[uint64, Flow]
	Pasts detect.Cache[uint64, Past]
	Book  detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the pairs it remembers.
func New(o Options, maxEntries int) *Detector {
	return &Detector{o: o.withDefaults(), s: State{
		Flows: detect.NewCache[uint64, Flow](maxEntries),
		Pasts: detect.NewCache[uint64, Past](maxEntries), Book: detect.NewBook("exfiltration"),
	}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "exfiltration" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	c := e.Conn
	if c == nil || c.OrigBytes <= 0 || e.Evidence.Outcome != evidence.Worked || !e.Evidence.OrigInside || e.Evidence.RespInside || c.Proto == zeek.ICMP {
		return 0
	}
	src := evidence.Hash(c.Orig)
	hour := c.Time / int64(time.Hour)
	f, p := d.s.Flows.At(evidence.Mix(src, evidence.Hash(c.Resp))), d.s.Pasts.At(src)
	if p.First == 0 {
		p.First, p.Hour = hour, hour
	}
	if hour > p.Hour {
		p.Max, p.Current, p.Hour = max(p.Max-p.Max/200, p.Current), 0, hour // half of it is forgotten in six days
	}
	if f.Hour != hour {
		*f = Flow{Hour: hour}
	}
	f.Out += c.OrigBytes
	f.In += max(c.RespBytes, 0)
	flagged := d.over(f, p, hour)
	p.Current = max(p.Current, f.Out)
	if !flagged {
		return 0
	}
	b := d.s.Book.Finding("exfiltration", c.Orig.String()+"/"+c.Resp.String(), c.Time)
	b.Add(e)
	b.Source, b.Destination, b.Service, b.Score, b.Severity = c.Orig.String(), c.Resp.String(), detect.Service(c), .9, detect.High
	usual := "no past of this host is known"
	if p.Max > 0 {
		usual = "its largest hour to one peer before was " + detect.Bytes(float64(p.Max))
	}
	b.Describe(fmt.Sprintf("%s sent %s to %s within an hour", c.Orig, detect.Bytes(float64(f.Out)), c.Resp), []string{
		fmt.Sprintf("sent %s to %s in one hour; %s", detect.Bytes(float64(f.Out)), c.Resp, usual),
		fmt.Sprintf("%s came back", detect.Bytes(float64(f.In))),
	}, "bytes_out", fmt.Sprint(f.Out), "bytes_in", fmt.Sprint(f.In), "bytes_out_usual", fmt.Sprint(p.Max))
	return b.Score
}

func (d *Detector) over(f *Flow, p *Past, hour int64) bool {
	least := d.o.MinBytes
	if hour-p.First < 3 {
		least *= unknownFactor
	}
	return f.Out >= least && float64(f.Out) >= d.o.Growth*float64(p.Max) && float64(f.Out) >= d.o.OutIn*float64(f.In)
}
