package trap

import (
	"context"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testMIB = `
TEST-MIB DEFINITIONS ::= BEGIN
IMPORTS OBJECT-TYPE, NOTIFICATION-TYPE, enterprises FROM SNMPv2-SMI;
test OBJECT IDENTIFIER ::= { enterprises 99999 }
testState OBJECT-TYPE SYNTAX INTEGER { good(1), bad(2) } MAX-ACCESS read-only STATUS current DESCRIPTION "State." ::= { test 1 }
testName OBJECT-TYPE SYNTAX OCTET STRING MAX-ACCESS read-only STATUS current DESCRIPTION "Name." ::= { test 2 }
testAlarm NOTIFICATION-TYPE OBJECTS { testState } STATUS current DESCRIPTION "It broke." ::= { test 0 7 }
END
`

type catcher struct {
	mu     sync.Mutex
	events []Event
}

func (c *catcher) take(e Event) { c.mu.Lock(); defer c.mu.Unlock(); c.events = append(c.events, e) }

func (c *catcher) wait(t *testing.T, n int) []Event {
	t.Helper()
	for range 200 {
		c.mu.Lock()
		got := slices.Clone(c.events)
		c.mu.Unlock()
		if len(got) >= n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d events did not come", n)
	return nil
}

func start(t *testing.T, store logstore.Store) (addr string, got *catcher, r *Receiver, stop func()) {
	t.Helper()
	tree, warnings := mib.Compile(map[string]string{"test": testMIB})
	if len(warnings) > 0 {
		t.Fatal(warnings)
	}
	got = &catcher{}
	r, err := New(Options{
		Auths: []*conf.Auth{
			{Version: 2, Community: "traps"},
			{Version: 3, Username: "user", SecurityLevel: "authPriv", AuthProtocol: "SHA", Password: "authpass1", PrivProtocol: "AES", PrivPassword: "privpass1"},
		},
		MIBs: tree, Store: store, Notify: got.take,
	}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	bound, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- r.Run(ctx, "127.0.0.1:0", bound) }()
	addr = <-bound
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return addr, got, r, stop
}

func sender(t *testing.T, addr string, version gosnmp.SnmpVersion, community string) *gosnmp.GoSNMP {
	t.Helper()
	ap := netip.MustParseAddrPort(addr)
	g := &gosnmp.GoSNMP{Target: ap.Addr().String(), Port: ap.Port(), Version: version, Community: community, Timeout: time.Second, Retries: 1, Context: t.Context()}
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Conn.Close() })
	return g
}

func TestTrapsOfVersions1And2(t *testing.T) {
	store, err := sqlite.Open(t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	addr, got, r, stop := start(t, store)
	vars := []gosnmp.SnmpPDU{{Name: ".1.3.6.1.4.1.99999.1.0", Type: gosnmp.Integer, Value: 2}, {Name: ".1.3.6.1.4.1.99999.2.5", Type: gosnmp.OctetString, Value: "fan\x00"}}
	v1 := sender(t, addr, gosnmp.Version1, "traps")
	if _, err := v1.SendTrap(gosnmp.SnmpTrap{Variables: vars, Enterprise: ".1.3.6.1.4.1.99999", AgentAddress: "192.0.2.1", GenericTrap: 6, SpecificTrap: 7, Timestamp: 100}); err != nil {
		t.Fatal(err)
	}
	v2 := sender(t, addr, gosnmp.Version2c, "traps")
	trap := append([]gosnmp.SnmpPDU{{Name: ".1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: ".1.3.6.1.6.3.1.1.5.3"}}, vars...)
	if _, err := v2.SendTrap(gosnmp.SnmpTrap{Variables: trap}); err != nil {
		t.Fatal(err)
	}
	if _, err := v2.SendTrap(gosnmp.SnmpTrap{Variables: trap, IsInform: true}); err != nil {
		t.Errorf("inform was not answered: %v", err)
	}
	events := got.wait(t, 3)
	if e := events[0]; e.Name != "testAlarm" || e.Version != "1" || e.Vars[0].Name != "testState" || e.Vars[0].Value != "bad" || e.Vars[1].Value != "fan" || e.UpTime != time.Second {
		t.Errorf("version 1: %+v", e)
	}
	if e := events[1]; e.Name != "linkDown" || e.Version != "2c" || e.Inform {
		t.Errorf("version 2c: %+v", e)
	}
	if !events[2].Inform {
		t.Errorf("inform: %+v", events[2])
	}

	wrong := sender(t, addr, gosnmp.Version2c, "guess")
	if _, err := wrong.SendTrap(gosnmp.SnmpTrap{Variables: trap}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if testutil.ToFloat64(r.dropped.WithLabelValues(dropLogin)) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := testutil.ToFloat64(r.dropped.WithLabelValues(dropLogin)); n != 1 {
		t.Errorf("%v packets with a wrong community dropped", n)
	}
	if n := testutil.ToFloat64(r.received.WithLabelValues("linkDown", "2c")); n != 2 {
		t.Errorf("linkDown counted %v times", n)
	}
	stop() // writes what is queued
	docs, err := store.Latest(t.Context(), logstore.Query{Index: logstore.IndexLogs, Match: map[string]string{"snmp.trap.name": "testAlarm"}})
	if err != nil || len(docs) != 1 || docs[0].Message != "testAlarm: testState=bad, testName.5=fan" {
		t.Errorf("%+v, %v", docs, err)
	}
}

// TestVersion3 sends with net-snmp's own tools, authenticated and encrypted.
func TestVersion3(t *testing.T) {
	bin, err := exec.LookPath("snmptrap")
	if err != nil {
		t.Skip("snmptrap is not installed (Debian package snmp)")
	}
	addr, got, _, _ := start(t, nil)
	login := []string{"-v", "3", "-u", "user", "-l", "authPriv", "-a", "SHA", "-A", "authpass1", "-x", "AES", "-X", "privpass1"}
	run := func(extra ...string) (string, error) {
		args := append(append(slices.Clone(extra), login...), addr, "", "1.3.6.1.4.1.99999.0.7", "1.3.6.1.4.1.99999.1.0", "i", "2")
		out, err := exec.Command(bin, args...).CombinedOutput()
		return string(out), err
	}
	if out, err := run("-e", "0x8000000001020304"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	events := got.wait(t, 1)
	if e := events[0]; e.Name != "testAlarm" || e.Version != "3" || e.Vars[0].Value != "bad" {
		t.Errorf("trap: %+v", e)
	}
	if out, err := run("-Ci", "-r", "1", "-t", "2"); err != nil {
		t.Errorf("inform was not answered: %v: %s", err, out)
	}
	if events := got.wait(t, 2); !events[1].Inform {
		t.Errorf("inform: %+v", events[1])
	}
	login[9] = "wrongpass"
	if _, err := run("-e", "0x8000000001020304"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	got.mu.Lock()
	defer got.mu.Unlock()
	if len(got.events) != 2 {
		t.Errorf("a wrong password was accepted: %+v", got.events)
	}
}

func FuzzPacket(f *testing.F) {
	r, err := New(Options{Auths: []*conf.Auth{{Version: 2, Community: "public"}}}, prometheus.NewRegistry())
	if err != nil {
		f.Fatal(err)
	}
	g := &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public"}
	msg, err := g.SnmpEncodePacket(gosnmp.SNMPv2Trap, []gosnmp.SnmpPDU{{Name: ".1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: ".1.3.6.1.6.3.1.1.5.3"}}, 0, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(msg)
	f.Add([]byte(strings.Repeat("0\x80", 10)))
	f.Fuzz(func(_ *testing.T, msg []byte) { r.packet(msg, netip.MustParseAddr("192.0.2.1")) })
}
