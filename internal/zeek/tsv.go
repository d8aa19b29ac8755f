package zeek

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
)

// header is the state that the # lines of a TSV log set.
type header struct {
	kind   Kind
	sep    byte
	unset  string
	empty  string
	path   string
	fields []field // nil until #fields was seen
	names  int     // columns in #fields
}

func newHeader(k Kind) header { return header{kind: k, sep: '\t', unset: "-", empty: "(empty)"} }

// directive takes one # line. Unknown ones are ignored, as Zeek's own readers do.
func (h *header) directive(line string) error {
	if v, ok := strings.CutPrefix(line, "#separator "); ok {
		if s := unescape(strings.TrimSpace(v)); len(s) == 1 {
			h.sep = s[0]
			return nil
		}
		return fmt.Errorf("#separator %q: want one character", clip([]byte(v)))
	}
	name, v, _ := strings.Cut(line, string(h.sep))
	switch name {
	case "#unset_field":
		h.unset = v
	case "#empty_field":
		h.empty = v
	case "#path":
		h.path = v
		if v != h.kind.String() {
			return fmt.Errorf("this is a %q log: %w", clip([]byte(v)), ErrKind)
		}
	case "#fields":
		return h.columns(strings.Split(v, string(h.sep)))
	}
	return nil
}

// ErrKind says that a file is some other log than its name promises.
var ErrKind = errors.New("not the log wanted")

func (h *header) columns(names []string) error {
	h.fields, h.names = h.fields[:0], len(names)
	seen := map[field]bool{}
	for _, n := range names {
		f := fieldOf(h.kind, n)
		if f != fNone && seen[f] {
			f = fNone // a repeated column: the first counts
		}
		seen[f] = true
		h.fields = append(h.fields, f)
	}
	for _, f := range []field{fTS, fOrigH, fRespH} {
		if !seen[f] {
			h.fields = nil
			return fmt.Errorf("#fields has no ts, id.orig_h or id.resp_h column: %w", ErrKind)
		}
	}
	return nil
}

var errNoHeader = errors.New("no #fields line before the first record")

// each calls set for every known column of line that has a value.
func (h *header) each(line []byte, set func(field, []byte) error) error {
	if h.fields == nil {
		return errNoHeader
	}
	n := 0
	for ; ; n++ {
		i := bytes.IndexByte(line, h.sep)
		v := line
		if i >= 0 {
			v = line[:i]
		}
		if n >= h.names {
			return fmt.Errorf("more than the %d columns of the header", h.names)
		}
		if f := h.fields[n]; f != fNone && len(v) > 0 && string(v) != h.unset && string(v) != h.empty {
			if err := set(f, v); err != nil {
				return err
			}
		}
		if i < 0 {
			break
		}
		line = line[i+1:]
	}
	if n+1 != h.names {
		return fmt.Errorf("%d of the header's %d columns: the line is cut", n+1, h.names)
	}
	return nil
}

func (c *Conn) reset() {
	*c = Conn{
		Time: -1, Duration: math.NaN(), OrigBytes: -1, RespBytes: -1, MissedBytes: -1,
		OrigPkts: -1, OrigIPBytes: -1, RespPkts: -1, RespIPBytes: -1, VLAN: -1,
	}
}

func (c *Conn) set(f field, v []byte, in interner) (err error) {
	switch f {
	case fTS:
		c.Time, err = parseTime(v)
	case fUID:
		c.UID = string(v)
	case fOrigH:
		c.Orig, err = parseAddr(v)
	case fRespH:
		c.Resp, err = parseAddr(v)
	case fOrigP:
		c.OrigPort, err = parsePort(v)
	case fRespP:
		c.RespPort, err = parsePort(v)
	case fProto:
		c.Proto = protoOf(v)
	case fService:
		c.Service = in.get(v)
	case fDuration:
		c.Duration, err = parseSeconds(v)
	case fState:
		c.State = stateOf(v)
	case fLocalOrig:
		c.LocalOrig = parseBool(v)
	case fLocalResp:
		c.LocalResp = parseBool(v)
	case fHistory:
		c.History = in.get(v)
	default:
		if p := c.count(f); p != nil {
			*p, err = parseCount(v)
		}
	}
	return err
}

func (c *Conn) count(f field) *int64 {
	switch f {
	case fOrigBytes:
		return &c.OrigBytes
	case fRespBytes:
		return &c.RespBytes
	case fMissed:
		return &c.MissedBytes
	case fOrigPkts:
		return &c.OrigPkts
	case fOrigIPBytes:
		return &c.OrigIPBytes
	case fRespPkts:
		return &c.RespPkts
	case fRespIPBytes:
		return &c.RespIPBytes
	case fVLAN:
		return &c.VLAN
	}
	return nil
}

var errIncomplete = errors.New("the record has no time or no addresses")

func (c *Conn) check() error {
	if !c.Orig.IsValid() || !c.Resp.IsValid() || c.Time < 0 {
		return errIncomplete
	}
	return nil
}

func (a *App) set(f field, v []byte, in interner) (err error) {
	switch f {
	case fTS:
		a.Time, err = parseTime(v)
	case fUID:
		a.UID = string(v)
	case fOrigH:
		a.Orig, err = parseAddr(v)
	case fRespH:
		a.Resp, err = parseAddr(v)
	case fName:
		a.Name = unescape(string(v[:min(len(v), 512)]))
	case fCode:
		a.Code = in.get(v)
	case fType:
		a.Type = in.get(v)
	}
	return err
}

func (a *App) check() error {
	if !a.Orig.IsValid() || a.Time < 0 {
		return errIncomplete
	}
	return nil
}
