// Package zeek reads the logs that say who talked to whom: Zeek's conn, dns, ssl and http
// logs as TSV or JSON lines, the documents Filebeat's Zeek module makes of them, and
// Suricata's EVE flow records. The header (or the JSON keys) decides the columns, so
// unknown, missing and reordered ones are no error.
package zeek

import (
	"net/netip"
	"time"
)

// Proto is a transport protocol.
type Proto uint8

// The protocols Zeek's conn log knows.
const (
	ProtoOther Proto = iota
	TCP
	UDP
	ICMP
)

var protoNames = [...]string{"other", "tcp", "udp", "icmp"}

func (p Proto) String() string { return protoNames[p] }

func protoOf(b []byte) Proto {
	switch string(b) {
	case "tcp":
		return TCP
	case "udp":
		return UDP
	case "icmp", "icmp6", "ipv6-icmp":
		return ICMP
	}
	return ProtoOther
}

// State is Zeek's conn_state.
type State uint8

// The connection states, as documented for Zeek's conn.log.
const (
	StateUnknown State = iota
	S0
	S1
	SF
	REJ
	S2
	S3
	RSTO
	RSTR
	RSTOS0
	RSTRH
	SH
	SHR
	OTH
)

var stateNames = [...]string{"-", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"}

func (s State) String() string { return stateNames[s] }

func stateOf(b []byte) State {
	for i, n := range stateNames {
		if string(b) == n {
			return State(i)
		}
	}
	return StateUnknown
}

// Tri is a boolean that may be unset.
type Tri int8

// The values of a Tri.
const (
	Unset Tri = iota
	False
	True
)

// Conn is one connection. Counts and sizes are -1 where the log leaves them unset,
// Duration is NaN.
type Conn struct {
	Time               int64 // of the first packet, Unix nanoseconds
	UID                string
	Orig, Resp         netip.Addr
	OrigPort, RespPort uint16 // for ICMP the type and the code
	Proto              Proto
	State              State
	LocalOrig          Tri
	LocalResp          Tri
	Service            string
	History            string
	Duration           float64 // seconds
	OrigBytes          int64   // payload
	RespBytes          int64
	MissedBytes        int64
	OrigPkts           int64
	OrigIPBytes        int64 // with IP headers
	RespPkts           int64
	RespIPBytes        int64
	VLAN               int64
}

// When is the connection's start.
func (c *Conn) When() time.Time { return time.Unix(0, c.Time).UTC() }

// App is one record of an application log: a DNS query, or the name a TLS or HTTP client
// asked its server for.
type App struct {
	Time       int64 // Unix nanoseconds
	UID        string
	Orig, Resp netip.Addr
	Name       string // query, server_name or host
	Code       string // DNS: rcode_name
	Type       string // DNS: qtype_name
}

// Kind is which log a file is.
type Kind uint8

// The logs this package reads.
const (
	KindConn Kind = iota
	KindDNS
	KindTLS
	KindHTTP
	kinds
)

var kindNames = [...]string{"conn", "dns", "ssl", "http"}

func (k Kind) String() string { return kindNames[k] }
