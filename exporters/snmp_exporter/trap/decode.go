package trap

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/internal/logstore"
)

// Well-known instances of a notification.
const (
	sysUpTime   = "1.3.6.1.2.1.1.3.0"
	snmpTrapOID = "1.3.6.1.6.3.1.1.4.1.0"
	genericTrap = "1.3.6.1.6.3.1.1.5"
)

// generic are the names of the traps that need no MIB.
var generic = []string{"coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss"}

// Event is one notification, decoded.
type Event struct {
	Time    time.Time
	Source  netip.Addr
	Version string // 1, 2c or 3
	Inform  bool
	OID     string
	Name    string // as the MIBs call it; the OID if they do not
	Known   bool
	UpTime  time.Duration
	Vars    []Var
}

// Var is one variable of a notification.
type Var struct {
	OID   string
	Name  string // object and index
	Value string // with the name of an enumeration in place of its number
}

// maxValue bounds a value that a device chose, in bytes; maxVars the variables of an event.
const (
	maxValue = 1024
	maxVars  = 64
)

// decode makes an event of a packet.
func decode(p *gosnmp.SnmpPacket, from netip.Addr, at time.Time, t *mib.Tree) Event {
	e := Event{Time: at, Source: from, Version: p.Version.String(), Inform: p.PDUType == gosnmp.InformRequest}
	vars := p.Variables
	if p.Version == gosnmp.Version1 {
		e.OID = trapOID1(p)
		e.UpTime = time.Duration(p.Timestamp) * 10 * time.Millisecond
	}
	for i := range vars {
		oid := strings.TrimPrefix(vars[i].Name, ".")
		switch oid {
		case sysUpTime:
			if n, ok := vars[i].Value.(uint32); ok {
				e.UpTime = time.Duration(n) * 10 * time.Millisecond
			}
			continue
		case snmpTrapOID:
			if s, ok := vars[i].Value.(string); ok {
				e.OID = strings.TrimPrefix(s, ".")
			}
			continue
		}
		if len(e.Vars) < maxVars {
			e.Vars = append(e.Vars, decodeVar(oid, &vars[i], t))
		}
	}
	e.Name, e.Known = nameOf(e.OID, t)
	return e
}

// trapOID1 translates an SNMPv1 trap as RFC 3584, section 3.1 says.
func trapOID1(p *gosnmp.SnmpPacket) string {
	if p.GenericTrap >= 0 && p.GenericTrap < 6 {
		return genericTrap + "." + strconv.Itoa(p.GenericTrap+1)
	}
	return strings.TrimPrefix(p.Enterprise, ".") + ".0." + strconv.Itoa(p.SpecificTrap)
}

func nameOf(oid string, t *mib.Tree) (name string, known bool) {
	if t != nil {
		if n := t.Lookup(oid); n != nil && n.Name != "" {
			return n.Name, true
		}
	}
	if last, ok := strings.CutPrefix(oid, genericTrap+"."); ok {
		if i, err := strconv.Atoi(last); err == nil && i >= 1 && i <= len(generic) {
			return generic[i-1], true
		}
	}
	return oid, false
}

func decodeVar(oid string, v *gosnmp.SnmpPDU, t *mib.Tree) Var {
	out := Var{OID: oid, Name: oid, Value: text(v)}
	if t == nil {
		return out
	}
	n, rest := t.Nearest(oid)
	if n == nil || n.Macro != "OBJECT-TYPE" {
		return out
	}
	if out.Name = n.Name; rest != "" && rest != "0" {
		out.Name += "." + rest
	}
	if i, ok := v.Value.(int); ok && n.Enums[i] != "" {
		out.Value = n.Enums[i]
	}
	if s, ok := v.Value.(string); ok && v.Type == gosnmp.ObjectIdentifier {
		if name, known := nameOf(strings.TrimPrefix(s, "."), t); known {
			out.Value = name
		}
	}
	return out
}

// text shows a value: octets as text if they are, else in hexadecimal.
func text(v *gosnmp.SnmpPDU) string {
	var s string
	switch x := v.Value.(type) {
	case []byte:
		s = strings.TrimRight(string(x), "\x00")
		printable := utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0x7f }) < 0
		if !printable {
			s = fmt.Sprintf("0x%X", x)
		}
	case nil:
		return ""
	case string:
		s = strings.TrimPrefix(x, ".")
	default:
		s = fmt.Sprint(x)
	}
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "") + "..."
	}
	return s
}

// Document is the event as the log store keeps it. Its id is the same for a repeated inform.
func (e Event) Document() logstore.Document {
	names := make([]string, 0, len(e.Vars))
	fields := map[string]any{
		"event.kind": "event", "event.module": "snmp", "event.action": e.Name, "event.dataset": "snmp.trap",
		"source.ip": e.Source.String(), "host.name": e.Source.String(),
		"snmp.version": e.Version, "snmp.trap.oid": e.OID, "snmp.trap.name": e.Name, "snmp.trap.inform": e.Inform,
	}
	h := sha256.New()
	// An inform is repeated until it is acknowledged: the device's own clock tells whether two
	// events are one.
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d", e.Source, e.OID, e.UpTime, e.Time.Unix()/300)
	for _, v := range e.Vars {
		names = append(names, v.Name+"="+v.Value)
		fmt.Fprintf(h, "\x00%s=%s", v.OID, v.Value)
	}
	if len(names) > 0 {
		fields["snmp.trap.variables"] = names
	}
	message := e.Name
	if len(names) > 0 {
		message += ": " + strings.Join(names, ", ")
	}
	return logstore.Document{ID: hex.EncodeToString(h.Sum(nil)[:16]), Time: e.Time, Message: message, Fields: fields}
}
