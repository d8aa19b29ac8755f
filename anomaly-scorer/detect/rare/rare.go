// Package rare finds hosts inside that speak a protocol the sensor does not know, or one
// that hardly anything but bots still speaks, with a few places outside that hardly anybody
// else talks to, as remote control tools do.
package rare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Options are the thresholds. The zero value takes the defaults in brackets.
type Options struct {
	MaxPlaces  int `yaml:"max_places"`  // of one host in a day: with more it shares files or plays games [5]
	MaxSources int `yaml:"max_sources"` // hosts inside that talk to the same place: with more it is the site's own [3]
}

// recognised is how many connections the sensor must have put a name to before it says
// something that it has none for another.
const recognised = 20

// State is what the detector remembers.
type State struct {
	Named   int
	Places  detect.Cache[uint64, detect.Set] // by source and day
	Sources detect.Cache[uint64, detect.Set] // by place
	Book    detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the sources and places it remembers.
func New(o Options, maxEntries int) *Detector {
	if o.MaxPlaces <= 0 {
		o.MaxPlaces = 5
	}
	if o.MaxSources <= 0 {
		o.MaxSources = 3
	}
	return &Detector{o: o, s: State{
		Places:  detect.NewCache[uint64, detect.Set](maxEntries),
		Sources: detect.NewCache[uint64, detect.Set](maxEntries), Book: detect.NewBook("rare"),
	}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "rare" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	c := e.Conn
	if c == nil || c.Proto != zeek.TCP || e.Evidence.Outcome != evidence.Worked || !e.Evidence.OrigInside || e.Evidence.RespInside {
		return 0
	}
	if c.Service != "" {
		d.s.Named++
	}
	protocol := "an unknown protocol"
	switch {
	case c.Service == "irc":
		protocol = "IRC"
	case c.Service != "" || d.s.Named < recognised || !unknown(c):
		return 0
	}
	src, place := evidence.Hash(c.Orig), evidence.Mix(evidence.Hash(c.Resp), uint64(c.RespPort))
	sources, places := d.s.Sources.At(place), d.s.Places.At(evidence.Mix(src, uint64(c.Time/86_400e9)))
	sources.Add(src)
	places.Add(place)
	if sources.Len() > d.o.MaxSources || places.Len() > d.o.MaxPlaces {
		return 0
	}
	f := d.s.Book.Finding("rare protocol", c.Orig.String()+"/"+c.Resp.String()+"/"+detect.Service(c), c.Time)
	f.Add(e)
	f.Source, f.Destination, f.Service, f.Score, f.Severity = c.Orig.String(), c.Resp.String(), detect.Service(c), .55, detect.Low
	f.Describe(fmt.Sprintf("%s speaks %s with %s (%s)", c.Orig, protocol, c.Resp, detect.Service(c)), []string{
		fmt.Sprintf("%d connections; %d others were of a protocol that the sensor knows", f.Connections, d.s.Named),
		fmt.Sprintf("%d of the hosts inside talk to this place; this one has %d such places today", sources.Len(), places.Len()),
	}, "connections", strconv.Itoa(f.Connections))
	return f.Score
}

// unknown tells whether the sensor saw the beginning of a conversation and still could not
// name it, on a port that does not say it either.
func unknown(c *zeek.Conn) bool {
	return strings.HasPrefix(c.History, "Sh") && c.OrigBytes > 0 && c.RespBytes > 0 && !known(c.RespPort)
}

// known tells whether a port is one of mail, web, files, logins and messages, in the clear
// or encrypted: the sensor often has no name for those, either.
func known(port uint16) bool {
	return slices.Contains([]uint16{21, 22, 23, 25, 43, 53, 80, 110, 143, 443, 465, 587, 853, 873, 989, 990, 993, 995, 1194, 1935, 3389, 5222, 5223, 5228, 5938, 8080, 8443}, port)
}
