package evidence

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/inframind/inframind/internal/zeek"
)

// traffic is n connections of a site of a thousand hosts, a tenth of them failing.
func traffic(n int) []zeek.Conn {
	rng := rand.New(rand.NewPCG(1, 1))
	out := make([]zeek.Conn, n)
	for i := range out {
		c := &out[i]
		c.Time, c.Proto, c.State, c.History = int64(i)*10_000_000, zeek.TCP, zeek.SF, "ShADadFf"
		c.Orig = netip.AddrFrom4([4]byte{10, 0, byte(rng.IntN(4)), byte(rng.IntN(256))})
		c.Resp = netip.AddrFrom4([4]byte{93, 184, byte(rng.IntN(16)), byte(rng.IntN(256))})
		c.RespPort, c.OrigPkts, c.RespPkts, c.OrigBytes, c.RespBytes = 443, 9, 9, 700, 5000
		if rng.IntN(10) == 0 {
			c.State, c.History, c.RespBytes, c.RespPkts = zeek.S0, "S", 0, 0
		}
	}
	return out
}

func BenchmarkScore(b *testing.B) {
	conns := traffic(1 << 18)
	s := New(Options{})
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		s.Score(&conns[i&(len(conns)-1)])
		i++
	}
}
