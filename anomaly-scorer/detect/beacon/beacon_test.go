package beacon

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/detect/detecttest"
	"github.com/inframind/inframind/internal/zeek"
)

// beacon calls n times, every so often, evenly jittered by the share j.
func beacon(n int, every time.Duration, j float64, seed uint64) func(*detecttest.Feed) {
	return func(f *detecttest.Feed) {
		rng := rand.New(rand.NewPCG(seed, 1))
		at := detecttest.Start()
		for range n {
			f.Conn(detecttest.Talk("10.0.0.66", "203.0.113.5", at, 400+rng.Int64N(50), 300))
			at = at.Add(time.Duration(float64(every) * (1 + j*(2*rng.Float64()-1))))
		}
	}
}

func TestBeacons(t *testing.T) {
	for name, attack := range map[string]func(*detecttest.Feed){
		"a minute, no jitter":      beacon(60, time.Minute, 0, 1),
		"a minute, 30 % jitter":    beacon(120, time.Minute, .3, 1),
		"ten minutes, 50 % jitter": beacon(100, 10*time.Minute, .5, 1),
		"unanswered, with repeats": func(f *detecttest.Feed) {
			for i := range 60 {
				at := detecttest.Start().Add(time.Duration(i) * 23 * time.Second)
				c := detecttest.Silent("10.0.0.66", "203.0.113.5", 1177, at)
				f.Conn(c)
				again := detecttest.Silent("10.0.0.66", "203.0.113.5", 1177, at.Add(9*time.Second))
				again.OrigPort = c.OrigPort
				f.Conn(again)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			detecttest.Contract(t, func() detect.Detector { return New(Options{}, 4096) }, attack)
		})
	}
}

func TestBeaconByName(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	for i := range 50 {
		c := detecttest.Talk("10.0.0.66", fmt.Sprintf("203.0.113.%d", 1+i%7), detecttest.Start().Add(time.Duration(i)*time.Minute), 1, 1)
		f.App(&zeek.App{Time: c.Time, UID: c.UID, Orig: c.Orig, Resp: c.Resp, Name: "Update.Example.com"}, zeek.KindTLS)
	}
	if found := f.Findings(); len(found) != 1 || found[0].Destination != "update.example.com" {
		t.Errorf("%+v", found)
	}
}

func TestCallsToABareAddressAreWorse(t *testing.T) {
	for name, want := range map[string]detect.Severity{"push.example.com": detect.Low, "203.0.113.5": detect.High} {
		f := detecttest.NewFeed(New(Options{}, 4096))
		for i := range 50 {
			c := detecttest.Talk("10.0.0.66", "203.0.113.5", detecttest.Start().Add(time.Duration(i)*5*time.Minute), 1, 1)
			f.App(&zeek.App{Time: c.Time, UID: c.UID, Orig: c.Orig, Resp: c.Resp, Name: name}, zeek.KindHTTP)
		}
		if found := f.Findings(); len(found) != 1 || found[0].Severity != want {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// What people do is not regular, what everybody does is no implant, and regular web calls
// every few minutes are listed but do not flag connections.
func TestWhatIsNoBeacon(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	rng := rand.New(rand.NewPCG(8, 8))
	at := detecttest.Start()
	for range 500 {
		f.Conn(detecttest.Talk("10.0.0.5", "203.0.113.5", at, 400, 300))
		at = at.Add(time.Duration(rng.ExpFloat64() * float64(time.Minute)))
	}
	if found := f.Findings(); len(found) != 0 {
		t.Errorf("random calls: %s", found[0].Reasons)
	}
	f = detecttest.NewFeed(New(Options{}, 4096))
	top := 0.0
	for i := range 60 {
		top = max(top, f.Conn(detecttest.Talk("10.0.0.5", "203.0.113.6", detecttest.Start().Add(time.Duration(i)*15*time.Minute), 400, 300)))
	}
	if found := f.Findings(); len(found) == 0 || found[0].Severity != detect.Low || top >= .5 {
		t.Errorf("a push service: score %.2f, %+v", top, found)
	}
	f = detecttest.NewFeed(New(Options{}, 4096))
	for i := range 60 {
		for host := range 8 {
			f.Conn(detecttest.Talk(fmt.Sprintf("10.0.0.%d", host+1), "203.0.113.7", detecttest.Start().Add(time.Duration(i)*time.Minute), 400, 300))
		}
	}
	// The first few cannot be told from implants, the others share one finding.
	found := f.Findings()
	last := found[len(found)-1]
	if len(found) > 5 || last.Severity != detect.Info || last.Source != "" {
		t.Errorf("what all hosts do: %d findings, the last %s: %s", len(found), last.Severity, last.Title)
	}
}

// Calls as seldom as one in two hours are a beacon when they are very regular, and no web
// traffic.
func TestSlowBeacon(t *testing.T) {
	for name, tc := range map[string]struct {
		jitter float64
		want   int
	}{"regular": {.05, 1}, "ragged": {.9, 0}} {
		f := detecttest.NewFeed(New(Options{}, 4096))
		rng := rand.New(rand.NewPCG(3, 1))
		at := detecttest.Start()
		for range 12 {
			c := detecttest.Talk("10.0.0.66", "203.0.113.5", at, 400, 300)
			c.RespPort, c.Service = 4444, ""
			f.Conn(c)
			at = at.Add(time.Duration(float64(2*time.Hour) * (1 + tc.jitter*(2*rng.Float64()-1))))
		}
		if found := f.Findings(); len(found) != tc.want {
			t.Errorf("%s: %d findings: %+v", name, len(found), found)
		}
	}
}
