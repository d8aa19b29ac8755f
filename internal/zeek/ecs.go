package zeek

import (
	"encoding/json"
	"math"
	"net/netip"
	"strings"
)

// ConnFromECS reads a document of Filebeat's Zeek module (connection fileset), whose field
// names are given in dotted form. That module drops the payload sizes, so they are
// estimated from the IP sizes.
func ConnFromECS(m map[string]any, c *Conn) (err error) {
	switch set := text(m["event.dataset"]); {
	case set != "" && set != "zeek.connection",
		set == "" && m["zeek.connection.state"] == nil && m["zeek.connection.history"] == nil:
		return ErrOtherRecord
	}
	c.reset()
	if c.Time, err = parseTime([]byte(text(m["@timestamp"]))); err != nil {
		return err
	}
	if err := ecsEndpoints(m, &c.Orig, &c.Resp); err != nil {
		return err
	}
	c.UID = text(m["zeek.session_id"])
	c.OrigPort, c.RespPort = uint16(number(m["source.port"])), uint16(number(m["destination.port"]))
	c.Proto = protoOf([]byte(text(m["network.transport"])))
	if c.Proto == ICMP {
		c.OrigPort, c.RespPort = uint16(number(m["zeek.connection.icmp.type"])), uint16(number(m["zeek.connection.icmp.code"]))
	}
	c.Service = text(m["network.protocol"])
	c.State, c.History = stateOf([]byte(text(m["zeek.connection.state"]))), text(m["zeek.connection.history"])
	c.LocalOrig, c.LocalResp = ecsTri(m["zeek.connection.local_orig"]), ecsTri(m["zeek.connection.local_resp"])
	if ns, ok := m["event.duration"]; ok {
		c.Duration = max(0, number(ns)/1e9)
	}
	c.OrigPkts, c.OrigIPBytes = count(m["source.packets"]), count(m["source.bytes"])
	c.RespPkts, c.RespIPBytes = count(m["destination.packets"]), count(m["destination.bytes"])
	head := headerBytes(c.Proto, c.Orig.Is6()) - 14
	c.OrigBytes, c.RespBytes = payload(c.OrigIPBytes, c.OrigPkts, head), payload(c.RespIPBytes, c.RespPkts, head)
	if c.Proto == TCP && c.History != "" { // D and d are data; without them there were options only
		if !strings.Contains(c.History, "D") {
			c.OrigBytes = 0
		}
		if !strings.Contains(c.History, "d") {
			c.RespBytes = 0
		}
	}
	c.MissedBytes = count(m["zeek.connection.missed_bytes"])
	return c.check()
}

// AppFromECS reads a document of the dns, ssl and http filesets.
func AppFromECS(m map[string]any, a *App) (k Kind, err error) {
	switch text(m["event.dataset"]) {
	case "zeek.dns":
		k, a.Name = KindDNS, firstText(m, "dns.question.name", "zeek.dns.query")
		a.Code, a.Type = firstText(m, "dns.response_code", "zeek.dns.rcode_name"), firstText(m, "dns.question.type", "zeek.dns.qtype_name")
	case "zeek.ssl":
		k, a.Name = KindTLS, firstText(m, "tls.client.server_name", "zeek.ssl.server.name")
	case "zeek.http":
		k, a.Name = KindHTTP, firstText(m, "url.domain", "destination.domain")
	default:
		return k, ErrOtherRecord
	}
	a.Name, a.UID = a.Name[:min(len(a.Name), 512)], text(m["zeek.session_id"])
	if a.Time, err = parseTime([]byte(text(m["@timestamp"]))); err != nil {
		return k, err
	}
	return k, ecsEndpoints(m, &a.Orig, &a.Resp)
}

func ecsEndpoints(m map[string]any, orig, resp *netip.Addr) (err error) {
	if *orig, err = parseAddr([]byte(text(m["source.ip"]))); err != nil {
		return err
	}
	*resp, err = parseAddr([]byte(text(m["destination.ip"])))
	return err
}

func firstText(m map[string]any, names ...string) string {
	for _, n := range names {
		if s := text(m[n]); s != "" {
			return s
		}
	}
	return ""
}

func payload(ip, pkts, head int64) int64 {
	if ip < 0 || pkts < 0 {
		return -1
	}
	return max(0, ip-pkts*head)
}

func text(v any) string { s, _ := v.(string); return s }

func number(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	case int:
		return float64(n)
	case json.Number:
		f, err := n.Float64()
		if err == nil {
			return f
		}
	}
	return math.NaN()
}

func count(v any) int64 {
	if f := number(v); f >= 0 && f < 1<<53 {
		return int64(f)
	}
	return -1
}

func ecsTri(v any) Tri {
	b, ok := v.(bool)
	if !ok {
		return Unset
	}
	return tri(&b)
}
