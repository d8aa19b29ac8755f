package zeek

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ErrOtherRecord marks a record that is fine but not of the log wanted: an eve.json holds
// all kinds.
var ErrOtherRecord = errors.New("a record of another log")

// jsonDecoder reads JSON lines. It keeps the record it decodes into, to save allocations.
type jsonDecoder struct{ rec jsonRecord }

// jsonRecord has Zeek's own names and what tells the two other formats apart.
type jsonRecord struct {
	TS          json.RawMessage `json:"ts"`
	UID         string          `json:"uid"`
	OrigH       string          `json:"id.orig_h"`
	OrigP       uint16          `json:"id.orig_p"`
	RespH       string          `json:"id.resp_h"`
	RespP       uint16          `json:"id.resp_p"`
	Proto       string          `json:"proto"`
	Service     string          `json:"service"`
	Duration    *float64        `json:"duration"`
	OrigBytes   *int64          `json:"orig_bytes"`
	RespBytes   *int64          `json:"resp_bytes"`
	State       string          `json:"conn_state"`
	LocalOrig   *bool           `json:"local_orig"`
	LocalResp   *bool           `json:"local_resp"`
	Missed      *int64          `json:"missed_bytes"`
	History     string          `json:"history"`
	OrigPkts    *int64          `json:"orig_pkts"`
	OrigIPBytes *int64          `json:"orig_ip_bytes"`
	RespPkts    *int64          `json:"resp_pkts"`
	RespIPBytes *int64          `json:"resp_ip_bytes"`
	VLAN        json.RawMessage `json:"vlan"` // a number in Zeek, a list in Suricata
	Query       string          `json:"query"`
	ServerName  string          `json:"server_name"`
	Host        json.RawMessage `json:"host"` // a string in Zeek, an object in Filebeat
	RCode       string          `json:"rcode_name"`
	QType       string          `json:"qtype_name"`
	EventType   string          `json:"event_type"`
	AtTime      string          `json:"@timestamp"`
	Path        string          `json:"_path"`
}

func (d *jsonDecoder) decode(line []byte) error {
	d.rec = jsonRecord{}
	if err := json.Unmarshal(line, &d.rec); err != nil {
		return fmt.Errorf("not a JSON record: %w", err)
	}
	return nil
}

func (d *jsonDecoder) conn(line []byte, c *Conn, in interner) error {
	if err := d.decode(line); err != nil {
		return err
	}
	r := &d.rec
	if handled, err := otherFormat(line, r, KindConn, func(e *eve) error { return e.conn(c) }, func(m map[string]any) error { return ConnFromECS(m, c) }); handled {
		return err
	}
	var err error
	if c.Time, err = parseTime(unquote(r.TS)); err != nil {
		return err
	}
	if err := endpoints(r, &c.Orig, &c.Resp); err != nil {
		return err
	}
	c.UID, c.OrigPort, c.RespPort = r.UID, r.OrigP, r.RespP
	c.Proto, c.State = protoOf([]byte(r.Proto)), stateOf([]byte(r.State))
	c.Service, c.History = in.get([]byte(r.Service)), in.get([]byte(r.History))
	c.LocalOrig, c.LocalResp = tri(r.LocalOrig), tri(r.LocalResp)
	if r.Duration != nil && *r.Duration >= 0 && *r.Duration < maxSeconds {
		c.Duration = *r.Duration
	}
	for dst, src := range map[*int64]*int64{
		&c.OrigBytes: r.OrigBytes, &c.RespBytes: r.RespBytes, &c.MissedBytes: r.Missed,
		&c.OrigPkts: r.OrigPkts, &c.OrigIPBytes: r.OrigIPBytes, &c.RespPkts: r.RespPkts, &c.RespIPBytes: r.RespIPBytes,
	} {
		if src != nil && *src >= 0 {
			*dst = *src
		}
	}
	if n, err := parseCount(r.VLAN); err == nil {
		c.VLAN = n
	}
	return nil
}

func (d *jsonDecoder) app(line []byte, k Kind, a *App) error {
	if err := d.decode(line); err != nil {
		return err
	}
	r := &d.rec
	if handled, err := otherFormat(line, r, k, func(e *eve) error { return e.app(k, a) }, func(m map[string]any) error { return ecsApp(m, k, a) }); handled {
		return err
	}
	var err error
	if a.Time, err = parseTime(unquote(r.TS)); err != nil {
		return err
	}
	if err := endpoints(r, &a.Orig, &a.Resp); err != nil {
		return err
	}
	a.UID = r.UID
	switch k {
	case KindDNS:
		a.Name, a.Code, a.Type = r.Query, r.RCode, r.QType
	case KindTLS:
		a.Name = r.ServerName
	case KindHTTP:
		a.Name = string(unquote(r.Host))
	}
	a.Name = a.Name[:min(len(a.Name), 512)]
	return nil
}

// otherFormat hands a Suricata or Filebeat record to its own decoder.
func otherFormat(line []byte, r *jsonRecord, k Kind, suricata func(*eve) error, filebeat func(map[string]any) error) (bool, error) {
	switch {
	case r.EventType != "":
		var e eve
		if err := json.Unmarshal(line, &e); err != nil {
			return true, fmt.Errorf("not an EVE record: %w", err)
		}
		return true, suricata(&e)
	case r.AtTime != "" && r.TS == nil:
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			return true, fmt.Errorf("not a Filebeat record: %w", err)
		}
		flat := map[string]any{}
		flatten("", m, flat)
		return true, filebeat(flat)
	case r.Path != "" && r.Path != k.String():
		return true, ErrOtherRecord
	}
	return false, nil
}

// ecsApp is AppFromECS for a file of one kind.
func ecsApp(m map[string]any, want Kind, a *App) error {
	k, err := AppFromECS(m, a)
	if err == nil && k != want {
		return ErrOtherRecord
	}
	return err
}

func flatten(prefix string, in, out map[string]any) {
	for k, v := range in {
		if m, ok := v.(map[string]any); ok {
			flatten(prefix+k+".", m, out)
			continue
		}
		out[prefix+k] = v
	}
}

func endpoints(r *jsonRecord, orig, resp *netip.Addr) (err error) {
	if *orig, err = parseAddr([]byte(r.OrigH)); err != nil {
		return err
	}
	*resp, err = parseAddr([]byte(r.RespH))
	return err
}

func unquote(b []byte) []byte { return []byte(strings.Trim(string(b), `"`)) }

func tri(b *bool) Tri {
	switch {
	case b == nil:
		return Unset
	case *b:
		return True
	}
	return False
}
