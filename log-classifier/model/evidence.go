package model

import (
	"strings"

	"github.com/inframind/inframind/log-classifier/label"
)

// Evidence is what a line says of itself outside its words: its level, or the status of an
// access log. 0 is none.
type Evidence uint8

const (
	levelDebug Evidence = 1 + iota
	levelInfo
	levelWarn
	levelError
	levelFatal
	statusGood   // 1xx to 3xx
	statusClient // 4xx
	statusServer // 5xx
	evidences
)

// likelihood is how often lines of each category carry the evidence, as odds. Those of levels
// are counted in the programs of the corpus that have levels (a test does it again); one line
// in five is taken to have a level that says nothing, and what is left is believed by half
// (the root of the odds): programs differ in what they call an error.
var likelihood = [evidences]Mix{
	levelDebug:   {label.Critical: 0.21, label.Warning: 0.25, label.Informational: 0.38, label.Noise: 0.72},
	levelInfo:    {label.Critical: 0.32, label.Warning: 0.53, label.Informational: 0.87, label.Noise: 0.61},
	levelWarn:    {label.Critical: 0.28, label.Warning: 0.59, label.Informational: 0.20, label.Noise: 0.20},
	levelError:   {label.Critical: 0.70, label.Warning: 0.52, label.Informational: 0.21, label.Noise: 0.22},
	levelFatal:   {label.Critical: 0.54, label.Warning: 0.18, label.Informational: 0.15, label.Noise: 0.14},
	statusGood:   {label.Critical: 0.01, label.Warning: 0.02, label.Informational: 0.35, label.Noise: 0.60},
	statusClient: {label.Critical: 0.01, label.Warning: 0.10, label.Informational: 0.50, label.Noise: 0.30},
	statusServer: {label.Critical: 0.10, label.Warning: 0.70, label.Informational: 0.10, label.Noise: 0.10},
}

// evidenceNames are for people.
var evidenceNames = [evidences]string{
	levelDebug: "level debug", levelInfo: "level info", levelWarn: "level warning", levelError: "level error", levelFatal: "level fatal",
	statusGood: "status of success", statusClient: "status 4xx", statusServer: "status 5xx",
}

func (e Evidence) String() string {
	if e < evidences {
		return evidenceNames[e]
	}
	return ""
}

// EvidenceOf returns the evidence of a line with a level, as written, and a message.
func EvidenceOf(level, message string) Evidence {
	switch strings.ToUpper(level) {
	case "":
		return accessStatus(message)
	case "TRACE", "VERBOSE", "DEBUG", "V", "D":
		return levelDebug
	case "INFO", "INFORMATION", "NOTICE", "LOG", "I": // LOG is PostgreSQL's
		return levelInfo
	case "WARN", "WARNING", "W":
		return levelWarn
	case "ERR", "ERROR", "SEVERE", "E":
		return levelError
	case "FATAL", "CRIT", "CRITICAL", "ALERT", "EMERG", "EMERGENCY", "PANIC", "F":
		return levelFatal
	}
	return 0
}

// accessStatus reads the status behind the request of an access log: "GET / HTTP/1.1" 502.
func accessStatus(message string) Evidence {
	if strings.IndexByte(message, '"') < 0 { // the quickest way to pass over most lines
		return 0
	}
	before, rest, ok := strings.Cut(message, "HTTP/")
	if !ok || !strings.HasSuffix(before, " ") {
		return 0
	}
	_, rest, ok = strings.Cut(rest[:min(len(rest), 16)], `" `)
	if !ok || len(rest) < 3 || rest[1] < '0' || rest[1] > '9' || rest[2] < '0' || rest[2] > '9' || len(rest) > 3 && rest[3] != ' ' {
		return 0
	}
	switch rest[0] {
	case '1', '2', '3':
		return statusGood
	case '4':
		return statusClient
	case '5':
		return statusServer
	}
	return 0
}
