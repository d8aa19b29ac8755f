package scorer

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math"

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
	names     []string // of the detectors, and probing
	forest    *Forest  // nil: no model yet
	threshold float64  // of the evidence; moved by feedback
	now       int64    // log time
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
		ev: evidence.New(evidence.Options{MaxEntries: n}), forest: forest, threshold: evidence.Threshold,
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
	p.now = max(p.now, c.Time)
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
	p.now = max(p.now, a.Time)
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
	var out []detect.Finding
	beacons := map[string]bool{}
	for _, d := range p.detectors {
		if d.Name() == "beacon" {
			for _, f := range d.Book().Open {
				beacons[f.Source+" "+f.Destination+" "+f.Service] = true
			}
		}
		for _, f := range d.Book().Changed(p.now) {
			if f.Kind != "unanswered calls" || !beacons[f.Source+" "+f.Destination+" "+f.Service] {
				out = append(out, f)
			}
		}
	}
	return out
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
