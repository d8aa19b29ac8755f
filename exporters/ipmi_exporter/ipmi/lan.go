package ipmi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Privilege is a session privilege level (section 6.8).
type Privilege byte

// Privilege levels. Reading sensors, SDRs and the event log needs User; DCMI power needs
// User, FRU and SDR data on some BMCs Operator.
const (
	User          Privilege = 2
	Operator      Privilege = 3
	Administrator Privilege = 4
)

// ParsePrivilege reads "user", "operator" or "admin".
func ParsePrivilege(s string) (Privilege, error) {
	switch s {
	case "", "user":
		return User, nil
	case "operator":
		return Operator, nil
	case "admin", "administrator":
		return Administrator, nil
	}
	return 0, fmt.Errorf("privilege %q is not user, operator or admin", s)
}

// Version selects the session protocol.
type Version string

// Versions. VersionAuto takes 2.0 unless the BMC says that it speaks 1.5 only.
const (
	VersionAuto Version = ""
	Version20   Version = "2.0"
	Version15   Version = "1.5"
)

// Options say how to open a session.
type Options struct {
	User      string
	Password  []byte
	BMCKey    []byte    // Kg, for BMCs set up with two-key login; usually empty
	Privilege Privilege // 0 means User
	Version   Version
	Suite     Suite // 0 asks the BMC and takes the strongest
	OneByOne  bool  // never more than one command in flight
}

func (o *Options) check() error {
	if o.Privilege == 0 {
		o.Privilege = User
	}
	if len(o.User) > 16 {
		return fmt.Errorf("%w: it has %d bytes, IPMI allows 16", ErrUser, len(o.User))
	}
	if len(o.Password) > 20 || len(o.BMCKey) > 20 {
		return fmt.Errorf("%w: it is longer than the 20 bytes that IPMI allows", ErrPassword)
	}
	return nil
}

// lan is a session over UDP, or the state before one.
type lan struct {
	link    *link
	codec   codec
	rq      byte   // last request sequence number
	session uint32 // as the BMC calls it; 0 outside of a session
	info    ConnInfo
}

// Dial opens a session with the BMC at addr, "HOST" or "HOST:PORT". The error matches one
// of ErrUser, ErrPassword, ErrPrivilege, ErrSuite, ErrBusy, ErrTimeout where it applies.
func Dial(ctx context.Context, addr string, opt Options) (Conn, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	l, err := dialLink(ctx, addr)
	if err != nil {
		return nil, err
	}
	if opt.OneByOne {
		l.window = 1
	}
	c, err := open(ctx, l, opt)
	if err != nil {
		return nil, errors.Join(err, l.conn.Close())
	}
	if opt.Privilege > User {
		if err := c.raise(ctx, opt.Privilege); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Detect asks without a session whether a BMC is at addr, and for the newest version of IPMI
// that it speaks. It sends two datagrams at most to an address that is silent.
func Detect(ctx context.Context, addr string) (Version, error) {
	l, err := dialLink(ctx, addr)
	if err != nil {
		return "", err
	}
	l.tries = 2
	caps, err := channelCaps(ctx, l, User)
	if err = errors.Join(err, l.conn.Close()); err != nil {
		return "", fmt.Errorf("authentication capabilities: %w", err)
	}
	if caps.v20() {
		return Version20, nil
	}
	return Version15, nil
}

// open chooses version and suite. Naming them saves the questions.
func open(ctx context.Context, l *link, opt Options) (*lan, error) {
	if opt.Version != Version20 && (opt.Version == Version15 || opt.Suite == 0) {
		caps, err := channelCaps(ctx, l, opt.Privilege)
		switch {
		case err != nil && (l.silent || opt.Version == Version15):
			return nil, fmt.Errorf("authentication capabilities: %w", err)
		case err == nil && (opt.Version == Version15 || !caps.v20()):
			return dial15(ctx, l, opt, caps)
		}
	}
	if opt.Suite != 0 {
		c, err := dial20(ctx, l, opt, opt.Suite)
		if errors.Is(err, ErrSuite) {
			err = fmt.Errorf("%w; cipher suite 0 takes what the BMC offers", err)
		}
		return c, err
	}
	suites, err := offeredSuites(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("cipher suites: %w", err)
	}
	var c *lan
	for _, s := range suites {
		c, err = dial20(ctx, l, opt, s)
		// A BMC has just answered, so silence may mean that it drops what it does not know.
		if err == nil || ctx.Err() != nil || !errors.Is(err, ErrSuite) && !errors.Is(err, ErrTimeout) {
			return c, err
		}
	}
	return nil, err
}

// authCaps is the answer to Get Channel Authentication Capabilities (table 22-15).
type authCaps struct{ types, status, extended byte }

// v20 tells whether the channel speaks RMCP+.
func (c authCaps) v20() bool { return c.types&0x80 != 0 && c.extended&0x02 != 0 }

// channelCaps asks the present channel. A BMC from before 2.0 may refuse the bit that
// asks for extended data.
func channelCaps(ctx context.Context, l *link, p Privilege) (authCaps, error) {
	c := &lan{link: l, codec: bare{}}
	r, err := do(ctx, c, 4, Request{NetFn: netFnApp, Cmd: 0x38, Data: []byte{0x8e, byte(p)}})
	var code CompletionCode
	if errors.As(err, &code) {
		r, err = do(ctx, c, 4, Request{NetFn: netFnApp, Cmd: 0x38, Data: []byte{0x0e, byte(p)}})
	}
	if err != nil {
		return authCaps{}, err
	}
	return authCaps{types: r[1], status: r[2], extended: r[3]}, nil
}

// raise sets the session's privilege level, which starts at User.
func (c *lan) raise(ctx context.Context, p Privilege) error {
	_, err := do(ctx, c, 1, Request{NetFn: netFnApp, Cmd: 0x3b, Data: []byte{byte(p)}})
	var code CompletionCode
	if errors.As(err, &code) {
		err = fmt.Errorf("%w: %w", ErrPrivilege, err)
	}
	if err != nil {
		return fmt.Errorf("set session privilege: %w", err)
	}
	return nil
}

func (c *lan) Info() ConnInfo {
	info := c.info
	info.Packets, info.Retries = c.link.Packets, c.link.Retries
	return info
}

// Exchange sends reqs with up to two in flight.
func (c *lan) Exchange(ctx context.Context, reqs []Request, answer Answer) error {
	b := &batch{codec: c.codec, reqs: reqs, first: c.rq + 1, answered: make([]bool, len(reqs)), answer: answer}
	err := c.link.exchange(ctx, len(reqs), b.build, b.accept)
	c.rq += byte(len(reqs))
	return err
}

// batch pairs the requests of one Exchange with their answers. Request i has sequence
// number first+i modulo 64; link keeps those unanswered within 32 of each other.
type batch struct {
	codec    codec
	reqs     []Request
	first    byte
	answered []bool
	sent     int // requests sent so far
	done     int // all before it are answered
	answer   Answer
}

func (b *batch) number(i int) byte { return (b.first + byte(i)) & 0x3f }

// build appends the packet of request i.
func (b *batch) build(i int, buf []byte) ([]byte, error) {
	b.sent = max(b.sent, i+1)
	return b.codec.seal(buf, func(buf []byte) []byte { return appendMessage(buf, b.reqs[i], b.number(i)) })
}

// accept hands the answer in pkt on and returns whose it is, -1 when it is none.
func (b *batch) accept(pkt []byte) int {
	m, ok := b.codec.open(pkt)
	if !ok {
		return -1
	}
	a, ok := parseMessage(m)
	if !ok {
		return -1
	}
	for i := b.done; i < b.sent; i++ {
		if b.answered[i] || b.number(i) != a.rq {
			continue
		}
		data, final, err := b.reqs[i].match(a)
		if !final {
			continue
		}
		b.answered[i] = true
		for b.done < b.sent && b.answered[b.done] {
			b.done++
		}
		b.answer(i, data, err)
		return i
	}
	return -1
}

// Close ends the session at the BMC and closes the socket. A BMC that has just been
// silent is told without waiting for its answer.
func (c *lan) Close() error {
	if c.session != 0 {
		req := Request{NetFn: netFnApp, Cmd: 0x3c, Data: binary.LittleEndian.AppendUint32(nil, c.session)}
		wait := time.Second
		if c.link.silent {
			wait = 0
		}
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		// The answer does not matter: a BMC that lost this frees the session by its timer.
		_ = c.Exchange(ctx, []Request{req}, func(int, []byte, error) {})
		cancel()
		c.session = 0
	}
	return c.link.conn.Close()
}
