package logline

import "strings"

// overwritten joins what a program wrote over and over into one line of a terminal, as
// apt's and curl's progress do: of parts that differ in digits and blanks only, the last
// stays. Nothing else is dropped, so that a carriage return hides nothing.
func overwritten(s string) string {
	var kept []string
	last := "none yet"
	for part := range strings.SplitSeq(s, "\r") {
		shape := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == ' ' || r == '%' || r == '#' || r == '.' {
				return -1
			}
			return r
		}, part)
		switch {
		case strings.TrimSpace(part) == "":
		case shape == last:
			kept[len(kept)-1] = part
		default:
			kept, last = append(kept, part), shape
		}
	}
	return strings.Join(kept, " ")
}
