//go:build ignore

// Writes the conn log of an invented large site to standard output: 5,000 hosts inside
// that use 200,000 servers, and an Internet that probes them from ever new addresses.
//
//	go run anomaly-scorer/bench/traffic.go -rows 1000000 > conn.log
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"time"

	"github.com/inframind/inframind/internal/zeek"
)

func main() {
	rows := flag.Int("rows", 1_000_000, "connections to write")
	seed := flag.Uint64("seed", 1, "seed")
	flag.Parse()
	if err := write(*rows, *seed); err != nil {
		log.Fatal(err)
	}
}

func write(rows int, seed uint64) error {
	w, err := zeek.NewWriter(os.Stdout, zeek.KindConn)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC).UnixNano()
	for i := range rows {
		c := conn(rng)
		c.Time, c.UID = at, fmt.Sprintf("C%016x%02x", rng.Uint64(), i&255)
		if err := w.Conn(&c); err != nil {
			return err
		}
		at += int64(rng.ExpFloat64() * float64(25*time.Millisecond)) // ten million in three days
	}
	return w.Flush()
}

func conn(rng *rand.Rand) zeek.Conn {
	inside := func() netip.Addr {
		n := rng.IntN(5000)
		return netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)})
	}
	outside := func(of int) netip.Addr {
		n := int(math.Exp(rng.Float64() * math.Log(float64(of)))) // a few are popular
		if of > 1<<24 {
			n = rng.IntN(of) // every one as likely as the next
		}
		return netip.AddrFrom4([4]byte{byte(20 + n>>24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	c := zeek.Conn{
		Orig: inside(), Resp: outside(200_000), OrigPort: uint16(32768 + rng.IntN(28000)), RespPort: 443, Proto: zeek.TCP, Service: "ssl", State: zeek.SF,
		History: "ShADadFf", Duration: rng.ExpFloat64() * 5, OrigBytes: int64(rng.ExpFloat64() * 2000), RespBytes: int64(rng.ExpFloat64() * 20000),
		OrigPkts: 12, RespPkts: 14, OrigIPBytes: 2600, RespIPBytes: 21000, VLAN: -1,
	}
	switch k := rng.IntN(100); {
	case k < 30:
		c.Proto, c.RespPort, c.Service, c.History, c.OrigBytes, c.RespBytes = zeek.UDP, 53, "dns", "Dd", 40, 120
		c.Resp = netip.AddrFrom4([4]byte{10, 0, 0, byte(53 + rng.IntN(2))})
	case k < 55: // a probe from an address seen once
		c.Orig, c.Resp, c.RespPort = outside(1<<25), inside(), uint16(1+rng.IntN(10_000))
		fallthrough
	case k < 58: // a server that is down
		c.Service, c.State, c.History, c.Duration, c.OrigBytes, c.RespBytes, c.OrigPkts, c.RespPkts = "", zeek.S0, "S", math.NaN(), -1, -1, 1, 0
	case k < 60: // one of a hundred that scan everything
		n := rng.IntN(100)
		c.Orig, c.Resp, c.RespPort = netip.AddrFrom4([4]byte{185, 7, 7, byte(n)}), inside(), uint16(1+rng.IntN(65_000))
		c.Service, c.State, c.History, c.OrigBytes, c.RespBytes, c.OrigPkts, c.RespPkts = "", zeek.REJ, "Sr", 0, 0, 1, 1
	}
	return c
}
