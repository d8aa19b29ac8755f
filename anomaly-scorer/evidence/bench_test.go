package evidence

import (
	"math/rand/v2"
	"net/netip"
	"syscall"
	"testing"

	"github.com/inframind/inframind/internal/zeek"
)

// cpu is the processor time this process has used.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// traffic is n connections of a site of a thousand hosts, a tenth of them failing.
func traffic(n int) []zeek.Conn {
	rng := rand.New(rand.NewPCG(1, 1))
	out := make([]zeek.Conn, n)
	for i := range out {
		c := &out[i]
		c.Time, c.Proto, c.State, c.History = int64(i)*10_000_000, zeek.TCP, zeek.SF, "ShADadFf"
		host := rng.IntN(1000) // each uses forty servers of two thousand
		c.Orig = netip.AddrFrom4([4]byte{10, 0, byte(host >> 8), byte(host)})
		server := (host*37 + rng.IntN(40)*53) % 2000
		c.Resp = netip.AddrFrom4([4]byte{93, 184, byte(server >> 8), byte(server)})
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
	for i := range conns {
		s.Score(&conns[i]) // the tables have grown
	}
	i, start := 0, cpu(b)
	for b.Loop() {
		s.Score(&conns[i&(len(conns)-1)])
		i++
	}
	b.ReportMetric((cpu(b)-start)/float64(b.N), "cpu-ns/row")
}
