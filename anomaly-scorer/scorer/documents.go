package scorer

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/anomaly-scorer/features"
	"github.com/inframind/inframind/anomaly-scorer/isoforest"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/zeek"
)

// findingDocument is how a finding is stored. Stored documents do not change, so one that
// grows is stored again each time it has doubled; anomaly.finding is what they share.
func (e *Engine) findingDocument(f *detect.Finding) logstore.Document {
	id, kind := f.ID, "finding"
	if f.Told {
		id, kind = fmt.Sprintf("%s.r%d", f.ID, f.Revision), "finding-update"
	}
	d := logstore.Document{ID: id, Time: f.End, Message: f.Title, Fields: map[string]any{
		"event.kind": "alert", "anomaly.type": kind, "anomaly.finding": f.ID, "anomaly.revision": f.Revision, "anomaly.detector": f.Detector, "anomaly.kind": f.Kind,
		"anomaly.severity": string(f.Severity), "anomaly.score": f.Score, "anomaly.connections": f.Connections,
		"anomaly.start": f.Start.Format(timeFormat), "anomaly.end": f.End.Format(timeFormat),
		"anomaly.reasons": f.Reasons, "anomaly.uids": f.UIDs, "anomaly.lines": f.Lines,
	}}
	set := func(name, v string) {
		if v != "" {
			d.Fields[name] = v
		}
	}
	set("anomaly.source", f.Source)
	set("anomaly.destination", f.Destination)
	set("anomaly.service", f.Service)
	for k, v := range f.Values {
		set("anomaly.values."+k, v)
	}
	e.common(d.Fields)
	return d
}

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func (e *Engine) common(fields map[string]any) {
	if e.forest != nil {
		fields["anomaly.model"] = e.forest.hash
	}
	for k, v := range e.cfg.Labels {
		fields["labels."+k] = v
	}
}

// connDocument is how a single connection is stored: all of it, and why it is here.
func (e *Engine) connDocument(c *zeek.Conn, o zeek.Origin, v *Verdict) logstore.Document {
	kind, detector := "connection", v.Detector
	if !v.Flagged {
		kind, detector = "unusual", "forest"
	}
	id := fmt.Sprintf("conn-%016x", xxhash.Sum64String(c.UID+"\x00"+strconv.FormatInt(c.Time, 10)+"\x00"+c.Orig.String()+"\x00"+c.Resp.String()))
	reasons := Reasons(c, v)
	d := logstore.Document{
		ID: id, Time: c.When(), Fields: connFields(c),
		Message: fmt.Sprintf("%s:%d -> %s:%d/%s %s: %s", c.Orig, c.OrigPort, c.Resp, c.RespPort, c.Proto, c.State, reasons[0]),
	}
	maps.Copy(d.Fields, map[string]any{
		"event.kind": "event", "anomaly.type": kind, "anomaly.detector": detector, "anomaly.score": round(v.Score),
		"anomaly.evidence": round(v.Evidence.Score), "anomaly.reasons": reasons, "anomaly.line": o.String(),
	})
	if e.forest != nil && !math.IsNaN(v.Unusual) {
		d.Fields["anomaly.unusual"] = round(v.Unusual)
		d.Fields["anomaly.features"] = e.forest.Top(3)
	}
	e.common(d.Fields)
	return d
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// connFields is the connection in ECS names where there are any, in Zeek's elsewhere.
func connFields(c *zeek.Conn) map[string]any {
	f := map[string]any{
		"source.ip": c.Orig.String(), "source.port": int(c.OrigPort), "destination.ip": c.Resp.String(), "destination.port": int(c.RespPort),
		"network.transport": c.Proto.String(), "zeek.session_id": c.UID, "zeek.connection.state": c.State.String(),
	}
	for name, s := range map[string]string{"network.protocol": c.Service, "zeek.connection.history": c.History} {
		if s != "" {
			f[name] = s
		}
	}
	for name, n := range map[string]int64{
		"source.bytes": c.OrigIPBytes, "destination.bytes": c.RespIPBytes, "source.packets": c.OrigPkts, "destination.packets": c.RespPkts,
		"zeek.connection.orig_bytes": c.OrigBytes, "zeek.connection.resp_bytes": c.RespBytes, "zeek.connection.missed_bytes": c.MissedBytes, "network.vlan.id": c.VLAN,
	} {
		if n >= 0 {
			f[name] = n
		}
	}
	if !math.IsNaN(c.Duration) {
		f["event.duration"] = int64(c.Duration * 1e9)
	}
	for name, t := range map[string]zeek.Tri{"zeek.connection.local_orig": c.LocalOrig, "zeek.connection.local_resp": c.LocalResp} {
		if t != zeek.Unset {
			f[name] = t == zeek.True
		}
	}
	return f
}

// Reasons says in words what the score of a connection is made of, the weightiest first.
func Reasons(c *zeek.Conn, v *Verdict) []string {
	e := &v.Evidence
	type part struct {
		weight float64
		text   string
	}
	parts := []part{
		{e.Source, "its source kept trying services that did not answer"},
		{e.Dest, "its destination is being tried by sources that get no answer"},
		{e.Service, "this service of the destination does not answer anyone"},
		{e.Direction, "it came from outside to a service that never answered"},
	}
	switch {
	case e.Outcome == evidence.Failed && c.Proto == zeek.TCP:
		parts = append(parts, part{e.Own, "it came to nothing (" + c.State.String() + ")"})
	case e.Outcome == evidence.Failed:
		parts = append(parts, part{e.Own, "it was not answered"})
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	var out []string
	if v.Detector != "" && v.Detector != probing {
		out = append(out, "it is part of what the "+v.Detector+" detector found")
	}
	for _, p := range parts {
		if p.weight > .3 && (v.Flagged && e.Flagged() || len(out) == 0) {
			out = append(out, fmt.Sprintf("%s (%+.1f)", p.text, p.weight))
		}
	}
	if v.Unusual > .99 {
		out = append(out, fmt.Sprintf("%.2f %% of usual connections are less strange", 100*v.Unusual))
	}
	if len(out) == 0 {
		out = append(out, "nothing speaks against it")
	}
	return out
}

// Top names the features that made the connection last judged most unusual, with their
// values.
func (f *Forest) Top(n int) []string {
	parts, err := f.forest.Explain(f.row)
	if err != nil {
		return nil
	}
	names := features.Names()
	slices.SortFunc(parts, func(a, b isoforest.Contribution) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return a.Column - b.Column
	})
	var out []string
	for _, p := range parts[:min(n, len(parts))] {
		if p.Share > 0 {
			lo, hi := f.usualRange(p.Column)
			out = append(out, fmt.Sprintf("%s = %.3g (usual %.3g to %.3g)", names[p.Column], f.row[p.Column], lo, hi))
		}
	}
	return out
}
