package forecast

import (
	"errors"
	"fmt"
	"time"

	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/forecaster/model"
)

// Event is a known special period, once or again and again: a holiday, a month's closing,
// a sale. Occurrences of one name share their effect, learnt from those in the history.
type Event struct {
	Name   string          `yaml:"name"`
	From   time.Time       `yaml:"from"` // of the first occurrence
	Lasts  pmodel.Duration `yaml:"lasts"`
	Repeat string          `yaml:"repeat,omitempty"` // weekly, monthly or yearly; empty: once
}

func (e Event) validate() error {
	switch {
	case e.Name == "":
		return errors.New("name: is empty")
	case e.From.IsZero():
		return errors.New("from: want a time such as 2026-12-24T00:00:00Z")
	case e.Lasts <= 0 || time.Duration(e.Lasts) > maxHistory:
		return errors.New("lasts: want a duration such as 1d, at most 400d")
	}
	if _, ok := e.nth(1); !ok && e.Repeat != "" {
		return fmt.Errorf("repeat: %q is none of weekly, monthly, yearly", e.Repeat)
	}
	return nil
}

// nth is the start of occurrence n, counted from 0; false when there is none. A month
// without the day of the first occurrence is passed over by asking for its last day.
func (e Event) nth(n int) (time.Time, bool) {
	months := 0
	switch {
	case n == 0:
		return e.From, true
	case e.Repeat == "weekly":
		return e.From.AddDate(0, 0, 7*n), true
	case e.Repeat == "monthly":
		months = n
	case e.Repeat == "yearly":
		months = 12 * n
	default:
		return time.Time{}, false
	}
	at := e.From.AddDate(0, months, 0)
	if at.Day() != e.From.Day() { // the month is too short: its last day
		at = at.AddDate(0, 0, -at.Day())
	}
	return at, true
}

// known lists the occurrences that the history or the forecast may meet.
func (c *Config) known(now time.Time) []model.Event {
	from, to := now.Add(-time.Duration(c.History)), now.Add(c.longest())
	var out []model.Event
	for _, e := range c.Events {
		for n := 0; ; n++ {
			at, ok := e.nth(n)
			if !ok || at.After(to) {
				break
			}
			if end := at.Add(time.Duration(e.Lasts)); end.After(from) {
				out = append(out, model.Event{Name: e.Name, From: at, To: end})
			}
		}
	}
	return out
}
