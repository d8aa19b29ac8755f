// Package login finds brute force: many short answered connections of one source to a
// login service in an hour. What many sources do to one service is one finding.
package login

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
	Attempts int `yaml:"attempts"` // answered connections of one source in an hour [20]
}

// longest is how long a connection may last and still be a failed login.
const longest = 60.0

// Tries is what one source tried at one service in the current hour.
type Tries struct {
	Hour  int64
	Count int
}

// State is what the detector remembers.
type State struct {
	Tries   detect.Cache[uint64, Tries]
	Sources detect.Cache[uint64, detect.Set] // by service
	Book    detect.Book
}

// Detector implements detect.Detector.
type Detector struct {
	o Options
	s State
}

// New makes a Detector. maxEntries bounds the pairs it remembers.
func New(o Options, maxEntries int) *Detector {
	if o.Attempts <= 0 {
		o.Attempts = 20
	}
	return &Detector{o: o, s: State{
		Tries:   detect.NewCache[uint64, Tries](maxEntries),
		Sources: detect.NewCache[uint64, detect.Set](maxEntries), Book: detect.NewBook("brute_force"),
	}}
}

// Name implements detect.Detector.
func (d *Detector) Name() string { return "brute_force" }

// Book implements detect.Detector.
func (d *Detector) Book() *detect.Book { return &d.s.Book }

// State implements detect.Detector.
func (d *Detector) State() any { return &d.s }

// loginService names what people log in to, by what Zeek recognised or by the port.
func loginService(c *zeek.Conn) string {
	if c.Proto != zeek.TCP {
		return ""
	}
	switch c.Service {
	case "ssh", "ftp", "rdp", "rfb", "mysql", "postgresql", "ldap":
		return c.Service
	case "":
	default:
		return ""
	}
	return map[uint16]string{21: "ftp", 22: "ssh", 23: "telnet", 1433: "mssql", 2323: "telnet", 3306: "mysql", 3389: "rdp", 5432: "postgresql", 5900: "vnc"}[c.RespPort]
}

// Observe implements detect.Detector.
func (d *Detector) Observe(e *detect.Event) float64 {
	c := e.Conn
	if c == nil || e.Evidence.Outcome != evidence.Worked || c.Duration > longest {
		return 0
	}
	service := loginService(c)
	if service == "" {
		return 0
	}
	src, dst := evidence.Hash(c.Orig), evidence.Mix(evidence.Hash(c.Resp), uint64(c.RespPort))
	t := d.s.Tries.At(evidence.Mix(src, dst))
	if hour := c.Time / int64(time.Hour); t.Hour != hour {
		*t = Tries{Hour: hour}
	}
	if t.Count++; t.Count < d.o.Attempts {
		return 0
	}
	f := d.s.Book.Finding("brute force", fmt.Sprint(c.Resp, "/", c.RespPort), c.Time)
	sources := d.s.Sources.At(dst)
	if f.Connections == 0 {
		*sources = detect.Set{}
	}
	sources.Add(src)
	f.Add(e)
	f.Destination, f.Service, f.Score = c.Resp.String(), detect.Service(c), .85
	f.Severity = detect.Medium
	if sources.Len() == 1 {
		f.Source = c.Orig.String()
	} else {
		f.Source = ""
	}
	if e.Evidence.OrigInside {
		f.Severity = detect.High
	}
	who := fmt.Sprintf("%d sources try", sources.Len())
	if sources.Len() == 1 {
		who = c.Orig.String() + " tries"
	}
	f.Describe(fmt.Sprintf("%s to log in to %s of %s", who, service, c.Resp), []string{
		fmt.Sprintf("%s made %d short %s connections this hour; one person makes a handful", c.Orig, t.Count, service),
		fmt.Sprintf("%d connections beyond the limit of %d an hour, from %d sources", f.Connections, d.o.Attempts, sources.Len()),
	}, "sources", strconv.Itoa(sources.Len()))
	return f.Score
}
