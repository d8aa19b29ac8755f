package mine

import (
	"fmt"
	"time"
)

// Seen counts one line of the template.
func (t *Template) Seen(at time.Time, host, message string) {
	t.Count++
	if t.First.IsZero() || at.Before(t.First) {
		t.First = at
	}
	if t.Host == "" {
		t.Host = host
	}
	if t.Example == "" {
		t.Example = message[:min(len(message), 300)]
	}
	if at.After(t.Last) {
		t.Last = at
	}
	t.advance(at.Unix() / 3600)
	if age := t.HourStart - at.Unix()/3600; age >= 0 && age < 24 {
		t.Hours[(at.Unix()/3600)%24]++
	}
}

// forget is the share by which an hour replaces the mean of those before: about a week.
const forget = 1.0 / 168

// advance closes the hours up to hour: each goes into the mean, and its place is emptied
// once it is a day old.
func (t *Template) advance(hour int64) {
	if t.HourStart == 0 {
		t.HourStart = hour
	}
	if hour-t.HourStart > 1000 { // asleep for weeks: the mean is as good as gone
		t.MeanHour, t.Hours, t.HourStart = 0, [24]int32{}, hour
	}
	for ; t.HourStart < hour; t.HourStart++ {
		closed := float64(t.Hours[t.HourStart%24])
		if t.MeanHour == 0 {
			t.MeanHour = closed
		} else {
			t.MeanHour += forget * (closed - t.MeanHour)
		}
		t.Hours[(t.HourStart+1)%24] = 0
	}
}

// Change says in a plain sentence what is unusual about a template at now, or "" if nothing
// is: new within a day, a spike against its own mean, or silence.
func (t *Template) Change(now time.Time) string {
	c := *t
	c.advance(now.Unix() / 3600)
	current := float64(c.Hours[c.HourStart%24])
	switch {
	case now.Sub(t.First) < 24*time.Hour:
		on := ""
		if t.Host != "" {
			on = ", on " + t.Host
		}
		return fmt.Sprintf("first seen %s, %d times since%s", t.First.UTC().Format("15:04"), t.Count, on)
	case current >= 20 && c.MeanHour > 0 && current > 5*c.MeanHour:
		return fmt.Sprintf("%.0f times more than usual (%.0f this hour)", current/c.MeanHour, current)
	case t.MeanHour >= 5 && now.Sub(t.Last) > 3*time.Hour:
		return fmt.Sprintf("silent since %s, usually %.0f an hour", t.Last.UTC().Format("15:04"), t.MeanHour)
	}
	return ""
}
