package logline

import (
	"cmp"
	"encoding/json"
	"strings"
)

// Names of fields in JSON lines, in the order they are tried.
var (
	messageNames = [...]string{
		"message", "msg", "MESSAGE", "log", "text", "@message", "short_message", "Message", "Msg", "textPayload", "eventMessage",
		"RenderedMessage", "@m", "@mt", "_msg", "event", "body", "full_message",
	}
	levelNames   = [...]string{"level", "severity", "lvl", "log.level", "loglevel", "levelname", "Level", "@level", "@l", "severity_text", "s", "PRIORITY"}
	hostNames    = [...]string{"host", "hostname", "host.name", "_HOSTNAME"}
	serviceNames = [...]string{"service", "service.name", "program", "SYSLOG_IDENTIFIER", "_COMM", "log.logger", "logger", "loggerName", "logger_name", "@module", "app", "component", "c", "caller"}
	pidNames     = [...]string{"pid", "_PID", "process.pid"}
	timeNames    = [...]string{"@timestamp", "timestamp", "time", "ts", "__REALTIME_TIMESTAMP", "t", "@t", "asctime", "timeMillis", "Timestamp"}
	errorNames   = [...]string{"err", "error", "exception", "reason", "cause"}
)

// parseJSON reads a line that is a JSON object. wrapped tells that a container runtime wrote
// it around the program's own line.
func parseJSON(s, messageField string) (l Line, wrapped, ok bool) {
	var m map[string]any
	if json.Unmarshal([]byte(s), &m) != nil {
		return Line{}, false, false
	}
	l = Line{
		Time: pick(m, timeNames[:]), Host: pick(m, hostNames[:]), Service: pick(m, serviceNames[:]), PID: pick(m, pidNames[:]),
		Level: levelName(pick(m, levelNames[:])),
	}
	if inner, ok := m["log"].(map[string]any); ok { // ECS, as objects
		l.Level = cmp.Or(l.Level, pick(inner, levelNames[:1]))
		l.Service = cmp.Or(l.Service, pick(inner, []string{"logger"}))
	}
	if messageField != "" {
		l.Message = pick(m, []string{messageField})
		return l, false, l.Message != ""
	}
	_, log := m["log"].(string)
	_, stream := m["stream"].(string)
	if wrapped = log && stream; wrapped {
		l.Message = strings.TrimRight(m["log"].(string), "\r\n")
		return l, true, l.Message != ""
	}
	if l.Message = pick(m, messageNames[:]); l.Message == "" {
		l.Message = nested(m)
	}
	if why := pick(m, errorNames[:]); l.Message != "" && why != "" && !strings.Contains(l.Message, why) {
		l.Message += ": " + why
	}
	return l, false, l.Message != ""
}

// nested finds the message of {"log":{"message":...}} and the like, and else the longest text
// of several words.
func nested(m map[string]any) string {
	best := ""
	for _, v := range m {
		switch v := v.(type) {
		case map[string]any:
			if s := pick(v, messageNames[:]); s != "" {
				return s
			}
		case string:
			if strings.Contains(v, " ") && (len(v) > len(best) || len(v) == len(best) && v < best) {
				best = v
			}
		}
	}
	return best
}

// levelName returns the name of a level: syslog and journald count from 0 to 7, pino and
// bunyan in tens.
func levelName(s string) string {
	if len(s) == 1 && s[0] >= '0' && s[0] <= '7' {
		return severities[s[0]-'0']
	}
	switch s {
	case "10", "20":
		return "debug"
	case "30":
		return "info"
	case "40":
		return "warn"
	case "50":
		return "error"
	case "60":
		return "fatal"
	}
	return s
}

// pick returns the first of the named fields as text. journald writes text that is no UTF-8
// as a list of bytes.
func pick(m map[string]any, names []string) string {
	for _, n := range names {
		switch v := m[n].(type) {
		case string:
			if v != "" {
				return v
			}
		case float64:
			raw, err := json.Marshal(v)
			if err == nil {
				return string(raw)
			}
		case []any:
			b := make([]byte, 0, len(v))
			for _, x := range v {
				if f, ok := x.(float64); ok && f >= 0 && f < 256 {
					b = append(b, byte(f))
				}
			}
			if len(b) > 0 {
				return strings.ToValidUTF8(string(b), "\ufffd")
			}
		case map[string]any:
			if name, ok := v["name"].(string); ok { // ECS: host.name
				return name
			}
			if name, ok := v["$date"].(string); ok { // MongoDB
				return name
			}
		}
	}
	return ""
}
