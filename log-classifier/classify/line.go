package classify

import (
	"maps"
	"strconv"
	"strings"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/log-classifier/logline"
	"github.com/inframind/inframind/log-classifier/mine"
)

// line is one document on its way.
type line struct {
	logstore.Document
	parsed        logline.Line
	host, service string
	v             *Verdict       // when it was read
	made          *mine.Template // for this line, or nil
}

// newLine takes a document apart: its fields first, and what they leave open by its message.
func newLine(d logstore.Document, messageField string) line {
	if d.Message == "" {
		d.Message = text(d.Fields, messageField, "event.original", "msg", "log")
	}
	l := line{Document: d, parsed: logline.Parse(d.Message, messageField)}
	l.host = text(d.Fields, "host.name", "host.hostname", "host", "hostname")
	l.service = text(d.Fields, "service.name", "process.name", "service", "program")
	if l.host == "" {
		l.host = l.parsed.Host
	}
	if l.service == "" {
		l.service = l.parsed.Service
	}
	if l.parsed.Level == "" {
		l.parsed.Level = text(d.Fields, "log.level", "level", "severity", "syslog.severity")
	}
	return l
}

// take counts a line for its template. Labels come when the whole page was taken, so that
// what it teaches about templates and their mix is in all of them.
func (e *Engine) take(l *line) {
	v, isNew := e.labeler.Label(&l.parsed, l.service)
	v.Template.Seen(l.Time, mine.Origin{Host: l.host, Service: l.service, Level: l.parsed.Level}, l.parsed.Message)
	l.v = v
	if isNew {
		l.made = v.Template
	}
}

// label makes the labelled document of a line and counts it.
func (e *Engine) label(l *line) logstore.Document {
	v := e.traces.follow(e.labeler.Current(l.v), l.parsed.Message, l.host+"\x00"+l.service)
	isNew := l.made != nil && l.made == v.Template
	e.st.tallyOf(l.Time).add(v, isNew)
	if isNew {
		e.st.New++
	}
	demo := ""
	if text(l.Fields, "labels.demo") == "true" {
		demo = "true"
	}
	e.st.count(v, e.hosts.value(l.host), e.services.value(l.service), demo)
	fields := make(map[string]any, len(l.Fields)+10)
	maps.Copy(fields, l.Fields)
	l.keepParts(fields)
	r := e.labeler.record(v, e.ask(l, v))
	fields["ml_category"], fields["ml_confidence"], fields["ml_model"] = r.Category, r.Confidence, e.model.Name
	fields["ml_template"], fields["ml_template_id"], fields["ml_review"] = r.Template, r.TemplateID, r.Review
	if len(r.Reasons) > 0 {
		fields["ml_reasons"] = r.Reasons
	}
	if isNew {
		fields["ml_new_template"] = true
	}
	if v.Category.Alarm() {
		if change := v.Template.Change(l.Time); change != "" {
			fields["ml_change"] = change
		}
	}
	return logstore.Document{ID: l.ID, Time: l.Time, Message: l.Message, Fields: fields}
}

// keepParts adds what the header of the message says and no field does. Names that would
// clash with a field's in a mapping are left out, and so is a process id that is no number.
func (l *line) keepParts(fields map[string]any) {
	for _, f := range [...]struct{ name, value string }{
		{"host.name", l.parsed.Host}, {"process.name", l.parsed.Service}, {"process.pid", l.parsed.PID}, {"log.level", l.parsed.Level},
	} {
		object, _, _ := strings.Cut(f.name, ".")
		_, has := fields[f.name]
		_, clash := fields[object]
		if f.value == "" || has || clash {
			continue
		}
		if f.name != "process.pid" {
			fields[f.name] = f.value
		} else if n, err := strconv.ParseInt(f.value, 10, 64); err == nil {
			fields[f.name] = n
		}
	}
}

// text returns the first of the named fields that is a string.
func text(fields map[string]any, names ...string) string {
	for _, n := range names {
		if s, ok := fields[n].(string); ok && s != "" {
			return s
		}
	}
	return ""
}
