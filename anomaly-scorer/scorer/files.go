package scorer

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/anomaly-scorer/detect"
	"github.com/inframind/inframind/anomaly-scorer/evidence"
	"github.com/inframind/inframind/internal/zeek"
)

// Sinks take what Files makes; nil ones are left out.
type Sinks struct {
	Rows     io.Writer // CSV, one row a connection, in the order of the logs
	Findings io.Writer // JSON lines, one a finding
	// Conn is called after each connection.
	Conn func(c *zeek.Conn, v *Verdict)
	// Bad is called for each malformed line, and with line 0 for each unreadable file.
	Bad func(o zeek.Origin, text []byte, err error)
}

// Summary is what Files saw.
type Summary struct {
	Connections, Flagged, Malformed int
	Dropped                         int            // records of findings that a detector had no room for: 4,096 a day
	By                              map[string]int // flagged connections by detector
	Findings                        []detect.Finding
}

// ErrNoLogs says that a directory holds nothing to score.
var ErrNoLogs = errors.New("no connections found")

// Files scores all logs of dir from the beginning, without any memory of earlier runs, and
// without any server. It reads the connections twice. forest may be nil.
func Files(ctx context.Context, c Config, dir string, forest *Forest, s Sinks) (Summary, error) {
	if err := c.Validate(); err != nil {
		return Summary{}, err
	}
	files, err := zeek.Files(dir, zeek.KindConn)
	if err != nil {
		return Summary{}, err
	}
	if len(files) == 0 {
		return Summary{}, fmt.Errorf("%w in %s: want conn.log, conn.*.log.gz or eve.json there or below", ErrNoLogs, dir)
	}
	hind, err := look(ctx, c, dir, s.Bad)
	if err != nil {
		return Summary{}, err
	}
	runtime.GC() // what the first pass remembered goes before the second one begins
	sum := Summary{By: map[string]int{}, Malformed: hind.malformed, Dropped: hind.dropped, Findings: hind.findings}
	rows, err := newRowWriter(s.Rows)
	if err != nil {
		return sum, err
	}
	p := NewPipeline(c, forest)
	_, err = zeek.Scanner{Dir: dir, Final: true}.Scan(ctx, zeek.KindConn, nil, zeek.Handler{
		Conn: func(conn *zeek.Conn, o zeek.Origin) error {
			v := p.Conn(conn, o)
			hind.correct(conn, &v)
			if v.Flagged && c.allows(v.Detector, conn.Orig.String(), conn.Resp.String(), detect.Service(conn)) {
				v.Flagged = false
			}
			sum.Connections++
			if v.Flagged {
				sum.Flagged++
				sum.By[v.Detector]++
			}
			if s.Conn != nil {
				s.Conn(conn, &v)
			}
			return rows.write(conn, &v)
		},
		Bad: func(zeek.Origin, []byte, error) error { return nil }, // told by look
	})
	if err != nil {
		return sum, err
	}
	if sum.Connections == 0 && sum.Malformed > 0 {
		return sum, fmt.Errorf("%w in %s: %d files or lines were not to be read", ErrNoLogs, dir, sum.Malformed)
	}
	return sum, errors.Join(rows.flush(), writeFindings(s.Findings, sum.Findings))
}

// hindsight is what is known when all logs were read: the beginning of a beacon or a flood
// cannot be told from anything else when it happens.
type hindsight struct {
	findings  []detect.Finding
	malformed int
	dropped   int
	pairs     map[pairKey]*detect.Finding
	scans     map[string]*detect.Finding // by source
	uids      map[string]string          // detector by uid, of application records
}

type pairKey struct{ src, dst, service string }

// maxUIDs bounds the connections remembered for their application records.
const maxUIDs = 1 << 20

// look reads everything once, for the findings.
func look(ctx context.Context, c Config, dir string, bad func(zeek.Origin, []byte, error)) (*hindsight, error) {
	p := NewPipeline(c, nil)
	h := &hindsight{pairs: map[pairKey]*detect.Finding{}, scans: map[string]*detect.Finding{}, uids: map[string]string{}}
	handler := zeek.Handler{
		Conn: func(conn *zeek.Conn, o zeek.Origin) error { p.Conn(conn, o); return nil },
		App: func(a *zeek.App, k zeek.Kind, o zeek.Origin) error {
			if d := p.App(a, k, o); d != "" && len(h.uids) < maxUIDs && a.UID != "" {
				h.uids[a.UID] = d
			}
			return nil
		},
		Bad: func(o zeek.Origin, text []byte, err error) error {
			h.malformed++
			if bad != nil {
				bad(o, text, err)
			}
			return nil
		},
	}
	for _, k := range kinds {
		if _, err := (zeek.Scanner{Dir: dir, Final: true}).Scan(ctx, k, nil, handler); err != nil {
			return nil, err
		}
	}
	for _, f := range p.Findings() {
		if !c.allows(f.Detector, f.Source, f.Destination, f.Service) {
			f.Labels = c.Labels
			h.findings = append(h.findings, f)
		}
	}
	h.dropped = p.dropped
	slices.SortFunc(h.findings, bySeverity)
	h.remember()
	return h, h.tunnels(ctx, dir)
}

// remember sorts the findings whose beginning is to be flagged, too.
func (h *hindsight) remember() {
	for i := range h.findings {
		f := &h.findings[i]
		switch {
		case f.Detector == "beacon" && (f.Severity == detect.High || f.Severity == detect.Medium), f.Detector == "flood":
			h.pairs[pairKey{f.Source, f.Destination, f.Service}] = f
		case f.Detector == "scan" && f.Source != "":
			h.scans[f.Source] = f
		}
	}
}

// tunnels finds the queries of a DNS tunnel that came before it was one.
func (h *hindsight) tunnels(ctx context.Context, dir string) error {
	domains := map[string][]string{} // by source
	for _, f := range h.findings {
		if f.Detector == "dns_tunnel" {
			domains[f.Source] = append(domains[f.Source], "."+f.Destination)
		}
	}
	if len(domains) == 0 {
		return nil
	}
	_, err := zeek.Scanner{Dir: dir, Final: true}.Scan(ctx, zeek.KindDNS, nil, zeek.Handler{
		App: func(a *zeek.App, _ zeek.Kind, _ zeek.Origin) error {
			for _, d := range domains[a.Orig.String()] {
				if strings.HasSuffix(strings.ToLower(a.Name), d) && len(h.uids) < maxUIDs {
					h.uids[a.UID] = "dns_tunnel"
				}
			}
			return nil
		},
		Bad: func(zeek.Origin, []byte, error) error { return nil }, // told before
	})
	return err
}

// correct flags a connection that belongs to what was found later.
func (h *hindsight) correct(c *zeek.Conn, v *Verdict) {
	if v.Flagged {
		return
	}
	if d, ok := h.uids[c.UID]; ok {
		v.Score, v.Flagged, v.Detector = max(v.Score, .9), true, d
		return
	}
	if len(h.pairs)+len(h.scans) == 0 {
		return
	}
	src, service, t := c.Orig.String(), detect.Service(c), c.When()
	if f := h.scans[src]; f != nil && v.Evidence.First && partOf(f, c, service, v.Evidence.Outcome) && !t.Before(f.Start.Add(-scanLead)) && !t.After(f.End) {
		v.Score, v.Flagged, v.Detector = max(v.Score, f.Score), true, f.Detector
		return
	}
	f := h.pairs[pairKey{src, c.Resp.String(), service}]
	if f != nil && f.Score >= Threshold && t.Before(f.End) && f.Start.Sub(t) < 24*time.Hour {
		v.Score, v.Flagged, v.Detector = max(v.Score, f.Score), true, f.Detector
	}
}

// scanLead is how long before it is told a scan may have begun.
const scanLead = 10 * time.Minute

// partOf tells whether a first contact of a scanner is what the finding is about: where
// the scan meets open ports what it has in common, otherwise what failed.
func partOf(f *detect.Finding, c *zeek.Conn, service string, o evidence.Outcome) bool {
	switch f.Kind {
	case "sweep":
		return f.Service == service
	case "open ports":
		return f.Destination == c.Resp.String()
	}
	return o == evidence.Failed
}

// bySeverity puts what matters most first.
func bySeverity(a, b detect.Finding) int {
	rank := func(f detect.Finding) int { return -slices.Index(detect.Severities[:], f.Severity) }
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Score, a.Score), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
}

func writeFindings(w io.Writer, findings []detect.Finding) error {
	if w == nil {
		return nil
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range findings {
		if err := enc.Encode(&findings[i]); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	}
	return nil
}

// rowWriter writes the CSV of rows.
type rowWriter struct {
	b   *bufio.Writer
	w   *csv.Writer
	rec []string
}

func newRowWriter(w io.Writer) (*rowWriter, error) {
	if w == nil {
		return &rowWriter{}, nil
	}
	b := bufio.NewWriterSize(w, 64<<10)
	r := &rowWriter{b: b, w: csv.NewWriter(b), rec: make([]string, 6)}
	if err := r.w.Write([]string{"uid", "ts", "id.orig_h", "id.resp_h", "score", "flagged"}); err != nil {
		return nil, fmt.Errorf("write rows: %w", err)
	}
	return r, nil
}

func (r *rowWriter) write(c *zeek.Conn, v *Verdict) error {
	if r.w == nil {
		return nil
	}
	flagged := "0"
	if v.Flagged {
		flagged = "1"
	}
	r.rec[0], r.rec[1], r.rec[2], r.rec[3] = c.UID, zeek.FormatTime(c.Time), c.Orig.String(), c.Resp.String()
	r.rec[4], r.rec[5] = strconv.FormatFloat(v.Score, 'f', 6, 64), flagged
	if err := r.w.Write(r.rec); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

func (r *rowWriter) flush() error {
	if r.w == nil {
		return nil
	}
	r.w.Flush()
	if err := errors.Join(r.w.Error(), r.b.Flush()); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
