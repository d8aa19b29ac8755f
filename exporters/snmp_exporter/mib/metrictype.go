package mib

import (
	"strconv"
	"strings"
)

// MetricType is the type that a metric of n has in a snmp.yml. usable is false for objects that
// cannot be a metric: those without a value, and opaque ones of unknown content.
func (n *Node) MetricType() (typ string, usable bool) {
	switch n.TC {
	case "DisplayString", "Float", "Double", "DateAndTime", "ParseDateAndTime", "NTPTimeStamp", "InetAddressIPv4", "InetAddressIPv6", "InetAddress", "LldpPortId":
		return n.TC, true
	case "PhysAddress":
		return "PhysAddress48", true
	}
	if n.Base != "" && n.Hint == "1x:" {
		return "PhysAddress48", true
	}
	if n.Base != "" && isTextHint(n.Hint) {
		return "DisplayString", true
	}
	switch n.Base {
	case "INTEGER", "Integer32", "Unsigned32", "UInteger32", "Gauge", "Gauge32", "TimeTicks":
		return "gauge", true
	case "Counter", "Counter32", "Counter64":
		return "counter", true
	case "OCTET STRING", "OBJECT IDENTIFIER":
		return "OctetString", true
	case "BITS", "BIT STRING":
		return "Bits", true
	case "IpAddress", "NetworkAddress":
		return "InetAddressIPv4", true
	}
	return "", false
}

// isTextHint tells whether a DISPLAY-HINT is that of a whole text, e.g. 255a.
func isTextHint(hint string) bool {
	digits := strings.TrimRight(hint, "at")
	if len(hint)-len(digits) != 1 {
		return false
	}
	_, err := strconv.ParseUint(digits, 10, 32)
	return err == nil
}
