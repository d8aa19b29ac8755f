package redfish

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/exporter/hw"
)

const (
	maxLogPages   = 4   // of one log in one scrape
	maxLogEntries = 500 // of one log in one scrape, where each is a request at most 50
	maxLogReads   = 50
	maxLogText    = 32 << 10 // bytes of one message
)

// eventService stands for the log of events that came by themselves.
const eventService = "EventService"

// logEntry is one entry of an event log.
type logEntry struct {
	log      string // address of the log service, short
	id       string
	created  time.Time // zero when the BMC tells none
	severity string    // ok, warning, critical or unknown
	message  string
	code     string // MessageId
	sensor   string // SensorType
	origin   string // address of what it is about
}

// collectLogs reads the newest part of every event log (SEL, lifecycle log, IML) and counts
// its entries by severity.
func collectLogs(ctx context.Context, o *sink) {
	var owners []Node
	owners = append(owners, o.s.systems...)
	owners = append(owners, o.s.managers...)
	owners = append(owners, o.s.chassis...)
	each(owners, func(owner Node) {
		parent := short(owner.id())
		each(o.members(ctx, owner.link("LogServices"), inner, false), func(svc Node) {
			p, ok := o.part(svc, hw.Enclosure, parent)
			if on, told := svc.truth("ServiceEnabled"); !ok || (told && !on) || svc.link("Entries") == "" {
				return
			}
			entries, whole := o.entries(ctx, svc.link("Entries"), p.ID)
			counts := map[string]float64{"ok": 0, "warning": 0, "critical": 0}
			for _, e := range entries {
				counts[e.severity]++
			}
			for severity, n := range counts {
				o.s.schema.Send(o.ch, hw.LogEntries, p, n, severity)
			}
			o.s.mu.Lock()
			o.s.logEntries = append(o.s.logEntries, entries...)
			if whole {
				o.s.logsRead = append(o.s.logsRead, p.ID)
			}
			o.s.mu.Unlock()
		})
	})
}

// entries reads up to maxLogEntries of a log, the newest when it has more pages than that.
// whole is false when a part could not be read.
func (o *sink) entries(ctx context.Context, link, log string) (out []logEntry, whole bool) {
	whole = true
	for page := 0; page < maxLogPages && link != "" && len(out) < maxLogEntries; page++ {
		n, ok := o.get(ctx, link, fresh)
		if !ok {
			return out, false
		}
		list := memberList(n)
		if len(list) > 0 && !list[0].full() {
			list, whole = o.readEntries(ctx, list)
		}
		for _, e := range list {
			if len(out) < maxLogEntries {
				out = append(out, parseEntry(e, log))
			}
		}
		next := nextPage(n)
		// Logs that begin with the oldest entry: go on near the end, not on the next page.
		rest := (maxLogPages - 1) * len(list)
		total, _ := n.m["Members@odata.count"].(float64)
		if next != "" && page == 0 && ascending(list) && total > float64(rest+len(list)) && total < 1e9 {
			path, _, _ := strings.Cut(link, "?")
			next = fmt.Sprintf("%s?$skip=%d", path, int(total)-rest)
		}
		link = next
	}
	return out, whole
}

// readEntries reads entries that the collection only refers to, the newest of them.
func (o *sink) readEntries(ctx context.Context, refs []Node) ([]Node, bool) {
	if len(refs) > maxLogReads {
		refs = refs[len(refs)-maxLogReads:]
	}
	var links []string
	var known []Node
	for _, r := range refs {
		path, err := clean(r.id(), o.s.c.base.Host)
		if err != nil {
			continue
		}
		// An entry does not change once it is written.
		if k, ok := o.s.recall(path); ok && o.s.now().Sub(k.at) < slowFor {
			if n, err := k.node(); err == nil {
				known = append(known, n)
				continue
			}
		}
		links = append(links, path)
	}
	nodes, _, err := o.s.all(ctx, links, health)
	o.s.unplan(links)
	o.fail(err)
	return append(known, nodes...), err == nil
}

func ascending(list []Node) bool {
	if len(list) < 2 {
		return false
	}
	first, last := entryTime(list[0]), entryTime(list[len(list)-1])
	return first.Before(last)
}

func entryTime(n Node) time.Time {
	for _, key := range []string{"Created", "EventTimestamp", "Modified"} {
		text := n.str(key)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05"} {
			// No log store takes a time from before 1970 or after 2199.
			if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1971 && t.Year() < 2199 {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}

func parseEntry(n Node, log string) logEntry {
	severity := strings.ToLower(n.first("Severity", "MessageSeverity", "EventSeverity"))
	switch severity {
	case "ok", "warning", "critical":
	case "repaired", "informational":
		severity = "ok"
	case "caution":
		severity = "warning"
	default:
		severity = "unknown"
	}
	id := n.first("Id", "RecordId")
	if id == "" {
		id = n.id()
	}
	return logEntry{
		log: log, id: id, created: entryTime(n), severity: severity,
		message: clip(n.first("Message", "Name")), code: n.first("MessageId", "MessageID"),
		sensor: n.str("SensorType"), origin: short(n.link("Links.OriginOfCondition")),
	}
}

func clip(text string) string {
	if len(text) <= maxLogText {
		return text
	}
	return strings.ToValidUTF8(text[:maxLogText], "") + "…"
}
