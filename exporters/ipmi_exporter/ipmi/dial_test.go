package ipmi_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

func admin(o ipmi.Options) ipmi.Options {
	o.User, o.Password = ipmitest.User, []byte(ipmitest.Password)
	return o
}

// TestOwnBMC shows that the test's BMC is a BMC: ipmitool, which shares no code with it,
// talks to it in both suites.
func TestOwnBMC(t *testing.T) {
	tool, err := exec.LookPath("ipmitool")
	if err != nil {
		t.Skip("ipmitool is not installed")
	}
	b := &ipmitest.BMC{
		Behind: map[byte]map[byte][]byte{0x2c: {1: {30, 0xc0, 0}}},
		DCMI:   []byte{0x2c, 0x01, 0x64, 0x00, 0x90, 0x01, 0xfa, 0x00, 0, 0, 0, 0, 0xe8, 0x03, 0, 0, 0x40},
		Heat:   map[byte][]byte{0x40: {0x85, 1}, 0x41: {41, 1, 42, 2}, 0x42: {30, 1}},
	}
	host, port, _ := strings.Cut(b.Start(t), ":")
	for _, tc := range []struct{ args, want string }{
		{"-C 3 chassis status", "System Power         : on"},
		{"-C 17 chassis status", "System Power         : on"},
		{"-C 17 -t 0x2c -b 6 raw 0x04 0x2d 0x01", "1e c0 00"}, // to a controller behind it
		{"-C 17 dcmi power reading", "Maximum during sampling period:                400 Watts"},
		{"-C 17 dcmi get_temp_reading", "-5"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		args := append([]string{"-I", "lanplus", "-H", host, "-p", port, "-U", ipmitest.User, "-P", ipmitest.Password}, strings.Fields(tc.args)...)
		out, err := exec.CommandContext(ctx, tool, args...).CombinedOutput()
		cancel()
		if err != nil || !strings.Contains(string(out), tc.want) {
			t.Errorf("%s: %v\n%s", tc.args, err, out)
		}
	}
}

func TestDial(t *testing.T) {
	cases := []struct {
		name  string
		bmc   *ipmitest.BMC
		opt   ipmi.Options
		suite ipmi.Suite
		via   string
		quirk string
		err   error
	}{
		{name: "strongest suite", bmc: &ipmitest.BMC{}, opt: admin(ipmi.Options{}), suite: 17},
		{name: "suite 3 offered only", bmc: &ipmitest.BMC{Suites: []byte{3}}, opt: admin(ipmi.Options{}), suite: 3},
		{name: "suites beyond the first answer", bmc: &ipmitest.BMC{Suites: []byte{1, 2, 6, 7, 8, 11, 12, 15, 16, 17}}, opt: admin(ipmi.Options{}), suite: 17},
		{name: "suites not told, 17 refused", bmc: &ipmitest.BMC{Suites: []byte{3}, NoSuites: true}, opt: admin(ipmi.Options{}), suite: 3},
		{name: "17 dropped in silence", bmc: &ipmitest.BMC{Suites: []byte{3}, NoSuites: true, Mute17: true}, opt: admin(ipmi.Options{}), suite: 3},
		{name: "suite wanted", bmc: &ipmitest.BMC{}, opt: admin(ipmi.Options{Suite: 3}), suite: 3},
		{name: "suite not offered", bmc: &ipmitest.BMC{Suites: []byte{3}}, opt: admin(ipmi.Options{Suite: 17}), err: ipmi.ErrSuite},
		{name: "no common suite", bmc: &ipmitest.BMC{Suites: []byte{1, 2}}, opt: admin(ipmi.Options{}), err: ipmi.ErrSuite},
		{name: "suite we do not speak", bmc: &ipmitest.BMC{}, opt: admin(ipmi.Options{Suite: 8}), err: ipmi.ErrSuite},
		{name: "user", bmc: &ipmitest.BMC{}, opt: ipmi.Options{User: "nobody", Password: []byte("x")}, err: ipmi.ErrUser},
		{name: "user too long", bmc: &ipmitest.BMC{}, opt: ipmi.Options{User: strings.Repeat("u", 17)}, err: ipmi.ErrUser},
		{name: "password", bmc: &ipmitest.BMC{}, opt: ipmi.Options{User: ipmitest.User, Password: []byte("wrong")}, err: ipmi.ErrPassword},
		{name: "password too long", bmc: &ipmitest.BMC{}, opt: ipmi.Options{User: ipmitest.User, Password: make([]byte, 21)}, err: ipmi.ErrPassword},
		{name: "password of 20 bytes", bmc: &ipmitest.BMC{Password: "twenty-bytes-of-pass"}, opt: ipmi.Options{User: ipmitest.User, Password: []byte("twenty-bytes-of-pass")}, suite: 17},
		{name: "only 16 of them", bmc: &ipmitest.BMC{Password: "twenty-bytes-of-pass"}, opt: ipmi.Options{User: ipmitest.User, Password: []byte("twenty-bytes-of-")}, err: ipmi.ErrPassword},
		{name: "20 bytes in 1.5", bmc: &ipmitest.BMC{Only15: true}, opt: ipmi.Options{User: ipmitest.User, Password: []byte("twenty-bytes-of-pass")}, err: ipmi.ErrPassword},
		{name: "key of 20 bytes", bmc: &ipmitest.BMC{Kg: "\x00twenty-bytes-of-key"}, opt: admin(ipmi.Options{Suite: 3, BMCKey: []byte("\x00twenty-bytes-of-key")}), suite: 3},
		{name: "no user name", bmc: &ipmitest.BMC{Anonymous: true}, opt: ipmi.Options{Password: []byte(ipmitest.Password)}, suite: 17},
		{name: "BMC key", bmc: &ipmitest.BMC{Kg: "key"}, opt: admin(ipmi.Options{BMCKey: []byte("key")}), suite: 17},
		{name: "BMC key missing", bmc: &ipmitest.BMC{Kg: "key"}, opt: admin(ipmi.Options{}), err: ipmi.ErrPassword},
		{name: "privilege refused", bmc: &ipmitest.BMC{Handle: func(netFn, _, cmd byte, _ []byte) (byte, []byte, bool) {
			return 0x80, nil, netFn == 6 && cmd == 0x3b
		}}, opt: admin(ipmi.Options{Privilege: ipmi.Administrator}), err: ipmi.ErrPrivilege},
		{name: "padded user name", bmc: &ipmitest.BMC{PadName: true}, opt: admin(ipmi.Options{}), suite: 17, quirk: "padded_user_name"},
		{name: "padded user name, wrong password", bmc: &ipmitest.BMC{PadName: true}, opt: ipmi.Options{User: ipmitest.User}, err: ipmi.ErrPassword},
		{name: "full length RAKP 4", bmc: &ipmitest.BMC{FullRAKP4: true}, opt: admin(ipmi.Options{}), suite: 17, quirk: "full_length_rakp4"},
		{name: "no free session", bmc: &ipmitest.BMC{MaxSession: -1}, opt: admin(ipmi.Options{}), err: ipmi.ErrBusy},
		{name: "1.5 only", bmc: &ipmitest.BMC{Only15: true}, opt: admin(ipmi.Options{}), via: "lan 1.5"},
		{name: "1.5, final id at once", bmc: &ipmitest.BMC{Only15: true, FinalID: true}, opt: admin(ipmi.Options{}), via: "lan 1.5"},
		{name: "1.5 only, 2.0 demanded", bmc: &ipmitest.BMC{Only15: true}, opt: admin(ipmi.Options{Version: ipmi.Version20, Suite: 17}), err: ipmi.ErrTimeout},
		{name: "1.5 password", bmc: &ipmitest.BMC{Only15: true}, opt: ipmi.Options{User: ipmitest.User, Password: []byte("wrong")}, err: ipmi.ErrPassword},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			addr := tc.bmc.Start(t)
			c, err := ipmi.Dial(t.Context(), addr, tc.opt)
			if tc.err != nil {
				if !errors.Is(err, tc.err) {
					t.Fatalf("error %v, want %v", err, tc.err)
				}
				for _, other := range []error{ipmi.ErrUser, ipmi.ErrPassword, ipmi.ErrPrivilege, ipmi.ErrSuite, ipmi.ErrBusy} {
					if !errors.Is(tc.err, other) && errors.Is(err, other) {
						t.Errorf("error %v is also %v", err, other)
					}
				}
				// Without the key nobody can end a session that the BMC holds to be set up.
				if open, _ := tc.bmc.Sessions(); open != 0 && tc.bmc.Kg == "" {
					t.Errorf("%d sessions left on the BMC", open)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			via := tc.via
			if via == "" {
				via = "lan 2.0"
			}
			info := c.Info()
			if info.Suite != tc.suite || info.Interface != via || tc.quirk != "" && !slices.Contains(info.Quirks, tc.quirk) {
				t.Errorf("%+v", info)
			}
			if id, err := ipmi.GetDeviceID(t.Context(), c); err != nil || id.Manufacturer != 4753 || id.Firmware != "2.34" {
				t.Errorf("device id %+v, %v", id, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if open, ever := tc.bmc.Sessions(); open != 0 || ever != 1 {
				t.Errorf("%d sessions open of %d", open, ever)
			}
		})
	}
}

// TestSimulatorDial does the same against OpenIPMI's implementation of both versions.
func TestSimulatorDial(t *testing.T) {
	addr := ipmitest.Sim(t, "../testdata/bmc-b.emu")
	for _, opt := range []ipmi.Options{{}, {Suite: 3}, {Version: ipmi.Version15}, {Privilege: ipmi.Administrator}, {OneByOne: true}} {
		t.Run(fmt.Sprintf("%+v", opt), func(t *testing.T) {
			rep, readings, _ := readAll(t, dial(t, addr, admin(opt)))
			for s, r := range readings {
				if r.Err != nil {
					t.Errorf("%s: %v", s.Name, r.Err)
				}
			}
			if len(rep.Sensors) != 57 {
				t.Errorf("%d sensors", len(rep.Sensors))
			}
		})
	}
	t.Run("1.5 without authentication", func(t *testing.T) {
		c, err := ipmi.Dial(t.Context(), addr, ipmi.Options{Version: ipmi.Version15})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ipmi.ChassisStatus(t.Context(), c); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err := ipmi.Dial(t.Context(), addr, admin(ipmi.Options{Suite: 17}))
	if !errors.Is(err, ipmi.ErrSuite) {
		t.Errorf("suite 17: %v", err)
	}
}

func TestLossyLine(t *testing.T) {
	for _, version := range []ipmi.Version{ipmi.Version20, ipmi.Version15} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			p := ipmitest.NewProxy(t, ipmitest.Sim(t, "../testdata/bmc-a.emu"))
			c := dial(t, p.Addr, admin(ipmi.Options{Version: version, Suite: suiteFor(version)}))
			_, clean, _ := readAll(t, c)
			p.Lose(29)
			_, lossy, _ := readAll(t, c)
			if len(clean) != 47 || len(lossy) != 47 {
				t.Errorf("%d and %d readings, want 47", len(clean), len(lossy))
			}
			for s, r := range lossy {
				if r.Err != nil {
					t.Errorf("%s: %v", s.Name, r.Err)
				}
			}
			if c.Info().Retries == 0 {
				t.Error("nothing was sent again: does the proxy lose anything?")
			}
		})
	}
}

func suiteFor(v ipmi.Version) ipmi.Suite {
	if v == ipmi.Version20 {
		return ipmi.Suite3
	}
	return 0
}

// TestShuffledAnswers come twice, late and in any order, in the session's set-up too.
func TestShuffledAnswers(t *testing.T) {
	p := ipmitest.NewProxy(t, ipmitest.Sim(t, "../testdata/bmc-a.emu"))
	for _, version := range []ipmi.Version{ipmi.Version20, ipmi.Version15} {
		t.Run(string(version), func(t *testing.T) {
			p.Shuffle(true)
			c := dial(t, p.Addr, admin(ipmi.Options{Version: version, Suite: suiteFor(version)}))
			_, shuffled, _ := readAll(t, c)
			p.Shuffle(false)
			_, clean, _ := readAll(t, c)
			values := map[string]string{}
			for s, r := range clean {
				values[s.ID()] = fmt.Sprint(r.Raw, r.States, r.Err)
			}
			for s, r := range shuffled {
				if got := fmt.Sprint(r.Raw, r.States, r.Err); got != values[s.ID()] {
					t.Errorf("%s: %s, in order %s", s.Name, got, values[s.ID()])
				}
			}
			if len(shuffled) != 47 || len(values) != 47 {
				t.Errorf("%d and %d readings, want 47", len(shuffled), len(values))
			}
		})
	}
}

// TestLossySetUp loses each datagram of the session set-up once.
func TestLossySetUp(t *testing.T) {
	for n := 3; n < 12; n++ { // 2 would lose every answer
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			p := ipmitest.NewProxy(t, (&ipmitest.BMC{}).Start(t))
			p.Lose(n)
			c, err := ipmi.Dial(t.Context(), p.Addr, admin(ipmi.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSlowBMC must not flood a BMC that answers later than the first retry.
func TestSlowBMC(t *testing.T) {
	p := ipmitest.NewProxy(t, (&ipmitest.BMC{}).Start(t))
	p.Delay(150 * time.Millisecond)
	c := dial(t, p.Addr, admin(ipmi.Options{Suite: 17}))
	p.Delay(300 * time.Millisecond)
	for range 3 {
		if _, err := ipmi.ChassisStatus(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if info := c.Info(); info.Retries > 0 {
		t.Errorf("%d retries in %d packets: the round trip was not learned", info.Retries, info.Packets)
	}
}

func TestMuteBMC(t *testing.T) {
	p := ipmitest.NewProxy(t, (&ipmitest.BMC{}).Start(t))
	p.Mute(true)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := ipmi.Dial(ctx, p.Addr, admin(ipmi.Options{}))
	if took := time.Since(began); took > 2*time.Second || !errors.Is(err, ipmi.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v after %v", err, took)
	}
	began = time.Now()
	_, err = ipmi.Dial(t.Context(), p.Addr, admin(ipmi.Options{}))
	if took := time.Since(began); took > 8*time.Second || !errors.Is(err, ipmi.ErrTimeout) {
		t.Errorf("without a deadline: %v after %v", err, took)
	}
}

// TestBMCDiesInSession ends promptly by the caller's context and closes without waiting.
func TestBMCDiesInSession(t *testing.T) {
	p := ipmitest.NewProxy(t, ipmitest.Sim(t, "../testdata/bmc-a.emu"))
	c, err := ipmi.Dial(t.Context(), p.Addr, admin(ipmi.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	p.Mute(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	began := time.Now()
	_, err = ipmi.ChassisStatus(ctx, c)
	if took := time.Since(began); took > 2*time.Second || !errors.Is(err, context.Canceled) {
		t.Errorf("%v after %v", err, took)
	}
	began = time.Now()
	if err := c.Close(); err != nil || time.Since(began) > 500*time.Millisecond {
		t.Errorf("close: %v after %v", err, time.Since(began))
	}
}

func TestClosedPort(t *testing.T) {
	began := time.Now()
	_, err := ipmi.Dial(t.Context(), "127.0.0.1:9", admin(ipmi.Options{}))
	if err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
