package inject

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/inframind/inframind/internal/zeek"
)

const (
	most  = 5000 // connections of an attack that lasts as long as the log
	tenth = 100 * time.Millisecond
)

func scans() []recipe {
	vertical := func(n int, gap time.Duration) func(*maker) {
		return func(m *maker) {
			ports := m.rng.Perm(10_000)
			m.every(m.after(.25), gap, .5, n, func(at time.Time) {
				m.refused(at, m.Attacker, m.inside(5), uint16(1+ports[0]))
				ports = ports[1:]
			})
		}
	}
	sweep := func(n int, gap time.Duration, to func(m *maker, i int, at time.Time)) func(*maker) {
		return func(m *maker) {
			i := 0
			m.every(m.after(.2), gap, .5, n, func(at time.Time) { i++; to(m, i, at) })
		}
	}
	return []recipe{
		{"horizontal_scan", "200 hosts on one port, nearly all silent", sweep(200, tenth, func(m *maker, i int, at time.Time) {
			if m.rng.IntN(20) == 0 {
				m.refused(at, m.Attacker, m.inside(i), 445)
				return
			}
			m.silent(at, m.Attacker, m.inside(i), 445)
		})},
		{"vertical_scan", "1000 ports of one host, refused", vertical(1000, 10*time.Millisecond)},
		{"slow_scan", "60 ports of one host, one in 20 minutes", vertical(60, 20*time.Minute)},
		{"slow_sweep", "50 hosts on one port, one in 10 minutes, silent", sweep(50, 10*time.Minute, func(m *maker, i int, at time.Time) { m.silent(at, m.Attacker, m.inside(i), 22) })},
		{"open_sweep", "120 hosts on one port, all answer and are left at once", sweep(120, 2*tenth, func(m *maker, i int, at time.Time) {
			c := m.talk(at, m.Attacker, m.inside(i), 445, 0, 0, .01)
			c.State, c.History, c.OrigPkts, c.RespPkts = zeek.RSTO, "ShR", 2, 1
		})},
		{"banner_sweep", "150 web servers, all answer a small question", sweep(150, 2*tenth, func(m *maker, i int, at time.Time) {
			m.talk(at, m.Attacker, m.inside(i), 80, 60, 300, .1)
		})},
		{"open_ports", "60 ports of one host, all answer with a banner", func(m *maker) {
			port := uint16(20)
			m.every(m.after(.3), 2*tenth, .5, 60, func(at time.Time) { port += 7; m.talk(at, m.Attacker, m.inside(7), port, 20, 80, .2) })
		}},
		{"ping_sweep", "120 hosts, a third answers", sweep(120, 3*tenth, func(m *maker, i int, at time.Time) {
			c := m.datagrams(at, m.Attacker, m.inside(i), 0, 56, int64(i%3/2*56))
			c.Proto, c.State, c.OrigPort, c.History = zeek.ICMP, zeek.OTH, 8, ""
		})},
		{"telnet_worm", "1000 random addresses of the Internet on ports 23 and 2323", sweep(1000, 2*tenth, func(m *maker, _ int, at time.Time) {
			port := uint16(23)
			if m.rng.IntN(10) == 0 {
				port = 2323
			}
			m.silent(at, m.Attacker, m.anywhere(), port)
		})},
	}
}

func callers() []recipe {
	beacon := func(gap time.Duration, jitter float64, call func(m *maker, at time.Time, to netip.Addr)) func(*maker) {
		return func(m *maker) {
			to := m.outside()
			m.every(m.From.Add(m.jitter(gap, 1)), gap, jitter, most, func(at time.Time) { call(m, at, to) })
		}
	}
	tls := func(m *maker, at time.Time, to netip.Addr) {
		m.talk(at, m.Attacker, to, 443, 400+m.rng.Int64N(40), 300+m.rng.Int64N(60), .2+m.rng.Float64()).Service = "ssl"
	}
	odd := func(m *maker, at time.Time, to netip.Addr) {
		m.talk(at, m.Attacker, to, 8443, 400+m.rng.Int64N(40), 300+m.rng.Int64N(60), .2+m.rng.Float64())
	}
	return []recipe{
		{"beacon", "TLS once a minute, 30 % jitter", beacon(time.Minute, .3, tls)},
		{"beacon_fast", "every 5 seconds, 10 % jitter", beacon(5*time.Second, .1, odd)},
		{"beacon_slow", "every 15 minutes, 20 % jitter", beacon(15*time.Minute, .2, odd)},
		{"beacon_jitter", "every 2 minutes, 50 % jitter", beacon(2*time.Minute, .5, odd)},
		{"beacon_udp", "a datagram every 90 seconds, 20 % jitter, answered", beacon(90*time.Second, .2, func(m *maker, at time.Time, to netip.Addr) {
			m.datagrams(at, m.Attacker, to, 1337, 64, 32)
		})},
		{"beacon_dead", "every 3 minutes to a server that is gone", beacon(3*time.Minute, .1, func(m *maker, at time.Time, to netip.Addr) { m.silent(at, m.Attacker, to, 6667) })},
		{"beacon_sizes", "every 4 minutes, sizes from 100 B to 100 kB", beacon(4*time.Minute, .2, func(m *maker, at time.Time, to netip.Addr) {
			m.talk(at, m.Attacker, to, 8080, 100<<m.rng.IntN(10), 100<<m.rng.IntN(10), 1)
		})},
		{"beacon_bursts", "every 30 seconds, ten minutes of each hour", beacon(30*time.Second, .2, func(m *maker, at time.Time, to netip.Addr) {
			if at.Minute() < 10 {
				odd(m, at, to)
			}
		})},
		{"beacon_ipv6", "every 2 minutes over IPv6, 20 % jitter", func(m *maker) {
			from, to := netip.MustParseAddr("fd00:77::66"), netip.MustParseAddr("2001:db8:66::1")
			m.every(m.From, 2*time.Minute, .2, most, func(at time.Time) { m.talk(at, from, to, 8443, 400+m.rng.Int64N(40), 350, .5) })
		}},
		{"c2_session", "one connection that stays open for ten hours", func(m *maker) {
			c := m.talk(m.after(.02), m.Attacker, m.outside(), 6667, 60_000, 90_000, 36_000)
			c.State, c.Service = zeek.S1, "irc"
		}},
	}
}

func thieves() []recipe {
	return []recipe{
		{"exfiltration", "2 GB to one peer in five minutes", func(m *maker) {
			to := m.outside()
			m.every(m.after(.8), 30*time.Second, 0, 10, func(at time.Time) { m.talk(at, m.Attacker, to, 443, 200_000_000, 1_000_000, 20) })
		}},
		{"exfiltration_slow", "20 MB an hour to one peer, in pieces of 1 MB", func(m *maker) {
			to := m.outside()
			m.every(m.From, 3*time.Minute, .6, most, func(at time.Time) {
				m.talk(at, m.Attacker, to, 443, 900_000+m.rng.Int64N(200_000), 5000, 4).Service = "ssl"
			})
		}},
		{"exfiltration_spread", "600 MB to many peers in half an hour", func(m *maker) {
			m.every(m.after(.7), 20*time.Second, .5, 90, func(at time.Time) { m.talk(at, m.Attacker, m.outside(), 443, 6_500_000, 9000, 5).Service = "ssl" })
		}},
		{"dns_tunnel", "40 characters of base32 every 2 minutes, TXT", func(m *maker) {
			m.every(m.From, 2*time.Minute, .2, most, func(at time.Time) { m.query(at, m.label(40)+".t.example.com", "TXT") })
		}},
		{"dns_tunnel_fast", "600 short names in two minutes, NULL", func(m *maker) {
			m.every(m.after(.5), 2*tenth, .5, 600, func(at time.Time) { m.query(at, m.label(14)+".example.org", "NULL") })
		}},
		{"dns_tunnel_slow", "two labels of 60 characters every 15 minutes", func(m *maker) {
			m.every(m.From, 15*time.Minute, .3, most, func(at time.Time) { m.query(at, m.label(60)+"."+m.label(60)+".x.example.net", "A") })
		}},
		{"dns_tunnel_hex", "32 hexadecimal characters every 10 seconds for an hour", func(m *maker) {
			m.every(m.after(.4), 10*time.Second, .3, 360, func(at time.Time) {
				m.query(at, fmt.Sprintf("%016x%016x.c.example.com", m.rng.Uint64(), m.rng.Uint64()), "A")
			})
		}},
	}
}

func noisy() []recipe {
	return []recipe{
		{"brute_force_ssh", "120 short SSH logins from outside, one every 10 seconds", func(m *maker) {
			from := m.outside()
			m.every(m.after(.4), 10*time.Second, .5, 120, func(at time.Time) { m.talk(at, from, m.Victim, 22, 1800, 2600, 2).Service = "ssh" })
		}},
		{"brute_force_rdp", "200 short RDP logins inside, one every 3 seconds", func(m *maker) {
			m.every(m.after(.6), 3*time.Second, .5, 200, func(at time.Time) { m.talk(at, m.Attacker, m.inside(9), 3389, 1200, 1500, 1) })
		}},
		{"password_spray", "one SSH login at each of 80 hosts", func(m *maker) {
			i := 0
			m.every(m.after(.5), 4*time.Second, .5, 80, func(at time.Time) { i++; m.talk(at, m.Attacker, m.inside(i), 22, 1800, 2600, 2).Service = "ssh" })
		}},
		{"syn_flood", "3000 connection attempts to one server in a minute", func(m *maker) {
			to := m.outside()
			m.every(m.after(.5), 20*time.Millisecond, .5, 3000, func(at time.Time) { m.silent(at, m.Attacker, to, 80) })
		}},
		{"udp_flood", "one flow of 400,000 datagrams", func(m *maker) {
			c := m.datagrams(m.after(.6), m.Attacker, m.outside(), 5376, 400_000_000, 0)
			c.OrigPkts, c.Duration = 400_000, 60
		}},
		{"http_flood", "4000 answered requests to one server in two minutes", func(m *maker) {
			to := m.outside()
			m.every(m.after(.5), 30*time.Millisecond, .5, 4000, func(at time.Time) { m.talk(at, m.Attacker, to, 80, 90, 400, .05).Service = "http" })
		}},
		{"ddos_in", "5000 connection attempts by 2000 addresses to one server in a minute", func(m *maker) {
			m.every(m.after(.7), 12*time.Millisecond, .5, 5000, func(at time.Time) {
				m.silent(at, netip.AddrFrom4([4]byte{45, 9, byte(m.rng.IntN(8)), byte(m.rng.IntN(250))}), m.Victim, 443)
			})
		}},
	}
}
