package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/inframind/inframind/alert-webhook/alert"
)

// Severity is the alert's severity label, "" if it has none.
func Severity(a alert.Alert) string { return a.Labels["severity"] }

// Summary says what an alert is about, on one line: its summary, its description, its name.
func Summary(a alert.Alert) string {
	for _, s := range []string{a.Annotations["summary"], a.Annotations["description"], a.Annotations["message"], a.Name()} {
		if line := oneLine(s); line != "" {
			return line
		}
	}
	return "alert " + a.Fingerprint
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")), " ")
}

// Line is one alert as a line of text: "▲ DiskFull critical: /var is full (instance=db-1)".
func Line(a alert.Alert) string {
	mark := "▲"
	if a.Status == alert.Resolved {
		mark = "✓"
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(a.Labels)) {
		if k != "alertname" && k != "severity" {
			pairs = append(pairs, k+"="+a.Labels[k])
		}
	}
	return oneLine(fmt.Sprintf("%s %s %s: %s (%s)", mark, a.Name(), Severity(a), Summary(a), strings.Join(pairs, ", ")))
}

// Units counts s as most services do: in UTF-16 code units.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// Cut shortens s to limit units.
func Cut(s string, limit int) string {
	if Units(s) <= limit {
		return s
	}
	var b strings.Builder
	left := limit - 1
	for _, r := range s {
		if left -= Units(string(r)); left < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}

// Body is a line for each alert, within limit units. What does not fit is counted on the
// last line: a length limit must not make an alert disappear. escape is applied to each line.
func Body(g alert.Group, limit int, escape func(string) string) string {
	more := func(n int) string { return fmt.Sprintf("… and %d more alerts", n) }
	reserve := Units(more(alert.MaxAlerts)) + 1
	var out []string
	used := 0
	for i, a := range g.Alerts {
		line := escape(Cut(Line(a), 600))
		rest := len(g.Alerts) - i - 1
		room := limit - used
		if rest > 0 {
			room -= reserve
		}
		if Units(line)+1 > room {
			out = append(out, more(rest+1))
			break
		}
		out = append(out, line)
		used += Units(line) + 1
	}
	if g.TruncatedAlerts > 0 {
		out = append(out, fmt.Sprintf("… %d left out by Alertmanager", g.TruncatedAlerts))
	}
	return Cut(strings.Join(out, "\n"), limit)
}
