package ipmi

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// exchangeLine is one line of a recording: a request and what came of it, in hexadecimal.
// Session set-up is not recorded, so no secret is in it.
type exchangeLine struct {
	NetFn  byte   `json:"netfn"`
	LUN    byte   `json:"lun,omitempty"`
	Bridge Bridge `json:"bridge,omitzero"`
	Cmd    byte   `json:"cmd"`
	Data   string `json:"data,omitempty"`
	Code   byte   `json:"code,omitempty"`
	Answer string `json:"answer,omitempty"`
}

func lineKey(r Request) string {
	return fmt.Sprintf("%02x.%x.%02x.%x.%x", r.NetFn, r.LUN, r.Cmd, r.Data, r.Bridge)
}

// Recorder is a Conn that remembers what goes through it, for Replay. From FRU data it
// takes out serial numbers, asset tags and whatever owners wrote there.
type Recorder struct {
	Conn
	mu    sync.Mutex
	lines []exchangeLine
	frus  map[byte]*fruImage
}

// fruImage is a FRU device as far as it was read.
type fruImage struct {
	words bool // offsets are in words of two bytes
	data  []byte
	reads []fruRead
}

// fruRead says which part of an image a line holds.
type fruRead struct{ line, offset, size int }

// Exchange implements Conn.
func (r *Recorder) Exchange(ctx context.Context, reqs []Request, answer Answer) error {
	return r.Conn.Exchange(ctx, reqs, func(i int, data []byte, err error) {
		r.note(reqs[i], data, err)
		answer(i, data, err)
	})
}

func (r *Recorder) note(q Request, data []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := exchangeLine{NetFn: q.NetFn, LUN: q.LUN, Cmd: q.Cmd, Bridge: q.Bridge, Data: hex.EncodeToString(q.Data)}
	var code CompletionCode
	if errors.As(err, &code) {
		l.Code = byte(code)
	}
	if q.NetFn != netFnStorage || q.Cmd != cmdFRUInfo && q.Cmd != cmdFRURead || len(q.Data) == 0 || len(data) == 0 {
		l.Answer = hex.EncodeToString(data)
		r.lines = append(r.lines, l)
		return
	}
	if r.frus == nil {
		r.frus = map[byte]*fruImage{}
	}
	f := r.frus[q.Data[0]]
	if f == nil {
		f = &fruImage{}
		r.frus[q.Data[0]] = f
	}
	switch {
	case q.Cmd == cmdFRUInfo:
		f.words = len(data) > 2 && data[2]&1 != 0
		l.Answer = hex.EncodeToString(data)
	case len(q.Data) >= 4:
		offset := int(le16(q.Data[1:]))
		if f.words {
			offset *= 2
		}
		f.data = append(f.data, make([]byte, max(0, offset+len(data)-1-len(f.data)))...)
		f.reads = append(f.reads, fruRead{len(r.lines), offset, copy(f.data[offset:], data[1:])})
		l.Answer = hex.EncodeToString(data[:1]) // the rest follows when all is known
	}
	r.lines = append(r.lines, l)
}

// Bytes is the recording so far.
func (r *Recorder) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := slices.Clone(r.lines)
	for _, f := range r.frus {
		image := redactFRU(f.data)
		for _, part := range f.reads {
			lines[part.line].Answer += hex.EncodeToString(image[part.offset : part.offset+part.size])
		}
	}
	var out bytes.Buffer
	for _, l := range lines {
		if raw, err := json.Marshal(l); err == nil {
			out.Write(append(raw, '\n'))
		}
	}
	return out.Bytes()
}

// Replay is a Conn that answers from a recording; what is not in it is an unsupported
// command. A request that was recorded several times gives its answers in turn, the last
// one for ever.
type Replay struct {
	answers map[string][]exchangeLine
}

// NewReplay reads a recording.
func NewReplay(r io.Reader) (*Replay, error) {
	p := &Replay{answers: map[string][]exchangeLine{}}
	d := json.NewDecoder(r)
	for {
		var l exchangeLine
		err := d.Decode(&l)
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		data, err := hex.DecodeString(l.Data)
		if err != nil {
			return nil, fmt.Errorf("recording: %w", err)
		}
		key := lineKey(Request{NetFn: l.NetFn, LUN: l.LUN, Cmd: l.Cmd, Data: data, Bridge: l.Bridge})
		p.answers[key] = append(p.answers[key], l)
	}
}

// Exchange implements Conn.
func (p *Replay) Exchange(ctx context.Context, reqs []Request, answer Answer) error {
	for i, r := range reqs {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		key := lineKey(r)
		lines := p.answers[key]
		if len(lines) == 0 {
			answer(i, nil, CodeInvalidCommand)
			continue
		}
		if len(lines) > 1 {
			p.answers[key] = lines[1:]
		}
		data, err := hex.DecodeString(lines[0].Answer)
		switch {
		case err != nil:
			return fmt.Errorf("recording: %w", err)
		case lines[0].Code != 0:
			answer(i, nil, CompletionCode(lines[0].Code))
		default:
			answer(i, data, nil)
		}
	}
	return nil
}

// Close implements Conn.
func (*Replay) Close() error { return nil }

// Info implements Conn.
func (*Replay) Info() ConnInfo { return ConnInfo{Interface: "replay"} }
