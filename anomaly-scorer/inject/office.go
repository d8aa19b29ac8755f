package inject

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/inframind/inframind/internal/zeek"
)

// Office writes the conn and dns logs of an invented quiet office to dir: n connections of
// forty hosts over a working day, with name lookups, web, mail, file shares, and the
// failures that come with them, and beside these what machines do by the clock: one
// monitors all others, and all ask for updates and messages.
func Office(dir string, n int, seed uint64) error {
	o := office{rng: rand.New(rand.NewPCG(seed, 77)), at: time.Date(2026, 11, 2, 7, 0, 0, 0, time.UTC)}
	start, gap := o.at, 12*time.Hour/time.Duration(max(n, 1))
	var conns []zeek.Conn
	for range n {
		conns = append(conns, o.conn())
		o.at = o.at.Add(time.Duration(o.rng.ExpFloat64() * float64(gap)))
	}
	conns = append(conns, o.machines(start, o.at)...)
	slices.SortStableFunc(conns, func(a, b zeek.Conn) int { return cmp.Compare(a.Time, b.Time) })
	err := create(filepath.Join(dir, "conn.log"), zeek.KindConn, func(w *zeek.Writer) error {
		for i := range conns {
			if err := w.Conn(&conns[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, create(filepath.Join(dir, "dns.log"), zeek.KindDNS, func(w *zeek.Writer) error {
		for i := range conns {
			if conns[i].Service != "dns" {
				continue
			}
			q := o.query(&conns[i])
			if err := w.App(&q); err != nil {
				return err
			}
		}
		return nil
	}))
}

// machines is what runs by the clock: each host asks two services outside, of ten, every
// five minutes to an hour, and is asked by the monitoring every five minutes.
func (o *office) machines(from, to time.Time) (out []zeek.Conn) {
	for h := range hosts {
		for k := range 3 {
			every := time.Duration(5+o.rng.IntN(55)) * time.Minute
			server := netip.AddrFrom4([4]byte{198, 51, 99, byte(1 + o.rng.IntN(10))})
			if k == 0 {
				every = 5 * time.Minute
			}
			for o.at = from.Add(time.Duration(o.rng.Int64N(int64(every)))); o.at.Before(to); o.at = o.at.Add(every + time.Duration(o.rng.NormFloat64()*float64(every)/50)) {
				c := o.talk(server, zeek.TCP, 443, "ssl", 900, 3000, 1)
				if k == 0 {
					c = o.talk(officeHost(h), zeek.TCP, 9100, "http", 300, 30000, .1)
					c.Orig = netip.AddrFrom4([4]byte{10, 20, 1, 9})
				} else {
					c.Orig = officeHost(h)
				}
				out = append(out, c)
			}
		}
	}
	return out
}

type office struct {
	rng *rand.Rand
	at  time.Time
	n   int
}

// hosts is how many people work there.
const hosts = 40

func officeHost(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 20, 0, byte(10 + i)}) }

func (o *office) host() netip.Addr { return officeHost(o.rng.IntN(hosts)) }

// site is a server outside; a few are much more popular than the rest.
func (o *office) site() netip.Addr {
	k := int(math.Exp(o.rng.Float64() * math.Log(2000)))
	return netip.AddrFrom4([4]byte{198, 51, byte(100 + k/250), byte(1 + k%250)})
}

// talk is an answered conversation with sizes around out and in.
func (o *office) talk(to netip.Addr, p zeek.Proto, port uint16, service string, out, in, seconds float64) zeek.Conn {
	o.n++
	c := zeek.Conn{
		Time: o.at.UnixNano(), UID: fmt.Sprintf("Coff%08d", o.n), Orig: o.host(), Resp: to, OrigPort: uint16(32768 + o.rng.IntN(28000)), RespPort: port,
		Proto: p, State: zeek.SF, Service: service, History: "ShADadFf", Duration: seconds * o.spread(), OrigBytes: int64(out * o.spread()), RespBytes: int64(in * o.spread()), VLAN: -1,
	}
	if p == zeek.UDP {
		c.History = "Dd"
	}
	c.OrigPkts, c.RespPkts = 2+c.OrigBytes/1000+c.RespBytes/3000, 2+c.RespBytes/1400
	c.OrigIPBytes, c.RespIPBytes = c.OrigBytes+40*c.OrigPkts, c.RespBytes+40*c.RespPkts
	return c
}

// spread is a log-normal factor, as sizes and durations have.
func (o *office) spread() float64 { return math.Exp(o.rng.NormFloat64()) }

func (o *office) conn() zeek.Conn {
	inside := func(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 20, 1, last}) }
	switch k := o.rng.IntN(100); {
	case k < 40:
		return o.talk(inside(53), zeek.UDP, 53, "dns", 40, 120, .02)
	case k < 75:
		return o.talk(o.site(), zeek.TCP, 443, "ssl", 1500, 20000, 5)
	case k < 82:
		return o.talk(o.site(), zeek.TCP, 80, "http", 500, 8000, 1)
	case k < 88:
		return o.talk(inside(10), zeek.TCP, 445, "smb", 5000, 50000, 60)
	case k < 92:
		return o.talk(inside(25), zeek.TCP, 993, "ssl", 900, 9000, 30)
	case k < 95:
		return o.talk(inside(9), zeek.TCP, 9100, "http", 300, 30000, .1)
	case k < 97:
		return o.talk(o.site(), zeek.UDP, 123, "ntp", 48, 48, .03)
	case k < 98:
		return o.talk(inside(22), zeek.TCP, 22, "ssh", 4000, 9000, 300)
	}
	c := o.talk(o.site(), zeek.TCP, 443, "", 0, 0, 3) // a server that is down
	c.State, c.History, c.OrigBytes, c.RespBytes, c.OrigPkts, c.RespPkts, c.OrigIPBytes, c.RespIPBytes = zeek.S0, "S", 0, 0, 3, 0, 180, 0
	return c
}

func (o *office) query(c *zeek.Conn) zeek.App {
	code := "NOERROR"
	if o.rng.IntN(30) == 0 {
		code = "NXDOMAIN"
	}
	return zeek.App{
		Time: c.Time, UID: c.UID, Orig: c.Orig, Resp: c.Resp, Type: "A", Code: code,
		Name: fmt.Sprintf("www%d.site%d.example.net", o.rng.IntN(3), o.rng.IntN(2000)),
	}
}
