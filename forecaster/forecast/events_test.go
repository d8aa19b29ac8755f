package forecast

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/config"
)

func TestKnownEvents(t *testing.T) {
	for _, tc := range []struct {
		name, from, repeat, want string
	}{
		{"once, long ago", "2020-01-01T00:00:00Z", "", "[]"},
		{"once, ahead", "2026-04-10T00:00:00Z", "", "[04-10]"},
		{"weekly since years", "2020-01-05T00:00:00Z", "weekly", "[03-01 03-08 03-15 03-22 03-29 04-05 04-12 04-19 04-26]"},
		{"the last of the month", "2025-12-31T00:00:00Z", "monthly", "[03-31 04-30]"},
		{"yearly", "2019-04-02T00:00:00Z", "yearly", "[04-02]"},
	} {
		from, err := time.Parse(time.RFC3339, tc.from)
		if err != nil {
			t.Fatal(err)
		}
		c := Config{History: pmodel.Duration(30 * 24 * time.Hour), Horizons: []pmodel.Duration{pmodel.Duration(30 * 24 * time.Hour)}}
		c.Events = []Event{{Name: "e", From: from, Lasts: pmodel.Duration(24 * time.Hour), Repeat: tc.repeat}}
		var days []string
		for _, e := range c.known(testNow) {
			if e.To.Sub(e.From) != 24*time.Hour {
				t.Errorf("%s: lasts %s", tc.name, e.To.Sub(e.From))
			}
			days = append(days, e.From.Format("01-02"))
		}
		if got := fmt.Sprint(days); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestEventsInTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "forecaster.yml")
	for text, want := range map[string]string{
		`{name: closing, from: 2026-01-31T00:00:00Z, lasts: 1d, repeat: monthly}`: "",
		`{name: closing, from: 2026-01-31, lasts: 1d, repeat: daily}`:             `events[0] "closing": repeat: "daily" is none of weekly, monthly, yearly`,
		`{name: closing, lasts: 1d}`:                                              `events[0] "closing": from: want a time such as 2026-12-24T00:00:00Z`,
		`{name: closing, from: 2026-01-31T00:00:00Z}`:                             `events[0] "closing": lasts: want a duration such as 1d, at most 400d`,
	} {
		if err := os.WriteFile(file, []byte("prometheus: {url: 'http://localhost:9090'}\nevents: ["+text+"]\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var c Config
		err := config.Load(file, &c)
		if want == "" && (err != nil || !c.Events[0].From.Equal(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC))) {
			t.Errorf("%s: got %v, %v", text, c.Events, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestEventsReachTheForecast has a backup at odd times in history and one ahead.
func TestEventsReachTheForecast(t *testing.T) {
	var events []Event
	for _, before := range []int{601, 410, 222, -100} {
		events = append(events, Event{Name: "backup", From: testNow.Add(-time.Duration(before) * time.Hour), Lasts: pmodel.Duration(8 * time.Hour)})
	}
	f := newServer(t, map[string]func(time.Time) float64{`{"instance":"a"}`: func(at time.Time) float64 {
		v := daily(0.4)(at)
		for _, e := range events {
			if !at.Before(e.From) && at.Before(e.From.Add(8*time.Hour)) {
				v += 0.4
			}
		}
		return v
	}})
	highest := func(events []Event) (v float64) {
		t.Helper()
		cfg := testConfig(f)
		cfg.Events = events
		e := newEngine(t, cfg, Options{StateDir: t.TempDir()})
		if _, err := e.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		c, ok, err := e.opts.Curves.Get(e.opts.Curves.Labels()[0])
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		for _, l := range c.Lines {
			if l.Quantile == q50 {
				for _, x := range l.Values[:7*24] {
					v = max(v, float64(x))
				}
			}
		}
		return v
	}
	if with, without := highest(events), highest(nil); with < 0.65 || without > 0.6 {
		t.Errorf("the forecast's peak is %.2f with the backup, %.2f without", with, without)
	}
}
