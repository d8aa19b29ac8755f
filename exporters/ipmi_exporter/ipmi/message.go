package ipmi

import "fmt"

// rmcpHeader is that of every IPMI datagram: version 6, no RMCP acknowledge, class IPMI.
var rmcpHeader = [4]byte{6, 0, 0xff, 7}

// Authentication types of the session header (table 13-1).
const (
	authNone     = 0x00
	authMD5      = 0x02
	authRMCPPlus = 0x06
)

func checksum(b []byte) (c byte) {
	for _, x := range b {
		c -= x
	}
	return c
}

// cmdSend is Send Message (section 22.7), which carries a request to another controller.
const cmdSend = 0x34

// appendMessage appends the LAN message (figure 13-4) of req with sequence number rq. A
// request to another controller is wrapped in a tracked Send Message.
func appendMessage(b []byte, req Request, rq byte) []byte {
	if req.Bridge == (Bridge{}) {
		return appendPlain(b, bmcAddress, consoleAddress, req, rq)
	}
	const tracked = 0x40
	inner := appendPlain([]byte{tracked | req.Bridge.Channel&0x0f}, req.Bridge.Address, bmcAddress, req, rq)
	return appendPlain(b, bmcAddress, consoleAddress, Request{NetFn: netFnApp, Cmd: cmdSend, Data: inner}, rq)
}

func appendPlain(b []byte, to, from byte, req Request, rq byte) []byte {
	m := len(b)
	b = append(b, to, req.NetFn<<2|req.LUN&3, 0, from, rq<<2, req.Cmd)
	b[m+2] = checksum(b[m : m+2])
	b = append(b, req.Data...)
	return append(b, checksum(b[m+3:]))
}

// message is a LAN answer taken apart.
type message struct {
	netFn, rq, cmd byte
	code           CompletionCode
	data           []byte
}

// parseMessage takes a LAN answer apart. ok is false when it is not one.
func parseMessage(m []byte) (a message, ok bool) {
	if len(m) < 8 || checksum(m[:3]) != 0 || checksum(m[3:]) != 0 {
		return a, false
	}
	return message{netFn: m[1] >> 2, rq: m[4] >> 2, cmd: m[5], code: CompletionCode(m[6]), data: m[7 : len(m)-1]}, true
}

// match tells what a means for r; final is false when it is no answer to it.
func (r Request) match(a message) (data []byte, final bool, err error) {
	switch {
	case a.netFn == r.NetFn|1 && a.cmd == r.Cmd:
		if a.code != 0 {
			return nil, true, a.code
		}
		return a.data, true, nil
	case r.Bridge != Bridge{} && a.netFn == netFnApp|1 && a.cmd == cmdSend && a.code != 0:
		return nil, true, fmt.Errorf("controller 0x%02x: %w", r.Bridge.Address, CodeDestination)
	}
	return nil, false, nil // the BMC has sent it on, or the answer is to another request
}

// codec wraps LAN messages into the session packets of one protocol version.
type codec interface {
	// seal appends the packet that carries the message which fill appends.
	seal(b []byte, fill func([]byte) []byte) ([]byte, error)
	// open returns the message in pkt; ok is false when it is not authentically ours.
	open(pkt []byte) (message []byte, ok bool)
}

// bare is the codec outside of any session: IPMI 1.5 format, no authentication.
type bare struct{}

func (bare) seal(b []byte, fill func([]byte) []byte) ([]byte, error) {
	return seal15(b, authNone, 0, 0, nil, fill)
}

func (bare) open(pkt []byte) ([]byte, bool) {
	h, ok := open15(pkt)
	return h.message, ok && h.session == 0
}
