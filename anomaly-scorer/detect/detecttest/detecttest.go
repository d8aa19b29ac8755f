// Package detecttest is the contract that every detector keeps, and what their tests share.
package detecttest

import (
	"bytes"
	"encoding/gob"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Start is when the records of the tests begin.
func Start() time.Time { return time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC) }

// Feed shows connections to a detector the way the pipeline does.
type Feed struct {
	D  detect.Detector
	ev *evidence.Scorer
	n  int
}

// NewFeed makes a Feed of d.
func NewFeed(d detect.Detector) *Feed {
	return &Feed{D: d, ev: evidence.New(evidence.Options{MaxEntries: 4096})}
}

// Conn shows c.
func (f *Feed) Conn(c *zeek.Conn) float64 {
	f.n++
	return f.D.Observe(&detect.Event{Conn: c, Evidence: f.ev.Score(c), Origin: zeek.Origin{Path: "conn.log", Line: f.n}})
}

// App shows a.
func (f *Feed) App(a *zeek.App, k zeek.Kind) float64 {
	f.n++
	return f.D.Observe(&detect.Event{App: a, Kind: k, Origin: zeek.Origin{Path: k.String() + ".log", Line: f.n}})
}

// Findings returns what was found.
func (f *Feed) Findings() []detect.Finding { return f.D.Book().Changed(1 << 61) }

// Talk is an answered TLS connection that sent out and received in bytes.
func Talk(src, dst string, at time.Time, out, in int64) *zeek.Conn {
	return &zeek.Conn{
		Time: at.UnixNano(), UID: "C" + at.Format("150405.000"), Orig: netip.MustParseAddr(src), Resp: netip.MustParseAddr(dst),
		OrigPort: uint16(at.UnixMilli()), RespPort: 443, Proto: zeek.TCP, State: zeek.SF, Service: "ssl", History: "ShADadFf",
		Duration: 1, OrigBytes: out, RespBytes: in, OrigPkts: 6, RespPkts: 6, OrigIPBytes: out + 240, RespIPBytes: in + 240, MissedBytes: -1, VLAN: -1,
	}
}

// Silent is a TCP connection attempt without an answer.
func Silent(src, dst string, port uint16, at time.Time) *zeek.Conn {
	c := Talk(src, dst, at, -1, -1)
	c.RespPort, c.State, c.Service, c.History, c.OrigPkts, c.RespPkts, c.OrigIPBytes, c.RespIPBytes = port, zeek.S0, "", "S", 1, 0, 60, 0
	return c
}

// Contract checks what the pipeline relies on: scores in [0,1], findings that say what,
// why and where, the same findings for the same records, a state that can be stored and
// taken up again, and nothing found in quiet traffic.
func Contract(t *testing.T, make func() detect.Detector, attack func(*Feed)) {
	t.Helper()
	a, b := NewFeed(make()), NewFeed(make())
	quiet(t, a)
	if f := a.Findings(); len(f) != 0 {
		t.Errorf("found in quiet traffic: %+v", f[0])
	}
	quiet(t, b)
	attack(a)
	attack(b)
	var stored bytes.Buffer
	if err := gob.NewEncoder(&stored).Encode(a.D.State()); err != nil {
		t.Fatalf("the state cannot be stored: %v", err)
	}
	found := a.Findings()
	if len(found) == 0 {
		t.Fatal("the attack was not found")
	}
	for _, f := range found {
		if f.ID == "" || f.Title == "" || len(f.Reasons) == 0 || f.Reasons[0] == "" || len(f.UIDs) == 0 || f.Connections == 0 || f.Severity == "" ||
			!(f.Score >= 0 && f.Score <= 1) || f.End.Before(f.Start) || f.Detector != a.D.Name() {
			t.Errorf("incomplete: %+v", f)
		}
	}
	if again := b.Findings(); !reflect.DeepEqual(found, again) {
		t.Errorf("the same records gave\n%+v\nand\n%+v", found, again)
	}
	if more := a.Findings(); len(more) != 0 {
		t.Errorf("handed out twice: %+v", more)
	}
	c := make()
	if err := gob.NewDecoder(&stored).Decode(c.State()); err != nil {
		t.Fatalf("the state cannot be taken up: %v", err)
	}
	if restored := NewFeed(c).Findings(); !reflect.DeepEqual(found, restored) {
		t.Errorf("after storing, the findings are %+v", restored)
	}
}

// quiet is four hours of ten clients that use ten servers.
func quiet(t *testing.T, f *Feed) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	at := Start().Add(-4 * time.Hour)
	for at.Before(Start()) {
		src := netip.AddrFrom4([4]byte{10, 0, 0, byte(10 + rng.IntN(10))}).String()
		dst := netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + rng.IntN(10))}).String()
		if s := f.Conn(Talk(src, dst, at, int64(300+rng.IntN(3000)), int64(1000+rng.IntN(90000)))); s < 0 || s > 1 {
			t.Fatalf("score %v", s)
		}
		at = at.Add(time.Duration(rng.ExpFloat64() * float64(8*time.Second)))
	}
}
