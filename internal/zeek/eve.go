package zeek

import (
	"encoding/json"
	"strconv"
	"strings"
)

// eve is what is read of a Suricata EVE record.
type eve struct {
	Timestamp string      `json:"timestamp"`
	FlowID    json.Number `json:"flow_id"`
	EventType string      `json:"event_type"`
	SrcIP     string      `json:"src_ip"`
	SrcPort   uint16      `json:"src_port"`
	DestIP    string      `json:"dest_ip"`
	DestPort  uint16      `json:"dest_port"`
	Proto     string      `json:"proto"`
	AppProto  string      `json:"app_proto"`
	ICMPType  uint16      `json:"icmp_type"`
	ICMPCode  uint16      `json:"icmp_code"`
	VLAN      []int64     `json:"vlan"`
	Flow      struct {
		PktsToServer  int64  `json:"pkts_toserver"`
		PktsToClient  int64  `json:"pkts_toclient"`
		BytesToServer int64  `json:"bytes_toserver"`
		BytesToClient int64  `json:"bytes_toclient"`
		Start         string `json:"start"`
		End           string `json:"end"`
		State         string `json:"state"`
	} `json:"flow"`
	TCP struct {
		FlagsTS string `json:"tcp_flags_ts"`
		FlagsTC string `json:"tcp_flags_tc"`
	} `json:"tcp"`
	DNS struct {
		Type   string `json:"type"`
		RRName string `json:"rrname"`
		RRType string `json:"rrtype"`
		RCode  string `json:"rcode"`
		// Since Suricata 8 the question is one of a list.
		Queries []struct {
			RRName string `json:"rrname"`
			RRType string `json:"rrtype"`
		} `json:"queries"`
	} `json:"dns"`
	TLS struct {
		SNI string `json:"sni"`
	} `json:"tls"`
	HTTP struct {
		Hostname string `json:"hostname"`
	} `json:"http"`
}

// headerBytes is what Suricata counts in a packet beside its payload: Ethernet, IP and the
// transport header without options.
func headerBytes(p Proto, v6 bool) int64 {
	n := int64(14 + 20 + 8)
	if p == TCP {
		n += 12
	}
	if v6 {
		n += 20
	}
	return n
}

func (e *eve) conn(c *Conn) (err error) {
	if e.EventType != "flow" {
		return ErrOtherRecord
	}
	start := e.Flow.Start
	if start == "" {
		start = e.Timestamp
	}
	if c.Time, err = parseTime([]byte(start)); err != nil {
		return err
	}
	if c.Orig, err = parseAddr([]byte(e.SrcIP)); err != nil {
		return err
	}
	if c.Resp, err = parseAddr([]byte(e.DestIP)); err != nil {
		return err
	}
	c.UID, c.OrigPort, c.RespPort = e.FlowID.String(), e.SrcPort, e.DestPort
	c.Proto = protoOf([]byte(strings.ToLower(e.Proto)))
	if c.Proto == ICMP {
		c.OrigPort, c.RespPort = e.ICMPType, e.ICMPCode
	}
	if e.AppProto != "failed" && e.AppProto != "unknown" {
		c.Service = e.AppProto
	}
	if end, err := parseTime([]byte(e.Flow.End)); err == nil && end >= c.Time {
		c.Duration = float64(end-c.Time) / 1e9
	}
	if len(e.VLAN) > 0 {
		c.VLAN = e.VLAN[0]
	}
	head := headerBytes(c.Proto, c.Orig.Is6())
	f := &e.Flow
	c.OrigPkts, c.OrigIPBytes = max(f.PktsToServer, 0), max(f.BytesToServer-14*f.PktsToServer, 0)
	c.RespPkts, c.RespIPBytes = max(f.PktsToClient, 0), max(f.BytesToClient-14*f.PktsToClient, 0)
	c.OrigBytes = max(0, f.BytesToServer-head*f.PktsToServer)
	c.RespBytes = max(0, f.BytesToClient-head*f.PktsToClient)
	if c.Proto == TCP {
		c.OrigBytes = tcpPayload(c.OrigBytes, f.PktsToServer, flags(e.TCP.FlagsTS))
		c.RespBytes = tcpPayload(c.RespBytes, f.PktsToClient, flags(e.TCP.FlagsTC))
	}
	e.tcpState(c)
	return nil
}

// tcp flag bits.
const (
	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagPSH = 1 << 3
	flagACK = 1 << 4
)

// tcpPayload takes what is no payload off what is left of a side's bytes: Ethernet fills
// small packets up, and a handshake has options. Who never pushed data sent none, unless
// there is more than that.
func tcpPayload(left, pkts int64, flags uint64) int64 {
	const options = 20 // of a SYN; less in other packets
	if flags&flagPSH == 0 && left <= options*pkts {
		return 0
	}
	return left
}

// tcpState says in Zeek's words what Suricata's flags say.
func (e *eve) tcpState(c *Conn) {
	if c.Proto != TCP {
		c.State, c.History = S0, "D"
		if c.RespPkts > 0 {
			c.State, c.History = SF, "Dd"
		}
		if c.Proto == ICMP {
			c.State, c.History = OTH, ""
		}
		return
	}
	ts, tc := flags(e.TCP.FlagsTS), flags(e.TCP.FlagsTC)
	var h strings.Builder
	for _, m := range []struct {
		on   bool
		mark string
	}{
		{ts&flagSYN != 0, "S"},
		{tc&flagSYN != 0, "h"},
		{ts&flagACK != 0, "A"},
		{c.OrigBytes > 0, "D"},
		{c.RespBytes > 0, "d"},
		{ts&flagFIN != 0, "F"},
		{tc&flagFIN != 0, "f"},
		{ts&flagRST != 0, "R"},
		{tc&flagRST != 0, "r"},
	} {
		if m.on {
			h.WriteString(m.mark)
		}
	}
	c.History = h.String()
	established := ts&flagSYN != 0 && tc&flagSYN != 0 && ts&flagACK != 0
	switch {
	case established && tc&flagRST != 0:
		c.State = RSTR
	case established && ts&flagRST != 0:
		c.State = RSTO
	case established && ts&flagFIN != 0 && tc&flagFIN != 0:
		c.State = SF
	case established && ts&flagFIN != 0:
		c.State = S2
	case established && tc&flagFIN != 0:
		c.State = S3
	case established:
		c.State = S1
	case ts&flagSYN != 0 && tc&flagRST != 0:
		c.State = REJ
	case ts&flagSYN != 0 && ts&flagRST != 0:
		c.State = RSTOS0
	case ts&flagSYN != 0 && ts&flagFIN != 0:
		c.State = SH
	case ts&flagSYN != 0:
		c.State = S0
	case tc&flagSYN != 0:
		c.State = SHR
	default:
		c.State = OTH
	}
}

func flags(hex string) uint64 {
	v, err := strconv.ParseUint(hex, 16, 8)
	if err != nil {
		return 0 // Suricata leaves the flags out when it saw none
	}
	return v
}

func (e *eve) app(k Kind, a *App) (err error) {
	switch {
	case k == KindDNS && e.EventType == "dns" && (e.DNS.Type == "query" || e.DNS.Type == "request"):
		a.Name, a.Type = e.DNS.RRName, e.DNS.RRType
		if q := e.DNS.Queries; a.Name == "" && len(q) > 0 {
			a.Name, a.Type = q[0].RRName, q[0].RRType
		}
	case k == KindTLS && e.EventType == "tls":
		a.Name = e.TLS.SNI
	case k == KindHTTP && e.EventType == "http":
		a.Name = e.HTTP.Hostname
	default:
		return ErrOtherRecord
	}
	a.Name, a.UID = a.Name[:min(len(a.Name), 512)], e.FlowID.String()
	if a.Time, err = parseTime([]byte(e.Timestamp)); err != nil {
		return err
	}
	if a.Orig, err = parseAddr([]byte(e.SrcIP)); err != nil {
		return err
	}
	a.Resp, err = parseAddr([]byte(e.DestIP))
	return err
}
