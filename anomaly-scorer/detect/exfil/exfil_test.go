package exfil

import (
	"fmt"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/detect/detecttest"
)

func send(dst string, total, back int64) func(*detecttest.Feed) {
	return func(f *detecttest.Feed) {
		for i := range 10 {
			f.Conn(detecttest.Talk("10.0.0.12", dst, detecttest.Start().Add(time.Duration(i)*30*time.Second), total/10, back/10))
		}
	}
}

func TestExfiltration(t *testing.T) {
	detecttest.Contract(t, func() detect.Detector { return New(Options{}, 4096) }, send("203.0.113.5", 2_000_000_000, 1_000_000))
}

// A host that sends 2 MB an hour for four days, then 18 MB an hour; and one that sends
// 600 MB to a hundred peers.
func TestSlowAndSpread(t *testing.T) {
	for name, attack := range map[string]func(*detecttest.Feed){
		"slow": func(f *detecttest.Feed) {
			for h := range 5 * 24 {
				bytes := int64(2_000_000)
				if h >= 4*24-8 { // from midnight on
					bytes = 18_000_000
				}
				f.Conn(detecttest.Talk("10.0.0.12", "203.0.113.9", detecttest.Start().Add(time.Duration(h)*time.Hour), bytes, 1000))
			}
		},
		"spread": func(f *detecttest.Feed) {
			for i := range 100 {
				f.Conn(detecttest.Talk("10.0.0.12", fmt.Sprintf("203.0.113.%d", i), detecttest.Start().Add(time.Duration(i)*10*time.Second), 6_000_000, 1000))
			}
		},
	} {
		f := detecttest.NewFeed(New(Options{}, 4096))
		attack(f)
		if found := f.Findings(); len(found) != 1 {
			t.Errorf("%s: %d findings", name, len(found))
		}
	}
}

func TestWhatIsNoExfiltration(t *testing.T) {
	for name, attack := range map[string]func(*detecttest.Feed){
		"little":          send("203.0.113.5", 5_000_000, 1000),
		"a download":      send("203.0.113.5", 30_000_000, 900_000_000),
		"a backup inside": send("10.9.9.9", 2_000_000_000, 1000),
		"a host that always sends as much": func(f *detecttest.Feed) {
			for h := range 30 {
				f.Conn(detecttest.Talk("10.0.0.200", "203.0.113.9", detecttest.Start().Add(time.Duration(h)*time.Hour), 60_000_000, 1000))
			}
		},
	} {
		f := detecttest.NewFeed(New(Options{}, 4096))
		attack(f)
		if found := f.Findings(); len(found) != 0 {
			t.Errorf("%s: %s %q", name, found[0].Title, found[0].Reasons)
		}
	}
}
