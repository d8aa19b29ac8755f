// Package features turns connections into the numbers the isolation forest sees: what the
// connection was, when, and what its source has been doing lately.
package features

import (
	"math"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// names are the columns, in order. Sizes, counts and times are natural logarithms of one
// plus the value.
var names = [...]string{
	"log_duration_seconds", "log_orig_bytes", "log_resp_bytes", "log_orig_packets", "log_resp_packets", "log_throughput_bytes_per_second",
	"service_dns", "service_http", "service_ssl", "service_other",
	"state_S0", "state_SF", "state_REJ", "state_reset", "state_other",
	"proto_tcp", "proto_udp", "proto_icmp",
	"hour_sin", "hour_cos", "weekday_sin", "weekday_cos",
	"source_log_hosts", "source_log_ports", "source_failed_ratio", "source_log_rate_per_second", "source_new_host_ratio", "source_port_entropy_bits",
	"pair_log_connections", "pair_out_ratio",
}

// Columns is the number of features.
const Columns = len(names)

// Names returns the names of the columns.
func Names() []string { return append([]string{}, names[:]...) }

// window is the time over which sources and pairs are watched.
const window = int64(10 * time.Minute)

// Source is what one source did in the current window.
type Source struct {
	Start              int64
	Conns, Failed, New int
	Hosts, Ports       detect.Set
	PortCounts         [16]uint32 // by hash of the port, for the entropy
}

// Pair is what one source exchanged with one destination in the current window.
type Pair struct {
	Start   int64
	Conns   int
	Out, In float64
}

// Extractor computes features in the order of the log. It is not safe for concurrent use.
type Extractor struct {
	sources detect.Cache[uint64, Source]
	pairs   detect.Cache[uint64, Pair]
}

// New makes an Extractor that remembers at most maxEntries sources and pairs.
func New(maxEntries int) *Extractor {
	return &Extractor{sources: detect.NewCache[uint64, Source](maxEntries), pairs: detect.NewCache[uint64, Pair](maxEntries)}
}

// Append appends the features of c to dst.
func (x *Extractor) Append(dst []float32, c *zeek.Conn) []float32 {
	at := len(dst)
	dst = append(dst, make([]float32, Columns)...)
	v := dst[at:]
	duration := c.Duration
	if math.IsNaN(duration) {
		duration = 0
	}
	v[0], v[1], v[2] = log1p(duration), log1p(float64(c.OrigBytes)), log1p(float64(c.RespBytes))
	v[3], v[4] = log1p(float64(c.OrigPkts)), log1p(float64(c.RespPkts))
	v[5] = log1p(float64(max(c.OrigIPBytes, 0)) / max(duration, 1e-3))
	switch c.Service {
	case "":
	case "dns":
		v[6] = 1
	case "http":
		v[7] = 1
	case "ssl":
		v[8] = 1
	default:
		v[9] = 1
	}
	v[10+stateClass(c.State)] = 1
	if c.Proto != zeek.ProtoOther {
		v[14+int(c.Proto)] = 1
	}
	t := c.When()
	h := 2 * math.Pi * (float64(t.Hour()) + float64(t.Minute())/60) / 24
	d := 2 * math.Pi * float64(t.Weekday()) / 7
	v[18], v[19], v[20], v[21] = float32(math.Sin(h)), float32(math.Cos(h)), float32(math.Sin(d)), float32(math.Cos(d))
	x.windows(v, c)
	return dst
}

func stateClass(s zeek.State) int {
	switch s {
	case zeek.S0:
		return 0
	case zeek.SF:
		return 1
	case zeek.REJ:
		return 2
	case zeek.RSTO, zeek.RSTR, zeek.RSTOS0, zeek.RSTRH:
		return 3
	}
	return 4
}

// windows fills in what the source and the pair did in the window, this connection
// included.
func (x *Extractor) windows(v []float32, c *zeek.Conn) {
	src, dst := evidence.Hash(c.Orig), evidence.Hash(c.Resp)
	s := x.sources.At(src)
	if s.Start == 0 || c.Time-s.Start > window || c.Time < s.Start-window {
		*s = Source{Start: c.Time}
	}
	s.Conns++
	if evidence.OutcomeOf(c) == evidence.Failed {
		s.Failed++
	}
	if s.Hosts.Add(dst) {
		s.New++
	}
	s.Ports.Add(uint64(c.RespPort))
	s.PortCounts[evidence.Mix(7, uint64(c.RespPort))%16]++
	n := float64(s.Conns)
	v[22], v[23] = log1p(float64(s.Hosts.Len())), log1p(float64(s.Ports.Len()))
	v[24] = float32(float64(s.Failed) / n)
	v[25] = log1p(n / max(float64(c.Time-s.Start)/1e9, 1))
	v[26] = float32(float64(s.New) / n)
	v[27] = s.entropy()

	p := x.pairs.At(evidence.Mix(src, dst))
	if p.Start == 0 || c.Time-p.Start > window || c.Time < p.Start-window {
		*p = Pair{Start: c.Time}
	}
	p.Conns++
	p.Out += float64(max(c.OrigBytes, 0))
	p.In += float64(max(c.RespBytes, 0))
	v[28] = log1p(float64(p.Conns))
	v[29] = float32((p.Out + 1) / (p.Out + p.In + 2))
}

func (s *Source) entropy() float32 {
	h := 0.0
	for _, n := range s.PortCounts {
		if n > 0 {
			p := float64(n) / float64(s.Conns)
			h -= p * math.Log2(p)
		}
	}
	return float32(h)
}

func log1p(v float64) float32 { return float32(math.Log1p(max(v, 0))) }
