package collect

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
)

const probeLimit = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func adminCredential() exporter.Credential {
	return exporter.Credential{Name: "test", Username: ipmitest.User, Password: ipmitest.Password}
}

func newDriver(tb testing.TB, conf Config, stores ...eventlog.Store) *Driver {
	tb.Helper()
	if err := conf.Validate(); err != nil {
		tb.Fatal(err)
	}
	opt := Options{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
	if len(stores) > 0 {
		opt.Store = stores[0]
	}
	d, err := New(conf, opt)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeDriver(tb, d) })
	return d
}

func closeDriver(tb testing.TB, d *Driver) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := d.Close(ctx); err != nil {
		tb.Error(err)
	}
}

// keep is a driver that outlives ProbeOnce.
type keep struct{ *Driver }

func (keep) Close(context.Context) error { return nil }

// probe reads a target through the frame, as /probe does.
func probe(t *testing.T, d *Driver, target string, limit time.Duration) (text string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out bytes.Buffer
	p := &exporter.Probe{Target: target, Auth: adminCredential(), Log: slog.New(slog.DiscardHandler)}
	err = exporter.ProbeOnce(ctx, keep{d}, Namespace, p, &out)
	return out.String(), err
}

func mustProbe(t *testing.T, d *Driver, target string) string {
	t.Helper()
	text, err := probe(t, d, target, probeLimit)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, l+"\n") {
			t.Errorf("%q is missing in\n%s", l, text)
		}
	}
}

// oddBMC has what the simulator cannot do.
func oddBMC() *ipmitest.BMC {
	full := func(num, linear byte, name string, m byte) []byte {
		b := make([]byte, 48)
		b[2], b[3], b[5], b[7], b[8], b[9] = 0x51, 1, 0x20, num, 7, 1
		b[11], b[12], b[13], b[21], b[23], b[24] = 0x40, 1, 1, 1, linear, m
		b[47] = 0xc0 | byte(len(name))
		b = append(b, name...)
		b[4] = byte(len(b) - 5)
		return b
	}
	b := &ipmitest.BMC{
		SDRs:    [][]byte{full(1, 0, "Plain", 2), full(2, 0x70, "Curved", 1), full(3, 0, "Gone", 1), full(4, 0, "Broken", 1)},
		Added:   1000,
		Sensors: map[[2]byte][]byte{{0, 1}: {21, 0xc0, 0x00}, {0, 2}: {10, 0xc0, 0x08}, {0, 3}: {0, 0xe0, 0}},
		Factors: map[[2]byte][]byte{{2, 10}: {11, 5, 0, 3, 0, 0, 0xf0}}, // (5x + 3) / 10
		DCMI:    []byte{0x2c, 0x01, 0x64, 0x00, 0x90, 0x01, 0xfa, 0x00, 0, 0, 0, 0, 0xe8, 0x03, 0, 0, 0x40},
		Heat:    map[byte][]byte{0x40: {0x85, 1}, 0x41: {41, 1, 42, 2, 43, 3, 44, 4, 45, 5, 46, 6, 47, 7, 48, 8, 49, 9}},
		MaxRead: 16,
		FRUs:    map[byte][]byte{},
	}
	for i := range b.SDRs {
		binary.LittleEndian.PutUint16(b.SDRs[i], uint16(i))
	}
	b.Handle = func(netFn, _, cmd byte, data []byte) (byte, []byte, bool) {
		return 0xff, nil, netFn == 4 && cmd == 0x2d && data[0] == 4
	}
	return b
}

func TestOddBMC(t *testing.T) {
	b := oddBMC()
	b.Clock = uint32(time.Now().Add(2 * time.Hour).Unix()) // it runs in local time
	d := newDriver(t, Config{})
	text := mustProbe(t, d, b.Start(t))
	lint(t, text)
	if !regexp.MustCompile(`(?m)^ipmi_bmc_clock_offset_seconds (7199|7200)$`).MatchString(text) {
		t.Error("the BMC's clock is wrong and nobody says so")
	}
	part := func(num, name string) string {
		return `{hw_id="20.0.` + num + `",hw_name="` + name + `",hw_parent="system_board_1",hw_type="temperature",source="ipmi"`
	}
	want(t, text,
		"hw_temperature_celsius"+part("01", "Plain")+"} 42",
		"hw_temperature_celsius"+part("02", "Curved")+"} 5.3",
		"hw_status"+part("02", "Curved")+`,state="degraded"} 1`,
		"hw_status"+part("04", "Broken")+`,state="unknown"} 1`,
		`ipmi_sensors{result="failed"} 1`, `ipmi_sensors{result="unavailable"} 1`,
		`hw_power_watts{hw_id="chassis",hw_name="Chassis",hw_parent="",hw_type="enclosure",source="ipmi"} 300`,
		`ipmi_dcmi_temperature_celsius{entity="inlet",instance="1"} -5`, `ipmi_dcmi_temperature_celsius{entity="cpu",instance="9"} 49`,
		"ipmi_dcmi_power_maximum_watts 400", "ipmi_dcmi_power_period_seconds 1",
		`ipmi_session_info{cipher_suite="17",interface="lan 2.0",quirks=""} 1`,
		`collector_success{collector="fru"} 1`, `collector_success{collector="dcmi"} 1`,
		`ipmi_chassis_info{power_restore_policy="previous"} 1`,
	)
	if strings.Contains(text, `hw_name="Gone"`) {
		t.Error("a reading that is unavailable has series")
	}
}

// TestPrivilege: what the user may not read costs that collector alone, and is called so.
func TestPrivilege(t *testing.T) {
	b := oddBMC()
	b.FRUs[0] = make([]byte, 8)
	b.Handle = func(netFn, _, cmd byte, _ []byte) (byte, []byte, bool) {
		return 0xd4, nil, netFn == 0x0a && cmd == 0x11 || netFn == 0x2c && cmd == 0x02
	}
	text := mustProbe(t, newDriver(t, Config{}), b.Start(t))
	want(t, text, "ipmi_up 1", `collector_success{collector="sensors"} 1`,
		`collector_failure_info{collector="fru",reason="unauthorized"} 1`, `collector_failure_info{collector="dcmi",reason="unauthorized"} 1`)
}

// TestOtherControllers reads sensors behind the BMC, and is not held up by a controller that
// does not answer.
func TestOtherControllers(t *testing.T) {
	for _, tc := range []struct {
		name    string
		behind  map[byte]map[byte][]byte
		reading bool
		limit   time.Duration
	}{
		{"answers", map[byte]map[byte][]byte{0x2c: {1: {30, 0xc0, 0}}}, true, 3 * time.Second},
		{"absent", nil, false, 3 * time.Second},
		{"mute", map[byte]map[byte][]byte{0x2c: nil}, false, 3 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := oddBMC()
			b.SDRs[0][5], b.SDRs[0][6] = 0x2c, 0x60
			b.Behind = tc.behind
			d := newDriver(t, Config{})
			addr := b.Start(t)
			began := time.Now()
			text := mustProbe(t, d, addr)
			if took := time.Since(began); took > tc.limit {
				t.Errorf("the scrape took %v", took)
			}
			want(t, text, `collector_success{collector="sensors"} 1`, `collector_success{collector="sel"} 1`)
			if got := strings.Contains(text, `hw_temperature_celsius{hw_id="2c.0.01",hw_name="Plain",hw_parent="system_board_1",hw_type="temperature",source="ipmi"} 60`); got != tc.reading {
				t.Errorf("reading %v\n%s", got, text)
			}
			began = time.Now()
			mustProbe(t, d, addr)
			if took := time.Since(began); took > bridgeLimit {
				t.Errorf("the second scrape took %v", took)
			}
		})
	}
}

func TestSessionIsKeptAndClosed(t *testing.T) {
	b := oddBMC()
	d := newDriver(t, Config{})
	addr := b.Start(t)
	var wg sync.WaitGroup
	for range 8 { // one after the other, whoever asks
		wg.Go(func() {
			if _, err := probe(t, d, addr, probeLimit); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	mustProbe(t, d, addr)
	if open, ever := b.Sessions(); open != 1 || ever != 1 {
		t.Errorf("%d sessions open of %d, want 1 of 1", open, ever)
	}
	if n := b.Commands(0x0a, 0x22); n != 1 {
		t.Errorf("the repository was read %d times", n)
	}
	b.Forget() // the BMC restarts
	began := time.Now()
	mustProbe(t, d, addr)
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("a lost session cost %v", took)
	}
	closeDriver(t, d)
	if open, ever := b.Sessions(); open != 0 || ever != 2 {
		t.Errorf("%d sessions open of %d, want 0 of 2", open, ever)
	}
}

func TestIdleSessionIsClosed(t *testing.T) {
	b := oddBMC()
	d := newDriver(t, Config{SessionIdle: model.Duration(50 * time.Millisecond)})
	mustProbe(t, d, b.Start(t))
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if open, _ := b.Sessions(); open == 0 {
			return
		}
	}
	t.Error("the idle session is still open")
}

func TestDeadTargets(t *testing.T) {
	p := ipmitest.NewProxy(t, oddBMC().Start(t))
	d := newDriver(t, Config{})
	check := func(target, reason string, limit time.Duration) {
		t.Helper()
		began := time.Now()
		text, err := probe(t, d, target, limit)
		if took := time.Since(began); !errors.Is(err, exporter.ErrDown) || took > limit+time.Second {
			t.Errorf("%s: %v after %v", target, err, took)
		}
		want(t, text, "ipmi_up 0", `probe_failure_info{reason="`+reason+`"} 1`)
	}
	mustProbe(t, d, p.Addr)
	p.Mute(true)
	check(p.Addr, exporter.ReasonTimeout, time.Second)
	check(p.Addr, exporter.ReasonTimeout, time.Second)
	check("127.0.0.1:9", exporter.ReasonRefused, time.Second)
	p.Mute(false)
	mustProbe(t, d, p.Addr)
}

// TestClassify finds BMCs without a login and leaves nothing behind.
func TestClassify(t *testing.T) {
	d := newDriver(t, Config{})
	var _ exporter.Classifier = d
	silent := ipmitest.NewProxy(t, "127.0.0.1:9")
	silent.Mute(true)
	old, modern := &ipmitest.BMC{Only15: true}, oddBMC()
	for _, tc := range []struct{ target, class, reason string }{
		{modern.Start(t), "ipmi_2.0", ""},
		{old.Start(t), "ipmi_1.5", ""},
		{silent.Addr, "", exporter.ReasonTimeout},
		{"127.0.0.1:9", "", exporter.ReasonRefused},
	} {
		class, err := d.Classify(t.Context(), tc.target, "")
		if class != tc.class || exporter.Reason(err) != tc.reason || class != "" && !slices.Contains(d.Classes(), class) {
			t.Errorf("%s: %s, %v, want %s", tc.target, class, err, tc.class)
		}
	}
	if n := silent.Packets(); n != 2 {
		t.Errorf("%d datagrams to a silent address, want 2", n)
	}
	if _, ever := modern.Sessions(); ever != 0 {
		t.Errorf("%d sessions", ever)
	}
}

func TestWrongPassword(t *testing.T) {
	b := oddBMC()
	d := newDriver(t, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), probeLimit)
	defer cancel()
	var out bytes.Buffer
	cred := adminCredential()
	cred.Password = "wrong"
	err := exporter.ProbeOnce(ctx, d, Namespace, &exporter.Probe{Target: b.Start(t), Auth: cred, Log: slog.New(slog.DiscardHandler)}, &out)
	if !errors.Is(err, ipmi.ErrPassword) || !strings.Contains(out.String(), `probe_failure_info{reason="unauthorized"} 1`) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestRecordingReplays shows that what diagnose records gives the same metrics again.
func TestRecordingReplays(t *testing.T) {
	addr := ipmitest.Sim(t, "../testdata/bmc-b.emu")
	d := newDriver(t, Config{})
	conn, err := ipmi.Dial(t.Context(), addr, ipmi.Options{User: ipmitest.User, Password: []byte(ipmitest.Password)})
	if err != nil {
		t.Fatal(err)
	}
	recorder := &ipmi.Recorder{Conn: conn}
	live := scrapeConn(t, d, "live", recorder)
	replay, err := ipmi.NewReplay(bytes.NewReader(recorder.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	again := scrapeConn(t, d, "replayed", replay)
	for _, secret := range []string{"SN00B0002", "ASSET-"} {
		if !strings.Contains(live, secret) || bytes.Contains(recorder.Bytes(), []byte(hex.EncodeToString([]byte(secret)))) {
			t.Errorf("%s is in the recording, or was never there", secret)
		}
	}
	drop := regexp.MustCompile(`(?m)^(# (HELP|TYPE) )?ipmi_session_info.*\n`)
	serial := regexp.MustCompile(`((?:serial|serial_number|asset_tag)=")[^"]+`)
	clean := func(s string) string {
		return serial.ReplaceAllString(drop.ReplaceAllString(steady.ReplaceAllString(s, ""), ""), "${1}XXX")
	}
	if diff := cmp.Diff(clean(live), clean(again)); diff != "" {
		t.Error(diff)
	}
}

// scrapeConn probes through an open connection.
func scrapeConn(t *testing.T, d *Driver, name string, conn ipmi.Conn) string {
	t.Helper()
	target := d.target(name)
	opt, err := d.conf.Modules["default"].dialOptions(adminCredential())
	if err != nil {
		t.Fatal(err)
	}
	target.conn, target.connKey, target.version = conn, sessionKey(opt), conn.Info()
	d.sessions.Inc()
	return mustProbe(t, d, name)
}
