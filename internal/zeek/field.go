package zeek

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// field is a column this package understands; fNone are all others.
type field uint8

const (
	fNone field = iota
	fTS
	fUID
	fOrigH
	fOrigP
	fRespH
	fRespP
	fProto
	fService
	fDuration
	fOrigBytes
	fRespBytes
	fState
	fLocalOrig
	fLocalResp
	fMissed
	fHistory
	fOrigPkts
	fOrigIPBytes
	fRespPkts
	fRespIPBytes
	fVLAN
	fName
	fCode
	fType
)

// fieldOf maps a column name of the log k to the field it holds.
func fieldOf(k Kind, name string) field {
	switch name {
	case "ts":
		return fTS
	case "uid":
		return fUID
	case "id.orig_h":
		return fOrigH
	case "id.orig_p":
		return fOrigP
	case "id.resp_h":
		return fRespH
	case "id.resp_p":
		return fRespP
	}
	if k == KindConn {
		return connField(name)
	}
	switch {
	case k == KindDNS && name == "query", k == KindTLS && name == "server_name", k == KindHTTP && name == "host":
		return fName
	case k == KindDNS && name == "rcode_name":
		return fCode
	case k == KindDNS && name == "qtype_name":
		return fType
	}
	return fNone
}

func connField(name string) field {
	switch name {
	case "proto":
		return fProto
	case "service":
		return fService
	case "duration":
		return fDuration
	case "orig_bytes":
		return fOrigBytes
	case "resp_bytes":
		return fRespBytes
	case "conn_state":
		return fState
	case "local_orig":
		return fLocalOrig
	case "local_resp":
		return fLocalResp
	case "missed_bytes":
		return fMissed
	case "history":
		return fHistory
	case "orig_pkts":
		return fOrigPkts
	case "orig_ip_bytes":
		return fOrigIPBytes
	case "resp_pkts":
		return fRespPkts
	case "resp_ip_bytes":
		return fRespIPBytes
	case "vlan":
		return fVLAN
	}
	return fNone
}

// interner returns one string for equal short byte strings. It forgets everything when it
// is full, so hostile input cannot make it grow.
type interner map[string]string

const internMax = 4096

func (in interner) get(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := in[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(b) > 64 {
		return s
	}
	if len(in) >= internMax {
		clear(in)
	}
	in[s] = s
	return s
}

var errNumber = errors.New("not a number")

// parseCount reads a decimal count without sign.
func parseCount(b []byte) (int64, error) {
	if len(b) == 0 || len(b) > 18 {
		return -1, fmt.Errorf("%w: %q", errNumber, clip(b))
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1, fmt.Errorf("%w: %q", errNumber, clip(b))
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}

// maxSeconds is the largest Unix time and duration accepted, in the year 2262, where Unix
// nanoseconds end.
const maxSeconds = 9_223_372_036

// parseTime reads epoch seconds ("1655071198.444458") or RFC 3339 and returns Unix
// nanoseconds. Values that do not fit are errors.
func parseTime(b []byte) (int64, error) {
	whole, frac, _ := bytes.Cut(b, []byte{'.'})
	if sec, err := parseCount(whole); err == nil && sec < maxSeconds {
		ns, scale := int64(0), int64(100_000_000)
		for i, c := range frac {
			if c < '0' || c > '9' {
				return parseOddTime(b)
			}
			if i < 9 {
				ns += int64(c-'0') * scale
				scale /= 10
			}
		}
		return sec*1_000_000_000 + ns, nil
	}
	return parseOddTime(b)
}

func parseOddTime(b []byte) (int64, error) {
	s := string(b)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if !(f >= 0 && f < maxSeconds) {
			return 0, fmt.Errorf("time %q is out of range", clip(b))
		}
		return int64(f * 1e9), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"} {
		if t, err := time.Parse(layout, s); err == nil && t.Unix() >= 0 && t.Unix() < maxSeconds {
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("time %q is neither epoch seconds nor RFC 3339", clip(b))
}

// parseSeconds reads a duration. Zeek never writes a negative one.
func parseSeconds(b []byte) (float64, error) {
	if whole, frac, ok := bytes.Cut(b, []byte{'.'}); ok && len(whole) <= 9 && len(frac) <= 9 {
		w, err1 := parseCount(whole)
		f, err2 := parseCount(frac)
		if err1 == nil && err2 == nil {
			return float64(w) + float64(f)/pow10[len(frac)], nil
		}
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(f >= 0 && f < maxSeconds) {
		return 0, fmt.Errorf("%w: %q", errNumber, clip(b))
	}
	return f, nil
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// parseAddr reads an address; dotted quads, by far the most frequent, without allocation.
func parseAddr(b []byte) (netip.Addr, error) {
	var a [4]byte
	n, digits, v := 0, 0, 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9' && digits < 3:
			v = v*10 + int(c-'0')
			digits++
		case c == '.' && digits > 0 && n < 3 && v < 256:
			a[n] = byte(v)
			n, digits, v = n+1, 0, 0
		default:
			return parseAnyAddr(b)
		}
	}
	if n != 3 || digits == 0 || v > 255 {
		return parseAnyAddr(b)
	}
	a[3] = byte(v)
	return netip.AddrFrom4(a), nil
}

func parseAnyAddr(b []byte) (netip.Addr, error) {
	if len(b) > 64 {
		return netip.Addr{}, fmt.Errorf("not an address: %q", clip(b))
	}
	a, err := netip.ParseAddr(string(b))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("not an address: %q", clip(b))
	}
	return a.Unmap().WithZone(""), nil
}

func parsePort(b []byte) (uint16, error) {
	n, err := parseCount(b)
	if err != nil || n > 65535 {
		return 0, fmt.Errorf("not a port: %q", clip(b))
	}
	return uint16(n), nil
}

func parseBool(b []byte) Tri {
	switch string(b) {
	case "T", "true":
		return True
	case "F", "false":
		return False
	}
	return Unset
}

// clip keeps foreign text in an error short.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }

// unescape undoes Zeek's \xNN.
func unescape(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], `\x`) && i+4 <= len(s) {
			if v, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				out.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}
