package mine

import (
	"cmp"
	"fmt"
	"time"
)

// Origin is what a line says of itself beside its message.
type Origin struct {
	Host    string `json:"host,omitempty"`
	Service string `json:"service,omitempty"`
	Level   string `json:"level,omitempty"`
}

// Seen counts one line of the template.
func (t *Template) Seen(at time.Time, from Origin, message string) {
	t.Count++
	if t.First.IsZero() || at.Before(t.First) {
		t.First = at
	}
	t.Origin = Origin{cmp.Or(t.Host, from.Host), cmp.Or(t.Service, from.Service), cmp.Or(t.Level, from.Level)}
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

// What can be unusual about a template.
const (
	Usual = iota
	Young // first seen within a day
	Spike // much more than its own mean
	Silent
)

// spikeLines is how many lines an hour a spike has at least, and silentMean how many lines an
// hour a template had at least whose silence says something.
const (
	spikeLines = 20
	silentMean = 5
)

// Unusual tells what is unusual about a template at now; lines and usual are of an hour.
func (t *Template) Unusual(now time.Time) (kind int, lines, usual float64) {
	c := *t
	c.advance(now.Unix() / 3600)
	lines = float64(c.Hours[c.HourStart%24])
	switch {
	case now.Sub(t.First) < 24*time.Hour:
		return Young, lines, c.MeanHour
	case lines >= spikeLines && c.MeanHour > 0 && lines > 5*c.MeanHour:
		return Spike, lines, c.MeanHour
	case t.MeanHour >= silentMean && now.Sub(t.Last) > 3*time.Hour:
		return Silent, lines, t.MeanHour
	}
	return Usual, lines, c.MeanHour
}

// Change says in a plain sentence what is unusual about a template at now, or "" if nothing
// is.
func (t *Template) Change(now time.Time) string {
	switch kind, lines, usual := t.Unusual(now); kind {
	case Young:
		on := ""
		if t.Host != "" {
			on = ", on " + t.Host
		}
		return fmt.Sprintf("first seen %s, %d times since%s", t.First.UTC().Format("15:04"), t.Count, on)
	case Spike:
		return fmt.Sprintf("%.0f times more than usual (%.0f this hour)", lines/usual, lines)
	case Silent:
		return fmt.Sprintf("silent since %s, usually %.0f an hour", t.Last.UTC().Format("15:04"), usual)
	}
	return ""
}
