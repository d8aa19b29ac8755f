// Package ipmi speaks IPMI 1.5 and 2.0 to a BMC: over the LAN with sessions of its own
// (RMCP+, cipher suites 3 and 17, or IPMI 1.5 with MD5) and to the local one through the
// Linux driver. It decodes the SDR repository, sensor readings, the event log and FRU data.
//
// Table and section numbers in comments are those of "IPMI Specification, V2.0, Rev. 1.1".
package ipmi

import (
	"context"
	"fmt"
)

// Network functions, requests only; an answer has the next odd number.
const (
	netFnChassis   = 0x00
	netFnSensor    = 0x04
	netFnApp       = 0x06
	netFnStorage   = 0x0a
	netFnGroup     = 0x2c
	bmcAddress     = 0x20
	consoleAddress = 0x81
)

// Request is one command to the BMC, or through it to another controller.
type Request struct {
	NetFn  byte
	LUN    byte
	Cmd    byte
	Data   []byte
	Bridge Bridge // zero: the BMC itself
}

// Bridge is the address of a controller behind the BMC.
type Bridge struct{ Address, Channel byte }

// String names the command for messages.
func (r Request) String() string { return fmt.Sprintf("netfn 0x%02x command 0x%02x", r.NetFn, r.Cmd) }

// Answer takes the answer to request i: the bytes after a completion code of 0, which are
// valid until it returns, or an error (a CompletionCode when the BMC refused).
type Answer func(i int, data []byte, err error)

// Conn carries commands to one BMC. It is not safe for concurrent use.
type Conn interface {
	// Exchange sends reqs and hands every answer to answer exactly once, in the order in
	// which they come in. The error is that of the connection itself (a context that
	// ended, a BMC gone silent); what had been answered by then stays answered, the rest
	// was not given to answer.
	Exchange(ctx context.Context, reqs []Request, answer Answer) error
	// Close ends the session and frees every resource. It waits at most a second.
	Close() error
	// Info says how the connection was made.
	Info() ConnInfo
}

// ConnInfo describes an open connection.
type ConnInfo struct {
	Interface string   // "lan 2.0", "lan 1.5" or "local"
	Suite     Suite    // cipher suite of a 2.0 session, else 0
	Quirks    []string // deviations found while the session was set up
	Packets   int      // datagrams sent so far
	Retries   int      // of them, sent again
}

// do sends one command and returns a copy of its answer, of at least min bytes.
func do(ctx context.Context, c Conn, min int, req Request) ([]byte, error) {
	var out []byte
	var cmdErr error
	reqs := [1]Request{req}
	err := c.Exchange(ctx, reqs[:], func(_ int, data []byte, err error) {
		out, cmdErr = append([]byte(nil), data...), err
	})
	if err == nil {
		err = cmdErr
	}
	if err != nil {
		return nil, err
	}
	if len(out) < min {
		return nil, fmt.Errorf("%w: %d bytes to %s, expected %d or more", ErrMalformed, len(out), req, min)
	}
	return out, nil
}
