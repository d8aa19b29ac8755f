package evidence

import (
	"net/netip"
	"strings"

	"github.com/inframind/inframind/internal/zeek"
)

// OutcomeOf judges a single connection.
func OutcomeOf(c *zeek.Conn) Outcome {
	if c.Proto != zeek.ICMP && c.RespBytes > 0 {
		return Worked
	}
	if c.OrigPkts == 0 || c.Resp.IsMulticast() || Broadcast(c.Resp) || c.Orig.IsUnspecified() {
		return Neutral
	}
	if c.Proto == zeek.ICMP {
		return icmpOutcome(c)
	}
	h := strings.TrimPrefix(c.History, "^")
	if h != "" && (h[0] >= 'a' && h[0] <= 'z' || strings.Trim(h, "RC") == "") {
		return Neutral // the sensor saw the answer first, or only a reset or a bad checksum
	}
	if c.Proto != zeek.TCP {
		return answered(c)
	}
	switch c.State {
	case zeek.S0, zeek.REJ, zeek.RSTOS0, zeek.RSTRH, zeek.SH, zeek.SHR:
		return Failed
	case zeek.OTH:
		return midstream(c, h)
	}
	switch {
	case c.OrigBytes <= 0:
		return Neutral // opened and closed without a word
	case c.RespPkts > 1:
		return Worked
	}
	return Failed
}

// excused tells whether a failure is a small unanswered question for a name or the time.
// Clients ask pools of servers, some of which are always silent, and ask all of them when
// a firewall is in the way; that is no exploration.
func excused(c *zeek.Conn) bool {
	return c.Proto == zeek.UDP && (c.RespPort == 53 || c.RespPort == 123) && c.OrigPkts <= 16
}

// retried tells whether a host inside tries again what it tried outside before: that is
// persistence, not exploration. Persistence has detectors of its own.
func retried(e *Evidence) bool {
	return e.Outcome == Failed && !e.First && e.OrigInside && !e.RespInside
}

func answered(c *zeek.Conn) Outcome {
	if c.RespPkts > 0 || c.State == zeek.SF {
		return Worked
	}
	return Failed
}

// icmpOutcome looks at requests only: echo, timestamp, information and mask requests, and
// their IPv6 kin. Errors and answers say nothing about their sender.
func icmpOutcome(c *zeek.Conn) Outcome {
	request := c.OrigPort == 8 || c.OrigPort == 13 || c.OrigPort == 15 || c.OrigPort == 17
	if c.Orig.Is6() {
		request = c.OrigPort == 128 || c.OrigPort == 139
	}
	switch {
	case !request:
		return Neutral
	case c.RespPkts > 0 || c.RespBytes > 0:
		return Worked
	}
	return Failed
}

// midstream judges a connection whose beginning the sensor did not see.
func midstream(c *zeek.Conn, h string) Outcome {
	orig, resp := strings.ContainsAny(h, "DA"), strings.ContainsAny(h, "da")
	switch {
	case orig && resp:
		return Worked
	case (orig || resp) && c.OrigBytes > 0:
		return Neutral
	}
	return Failed
}

// Broadcast tells whether a is an IPv4 address that ends in 255, which on nearly all
// networks is everybody.
func Broadcast(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	b := a.As4()
	return b[3] == 255
}

// unsolicited is the prior, as a log of odds, that a failed connection from outside to a
// service inside that has never answered is no mistake: more than three to one, because
// the Internet has no reason to try a door that nobody ever opened.
const unsolicited = 1.2

// learned is the number of services a routed address must have reached as originator, of
// late, to be taken for a host inside where the sensor was not told what is local.
const learned = 10

// inside tells whether an address belongs to the observed network: the sensor says so, it
// is not routed on the Internet, or it behaves like a client here.
func inside(a netip.Addr, local zeek.Tri, reached float32) bool {
	return local == zeek.True || Internal(a) || local == zeek.Unset && reached >= learned
}

// Internal tells whether an address is of a kind that is not routed on the Internet.
func Internal(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}
