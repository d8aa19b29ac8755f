package ipmi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	firstRetry = 250 * time.Millisecond // FreeIPMI and ipmitool wait a full second
	maxRetry   = 2 * time.Second
	maxTries   = 4
	maxWindow  = 2  // commands in flight; falls to 1 for a BMC that loses one
	maxAhead   = 32 // requests past the oldest unanswered one: their numbers wrap at 64
	maxPacket  = 1024
)

// link exchanges UDP datagrams with one BMC: it paces, repeats and gives up.
type link struct {
	conn    *net.UDPConn
	rx, tx  []byte
	window  int
	tries   int
	rtt     time.Duration // smoothed round trip, 0 when unknown
	silent  bool          // the last exchange ended without an answer
	heard   bool          // some answer ever came
	foreign int           // datagrams that were no answers
	Retries int           // datagrams sent again
	Packets int           // datagrams sent
}

// DefaultPort is that of RMCP.
const DefaultPort = "623"

// dialLink resolves addr, "HOST" or "HOST:PORT", and connects a socket to it.
func dialLink(ctx context.Context, addr string) (*link, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), DefaultPort)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", addr)
	if err != nil {
		return nil, err
	}
	return &link{conn: c.(*net.UDPConn), rx: make([]byte, maxPacket), tx: make([]byte, 0, maxPacket), window: maxWindow, tries: maxTries}, nil
}

// call is one request on its way.
type call struct {
	index    int
	tries    int
	sent     time.Time
	deadline time.Time // when to send it again
}

// exchange sends n requests with at most window of them in flight. build appends the
// datagram of one try of request i to b. accept looks at an incoming datagram and returns
// the request it answers, or -1 when it is none of ours. It stops at the first request
// that stays unanswered.
func (l *link) exchange(ctx context.Context, n int, build func(i int, b []byte) ([]byte, error), accept func(pkt []byte) int) error {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	l.silent = true
	next := 0
	var flight []call
	for next < n || len(flight) > 0 {
		for next < n && len(flight) < l.window && (len(flight) == 0 || next-flight[0].index < maxAhead) {
			c := call{index: next}
			if err := l.send(&c, build); err != nil {
				return err
			}
			flight = append(flight, c)
			next++
		}
		i, err := l.receive(ctx, earliest(flight), accept)
		switch {
		case err == nil:
			flight = l.answered(flight, i)
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := l.repeat(ctx, flight, build); err != nil {
				return err
			}
		default:
			return err
		}
	}
	l.silent = false
	return nil
}

func earliest(flight []call) time.Time {
	t := flight[0].deadline
	for _, c := range flight[1:] {
		if c.deadline.Before(t) {
			t = c.deadline
		}
	}
	return t
}

// answered removes request i from flight and learns the round trip from it, unless it
// had been repeated: then nobody knows which try was answered (Karn's rule).
func (l *link) answered(flight []call, i int) []call {
	for k, c := range flight {
		if c.index != i {
			continue
		}
		if c.tries == 1 {
			d := time.Since(c.sent)
			if l.rtt == 0 {
				l.rtt = d
			}
			l.rtt += (d - l.rtt) / 4
		}
		return append(flight[:k], flight[k+1:]...)
	}
	return flight
}

func (l *link) send(c *call, build func(i int, b []byte) ([]byte, error)) error {
	pkt, err := build(c.index, l.tx[:0])
	if err != nil {
		return err
	}
	c.sent = time.Now()
	// A BMC that needs 400 ms for every answer is not asked twice each time.
	wait := min(max(firstRetry, 4*l.rtt)<<c.tries, maxRetry)
	c.deadline = c.sent.Add(wait)
	c.tries++
	l.Packets++
	if _, err := l.conn.Write(pkt); err != nil {
		return unreachable(err)
	}
	return nil
}

// repeat sends every request again whose time has come, or fails when one is out of tries.
func (l *link) repeat(ctx context.Context, flight []call, build func(i int, b []byte) ([]byte, error)) error {
	if err := ctx.Err(); err != nil {
		return l.giveUp(ended(ctx))
	}
	if len(flight) > 1 {
		l.window = 1
	}
	now := time.Now()
	for k := range flight {
		c := &flight[k]
		if c.deadline.After(now) {
			continue
		}
		if c.tries >= l.tries {
			return l.giveUp(fmt.Errorf("%w to %d tries", ErrTimeout, c.tries))
		}
		l.Retries++
		if err := l.send(c, build); err != nil {
			return err
		}
	}
	return nil
}

// giveUp says what there was instead of an answer. err is an ErrTimeout.
func (l *link) giveUp(err error) error {
	switch {
	case l.heard:
		return err
	case l.foreign > 0:
		return fmt.Errorf("%w: %d datagrams came that are no IPMI, or cut off: is it a BMC?", ErrMalformed, l.foreign)
	}
	return fmt.Errorf("%w: is the address right, IPMI over LAN enabled, the UDP port open in every firewall?", err)
}

// receive reads datagrams until one is accepted or until passes.
func (l *link) receive(ctx context.Context, until time.Time, accept func(pkt []byte) int) (int, error) {
	if err := l.conn.SetReadDeadline(until); err != nil {
		return 0, err
	}
	for {
		// After the deadline was set, so that the context's own setting is not lost.
		if ctx.Err() != nil {
			return 0, l.giveUp(ended(ctx))
		}
		n, err := l.conn.Read(l.rx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return 0, l.giveUp(ended(ctx))
		case errors.Is(err, os.ErrDeadlineExceeded):
			return 0, err
		default:
			return 0, unreachable(err)
		}
		if i := accept(l.rx[:n]); i >= 0 {
			l.heard = true
			return i, nil
		}
		l.foreign++
		if !time.Now().Before(until) { // a stream of foreign datagrams must not hold us
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// ended says that the time was up. It is an ErrTimeout and the context's own error.
func ended(ctx context.Context) error {
	return fmt.Errorf("%w in time: %w", ErrTimeout, context.Cause(ctx))
}

// unreachable names the usual cause of a refused datagram.
func unreachable(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens there, is IPMI over LAN enabled?: %w", err)
	}
	return err
}
