// Package inject makes labelled synthetic attacks and mixes them into a copy of a site's
// own logs, to see whether they would be found there.
package inject

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/inframind/inframind/internal/zeek"
)

// Kinds are the attacks that can be made.
func Kinds() []string {
	return []string{"horizontal_scan", "vertical_scan", "slow_scan", "beacon", "exfiltration", "dns_tunnel"}
}

// Attack is a made attack: its records and the name it is labelled with.
type Attack struct {
	Kind  string
	Conns []zeek.Conn
	DNS   []zeek.App
}

// maker makes attacks of one host inside between two times.
type maker struct {
	rng      *rand.Rand
	attacker netip.Addr
	from, to time.Time
	n        int
}

// Make makes an attack of the kind by attacker, within from and to where it fits.
func Make(kind string, attacker netip.Addr, from, to time.Time, seed uint64) (Attack, error) {
	m := &maker{rng: rand.New(rand.NewPCG(seed, 7)), attacker: attacker, from: from, to: to}
	a := Attack{Kind: kind}
	switch kind {
	case "horizontal_scan":
		a.Conns = m.horizontal(200, 100*time.Millisecond)
	case "vertical_scan":
		a.Conns = m.vertical(1000, 10*time.Millisecond)
	case "slow_scan":
		a.Conns = m.vertical(60, 20*time.Minute)
	case "beacon":
		a.Conns = m.beacon(time.Minute, .3)
	case "exfiltration":
		a.Conns = m.exfiltration(2_000_000_000)
	case "dns_tunnel":
		a.DNS = m.tunnel(2 * time.Minute)
		for i := range a.DNS {
			a.Conns = append(a.Conns, m.dnsConn(&a.DNS[i]))
		}
	default:
		return a, fmt.Errorf("unknown kind %q; there are %v", kind, Kinds())
	}
	return a, nil
}

// conn is an attempt that nobody answered.
func (m *maker) conn(at time.Time, to netip.Addr, port uint16) zeek.Conn {
	m.n++
	return zeek.Conn{
		Time: at.UnixNano(), UID: fmt.Sprintf("Cinj%x%04x", m.rng.Uint64(), m.n), Orig: m.attacker, Resp: to, OrigPort: uint16(32768 + m.rng.IntN(28000)), RespPort: port,
		Proto: zeek.TCP, State: zeek.S0, History: "S", Duration: math.NaN(), OrigBytes: -1, RespBytes: -1, MissedBytes: 0,
		OrigPkts: 1, OrigIPBytes: 60, RespPkts: 0, RespIPBytes: 0, VLAN: -1,
	}
}

// talk is a conversation.
func (m *maker) talk(at time.Time, to netip.Addr, port uint16, out, in int64, seconds float64) zeek.Conn {
	c := m.conn(at, to, port)
	c.State, c.History, c.Duration, c.OrigBytes, c.RespBytes = zeek.SF, "ShADadFf", seconds, out, in
	c.OrigPkts, c.RespPkts = 5+out/1400, 5+in/1400+out/2800
	c.OrigIPBytes, c.RespIPBytes = out+40*c.OrigPkts, in+40*c.RespPkts
	return c
}

func (m *maker) outside() netip.Addr {
	return netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + m.rng.IntN(250))}) // documentation range
}

func (m *maker) horizontal(n int, gap time.Duration) []zeek.Conn {
	var out []zeek.Conn
	at := m.from.Add(m.span() / 3)
	for i := range n {
		c := m.conn(at, netip.AddrFrom4([4]byte{10, 77, byte(i >> 8), byte(i)}), 445)
		if m.rng.IntN(20) == 0 {
			c.State, c.History, c.RespPkts, c.RespIPBytes = zeek.REJ, "Sr", 1, 40
		}
		out = append(out, c)
		at = at.Add(m.jitter(gap, .5))
	}
	return out
}

func (m *maker) vertical(n int, gap time.Duration) []zeek.Conn {
	target := netip.AddrFrom4([4]byte{10, 77, 1, 5})
	ports := m.rng.Perm(10000)
	at := m.from.Add(m.span() / 4)
	var out []zeek.Conn
	for i := range n {
		c := m.conn(at, target, uint16(1+ports[i]))
		c.State, c.History, c.RespPkts, c.RespIPBytes = zeek.REJ, "Sr", 1, 40
		if out = append(out, c); at.After(m.to) {
			break
		}
		at = at.Add(m.jitter(gap, .5))
	}
	return out
}

func (m *maker) beacon(every time.Duration, jitter float64) []zeek.Conn {
	to := m.outside()
	var out []zeek.Conn
	for at := m.from.Add(m.jitter(every, 1)); at.Before(m.to) && len(out) < 5000; at = at.Add(m.jitter(every, jitter)) {
		out = append(out, m.talk(at, to, 443, 400+m.rng.Int64N(40), 300+m.rng.Int64N(60), .2+m.rng.Float64()))
	}
	return out
}

func (m *maker) exfiltration(bytes int64) []zeek.Conn {
	to := m.outside()
	at := m.from.Add(m.span() * 4 / 5)
	var out []zeek.Conn
	for range 10 {
		out = append(out, m.talk(at, to, 443, bytes/10, bytes/2000, 20))
		at = at.Add(30 * time.Second)
	}
	return out
}

const base32 = "abcdefghijklmnopqrstuvwxyz234567"

func (m *maker) tunnel(every time.Duration) []zeek.App {
	var out []zeek.App
	for at := m.from.Add(m.jitter(every, 1)); at.Before(m.to) && len(out) < 5000; at = at.Add(m.jitter(every, .2)) {
		label := make([]byte, 40)
		for i := range label {
			label[i] = base32[m.rng.IntN(len(base32))]
		}
		m.n++
		out = append(out, zeek.App{
			Time: at.UnixNano(), UID: fmt.Sprintf("Cinj%x%04x", m.rng.Uint64(), m.n), Orig: m.attacker,
			Resp: netip.AddrFrom4([4]byte{10, 77, 0, 53}), Name: string(label) + ".t.example.com", Type: "TXT", Code: "NOERROR",
		})
	}
	return out
}

func (m *maker) dnsConn(a *zeek.App) zeek.Conn {
	c := m.talk(time.Unix(0, a.Time), a.Resp, 53, 70, 200, .03)
	c.UID, c.Proto, c.Service, c.History = a.UID, zeek.UDP, "dns", "Dd"
	c.OrigPkts, c.RespPkts, c.OrigIPBytes, c.RespIPBytes = 1, 1, 98, 228
	return c
}

func (m *maker) span() time.Duration { return m.to.Sub(m.from) }

// jitter varies d evenly by the share j to both sides.
func (m *maker) jitter(d time.Duration, j float64) time.Duration {
	return time.Duration(float64(d) * (1 + j*(2*m.rng.Float64()-1)))
}
