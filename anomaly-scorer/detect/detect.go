// Package detect holds what the detectors share: the event they are shown, the finding
// they make of many events, and the bounded memory they keep. Each detector is a package
// of its own below this one.
package detect

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Event is one record, judged. Either Conn or App is set.
type Event struct {
	Conn     *zeek.Conn
	Evidence evidence.Evidence // of Conn
	App      *zeek.App
	Kind     zeek.Kind
	Origin   zeek.Origin
}

// Time is the event's, Unix nanoseconds.
func (e *Event) Time() int64 {
	if e.Conn != nil {
		return e.Conn.Time
	}
	return e.App.Time
}

// Detector watches the stream of records for one kind of behaviour.
type Detector interface {
	// Name is a short word, used as a label value.
	Name() string
	// Observe takes one record. The score, in [0,1], says how much the record is part of
	// what the detector looks for; from 0.5 on it is flagged.
	Observe(e *Event) (score float64)
	// Book holds the detector's findings.
	Book() *Book
	// State returns a pointer to all the detector remembers, for encoding/gob, findings
	// included.
	State() any
}

// Severity says how soon a person should look.
type Severity string

// The severities, from "good to know" to "look now".
const (
	Info   Severity = "info"
	Low    Severity = "low"
	Medium Severity = "medium"
	High   Severity = "high"
)

// Severities lists all severities, least first.
var Severities = [...]Severity{Info, Low, Medium, High}

// Finding is what a person is told: many related records in one.
type Finding struct {
	ID          string            `json:"id"`
	Detector    string            `json:"detector"`
	Kind        string            `json:"kind"`
	Severity    Severity          `json:"severity"`
	Score       float64           `json:"score"`
	Start       time.Time         `json:"start"`
	End         time.Time         `json:"end"`
	Source      string            `json:"source,omitempty"`
	Destination string            `json:"destination,omitempty"`
	Service     string            `json:"service,omitempty"` // "tcp/22", or a domain
	Connections int               `json:"connections"`
	Title       string            `json:"title"`
	Reasons     []string          `json:"reasons"`
	Values      map[string]string `json:"values,omitempty"` // measured and usual, by name
	UIDs        []string          `json:"uids"`             // of the first records
	Lines       []string          `json:"lines"`            // file:line of the first records
	Labels      map[string]string `json:"labels,omitempty"` // from the configuration

	// Revision grows each time the number of connections doubles.
	Revision int `json:"revision"`
	// Told tells that the finding was handed out before.
	Told bool `json:"-"`
	// Grown tells that Revision is higher than when the finding was last handed out.
	Grown bool `json:"-"`
	Dirty bool `json:"-"` // changed since it was last handed out
}

// maxSamples bounds how many records a finding names.
const maxSamples = 20

// Add counts a record towards f.
func (f *Finding) Add(e *Event) {
	t := time.Unix(0, e.Time()).UTC()
	if t.Before(f.Start) {
		f.Start = t
	}
	if t.After(f.End) {
		f.End = t
	}
	f.Connections++
	f.Dirty = true
	if len(f.UIDs) < maxSamples {
		uid := ""
		if e.Conn != nil {
			uid = e.Conn.UID
		} else {
			uid = e.App.UID
		}
		f.UIDs, f.Lines = append(f.UIDs, uid), append(f.Lines, e.Origin.String())
	}
}

// Describe sets what people read. Values alternate name and text.
func (f *Finding) Describe(title string, reasons []string, values ...string) {
	f.Title, f.Reasons, f.Dirty = title, reasons, true
	f.Values = map[string]string{}
	for i := 0; i+1 < len(values); i += 2 {
		f.Values[values[i]] = values[i+1]
	}
}

// day is how long a finding collects what belongs to it.
const day = 24 * time.Hour

// maxOpen bounds the open findings of one detector.
const maxOpen = 4096

// Book is the open findings of a detector, by what they are about.
type Book struct {
	Detector string
	Open     map[string]*Finding
	Dropped  int // records of findings that did not fit
}

// NewBook makes an empty Book.
func NewBook(detector string) Book { return Book{Detector: detector, Open: map[string]*Finding{}} }

// Get returns the open finding about key, or nil.
func (b *Book) Get(key string, now int64) *Finding {
	f := b.Open[key]
	if f != nil && time.Unix(0, now).Sub(f.Start) >= day {
		return nil
	}
	return f
}

// Finding returns the open finding about key, or opens one. Its id depends on the detector,
// the key and the time of the first record, so reading the same log twice gives the same id.
func (b *Book) Finding(kind, key string, now int64) *Finding {
	if f := b.Get(key, now); f != nil {
		return f
	}
	start := time.Unix(0, now).UTC()
	sum := xxhash.Sum64String(b.Detector + "\x00" + key + "\x00" + strconv.FormatInt(now, 10))
	f := &Finding{ID: fmt.Sprintf("%s-%016x", b.Detector, sum), Detector: b.Detector, Kind: kind, Start: start, End: start, Dirty: true}
	if old := b.Open[key]; old != nil { // yesterday's, perhaps not handed out yet
		b.Open[key+"\x00"+old.ID] = old
		delete(b.Open, key)
	}
	if len(b.Open) >= maxOpen {
		b.Dropped++
		return f // counted, and forgotten
	}
	b.Open[key] = f
	return f
}

// Changed returns the findings that changed since the last call, oldest first, and forgets
// those that are over at the log time now.
func (b *Book) Changed(now int64) []Finding {
	var out []Finding
	for key, f := range b.Open {
		if f.Dirty && f.Title != "" {
			f.Dirty = false
			rev := bits.Len(uint(f.Connections))
			f.Grown, f.Told, f.Revision = rev > f.Revision, f.Revision > 0, rev
			out = append(out, *f)
		}
		if time.Unix(0, now).Sub(f.Start) >= day { // Get does not return it any more
			delete(b.Open, key)
		}
	}
	slices.SortFunc(out, func(a, b Finding) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return compare(a.ID, b.ID)
	})
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Service names a protocol and port.
func Service(c *zeek.Conn) string { return c.Proto.String() + "/" + strconv.Itoa(int(c.RespPort)) }

// Pair is a source and a destination.
type Pair struct{ Src, Dst netip.Addr }

// Span writes a duration the way people say it.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// Bytes writes a size with its unit.
func Bytes(n float64) string {
	for _, u := range []string{"B", "kB", "MB", "GB"} {
		if n < 1000 {
			return strconv.FormatFloat(n, 'f', -1, 64)[:min(5, len(strconv.FormatFloat(n, 'f', -1, 64)))] + " " + u
		}
		n = float64(int(n/100)) / 10
	}
	return fmt.Sprintf("%.1f TB", n)
}
