package walk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/snmp_exporter/agent"
	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ifTable  = "1.3.6.1.2.1.2.2.1."
	ifXTable = "1.3.6.1.2.1.31.1.1.1."
)

func dial(t *testing.T, s *agent.Server, opts walk.Options) *walk.Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, wait, err := s.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); wait() })
	if opts.Auth == nil {
		opts.Auth = &conf.Auth{Version: 2, Community: "public"}
	}
	c, err := walk.Dial(t.Context(), addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func columns(prefix string, from, to int) (out []walk.Column) {
	for i := from; i <= to; i++ {
		out = append(out, walk.Column{OID: fmt.Sprintf("%s%d", prefix, i)})
	}
	return out
}

func interfaces() []walk.Column {
	return append(append([]walk.Column{{OID: "1.3.6.1.2.1.2.1", Scalar: true}}, columns(ifTable, 1, 22)...), columns(ifXTable, 1, 19)...)
}

func switchOf(t *testing.T, ports int) *agent.Device {
	t.Helper()
	d, err := agent.Switch(ports)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func serve(d *agent.Device) *agent.Server {
	return &agent.Server{Devices: map[string]*agent.Device{"": d}}
}

var patient = walk.Params{Retries: 2, Timeout: 2 * time.Second}

// TestWalkFetchesEverything reads a switch in all versions and under all kinds of weakness.
func TestWalkFetchesEverything(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ports  int
		params walk.Params
		auth   *conf.Auth
		change func(*agent.Server)
		most   int64 // packets
	}{
		{"one port", 1, patient, nil, nil, 8},
		{"48 ports", 48, patient, nil, nil, 30},
		{"300 ports", 300, patient, nil, nil, 150},
		{"few repetitions", 48, walk.Params{MaxRepetitions: 4, Retries: 2, Timeout: 2 * time.Second}, nil, nil, 620},
		{"version 1", 10, patient, &conf.Auth{Version: 1, Community: "public"}, nil, 120},
		{"small messages", 48, patient, nil, func(s *agent.Server) { s.MaxSize = 484 }, 250},
		{"silent when asked for much", 48, walk.Params{Retries: 1, Timeout: 50 * time.Millisecond}, nil, func(s *agent.Server) { s.DropOver = 20 }, 260},
		{"every tenth answer lost", 48, walk.Params{Retries: 3, Timeout: 50 * time.Millisecond}, nil, func(s *agent.Server) { s.Loss = 10 }, 80},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(switchOf(t, tc.ports))
			if tc.change != nil {
				tc.change(s)
			}
			c := dial(t, s, walk.Options{Auth: tc.auth, InFlight: 2})
			walked, err := c.Walk(t.Context(), tc.params, interfaces())
			if err != nil {
				t.Fatal(err)
			}
			v1 := tc.auth != nil
			for _, w := range walked {
				want := tc.ports
				if w.OID == "1.3.6.1.2.1.2.1" {
					want = 1
				}
				// SNMPv1 has no 64-bit counters.
				if v1 && strings.HasPrefix(w.OID, ifXTable) {
					var n int
					if _, err := fmt.Sscanf(w.OID[len(ifXTable):], "%d", &n); err == nil && n >= 6 && n <= 13 {
						want = 0
					}
				}
				if len(w.Rows) != want || w.Err != nil {
					t.Errorf("%s: %d rows, want %d, error %v", w.OID, len(w.Rows), want, w.Err)
				}
			}
			if n := c.Packets.Load(); n > tc.most {
				t.Errorf("%d packets, want at most %d", n, tc.most)
			}
		})
	}
}

func TestWalkLosesOnlyTheSilentColumn(t *testing.T) {
	s := serve(switchOf(t, 5))
	s.Silent = []string{ifTable + "14"}
	c := dial(t, s, walk.Options{})
	walked, err := c.Walk(t.Context(), walk.Params{Retries: 0, Timeout: 30 * time.Millisecond}, interfaces())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walked {
		if w.OID == ifTable+"14" {
			if !errors.Is(w.Err, walk.ErrNoAnswer) {
				t.Errorf("silent column: error %v", w.Err)
			}
		} else if w.Err != nil {
			t.Errorf("%s: %v", w.OID, w.Err)
		}
	}
}

func TestMisbehavingAgents(t *testing.T) {
	for _, tc := range []struct {
		name   string
		params walk.Params
		change func(*agent.Server, string)
		want   error
		rows   int
	}{
		{"repeats an instance", patient, func(s *agent.Server, oid string) { s.Repeat = oid }, walk.ErrNotIncreasing, 1},
		{"repeats although that is allowed", walk.Params{AllowNonIncreasing: true, Timeout: time.Second}, func(s *agent.Server, oid string) { s.Repeat = oid }, walk.ErrNotIncreasing, 1},
		{"counts for ever", patient, func(s *agent.Server, oid string) { s.Endless = oid }, walk.ErrEndless, 200_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(switchOf(t, 3))
			tc.change(s, ifTable+"10")
			c := dial(t, s, walk.Options{})
			walked, err := c.Walk(t.Context(), tc.params, columns(ifTable, 8, 12))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range walked {
				if w.OID == ifTable+"10" {
					if !errors.Is(w.Err, tc.want) || len(w.Rows) != tc.rows {
						t.Errorf("%d rows, %v; want %d, %v", len(w.Rows), w.Err, tc.rows, tc.want)
					}
				} else if w.Err != nil || len(w.Rows) != 3 {
					t.Errorf("%s: %d rows, %v", w.OID, len(w.Rows), w.Err)
				}
			}
		})
	}
}

// TestBrokenValues has one column whose values are no valid numbers, and one that makes the whole
// response undecodable.
func TestBrokenValues(t *testing.T) {
	objects := append([]agent.Object(nil), switchOf(t, 3).Objects()...)
	for i := range objects {
		o := &objects[i]
		switch {
		case strings.HasPrefix(o.OID, ifTable+"5."):
			o.Raw = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		case strings.HasPrefix(o.OID, ifTable+"9."):
			o.Tag, o.Raw = 0x40, []byte{1, 2, 3} // an IpAddress of three octets
		case strings.HasPrefix(o.OID, ifTable+"21."):
			o.Raw = []byte{0xff} // a gauge that went below zero
		}
	}
	d, err := agent.NewDevice(objects)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, serve(d), walk.Options{})
	walked, err := c.Walk(t.Context(), walk.Params{Timeout: time.Second}, interfaces())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walked {
		switch w.OID {
		case ifTable + "5":
			if w.Unreadable != 3 || len(w.Rows) != 0 || w.Err != nil {
				t.Errorf("%s: %d rows, %d unreadable, %v", w.OID, len(w.Rows), w.Unreadable, w.Err)
			}
		case ifTable + "9":
			if w.Err == nil {
				t.Errorf("%s: no error", w.OID)
			}
		case "1.3.6.1.2.1.2.1":
		case ifTable + "8": // its end cannot be seen, for the next value is the broken one
			if len(w.Rows) != 3 {
				t.Errorf("%s: %d rows", w.OID, len(w.Rows))
			}
		default:
			if len(w.Rows) != 3 || w.Err != nil {
				t.Errorf("%s: %d rows, %v", w.OID, len(w.Rows), w.Err)
			}
		}
	}
}

func TestEmptyTablesCostNothing(t *testing.T) {
	c := dial(t, serve(switchOf(t, 3)), walk.Options{})
	cols := interfaces()
	for table := range 40 {
		cols = append(cols, columns(fmt.Sprintf("1.3.6.1.4.1.9.9.%d.1.1.", 100+table), 1, 20)...)
	}
	if _, err := c.Walk(t.Context(), patient, cols); err != nil {
		t.Fatal(err)
	}
	if n := c.Packets.Load(); n > 8 {
		t.Errorf("%d packets for 40 empty tables of 20 columns", n)
	}
}

func TestNobodyAnswers(t *testing.T) {
	s := serve(nil)
	s.Devices = nil
	c := dial(t, s, walk.Options{})
	start := time.Now()
	_, err := c.Walk(t.Context(), walk.Params{Retries: 1, Timeout: 50 * time.Millisecond}, interfaces())
	if !errors.Is(err, walk.ErrNoAnswer) || time.Since(start) > 2*time.Second {
		t.Errorf("error %v after %v", err, time.Since(start))
	}
}

func TestDeviceDiesDuringTheWalk(t *testing.T) {
	s := serve(switchOf(t, 5))
	s.Silent = []string{ifXTable[:len(ifXTable)-1]}
	c := dial(t, s, walk.Options{})
	if _, _, err := c.Get(t.Context(), patient, []string{"1.3.6.1.2.1.1.3.0"}); err != nil {
		t.Fatal(err)
	}
	walked, err := c.Walk(t.Context(), walk.Params{Retries: 0, Timeout: 20 * time.Millisecond}, interfaces())
	if err == nil || !strings.Contains(err.Error(), "stopped answering") {
		t.Errorf("error %v", err)
	}
	rows := 0
	for _, w := range walked {
		rows += len(w.Rows)
	}
	if rows == 0 {
		t.Error("what was read before is gone")
	}
}

func TestWalkEndsWithItsContext(t *testing.T) {
	s := serve(switchOf(t, 200))
	s.Delay = 20 * time.Millisecond
	c := dial(t, s, walk.Options{InFlight: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	walked, err := c.Walk(ctx, patient, interfaces())
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
	rows, lost := 0, 0
	for _, w := range walked {
		rows += len(w.Rows)
		if errors.Is(w.Err, context.DeadlineExceeded) {
			lost++
		}
	}
	if rows == 0 || lost == 0 {
		t.Errorf("%d rows, %d columns cut off, error %v", rows, lost, err)
	}
}

func TestGetLeavesOutWhatIsMissing(t *testing.T) {
	for _, version := range []int{1, 2} {
		c := dial(t, serve(switchOf(t, 2)), walk.Options{Auth: &conf.Auth{Version: version, Community: "x"}})
		got, lost, err := c.Get(t.Context(), patient, []string{"1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.99.0", "1.3.6.1.2.1.2.1.0"})
		if err != nil || lost != 0 || len(got) != 2 || got[1].Value.Float() != 2 {
			t.Errorf("version %d: %v, lost %d, %v", version, got, lost, err)
		}
	}
}

func TestSplitTarget(t *testing.T) {
	for _, tc := range []struct {
		in, transport, host string
		port                uint16
		bad                 bool
	}{
		{"192.0.2.1", "udp", "192.0.2.1", 161, false},
		{"tcp://switch:1161", "tcp", "switch", 1161, false},
		{"[2001:db8::1]:99", "udp", "2001:db8::1", 99, false},
		{"2001:db8::1", "udp", "2001:db8::1", 161, false},
		{"http://x", "", "", 0, true},
		{"x:70000", "", "", 0, true},
		{"", "", "", 0, true},
	} {
		transport, host, port, err := walk.SplitTarget(tc.in)
		if (err != nil) != tc.bad || transport != tc.transport || host != tc.host || port != tc.port {
			t.Errorf("%q: %s %s %d %v", tc.in, transport, host, port, err)
		}
	}
}
