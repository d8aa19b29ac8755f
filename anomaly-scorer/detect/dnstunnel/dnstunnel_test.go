package dnstunnel

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/detect/detecttest"
	"github.com/inframind/inframind/internal/zeek"
)

func ask(f *detecttest.Feed, at time.Time, name string) {
	f.App(&zeek.App{Time: at.UnixNano(), UID: "C" + name, Orig: netip.MustParseAddr("10.0.0.66"), Resp: netip.MustParseAddr("10.0.0.53"), Name: name, Code: "NOERROR"}, zeek.KindDNS)
}

func TestTunnel(t *testing.T) {
	attack := func(f *detecttest.Feed) {
		rng := rand.New(rand.NewPCG(1, 1))
		for i := range 200 {
			ask(f, detecttest.Start().Add(time.Duration(i)*2*time.Minute), fmt.Sprintf("%016x%016x.t.example.co.uk", rng.Uint64(), rng.Uint64()))
		}
	}
	detecttest.Contract(t, func() detect.Detector { return New(Options{}, 4096) }, attack)
	f := detecttest.NewFeed(New(Options{}, 4096))
	attack(f)
	if found := f.Findings(); found[0].Destination != "example.co.uk" {
		t.Errorf("the domain is %s", found[0].Destination)
	}
}

func TestTunnelsOfAllSizes(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	name := func(n int) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = "abcdefghijklmnopqrstuvwxyz234567"[rng.IntN(32)]
		}
		return string(out)
	}
	for _, tc := range []struct {
		queries, length int
		gap             time.Duration
	}{{600, 12, 100 * time.Millisecond}, {100, 28, time.Minute}, {40, 60, 30 * time.Minute}} {
		f := detecttest.NewFeed(New(Options{}, 4096))
		for i := range tc.queries {
			ask(f, detecttest.Start().Add(time.Duration(i)*tc.gap), name(tc.length)+".example.com")
		}
		if found := f.Findings(); len(found) != 1 {
			t.Errorf("%d names of %d characters: %d findings", tc.queries, tc.length, len(found))
		}
	}
}

func TestWhatIsNoTunnel(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	for i := range 2000 {
		at := detecttest.Start().Add(time.Duration(i) * 20 * time.Second)
		ask(f, at, fmt.Sprintf("cdn-%d.example.net", i%40))                 // few names, often
		ask(f, at, fmt.Sprintf("%d.2.0.192.in-addr.arpa", i%256))           // reverse lookups
		ask(f, at, fmt.Sprintf("host%04d.example.org", i))                  // many names, short
		ask(f, at, fmt.Sprintf("%d.%d.0.203.bl.example.com", i%250, i/250)) // a mail server's block list
		ask(f, at, fmt.Sprintf("desktop-%05d.berlin.example.edu", i))       // an inventory
		ask(f, at, fmt.Sprintf("printer-with-a-long-name-%d.local", i))     // the local network's own
	}
	if found := f.Findings(); len(found) != 0 {
		t.Errorf("%s: %q", found[0].Title, found[0].Reasons)
	}
}
