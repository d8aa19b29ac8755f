package evidence

import (
	"net/netip"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/zeek"
)

func TestOutcome(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.2")
	for name, tc := range map[string]struct {
		c    zeek.Conn
		want Outcome
	}{
		"answered with data":           {zeek.Conn{Proto: zeek.TCP, State: zeek.SF, RespBytes: 5, OrigPkts: 4}, Worked},
		"no answer":                    {zeek.Conn{Proto: zeek.TCP, State: zeek.S0, History: "S", OrigPkts: 1}, Failed},
		"refused":                      {zeek.Conn{Proto: zeek.TCP, State: zeek.REJ, History: "Sr", OrigPkts: 1, RespPkts: 1}, Failed},
		"half open, reset":             {zeek.Conn{Proto: zeek.TCP, State: zeek.RSTOS0, History: "SR", OrigPkts: 2}, Failed},
		"opened and closed in silence": {zeek.Conn{Proto: zeek.TCP, State: zeek.SF, History: "ShAFf", OrigPkts: 3, RespPkts: 2}, Neutral},
		"sent, only acknowledged":      {zeek.Conn{Proto: zeek.TCP, State: zeek.S1, History: "ShAD", OrigPkts: 3, RespPkts: 1, OrigBytes: 40}, Failed},
		"answer seen first":            {zeek.Conn{Proto: zeek.TCP, State: zeek.OTH, History: "^hdA", OrigPkts: 1}, Neutral},
		"bad checksums only":           {zeek.Conn{Proto: zeek.TCP, State: zeek.OTH, History: "C", OrigPkts: 1}, Neutral},
		"midstream, both sides":        {zeek.Conn{Proto: zeek.TCP, State: zeek.OTH, History: "DadA", OrigPkts: 1}, Worked},
		"midstream, one side":          {zeek.Conn{Proto: zeek.TCP, State: zeek.OTH, History: "DA", OrigPkts: 1, OrigBytes: 9}, Neutral},
		"udp answered":                 {zeek.Conn{Proto: zeek.UDP, State: zeek.SF, History: "Dd", OrigPkts: 1, RespPkts: 1}, Worked},
		"udp silent":                   {zeek.Conn{Proto: zeek.UDP, State: zeek.S0, History: "D", OrigPkts: 1}, Failed},
		"ping answered":                {zeek.Conn{Proto: zeek.ICMP, OrigPort: 8, OrigPkts: 1, RespPkts: 1}, Worked},
		"ping silent":                  {zeek.Conn{Proto: zeek.ICMP, OrigPort: 8, OrigPkts: 1}, Failed},
		"port unreachable":             {zeek.Conn{Proto: zeek.ICMP, OrigPort: 3, OrigPkts: 1}, Neutral},
		"nothing sent":                 {zeek.Conn{Proto: zeek.TCP, State: zeek.S0, History: "S"}, Neutral},
	} {
		tc.c.Orig, tc.c.Resp = a, b
		if got := OutcomeOf(&tc.c); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
	multicast := zeek.Conn{Proto: zeek.UDP, State: zeek.S0, OrigPkts: 1, Orig: a, Resp: netip.MustParseAddr("224.0.0.251")}
	if OutcomeOf(&multicast) != Neutral {
		t.Error("nobody answers multicast")
	}
	neighbour := zeek.Conn{Proto: zeek.ICMP, OrigPort: 128, OrigPkts: 1, Orig: netip.MustParseAddr("2001:db8::1"), Resp: netip.MustParseAddr("2001:db8::2")}
	if OutcomeOf(&neighbour) != Failed {
		t.Error("an IPv6 echo request without an answer failed")
	}
}

// attempt is a connection of src to port of dst at second at.
func attempt(src, dst string, port uint16, at int, answered bool) *zeek.Conn {
	c := &zeek.Conn{
		Time: int64(at) * int64(time.Second), Orig: netip.MustParseAddr(src), Resp: netip.MustParseAddr(dst), OrigPort: 40000, RespPort: port,
		Proto: zeek.TCP, State: zeek.S0, History: "S", OrigPkts: 1,
	}
	if answered {
		c.State, c.History, c.OrigPkts, c.RespPkts, c.OrigBytes, c.RespBytes = zeek.SF, "ShADadFf", 6, 6, 300, 900
	}
	return c
}

func TestScanOfABusyHostIsSeen(t *testing.T) {
	s := New(Options{})
	at := 0
	for i := range 500 { // an ordinary client
		s.Score(attempt("10.0.0.1", "198.51.100."+string('1'+rune(i%9)), 443, at, true))
		at++
	}
	last := Evidence{}
	for port := range uint16(12) {
		last = s.Score(attempt("10.0.0.1", "10.0.0.9", 1000+port, at, false))
		at++
	}
	if !last.Flagged() {
		t.Errorf("after twelve closed ports the score is %.1f", last.Score)
	}
	if e := s.Score(attempt("10.0.0.1", "198.51.100.1", 443, at, true)); e.Flagged() {
		t.Error("an answered connection of a scanner is flagged")
	}
}

func TestIsolatedProbeFromOutside(t *testing.T) {
	s := New(Options{})
	if e := s.Score(attempt("198.51.100.7", "10.0.0.1", 23, 1, false)); !e.Flagged() {
		t.Errorf("one probe from outside of a port that never answered scores %.1f", e.Score)
	}
	if e := s.Score(attempt("10.0.0.1", "198.51.100.8", 443, 2, false)); e.Flagged() {
		t.Errorf("one failed call of a client scores %.1f", e.Score)
	}
	s = New(Options{})
	s.Score(attempt("198.51.100.9", "10.0.0.1", 23, 1, true))
	if e := s.Score(attempt("198.51.100.7", "10.0.0.1", 23, 2, false)); e.Flagged() {
		t.Errorf("a missed answer of a service that answers others scores %.1f", e.Score)
	}
}

func TestSilentTimeServersAreExcused(t *testing.T) {
	s := New(Options{})
	for i := range 20 {
		c := attempt("10.0.0.1", "198.51.100."+string('1'+rune(i%9)), 123, i*60, false)
		c.Proto, c.History = zeek.UDP, "D"
		if e := s.Score(c); e.Flagged() || !e.Excused {
			t.Fatalf("question %d: score %.1f, excused %v", i, e.Score, e.Excused)
		}
	}
}

func TestTableIsBounded(t *testing.T) {
	tb := newTable(8192, 3600)
	for i := range uint64(200_000) {
		tb.at(Mix(i, 1), int64(i)/1000).Bad++
	}
	if len(tb.Keys) > 8192 {
		t.Errorf("%d slots", len(tb.Keys))
	}
	v := tb.at(Mix(199_999, 1), 200)
	if v.Bad != 1 {
		t.Error("the newest entry is gone")
	}
	if tb.peek(Mix(0, 1)).Bad != 0 {
		t.Error("the oldest entry is still there")
	}
}

func TestClockJumps(t *testing.T) {
	s := New(Options{})
	for i, at := range []int{1000, 2_000_000_000, 5, 1_000_000_000} {
		if e := s.Score(attempt("10.0.0.1", "10.0.0.2", 80, at, i%2 == 0)); e.Score != e.Score {
			t.Errorf("at %d the score is not a number", at)
		}
	}
}
