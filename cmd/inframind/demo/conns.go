package demo

import (
	"fmt"
	"math"
	"time"
)

// The demo's network: clients in 10.20.0.0/24, servers in 10.20.1.0/24, the outside in
// the documentation networks of RFC 5737.
const (
	scanner     = "10.20.0.66"
	scanned     = "10.20.1.20"
	infected    = "10.20.0.23"
	controller  = "198.51.100.77"
	leaker      = "10.20.0.31"
	dropBox     = "203.0.113.200"
	scanPorts   = 1013
	scanSeconds = 23
	beaconEvery = 300
)

// kind is one sort of ordinary connection.
type kind struct {
	weight         float64
	proto, service string
	port           int
	inside         bool // the server is in 10.20.1.0/24
	up, down       float64
	seconds        float64
}

var kinds = []kind{
	{8, "udp", "dns", 53, true, 48, 160, 0.02},
	{7, "tcp", "ssl", 443, false, 2200, 38000, 9},
	{2, "tcp", "http", 80, false, 600, 12000, 1.5},
	{2, "tcp", "ssl", 443, true, 1500, 9000, 2},
	{1, "udp", "ntp", 123, false, 48, 48, 0.03},
	{1, "tcp", "ssh", 22, true, 4200, 9800, 220},
	{0.6, "tcp", "-", 5432, true, 9000, 64000, 30},
}

func (z *zeekStream) benign(t time.Time, r uint64) conn {
	k := pick(kinds, func(k kind) float64 { return k.weight }, unit(r))
	c := conn{
		ts: t.Add(time.Duration(unit(hash(r, 1)) * 1e9)), id: hash(r, 2), src: fmt.Sprintf("10.20.0.%d", 10+hash(r, 3)%40),
		sport: 32768 + int(hash(r, 4)%28000), dport: k.port, proto: k.proto, service: k.service,
		duration: spread(k.seconds, hash(r, 5)), up: int64(spread(k.up, hash(r, 6))), down: int64(spread(k.down, hash(r, 7))),
		state: "SF", history: "ShADadFf",
	}
	if k.inside {
		c.dst = fmt.Sprintf("10.20.1.%d", 10+hash(r, 8)%6)
	} else {
		// Few sites get most of the visits.
		c.dst = fmt.Sprintf("203.0.113.%d", 1+int(120*math.Pow(unit(hash(r, 9)), 3)))
	}
	c.upPackets, c.downPckts = 1+c.up/700, 1+c.down/1300
	if k.proto == "udp" {
		c.history = "Dd"
	} else if hash(r, 10)%60 == 0 { // now and then a server is not there
		c.state, c.history, c.service, c.duration, c.up, c.down, c.upPackets, c.downPckts = "S0", "S", "-", 0, 0, 0, 1, 0
	}
	return c
}

// spread is mean times a log-normal-like factor between about a third and three.
func spread(mean float64, r uint64) float64 { return mean * math.Exp((unit(r)+unit(hash(r))-1)*1.1) }

// attacks are the connections of the second t that do not belong there. A scan runs every
// two hours, an exfiltration every twelve, counted from 70 minutes and 3 hours before start.
func (z *zeekStream) attacks(t time.Time) []conn {
	var out []conn
	if since := mod(t.Sub(z.start)+70*time.Minute, 2*time.Hour); since < scanSeconds*time.Second {
		out = z.scan(t, int(since/time.Second))
	}
	if since := mod(t.Sub(z.start)+3*time.Hour, 12*time.Hour); since < 25*time.Minute && t.Unix()%60 == 0 {
		r := hash(z.seed, uint64(t.Unix()), 31)
		up := int64(spread(84e6, r))
		out = append(out, conn{
			ts: t, id: r, src: leaker, sport: 41000 + int(r%2000), dst: dropBox, dport: 443, proto: "tcp", service: "ssl",
			duration: 52, up: up, down: up / 900, state: "SF", history: "ShADadFf", upPackets: up / 1400, downPckts: up / 4000,
		})
	}
	// The beacon comes every five minutes, up to a tenth of that early or late.
	slot := t.Unix() / beaconEvery
	r := hash(z.seed, uint64(slot), 32)
	if t.Unix() == slot*beaconEvery+beaconEvery/10+int64((unit(r)-0.5)*beaconEvery/5) {
		out = append(out, conn{
			ts: t.Add(time.Duration(r % 1e9)), id: r, src: infected, sport: 50000 + int(r%9000), dst: controller, dport: 443, proto: "tcp", service: "ssl",
			duration: 0.4 + unit(r)/10, up: 640 + int64(r%9), down: 410 + int64(r%5), state: "SF", history: "ShADadFf", upPackets: 7, downPckts: 6,
		})
	}
	return out
}

func (z *zeekStream) scan(t time.Time, second int) []conn {
	const perSecond = scanPorts/scanSeconds + 1
	var out []conn
	for i := second * perSecond; i < min((second+1)*perSecond, scanPorts); i++ {
		r := hash(z.seed, uint64(t.Unix()), uint64(i), 33)
		c := conn{
			ts: t.Add(time.Duration(i%perSecond) * time.Second / perSecond), id: r, src: scanner, sport: 40000 + i%20000, dst: scanned, dport: 1 + i,
			proto: "tcp", service: "-", state: "REJ", history: "Sr", upPackets: 1, downPckts: 1,
		}
		if i%7 == 0 {
			c.state, c.history, c.downPckts = "S0", "S", 0
		}
		out = append(out, c)
	}
	return out
}

// mod is d modulo m, never negative.
func mod(d, m time.Duration) time.Duration { return ((d % m) + m) % m }
