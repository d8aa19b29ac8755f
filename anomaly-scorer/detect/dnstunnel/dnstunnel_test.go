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

func TestWhatIsNoTunnel(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	for i := range 2000 {
		at := detecttest.Start().Add(time.Duration(i) * 20 * time.Second)
		ask(f, at, fmt.Sprintf("cdn-%d.example.net", i%40))             // few names, often
		ask(f, at, fmt.Sprintf("%d.2.0.192.in-addr.arpa", i%256))       // reverse lookups
		ask(f, at, fmt.Sprintf("host%04d.example.org", i))              // many names, short
		ask(f, at, fmt.Sprintf("printer-with-a-long-name-%d.local", i)) // the local network's own
	}
	if found := f.Findings(); len(found) != 0 {
		t.Errorf("%s: %q", found[0].Title, found[0].Reasons)
	}
}
