// Package exfil finds hosts inside that send far more outside than they ever did before and
// than they get back: to one peer in an hour or in a day, or to all in an hour.
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

// unknownFactor raises MinBytes for a source without a past of three spans.
const unknownFactor = 4

// scale is one way to look at what a source sends.
type scale struct {
	span  time.Duration
	peer  bool  // to one peer, otherwise to all together
	times int64 // of MinBytes
	words string
}

// scales are looked at in this order; what one flags, the later ones do not count.
var scales = [...]scale{
	{time.Hour, true, 1, "one hour"},
	{24 * time.Hour, true, 5, "one day"},
	{time.Hour, false, 3, "one hour"},
}

// Flow is what was sent in the current span.
type Flow struct {
	Span    int64 // its number
	Out, In int64
	Peers   detect.Set // of what goes to all
}

// Past is a source's own history: the largest span.
type Past struct {
	Max, Current int64 // bytes; Current is of Span
	Span, First  int64
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
	for i := range scales {
		if score := d.look(e, i); score > 0 {
			return score
		}
	}
	return 0
}

// look counts c on one scale.
func (d *Detector) look(e *detect.Event, i int) float64 {
	c, s := e.Conn, &scales[i]
	src, dst := evidence.Mix(evidence.Hash(c.Orig), uint64(i)), evidence.Hash(c.Resp)
	key := src
	if s.peer {
		key = evidence.Mix(src, dst)
	}
	now := c.Time / int64(s.span)
	f, p := d.s.Flows.At(key), d.s.Pasts.At(src)
	if p.First == 0 {
		p.First, p.Span = now, now
	}
	if now > p.Span {
		p.Max, p.Current, p.Span = max(p.Max-p.Max/200, p.Current), 0, now // half of it is forgotten after 139 spans
	}
	if f.Span != now {
		*f = Flow{Span: now}
	}
	f.Out += c.OrigBytes
	f.In += max(c.RespBytes, 0)
	if !s.peer {
		f.Peers.Add(dst)
	}
	flagged := d.over(f, p, s)
	p.Current = max(p.Current, f.Out)
	if !flagged {
		return 0
	}
	return d.tell(e, f, p, s)
}

func (d *Detector) tell(e *detect.Event, f *Flow, p *Past, s *scale) float64 {
	c := e.Conn
	key, to := c.Orig.String()+"/"+c.Resp.String(), c.Resp.String()
	if !s.peer {
		key, to = c.Orig.String(), fmt.Sprintf("%d peers", f.Peers.Len())
	}
	b := d.s.Book.Finding("exfiltration", key, c.Time)
	b.Add(e)
	b.Source, b.Score, b.Severity = c.Orig.String(), .9, detect.Medium
	if s.peer {
		b.Destination, b.Service, b.Severity = to, detect.Service(c), detect.High
	}
	usual := "no past of this host is known"
	if p.Max > 0 {
		usual = "the most before was " + detect.Bytes(float64(p.Max))
	}
	sent := detect.Bytes(float64(f.Out))
	b.Describe(fmt.Sprintf("%s sent %s to %s within %s", c.Orig, sent, to, s.words), []string{
		fmt.Sprintf("sent %s to %s in %s; %s", sent, to, s.words, usual),
		fmt.Sprintf("%s came back", detect.Bytes(float64(f.In))),
	}, "bytes_out", fmt.Sprint(f.Out), "bytes_in", fmt.Sprint(f.In), "bytes_out_usual", fmt.Sprint(p.Max))
	return b.Score
}

func (d *Detector) over(f *Flow, p *Past, s *scale) bool {
	least := d.o.MinBytes * s.times
	if f.Span-p.First < 3 {
		if s.span > time.Hour {
			return false // what a day is like takes days to know
		}
		least *= unknownFactor
	}
	return f.Out >= least && float64(f.Out) >= d.o.Growth*float64(p.Max) && float64(f.Out) >= d.o.OutIn*float64(f.In)
}
