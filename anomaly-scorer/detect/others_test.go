package detect_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/detect/detecttest"
	"github.com/inframind/inframind/anomaly-scorer/detect/firstseen"
	"github.com/inframind/inframind/anomaly-scorer/detect/flood"
	"github.com/inframind/inframind/anomaly-scorer/detect/login"
	"github.com/inframind/inframind/anomaly-scorer/detect/longconn"
	"github.com/inframind/inframind/anomaly-scorer/detect/rare"
	"github.com/inframind/inframind/internal/zeek"
)

func TestSmallDetectors(t *testing.T) {
	at := func(d time.Duration) time.Time { return detecttest.Start().Add(d) }
	for name, tc := range map[string]struct {
		make   func() detect.Detector
		attack func(*detecttest.Feed)
		kind   string
	}{
		"brute force": {func() detect.Detector { return login.New(login.Options{}, 4096) }, func(f *detecttest.Feed) {
			for i := range 50 {
				c := detecttest.Talk("203.0.113.9", "10.0.0.5", at(time.Duration(i)*20*time.Second), 1500, 2500)
				c.RespPort, c.Service = 22, "ssh"
				f.Conn(c)
			}
		}, "brute force"},
		"connection flood": {func() detect.Detector { return flood.New(flood.Options{}, 4096) }, func(f *detecttest.Feed) {
			for i := range 2000 {
				f.Conn(detecttest.Silent("10.0.0.66", "203.0.113.5", 80, at(time.Duration(i)*time.Millisecond)))
			}
		}, "flood"},
		"packet flood": {func() detect.Detector { return flood.New(flood.Options{}, 4096) }, func(f *detecttest.Feed) {
			c := detecttest.Silent("10.0.0.66", "203.0.113.5", 5376, at(0))
			c.Proto, c.History, c.OrigPkts = zeek.UDP, "D", 150_000
			f.Conn(c)
		}, "flood"},
		"request flood": {func() detect.Detector { return flood.New(flood.Options{}, 4096) }, func(f *detecttest.Feed) {
			f.Conn(detecttest.Talk("10.0.0.7", "203.0.113.5", at(-time.Hour), 100, 400))
			for i := range 10_000 {
				f.Conn(detecttest.Talk("10.0.0.66", "203.0.113.5", at(time.Duration(i)*20*time.Millisecond), 100, 400))
			}
		}, "flood"},
		"distributed flood": {func() detect.Detector { return flood.New(flood.Options{}, 4096) }, func(f *detecttest.Feed) {
			for i := range 3000 {
				f.Conn(detecttest.Silent(fmt.Sprintf("203.0.%d.%d", i%9, i%200), "10.0.0.5", 443, at(time.Duration(i)*10*time.Millisecond)))
			}
		}, "distributed flood"},
		"unanswered calls": {func() detect.Detector { return flood.New(flood.Options{}, 4096) }, func(f *detecttest.Feed) {
			for i := range 150 {
				f.Conn(detecttest.Silent("10.0.0.66", "203.0.113.5", 6667, at(time.Duration(i)*time.Minute)))
			}
		}, "unanswered calls"},
		"long connection": {func() detect.Detector { return longconn.New(longconn.Options{}, 4096) }, func(f *detecttest.Feed) {
			c := detecttest.Talk("10.0.0.66", "203.0.113.5", at(0), 1e6, 1e6)
			c.Duration = 14 * 3600
			f.Conn(c)
		}, "long connection"},
		"unknown protocol": {func() detect.Detector { return rare.New(rare.Options{}, 4096) }, func(f *detecttest.Feed) {
			for i := range 30 {
				f.Conn(detecttest.Talk("10.0.0.7", "203.0.113.5", at(time.Duration(i)*time.Second), 500, 500))
			}
			for i := range 3 {
				c := detecttest.Talk("10.0.0.66", "203.0.113.77", at(time.Duration(10+i*i)*time.Minute), 500, 500)
				c.RespPort, c.Service = 4782, ""
				f.Conn(c)
			}
		}, "rare protocol"},
		"irc": {func() detect.Detector { return rare.New(rare.Options{}, 4096) }, func(f *detecttest.Feed) {
			c := detecttest.Talk("10.0.0.66", "203.0.113.77", at(0), 500, 500)
			c.RespPort, c.Service = 6667, "irc"
			f.Conn(c)
		}, "rare protocol"},
		"new service": {func() detect.Detector { return firstseen.New(firstseen.Options{}, 4096) }, func(f *detecttest.Feed) {
			for i := range 200 {
				f.Conn(detecttest.Talk("203.0.113.9", "10.0.0.5", at(time.Duration(i)*10*time.Minute), 500, 500))
			}
			c := detecttest.Talk("203.0.113.9", "10.0.0.5", at(50*time.Hour), 500, 500)
			c.RespPort, c.Service = 4444, ""
			f.Conn(c)
		}, "new service"},
	} {
		t.Run(name, func(t *testing.T) {
			detecttest.Contract(t, tc.make, tc.attack)
			f := detecttest.NewFeed(tc.make())
			tc.attack(f)
			if found := f.Findings(); len(found) != 1 || found[0].Kind != tc.kind {
				t.Errorf("want one %q: %+v", tc.kind, found)
			}
		})
	}
}

// Who shares files talks to many places in protocols of their own: after the first few
// nothing more is flagged.
func TestFileSharingIsNotRare(t *testing.T) {
	f := detecttest.NewFeed(rare.New(rare.Options{}, 4096))
	flagged := 0
	for i := range 400 {
		c := detecttest.Talk("10.0.0.8", fmt.Sprintf("198.18.%d.%d", i/200, i%200), detecttest.Start().Add(time.Duration(i)*time.Second), 500, 500)
		if i >= 50 {
			c.RespPort, c.Service = uint16(10_000+i), ""
		}
		if f.Conn(c) >= .5 {
			flagged++
		}
	}
	if flagged > 5 {
		t.Errorf("%d of 350 connections flagged", flagged)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := detect.NewCache[int, int](1000)
	for i := range 100_000 {
		*c.At(i)++
		*c.At(7)++ // used all the time: must stay
	}
	if c.Len() > 1000 || *c.Get(7) != 100_001 || c.Get(5) != nil {
		t.Errorf("%d entries, the busiest %d", c.Len(), *c.Get(7))
	}
	var s detect.Set
	for i := range uint64(20_000) {
		s.Add(i)
		s.Add(i / 2)
	}
	if s.Len() != 8192 {
		t.Errorf("a set of %d", s.Len())
	}
}

func TestBookKeepsYesterdaysFinding(t *testing.T) {
	b := detect.NewBook("scan")
	for day := range 3 {
		f := b.Finding("scan", "key", detecttest.Start().Add(time.Duration(day)*25*time.Hour).UnixNano())
		f.Title = fmt.Sprint("day ", day)
	}
	found := b.Changed(detecttest.Start().UnixNano())
	if len(found) != 3 || found[0].ID == found[1].ID {
		t.Errorf("%+v", found)
	}
}
