package tail

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/inframind/inframind/internal/logstore"
)

// parser turns lines into documents. It never fails: what it does not understand stays in
// the message.
type parser struct {
	host string
	zone *time.Location // of times that name none
}

// record is a document and whether its time came from the line.
type record struct {
	logstore.Document
	timed bool
}

func (r *record) set(name string, v any) { r.Fields[name] = v }

// parse reads one line of the file at path. ref is a time not long after the line was
// written: RFC 3164 stamps carry no year.
func (p parser) parse(line, path string, ref time.Time) record {
	r := record{Document: logstore.Document{Message: line, Fields: map[string]any{"host.name": p.host}}}
	rest, pri := priority(line)
	if pri >= 0 {
		if p.modern(&r, line) {
			return r
		}
		r.priority(pri)
	}
	if p.syslog(&r, rest, ref) {
		return r
	}
	if pri >= 0 {
		r.Message = rest
	}
	p.plain(&r, rest)
	if _, ok := r.Fields["service.name"]; !ok {
		if name := serviceOf(path); name != "" {
			r.set("service.name", name)
		}
	}
	return r
}

// priority splits "<34>rest"; pri is -1 if there is none.
func priority(line string) (rest string, pri int) {
	if !strings.HasPrefix(line, "<") {
		return line, -1
	}
	digits, rest, ok := strings.Cut(line[1:min(len(line), 6)], ">")
	if !ok {
		return line, -1
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 191 || strconv.Itoa(n) != digits {
		return line, -1
	}
	return rest + line[min(len(line), 6):], n
}

// Severities of RFC 5424 by code.
var severities = [8]string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}

var facilities = [24]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

func (r *record) priority(pri int) {
	r.set("log.syslog.priority", pri)
	r.set("log.syslog.facility.code", pri/8)
	r.set("log.syslog.facility.name", facilities[pri/8])
	r.severity(pri % 8)
}

func (r *record) severity(code int) {
	r.set("log.syslog.severity.code", code)
	r.set("log.syslog.severity.name", severities[code])
	r.set("log.level", severities[code])
}

// modern reads an RFC 5424 line.
func (p parser) modern(r *record, line string) bool {
	m, err := rfc5424.NewParser(rfc5424.WithBestEffort()).Parse([]byte(line))
	sm, ok := m.(*rfc5424.SyslogMessage)
	if !ok || sm.Version != 1 || err != nil && sm.Timestamp == nil {
		return false
	}
	r.priority(int(*sm.Priority))
	if sm.Timestamp != nil {
		r.Time, r.timed = sm.Timestamp.UTC(), true
	}
	text := func(name string, v *string) {
		if v != nil && *v != "" {
			r.set(name, *v)
		}
	}
	text("host.name", sm.Hostname)
	text("service.name", sm.Appname)
	text("log.syslog.appname", sm.Appname)
	text("log.syslog.procid", sm.ProcID)
	text("log.syslog.msgid", sm.MsgID)
	if sm.ProcID != nil {
		r.pid(*sm.ProcID)
	}
	if sm.StructuredData != nil {
		for id, params := range *sm.StructuredData {
			for k, v := range params {
				if name := "log.syslog.structured_data." + id + "." + k; logstore.CheckField(name) == nil && len(r.Fields) < 64 {
					r.set(name, v)
				}
			}
		}
	}
	if sm.Message != nil && err == nil {
		r.Message = strings.TrimPrefix(*sm.Message, "\ufeff")
	}
	return true
}

func (r *record) pid(s string) {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		r.set("process.pid", n)
	}
}

// tag is "sshd[123]: " or "kernel: " after the host name.
var tag = regexp.MustCompile(`^([^\s:\[\]]{1,64})(?:\[([^\s\[\]]{1,32})\])?: ?`)

// syslog reads "Nov 21 10:22:01 host tag[pid]: text" and rsyslog's form of it with an RFC
// 3339 time; the latter only with a tag, as many programs write such times.
func (p parser) syslog(r *record, line string, ref time.Time) bool {
	at, rest, bsd := p.bsdTime(line, ref)
	if !bsd {
		var ok bool
		if at, rest, ok = isoTime(line); !ok {
			return false
		}
	}
	host, after, ok := strings.Cut(rest, " ")
	if !ok || host == "" || strings.HasSuffix(host, ":") || strings.Contains(host, "[") {
		host, after = "", rest // relays may leave the host out
	}
	m := tag.FindStringSubmatch(after)
	if !bsd && (m == nil || levelName(host) != "") {
		return false
	}
	r.Time, r.timed, r.Message = at, true, after
	if host != "" {
		r.set("host.name", host)
	}
	if m != nil {
		r.set("service.name", m[1])
		r.pid(m[2])
		r.Message = after[len(m[0]):]
	}
	r.guessLevel(r.Message)
	return true
}

// bsdTime reads "Jan _2 15:04:05 " and finds the year: the last one in which the time is not
// later than a day after ref.
func (p parser) bsdTime(line string, ref time.Time) (at time.Time, rest string, ok bool) {
	if len(line) < 16 || line[15] != ' ' {
		return at, "", false
	}
	t, err := time.Parse("2006 "+time.Stamp, "2024 "+line[:15]) // a leap year: 29 February is a date
	if err != nil {
		return at, "", false
	}
	for y := ref.Year() + 1; y > ref.Year()-9; y-- {
		at = time.Date(y, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, p.zone)
		if at.Month() == t.Month() && !at.After(ref.Add(24*time.Hour)) {
			return at.UTC(), line[16:], true
		}
	}
	return at, "", false
}

// isoTime reads an RFC 3339 time and the space behind it.
func isoTime(line string) (at time.Time, rest string, ok bool) {
	word, _, found := strings.Cut(line[:min(len(line), 40)], " ")
	if !found || len(word) < 20 || word[4] != '-' {
		return at, "", false
	}
	at, err := time.Parse(time.RFC3339Nano, word)
	if err != nil {
		return at, "", false
	}
	return at.UTC(), line[len(word)+1:], true
}

// plain looks for a time and a level in lines of other shapes. The message stays whole.
func (p parser) plain(r *record, line string) {
	if at, ok := p.anyTime(line); ok {
		r.Time, r.timed = at.UTC(), true
	}
	r.guessLevel(line)
}

// stamp finds "2026-11-21 10:22:01.123", "2026/11/21 10:22:01", "2026-11-21T10:22:01Z" near the
// start of a line (dpkg, alternatives, apt, nginx errors, PostgreSQL, Go's log, logfmt).
var stamp = regexp.MustCompile(`^(?:[^\d]{0,24}|[a-z-]{1,30} )(\d{4})[-/](\d{2})[-/](\d{2})(?:T| {1,2})(\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(?: ?(Z|UTC|GMT|[+-]\d{2}:?\d{2}))?(?:[^\d]|$)`)

// clf is the time of web servers' access logs.
var clf = regexp.MustCompile(`\[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\]`)

func (p parser) anyTime(line string) (time.Time, bool) {
	head := line[:min(len(line), 256)]
	if m := stamp.FindStringSubmatch(head); m != nil {
		text, layout, zone := m[1]+"-"+m[2]+"-"+m[3]+" "+m[4], "2006-01-02 15:04:05", p.zone
		if m[5] != "" {
			text += "." + m[5]
		}
		switch z := m[6]; {
		case z == "Z" || z == "UTC" || z == "GMT":
			zone = time.UTC
		case z != "":
			text, layout = text+strings.ReplaceAll(z, ":", ""), layout+"-0700"
		}
		t, err := time.ParseInLocation(layout, text, zone)
		return t, err == nil
	}
	if m := clf.FindStringSubmatch(head); m != nil {
		t, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[1])
		return t, err == nil
	}
	return time.Time{}, false
}

// word finds a level that a program put near the start of its line. Only upper case, a key
// or brackets count: "error" in a sentence is no level.
var (
	word  = regexp.MustCompile(`(?:^|[\s\[|<(])(EMERG(?:ENCY)?|ALERT|PANIC|FATAL|CRIT(?:ICAL)?|SEVERE|ERR(?:OR)?|WARN(?:ING)?|NOTICE|INFO|LOG|DEBUG|TRACE)(?:[\]\s:|>)]|$)`)
	keyed = regexp.MustCompile(`(?:^|[\s{,"])(?:level|lvl|severity)"?[=:]\s?"?([A-Za-z]{3,13})\b|\[(emerg|alert|crit|error|warn|warning|notice|info|debug)\]`)
)

func (r *record) guessLevel(text string) {
	if _, ok := r.Fields["log.level"]; ok {
		return
	}
	head := text[:min(len(text), 160)]
	name := ""
	if m := keyed.FindStringSubmatch(head); m != nil {
		name = m[1] + m[2]
	} else if m := word.FindStringSubmatch(head); m != nil {
		name = m[1]
	}
	if level := levelName(name); level != "" {
		r.set("log.level", level)
	}
}

func levelName(s string) string {
	switch strings.ToLower(s) {
	case "emerg", "emergency", "panic":
		return "emergency"
	case "alert":
		return "alert"
	case "crit", "critical", "fatal", "severe":
		return "critical"
	case "err", "error":
		return "error"
	case "warn", "warning":
		return "warning"
	case "notice":
		return "notice"
	case "info", "informational", "log":
		return "info"
	case "debug", "trace":
		return "debug"
	}
	return ""
}

var rotation = regexp.MustCompile(`([.-]\d+|\.old|\.log)+$`)

// serviceOf names the writer of a file: "dpkg" of /var/log/dpkg.log, "postgresql" of
// /var/log/postgresql/postgresql-15-main.log.
func serviceOf(path string) string {
	if dir := filepath.Base(filepath.Dir(path)); dir != "log" && strings.Contains(filepath.Dir(path), "/log/") {
		return dir
	}
	return rotation.ReplaceAllString(filepath.Base(path), "")
}
