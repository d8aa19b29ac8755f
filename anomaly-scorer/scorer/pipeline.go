package scorer

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/detect/beacon"
	"github.com/inframind/inframind/anomaly-scorer/detect/dnstunnel"
	"github.com/inframind/inframind/anomaly-scorer/detect/exfil"
	"github.com/inframind/inframind/anomaly-scorer/detect/firstseen"
	"github.com/inframind/inframind/anomaly-scorer/detect/flood"
	"github.com/inframind/inframind/anomaly-scorer/detect/login"
	"github.com/inframind/inframind/anomaly-scorer/detect/longconn"
	"github.com/inframind/inframind/anomaly-scorer/detect/rare"
	"github.com/inframind/inframind/anomaly-scorer/detect/scan"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Threshold is the score from which a connection is flagged.
const Threshold = 0.5

// strangest is the share of connections that the forest gives a score of its own.
const strangest = 0.05

// probing is the name under which connections are counted that the evidence score flags.
const probing = "probing"

// Pipeline judges records one after the other. It is what the service, the file mode and
// the evaluation have in common. It is not safe for concurrent use.
type Pipeline struct {
	ev        *evidence.Scorer
	detectors []detect.Detector
	names     []string                   // of the detectors, and probing
	forest    *Forest                    // nil: no model yet
	threshold float64                    // of the evidence; moved by feedback
	now       int64                      // log time: the latest
	day       int64                      // of the last record
	dropped   int                        // records of findings that a detector had no room for
	kept      map[string]*detect.Finding // by id, until they are asked for
}

// Verdict is what the Pipeline says of one connection.
type Verdict struct {
	Score    float64 // in [0,1]
	Flagged  bool
	Detector string // that gave the highest score; empty when none did
	Evidence evidence.Evidence
	Unusual  float64 // share of usual traffic the forest finds less strange; NaN without a model
}

// NewPipeline makes one that has seen nothing. c must be valid.
func NewPipeline(c Config, forest *Forest) *Pipeline {
	n := c.MaxEntries
	p := &Pipeline{
		ev: evidence.New(evidence.Options{MaxEntries: n}), forest: forest, threshold: evidence.Threshold, kept: map[string]*detect.Finding{},
		detectors: []detect.Detector{
			scan.New(c.Detectors.Scan, n), beacon.New(c.Detectors.Beacon, n), exfil.New(c.Detectors.Exfil, n),
			dnstunnel.New(c.Detectors.DNSTunnel, n), login.New(c.Detectors.Login, n), flood.New(c.Detectors.Flood, n),
			longconn.New(c.Detectors.LongConn, n), firstseen.New(c.Detectors.FirstSeen, n), rare.New(c.Detectors.Rare, n),
		},
	}
	for _, d := range p.detectors {
		p.names = append(p.names, d.Name())
	}
	p.names = append(p.names, probing)
	return p
}

// Conn judges a connection.
func (p *Pipeline) Conn(c *zeek.Conn, at zeek.Origin) Verdict {
	p.tick(c.Time)
	e := detect.Event{Conn: c, Evidence: p.ev.Score(c), Origin: at}
	v := Verdict{Evidence: e.Evidence, Unusual: math.NaN()}
	v.Score = 1 / (1 + math.Exp(p.threshold-e.Evidence.Score))
	if v.Score >= Threshold {
		v.Detector = probing
	}
	for _, d := range p.detectors {
		if s := d.Observe(&e); s >= Threshold && s > v.Score {
			v.Score, v.Detector = s, d.Name()
		} else if s >= Threshold && v.Detector == probing {
			v.Detector = d.Name() // the better word for it
		}
	}
	if p.forest != nil {
		v.Unusual = p.forest.unusual(c, v.Score >= Threshold)
		// The strangest twentieth of the traffic is ranked below the threshold: strange is
		// not bad, and a forest alone alarms on a tenth of a new site's traffic.
		v.Score = max(v.Score, (Threshold-.001)*(1-(1-v.Unusual)/strangest))
	}
	v.Flagged = v.Score >= Threshold
	return v
}

// App shows a record of the dns, ssl or http log to the detectors, and returns the one
// that finds it anomalous, if any.
func (p *Pipeline) App(a *zeek.App, k zeek.Kind, at zeek.Origin) (detector string) {
	p.tick(a.Time)
	e := detect.Event{App: a, Kind: k, Origin: at}
	for _, d := range p.detectors {
		if d.Observe(&e) >= Threshold {
			detector = d.Name()
		}
	}
	return detector
}

// Findings returns the findings that are new or changed since the last call. Regular calls
// that are never answered are told once, as a beacon.
func (p *Pipeline) Findings() []detect.Finding {
	p.collect(p.now)
	type about struct{ source, destination, service string }
	beacons := map[about]bool{}
	for _, f := range p.kept {
		if f.Detector == "beacon" {
			beacons[about{f.Source, f.Destination, f.Service}] = true
		}
	}
	for _, d := range p.detectors {
		for _, f := range d.Book().Open {
			if f.Detector == "beacon" {
				beacons[about{f.Source, f.Destination, f.Service}] = true
			}
		}
	}
	var out []detect.Finding
	for _, f := range p.kept {
		if f.Kind != "unanswered calls" || !beacons[about{f.Source, f.Destination, f.Service}] {
			out = append(out, *f)
		}
	}
	clear(p.kept)
	slices.SortFunc(out, func(a, b detect.Finding) int {
		return cmp.Or(cmp.Compare(a.Detector, b.Detector), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// tick notices a new day in the time of the log: detectors have room for the findings of
// two days.
func (p *Pipeline) tick(now int64) {
	p.now = max(p.now, now)
	if day := now / int64(24*time.Hour); day != p.day {
		p.day = day
		p.collect(now)
	}
}

// collect takes over what changed, and lets the detectors forget what is over at the log
// time now.
func (p *Pipeline) collect(now int64) {
	for _, d := range p.detectors {
		b := d.Book()
		p.dropped, b.Dropped = p.dropped+b.Dropped, 0
		for _, f := range b.Changed(now) {
			if old := p.kept[f.ID]; old != nil {
				f.Told, f.Grown = old.Told, f.Grown || old.Grown
			}
			p.kept[f.ID] = &f
		}
	}
}

// snapshot is a Pipeline's memory as it is stored.
type snapshot struct {
	Now       int64
	Evidence  evidence.State
	Detectors map[string][]byte
}

// Save encodes the memory.
func (p *Pipeline) Save() ([]byte, error) {
	s := snapshot{Now: p.now, Evidence: p.ev.State(), Detectors: map[string][]byte{}}
	for _, d := range p.detectors {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(d.State()); err != nil {
			return nil, fmt.Errorf("encode the memory of %s: %w", d.Name(), err)
		}
		s.Detectors[d.Name()] = b.Bytes()
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return nil, fmt.Errorf("encode the memory: %w", err)
	}
	return b.Bytes(), nil
}

// Load takes the memory that Save encoded. A detector that was not known then starts empty.
func (p *Pipeline) Load(raw []byte) error {
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(raw)).Decode(&s); err != nil {
		return fmt.Errorf("decode the memory: %w", err)
	}
	if err := s.Evidence.Check(); err != nil {
		return fmt.Errorf("decode the memory: %w", err)
	}
	p.now, p.ev = s.Now, evidence.Restore(s.Evidence)
	for _, d := range p.detectors {
		if b, ok := s.Detectors[d.Name()]; ok {
			if err := gob.NewDecoder(bytes.NewReader(b)).Decode(d.State()); err != nil {
				return fmt.Errorf("decode the memory of %s: %w", d.Name(), err)
			}
		}
	}
	return nil
}
