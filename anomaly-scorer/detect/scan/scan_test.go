package scan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/detect/detecttest"
	"github.com/inframind/inframind/internal/zeek"
)

func horizontal(n int, gap time.Duration) func(*detecttest.Feed) {
	return func(f *detecttest.Feed) {
		for i := range n {
			f.Conn(detecttest.Silent("10.0.0.66", fmt.Sprintf("10.1.%d.%d", i/200, 1+i%200), 445, detecttest.Start().Add(time.Duration(i)*gap)))
		}
	}
}

func vertical(src string, n int, gap time.Duration) func(*detecttest.Feed) {
	return func(f *detecttest.Feed) {
		for i := range n {
			f.Conn(detecttest.Silent(src, "10.1.0.5", uint16(1+i), detecttest.Start().Add(time.Duration(i)*gap)))
		}
	}
}

func TestScans(t *testing.T) {
	for name, tc := range map[string]struct {
		attack func(*detecttest.Feed)
		title  string
	}{
		"horizontal":      {horizontal(300, time.Second), "10.0.0.66 tried 300 hosts on tcp/445"},
		"horizontal slow": {horizontal(20, time.Hour), "10.0.0.66 tried 20 hosts on tcp/445"},
		"vertical":        {vertical("10.0.0.66", 1013, 8*time.Millisecond), "10.0.0.66 tried 1013 ports of 10.1.0.5 in 8 s"},
		"vertical slow":   {vertical("10.0.0.66", 60, 20*time.Minute), "10.0.0.66 tried 60 ports of 10.1.0.5"},
		"from outside":    {vertical("203.0.113.9", 50, time.Second), "203.0.113.9 tried 50 ports of 10.1.0.5"},
		"distributed": {func(f *detecttest.Feed) {
			for i := range 120 {
				f.Conn(detecttest.Silent(fmt.Sprintf("203.0.113.%d", 1+i), "10.1.0.5", uint16(20+i%7), detecttest.Start().Add(time.Duration(i)*time.Minute)))
			}
		}, "120 sources probe 10.1.0.5"},
	} {
		t.Run(name, func(t *testing.T) {
			detecttest.Contract(t, func() detect.Detector { return New(Options{}, 4096) }, tc.attack)
			f := detecttest.NewFeed(New(Options{}, 4096))
			tc.attack(f)
			found := f.Findings()
			if len(found) != 1 || !strings.HasPrefix(found[0].Title, tc.title) {
				t.Errorf("want one finding, %q: %+v", tc.title, found)
			}
		})
	}
}

func TestBothKindsAreOneFinding(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	vertical("10.0.0.66", 200, time.Millisecond)(f)
	horizontal(50, time.Second)(f)
	if found := f.Findings(); len(found) != 1 || found[0].Kind != "horizontal scan" {
		t.Errorf("%+v", found)
	}
}

// Open and closed ports of one host, and hosts that all answer: what is tried with and
// without success is one finding a source.
func TestOpenPortsAreFound(t *testing.T) {
	talk := func(dst string, port uint16, at time.Time) *zeek.Conn {
		c := detecttest.Talk("10.0.0.66", dst, at, 20, 80)
		c.RespPort, c.Service = port, ""
		return c
	}
	for name, tc := range map[string]struct {
		attack func(*detecttest.Feed)
		title  string
	}{
		"hosts": {func(f *detecttest.Feed) {
			for i := range 60 {
				f.Conn(talk(fmt.Sprintf("10.1.0.%d", 1+i), 445, detecttest.Start().Add(time.Duration(i)*time.Second)))
			}
		}, "10.0.0.66 reached 60 hosts on tcp/445"},
		"ports": {func(f *detecttest.Feed) {
			for i := range 50 {
				f.Conn(talk("10.1.0.5", uint16(100+i), detecttest.Start().Add(time.Duration(i)*time.Second)))
			}
		}, "10.0.0.66 reached 50 open ports of 10.1.0.5"},
		"open and closed ports": {func(f *detecttest.Feed) {
			for i := range 50 {
				at := detecttest.Start().Add(time.Duration(i) * time.Second)
				f.Conn(talk("10.1.0.5", uint16(100+i), at))
				f.Conn(detecttest.Silent("10.0.0.66", "10.1.0.5", uint16(1000+i), at))
			}
		}, "10.0.0.66 tried 50 ports of 10.1.0.5"},
	} {
		detecttest.Contract(t, func() detect.Detector { return New(Options{}, 4096) }, tc.attack)
		f := detecttest.NewFeed(New(Options{}, 4096))
		f.Conn(talk("10.1.0.9", 22, detecttest.Start().Add(-time.Hour)))
		tc.attack(f)
		if found := f.Findings(); len(found) != 1 || !strings.HasPrefix(found[0].Title, tc.title) {
			t.Errorf("%s: want one finding, %q: %+v", name, tc.title, found)
		}
	}
}

// What monitoring does every day is no sweep: its own past says so.
func TestMonitoringIsNoSweep(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	for day := range 3 {
		for i := range 200 {
			c := detecttest.Talk("10.0.0.9", fmt.Sprintf("10.1.0.%d", 1+i), detecttest.Start().Add(time.Duration(day)*24*time.Hour+time.Duration(i)*time.Second), 60, 300)
			c.RespPort, c.Service = 22, "ssh"
			f.Conn(c)
		}
	}
	if found := f.Findings(); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// A network that the Internet can reach has one finding of that a day, not one a host.
func TestProbingOfManyHostsIsOneFinding(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	for i := range 3000 {
		f.Conn(detecttest.Silent(fmt.Sprintf("203.0.%d.%d", i%7, i%200), fmt.Sprintf("10.1.0.%d", 1+i%30), uint16(20+i%9), detecttest.Start().Add(time.Duration(i)*20*time.Second)))
	}
	found := f.Findings()
	if len(found) != 1 || !strings.Contains(found[0].Title, "probe 30 hosts") {
		t.Errorf("%d findings: %+v", len(found), found)
	}
}

func TestManyProbersOfOneHostAreOneFinding(t *testing.T) {
	f := detecttest.NewFeed(New(Options{}, 4096))
	for i := range 60 { // each source tries enough ports to be a scanner of its own
		for p := range 20 {
			at := detecttest.Start().Add(time.Duration(i)*10*time.Minute + time.Duration(p)*time.Second)
			f.Conn(detecttest.Silent(fmt.Sprintf("203.0.113.%d", 1+i), "10.1.0.5", uint16(1+p*50+i), at))
		}
	}
	var single int
	for _, x := range f.Findings() {
		if x.Kind != "distributed probing" {
			single++
		}
	}
	// Only those that came before twenty had.
	if single > 20 {
		t.Errorf("%d findings of single sources", single)
	}
}
