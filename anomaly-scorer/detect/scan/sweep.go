package scan

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

const (
	// Talk that is smaller and shorter tells no more than that somebody is there.
	fleetingBytes   = 4096
	fleetingSeconds = 10.0
	// beyondPast is how many times the source's own busiest ten minutes a sweep must reach:
	// monitoring and inventories reach many hosts each day.
	beyondPast = 4
	// warming is how long what is usual is learned before a sweep is told.
	warming = 10 * time.Minute
	// dynamic is where operating systems take client ports from; protocols that agree on
	// a port for each transfer use many of them.
	dynamic = 32768
)

// Reach is how many new hosts on one port, or new ports of one host, answered a source.
type Reach struct {
	Times       []int64 // of the last new ones
	Window      int64   // number of the current ten minutes
	Count, Prev int     // in this window and the one before
	Past        int     // largest count of a window before those
	Run         int     // since the sweep began
	Since       int64
	Active      bool
}

// sweep looks at first contacts that were answered and left at once: with open ports a
// scan fails nowhere, but it still meets many strangers in a hurry.
func (d *Detector) sweep(e *detect.Event, src, dst uint64) float64 {
	c := e.Conn
	if d.s.Start == 0 {
		d.s.Start = c.Time
	}
	if !fleeting(c) {
		return 0
	}
	service := uint64(service(c))
	warm := time.Duration(c.Time-d.s.Start) >= warming
	score := 0.0
	if e.Evidence.RespInside || !everyday(c.RespPort) {
		r := d.s.Reached.At(evidence.Mix(src, service))
		if r.add(c.Time, d.o.SweepHosts) && warm {
			score = d.swept(e, r, "sweep", fmt.Sprintf("%d hosts on %s", r.Run, detect.Service(c)), "hosts")
		}
	}
	if c.RespPort < dynamic {
		r := d.s.Reached.At(evidence.Mix(evidence.Mix(src, dst), 1))
		if r.add(c.Time, d.o.SweepPorts) && warm {
			score = max(score, d.swept(e, r, "open ports", fmt.Sprintf("%d open ports of %s", r.Run, c.Resp), "ports"))
		}
	}
	return score
}

func fleeting(c *zeek.Conn) bool {
	return c.Proto == zeek.TCP && c.State != zeek.OTH && c.OrigBytes <= fleetingBytes && c.RespBytes <= fleetingBytes && !(c.Duration > fleetingSeconds)
}

// everyday tells whether honest clients meet many new servers of a service: names, web,
// mail, messages.
func everyday(port uint16) bool {
	return slices.Contains([]uint16{25, 53, 80, 443, 465, 587, 853, 993, 5222, 5223, 5228, 8080, 8443}, port)
}

// add counts a new target and tells whether n of them came within ten minutes, far more
// than ever before.
func (r *Reach) add(now int64, n int) bool {
	if w := now / int64(fast); w != r.Window {
		r.Past = max(r.Past, r.Prev)
		if w != r.Window+1 {
			r.Past, r.Count = max(r.Past, r.Count), 0
		}
		r.Window, r.Prev, r.Count = w, r.Count, 0
	}
	r.Count++
	if len(r.Times) >= n {
		r.Times = append(r.Times[:0], r.Times[1:]...)
	}
	r.Times = append(r.Times, now)
	hurried := len(r.Times) >= n && time.Duration(now-r.Times[0]) <= fast
	switch {
	case !hurried:
		r.Active = false
	case r.Active:
		r.Run++
	case n >= beyondPast*r.Past:
		r.Active, r.Run, r.Since = true, n, r.Times[0]
	}
	return r.Active
}

func (d *Detector) swept(e *detect.Event, r *Reach, kind, what, unit string) float64 {
	c := e.Conn
	f := d.s.Book.Get(c.Orig.String(), c.Time)
	if f != nil && f.Kind != kind { // a scan that is told already
		f.Add(e)
		return f.Score
	}
	f = d.s.Book.Finding(kind, c.Orig.String(), c.Time)
	f.Add(e)
	f.Source, f.Score, f.Severity, f.Service = c.Orig.String(), .9, detect.Medium, detect.Service(c)
	if kind == "open ports" {
		f.Destination, f.Service = c.Resp.String(), ""
	}
	span := detect.Span(time.Duration(c.Time - r.Since))
	f.Describe(fmt.Sprintf("%s reached %s in %s", c.Orig, what, span), []string{
		fmt.Sprintf("reached %s in %s that it had not talked to before; its busiest ten minutes before had %d", what, span, r.Past),
		"all answered and were left at once, with hardly a word",
	}, unit, strconv.Itoa(r.Run), unit+"_usual", strconv.Itoa(r.Past))
	return f.Score
}
