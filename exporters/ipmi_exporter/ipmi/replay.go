package ipmi

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// Recorder is a Conn that writes down what goes through it, for Replay. FRU data is left
// out: it holds serial numbers and asset tags.
type Recorder struct {
	Conn
	mu  sync.Mutex
	buf bytes.Buffer
}

// Exchange implements Conn.
func (r *Recorder) Exchange(ctx context.Context, reqs []Request, answer Answer) error {
	return r.Conn.Exchange(ctx, reqs, func(i int, data []byte, err error) {
		if reqs[i].NetFn == netFnStorage && (reqs[i].Cmd == cmdFRUInfo || reqs[i].Cmd == cmdFRURead) {
			answer(i, data, err)
			return
		}
		l := exchangeLine{NetFn: reqs[i].NetFn, LUN: reqs[i].LUN, Cmd: reqs[i].Cmd, Bridge: reqs[i].Bridge, Data: hex.EncodeToString(reqs[i].Data), Answer: hex.EncodeToString(data)}
		var code CompletionCode
		if errors.As(err, &code) {
			l.Code = byte(code)
		}
		r.mu.Lock()
		if raw, err := json.Marshal(l); err == nil {
			r.buf.Write(append(raw, '\n'))
		}
		r.mu.Unlock()
		answer(i, data, err)
	})
}

// Bytes is the recording so far.
func (r *Recorder) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.buf.Bytes())
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
