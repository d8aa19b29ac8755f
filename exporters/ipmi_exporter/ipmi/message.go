package ipmi

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

// appendMessage appends the LAN message (figure 13-4) of req with sequence number rq.
func appendMessage(b []byte, req Request, rq byte) []byte {
	m := len(b)
	b = append(b, bmcAddress, req.NetFn<<2|req.LUN&3, 0, consoleAddress, rq<<2, req.Cmd)
	b[m+2] = checksum(b[m : m+2])
	b = append(b, req.Data...)
	return append(b, checksum(b[m+3:]))
}

// parseMessage takes a LAN answer apart. ok is false when it is not one.
func parseMessage(m []byte) (netFn, rq, cmd byte, code CompletionCode, data []byte, ok bool) {
	if len(m) < 8 || checksum(m[:3]) != 0 || checksum(m[3:]) != 0 {
		return 0, 0, 0, 0, nil, false
	}
	return m[1] >> 2, m[4] >> 2, m[5], CompletionCode(m[6]), m[7 : len(m)-1], true
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
