package mine

import (
	"bytes"
	"strings"

	"github.com/inframind/inframind/log-classifier/token"
)

// isUnit tells whether w is a unit written apart from its number.
func isUnit(w []byte) bool {
	switch string(bytes.TrimRight(w, ",.;:)")) {
	case "B", "KB", "MB", "GB", "TB", "kB", "KiB", "MiB", "GiB", "TiB", "bytes", "byte", "kbytes", "Kbytes", "Mbytes",
		"ms", "us", "ns", "s", "sec", "secs", "second", "seconds", "msec", "msecs", "usec", "min", "mins", "minute", "minutes", "hour", "hours", "day", "days",
		"microseconds", "milliseconds", "nanoseconds", "Hz", "kHz", "MHz", "GHz", "C", "V", "W", "A", "RPM", "rpm", "%", "percent", "pages",
		"mV", "mA", "mW", "kW", "Wh", "kWh", "dB", "dBm", "bpm", "K", "F", "degC", "mm", "cm", "m", "km", "mi", "kg", "g", "lb", "bar", "hPa", "kPa", "m/s", "km/h", "h", "d", "l", "px",
		"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "bps", "kbps", "Mbps", "Gbps", "fps",
		"KB/s", "MB/s", "GB/s", "B/s", "KiB/s", "MiB/s", "GiB/s", "bytes/sec", "USD", "EUR":
		return true
	}
	return false
}

// dateWords returns how many words at the start of ws make a date in words: an optional day
// of the week, a month, and what belongs to them. 0 means that there is none.
func dateWords(ws [][]byte) int {
	n := 0
	if isDay(ws[0]) {
		n++
	}
	if n >= len(ws) || !isMonth(ws[n]) {
		return 0
	}
	n++
	start := n
	for n < len(ws) && (isPlaceholder(ws[n]) || isZone(ws[n])) {
		n++
	}
	if n == start {
		return 0
	}
	return n
}

// isPlaceholder tells whether a masked word is values and punctuation only.
func isPlaceholder(w []byte) bool {
	inside, any := false, false
	for _, c := range w {
		switch {
		case c == '<':
			inside, any = true, true
		case c == '>':
			inside = false
		case !inside && isLetter(c), inside && c == '*' && bytes.Contains(w, gapText):
			return false
		}
	}
	return any
}

func isDay(w []byte) bool {
	if len(w) < 3 || len(w) > 4 {
		return false
	}
	switch string(bytes.TrimRight(w, ",")) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

func isMonth(w []byte) bool {
	switch string(w) {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}

func isZone(w []byte) bool {
	switch string(w) {
	case "UTC", "GMT", "CET", "CEST", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "JST", "IST", "BST", "AM", "PM":
		return true
	}
	return false
}

// isLabel tells whether the word after w is a name: "user bob", "Host: web1".
func isLabel(w []byte) bool {
	switch string(w) {
	case "user", "User", "username", "account":
		return true
	}
	name, ok := bytes.CutSuffix(w, []byte(":"))
	if !ok || len(name) > 16 {
		return false
	}
	switch strings.ToLower(string(name)) {
	case "user", "username", "account", "login", "name", "host", "hostname", "server", "client", "domain", "computer", "workstation",
		"database", "namespace", "pod", "container", "image", "volume", "topic", "queue", "device", "interface", "tenant", "owner", "group":
		return true
	}
	return false
}

// plainName tells whether w may be a login name or the like: one lower-case word.
func plainName(w []byte) bool {
	w = bytes.TrimRight(w, ",")
	for _, c := range w {
		if (c < 'a' || c > 'z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	switch string(w) {
	case "is", "was", "has", "not", "for", "to", "with", "on", "in", "at", "and", "or", "request", "requested", "name", "id":
		return false
	}
	return len(w) > 1
}

// isAnswer tells whether the first of ws answers what stands before a colon, "Token: No", and
// does not begin a sentence: "scan: No device found".
func isAnswer(ws [][]byte) bool {
	answer := bytes.TrimRight(ws[0], ",.;)")
	switch string(answer) {
	case "Yes", "No", "YES", "NO", "yes", "no":
		return len(answer) < len(ws[0]) || len(ws) == 1 || ws[1][0] < 'a' || ws[1][0] > 'z'
	}
	return false
}

// listed tells whether w stands alone between a label and a comma: "Database: Sales,".
func listed(label, w []byte) bool {
	return label[len(label)-1] == ':' && len(w) > 1 && w[len(w)-1] == ',' && bytes.IndexByte(w, '=') < 0
}

// longName tells whether a piece with a number in it is the name of something in the
// program, such as a function, rather than an id: it has many letters around one number, and
// is neither a path nor an instance of a class.
func longName(p []byte) bool {
	letters, numbers, inside := 0, 0, false
	for _, c := range p {
		switch {
		case c == '<':
			inside = true
			numbers++
		case c == '>':
			inside = false
		case c == '@' || c == '/':
			return false
		case !inside && isLetter(c):
			letters++
		}
	}
	return letters >= 16 && numbers == 1 && p[len(p)-1] != '>' && !bytes.Contains(p, []byte(token.Hex))
}

// capitalName knows names such as SOCKS5, which end in a number and are no id.
func capitalName(p []byte) bool {
	letters, ok := bytes.CutSuffix(p, []byte(token.Num))
	for _, c := range letters {
		ok = ok && c >= 'A' && c <= 'Z'
	}
	return ok && len(letters) >= 3
}

// isRandom knows names that a machine drew: web-x7f9k of Kubernetes, whose five letters make
// no word.
func isRandom(p []byte) bool {
	for i := 2; i+5 <= len(p); i++ {
		if p[i-1] != '-' {
			continue
		}
		n := 0
		for n < len(p)-i && strings.IndexByte("bcdfghjklmnpqrstvwxz2456789", p[i+n]) >= 0 {
			n++
		}
		if n == 5 && (i+5 == len(p) || !isLetter(p[i+5])) {
			return true
		}
	}
	return false
}

// isBase64 knows base64 by its padding.
func isBase64(w []byte) bool {
	w = bytes.TrimRight(w, ",.;:)")
	if len(w) == 0 || w[len(w)-1] != '=' {
		return false
	}
	if bytes.HasSuffix(w, []byte(token.ID+"==")) || bytes.HasSuffix(w, []byte(token.ID+"=")) {
		return true
	}
	if len(w) < 16 {
		return false
	}
	for _, c := range bytes.TrimRight(w, "=") {
		if !isLetter(c) && strings.IndexByte("0123456789+/<>", c) < 0 {
			return false
		}
	}
	return bytes.HasSuffix(w, []byte("==")) || bytes.IndexByte(w, '<') >= 0
}

// isFile knows file names by their endings, and the units of systemd.
func isFile(p []byte) bool {
	p = bytes.TrimRight(p, ".")
	i := bytes.LastIndexByte(p, '.')
	if i < 1 || len(p)-i > 8 {
		return false
	}
	switch string(p[i+1:]) {
	case "service", "socket", "timer", "mount", "target", "slice", "scope", "device",
		"log", "txt", "csv", "json", "xml", "yml", "yaml", "conf", "cfg", "ini", "db", "sql", "pid", "sock", "lock", "tmp", "bak", "old", "dat", "bin",
		"gz", "xz", "zip", "tar", "tgz", "jar", "war", "rpm", "deb", "iso", "img", "so", "dll", "exe", "sys", "pem", "crt", "key", "pdf", "png", "jpg", "html", "js", "css", "php":
		return true
	}
	return false
}

// isConstant knows the values that programming languages have words for.
func isConstant(p []byte) bool {
	switch string(bytes.TrimRight(p, ".")) {
	case "true", "false", "True", "False", "TRUE", "FALSE", "null", "NULL", "nil", "None":
		return true
	}
	return false
}

func holdsIP(w []byte) bool {
	return bytes.HasPrefix(w, []byte(token.IP)) || bytes.HasPrefix(w, []byte(token.Host)) || string(w) == "localhost"
}
