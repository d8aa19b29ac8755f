// Package inject makes labelled synthetic attacks and mixes them into a copy of a site's
// own logs, to see whether they would be found there.
package inject

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/inframind/inframind/internal/zeek"
)

// recipe is one kind of attack.
type recipe struct {
	kind string
	what string // for --help
	make func(*maker)
}

// recipes are all kinds of attack, in the order they are injected.
func recipes() []recipe {
	return slices.Concat(scans(), callers(), thieves(), noisy())
}

// Kinds are the attacks that can be made.
func Kinds() (out []string) {
	for _, r := range recipes() {
		out = append(out, r.kind)
	}
	return out
}

// Describe says in words what each kind is, one a line.
func Describe() (out string) {
	for _, r := range recipes() {
		out += fmt.Sprintf("  %-19s %s\n", r.kind, r.what)
	}
	return out
}

// Site is what an attack needs to know of the place where it happens.
type Site struct {
	Attacker netip.Addr // a host inside that the logs do not know
	Victim   netip.Addr // a host inside that they know, for attacks from outside
	From, To time.Time
}

// Attack is a made attack: its records and the name it is labelled with.
type Attack struct {
	Kind  string
	Conns []zeek.Conn
	DNS   []zeek.App
}

// Make makes an attack of the kind, within the site's time.
func Make(kind string, s Site, seed uint64) (Attack, error) {
	i := slices.IndexFunc(recipes(), func(r recipe) bool { return r.kind == kind })
	if i < 0 {
		return Attack{}, fmt.Errorf("unknown kind %q; there are %v", kind, Kinds())
	}
	m := &maker{Site: s, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
	recipes()[i].make(m)
	slices.SortStableFunc(m.conns, func(a, b zeek.Conn) int { return cmp.Compare(a.Time, b.Time) })
	return Attack{Kind: kind, Conns: m.conns, DNS: m.queries}, nil
}

// maker collects the records of one attack.
type maker struct {
	Site
	rng     *rand.Rand
	conns   []zeek.Conn
	queries []zeek.App
}

// silent is an attempt that nobody answers.
func (m *maker) silent(at time.Time, from, to netip.Addr, port uint16) *zeek.Conn {
	m.conns = append(m.conns, zeek.Conn{
		Time: at.UnixNano(), UID: fmt.Sprintf("Cinj%x", m.rng.Uint64()), Orig: from, Resp: to, OrigPort: uint16(32768 + m.rng.IntN(28000)), RespPort: port,
		Proto: zeek.TCP, State: zeek.S0, History: "S", Duration: math.NaN(), OrigBytes: -1, RespBytes: -1, MissedBytes: 0,
		OrigPkts: 1, OrigIPBytes: 60, RespPkts: 0, RespIPBytes: 0, VLAN: -1,
	})
	return &m.conns[len(m.conns)-1]
}

// refused is an attempt that is answered by a reset.
func (m *maker) refused(at time.Time, from, to netip.Addr, port uint16) {
	c := m.silent(at, from, to, port)
	c.State, c.History, c.RespPkts, c.RespIPBytes = zeek.REJ, "Sr", 1, 40
}

// talk is a conversation.
func (m *maker) talk(at time.Time, from, to netip.Addr, port uint16, out, in int64, seconds float64) *zeek.Conn {
	c := m.silent(at, from, to, port)
	c.State, c.History, c.Duration, c.OrigBytes, c.RespBytes = zeek.SF, "ShADadFf", seconds, out, in
	c.OrigPkts, c.RespPkts = 5+out/1400, 5+in/1400+out/2800
	c.OrigIPBytes, c.RespIPBytes = out+40*c.OrigPkts, in+40*c.RespPkts
	return c
}

// datagrams is a talk over UDP; in 0 is no answer.
func (m *maker) datagrams(at time.Time, from, to netip.Addr, port uint16, out, in int64) *zeek.Conn {
	c := m.talk(at, from, to, port, out, in, .05)
	c.Proto, c.History, c.OrigPkts, c.RespPkts = zeek.UDP, "Dd", 1, 1
	if in == 0 {
		c.State, c.History, c.RespPkts, c.RespIPBytes = zeek.S0, "D", 0, 0
	}
	return c
}

// query is a DNS question and the connection it goes through.
func (m *maker) query(at time.Time, name, kind string) {
	resolver := m.Attacker.As16()
	resolver[15] = 53
	c := m.datagrams(at, m.Attacker, netip.AddrFrom16(resolver).Unmap(), 53, int64(28+len(name)), 200)
	c.Service = "dns"
	m.queries = append(m.queries, zeek.App{Time: c.Time, UID: c.UID, Orig: c.Orig, Resp: c.Resp, Name: name, Type: kind, Code: "NOERROR"})
}

// label is n random characters of the alphabet base32 uses.
func (m *maker) label(n int) string {
	const base32 = "abcdefghijklmnopqrstuvwxyz234567"
	out := make([]byte, n)
	for i := range out {
		out[i] = base32[m.rng.IntN(len(base32))]
	}
	return string(out)
}

// outside is a random address of the documentation range.
func (m *maker) outside() netip.Addr {
	return netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + m.rng.IntN(250))})
}

// anywhere is a random address of the Internet.
func (m *maker) anywhere() netip.Addr {
	return netip.AddrFrom4([4]byte{byte(20 + m.rng.IntN(80)), byte(m.rng.IntN(256)), byte(m.rng.IntN(256)), byte(1 + m.rng.IntN(250))})
}

// inside is the n-th host of a network inside.
func (m *maker) inside(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, 77, byte(n >> 8), byte(n)})
}

// after is the time when the share part of the site's time is over.
func (m *maker) after(part float64) time.Time {
	return m.From.Add(time.Duration(part * float64(m.To.Sub(m.From))))
}

// jitter varies d evenly by the share j to both sides.
func (m *maker) jitter(d time.Duration, j float64) time.Duration {
	return time.Duration(float64(d) * (1 + j*(2*m.rng.Float64()-1)))
}

// every calls do at times that lie gap apart, give or take the share j, from at until the
// end of the site's time or n times.
func (m *maker) every(at time.Time, gap time.Duration, j float64, n int, do func(time.Time)) {
	for range n {
		if at.After(m.To) {
			return
		}
		do(at)
		at = at.Add(m.jitter(gap, j))
	}
}
