// Package evidence scores every connection by how much it looks like probing: a log of
// odds that needs no training. It looks at what became of the connection, at what became
// of earlier ones to the same service, at whether its source keeps knocking on doors that
// do not open (a random walk in the sense of threshold random walk scan detection), and at
// whether its destination is being knocked on by many.
package evidence

import (
	"errors"
	"math"

	"github.com/inframind/inframind/internal/zeek"
)

// Threshold is the log of odds from which a connection is flagged.
const Threshold = 2.0

// Outcome says how a connection went for its originator.
type Outcome int8

// The outcomes. Neutral ones say nothing about the originator's intent.
const (
	Failed  Outcome = -1
	Neutral Outcome = 0
	Worked  Outcome = 1
)

// Options bound the memory. The zero value takes the defaults.
type Options struct {
	MaxEntries int // remembered services, pairs, sources and destinations, each; default 1,048,576
}

// State is all a Scorer remembers.
type State struct {
	Services, Pairs, Sources, Dests *Table
}

// Scorer gives connections their score, in the order they are logged. It is not safe for
// concurrent use.
type Scorer struct {
	s     State
	decay *decays
}

const (
	hour        = 3600
	serviceLife = 24 * hour
	sourceLife  = 6 * hour
	pairLife    = 6 * hour
	destLife    = 1 * hour
)

// New makes a Scorer that has seen nothing.
func New(o Options) *Scorer {
	n := 1 << 20
	if o.MaxEntries > 0 {
		n = 1 << int(math.Ceil(math.Log2(float64(max(o.MaxEntries, 4096)))))
	}
	return Restore(State{newTable(n, 4*serviceLife), newTable(n, pairLife), newTable(n, 4*sourceLife), newTable(n, 4*destLife)})
}

// Restore continues from a State that was stored.
func Restore(s State) *Scorer { return &Scorer{s: s, decay: newDecays()} }

// State returns what is to be stored; it is the Scorer's own, not a copy.
func (s *Scorer) State() State { return s.s }

// Evidence is a connection's score and what it is made of, all logs of odds.
type Evidence struct {
	Outcome Outcome
	First   bool // first contact of this source with this service in six hours
	Score   float64
	// The parts of the score.
	Own, Service, Source, Dest, Direction float64
	// Excused failures are of a kind that honest clients have all day: see excused.
	Excused bool
	// Whether the two ends belong to the observed network.
	OrigInside, RespInside bool
}

// Flagged tells whether the connection looks like probing.
func (e *Evidence) Flagged() bool { return e.Score >= Threshold }

// Probability is the score as a number in [0,1]; 0.5 is the threshold.
func (e *Evidence) Probability() float64 { return 1 / (1 + math.Exp(Threshold-e.Score)) }

// Score judges c by what was seen before it, then remembers it.
func (s *Scorer) Score(c *zeek.Conn) Evidence {
	now := c.Time / 1_000_000_000
	o := OutcomeOf(c)
	src, dst := Hash(c.Orig), Hash(c.Resp)
	service := Mix(dst, uint64(c.Proto)<<16|uint64(c.RespPort))
	sv, pair := s.s.Services.at(service, now), s.s.Pairs.at(Mix(service, src), now)
	sr, ds := s.s.Sources.at(src, now), s.s.Dests.at(dst, now)
	s.decay.fade(sv, now, serviceLife)
	s.decay.fade(sr, now, sourceLife)
	s.decay.fade(ds, now, destLife)

	e := Evidence{First: pair.Bad == 0 || now-pair.Seen > pairLife}
	s.sides(&e, c, sr, dst)
	if o == Failed && e.OrigInside && excused(c) {
		o, e.Excused = Neutral, true
	}
	e.Outcome = o
	e.Own = -1.5 * float64(o)
	e.Service = clamp(logRatio(sv.Bad+.5, sv.OK+.5), -3, 3)
	e.Source = float64(sr.Bad) // the walk
	e.Dest = clamp(logRatio(ds.Bad+1, ds.OK+1), -2, 3)
	if o == Failed && sv.OK == 0 && !e.OrigInside && e.RespInside {
		e.Direction = unsolicited
	}
	e.Score = e.Own + e.Service + e.Source + e.Dest + e.Direction
	switch {
	case o == Worked, retried(&e):
		e.Score = min(e.Score, Threshold-.1)
	case o == Neutral:
		e.Score = min(e.Score, 0)
	}
	s.remember(o, e.First, sv, sr, ds)
	pair.Bad, pair.Seen = 1, now
	return e
}

// sides tells which ends of c belong to the observed network.
func (s *Scorer) sides(e *Evidence, c *zeek.Conn, sr *Tally, dst uint64) {
	lo, lr := c.LocalOrig, c.LocalResp
	if lo == zeek.False && lr == zeek.False { // a sensor that was not told its networks
		lo, lr = zeek.Unset, zeek.Unset
	}
	e.OrigInside = inside(c.Orig, lo, sr.OK)
	e.RespInside = inside(c.Resp, lr, 0)
	if !e.RespInside && lr == zeek.Unset && c.Resp.IsGlobalUnicast() {
		e.RespInside = s.s.Sources.peek(dst).OK >= learned
	}
}

func (s *Scorer) remember(o Outcome, first bool, sv, sr, ds *Tally) {
	switch o {
	case Failed:
		sv.Bad++
	case Worked:
		sv.OK++
	}
	if !first {
		return
	}
	sr.Bad = float32(clamp(float64(sr.Bad)-1.386*float64(o), -4, 4))
	switch o {
	case Failed:
		ds.Bad++
	case Worked:
		ds.OK++
		sr.OK++
	}
}

func clamp(x, lo, hi float64) float64 { return max(lo, min(hi, x)) }

// logRatio is ln(a/b).
func logRatio(a, b float32) float64 { return math.Log(float64(a / b)) }

// Check tells whether a State that was read from outside is whole.
func (s State) Check() error {
	for _, t := range []*Table{s.Services, s.Pairs, s.Sources, s.Dests} {
		if t == nil || len(t.Keys) < ways || len(t.Keys)&(len(t.Keys)-1) != 0 || len(t.Keys) != len(t.Vals) {
			return errors.New("a table of the evidence state is damaged")
		}
	}
	return nil
}
