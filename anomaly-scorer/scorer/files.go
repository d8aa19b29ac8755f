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
	"slices"
	"strconv"

	"github.com/inframind/inframind/anomaly-scorer/detect"
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
	By                              map[string]int // flagged connections by detector
	Findings                        []detect.Finding
}

// ErrNoLogs says that a directory holds nothing to score.
var ErrNoLogs = errors.New("no connection log found")

// Files scores all logs of dir from the beginning, without any memory of earlier runs, and
// without any server. forest may be nil.
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
	p := NewPipeline(c, forest)
	sum := Summary{By: map[string]int{}}
	rows, err := newRowWriter(s.Rows)
	if err != nil {
		return sum, err
	}
	h := zeek.Handler{
		Conn: func(conn *zeek.Conn, o zeek.Origin) error {
			v := p.Conn(conn, o)
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
		App: func(a *zeek.App, k zeek.Kind, o zeek.Origin) error { p.App(a, k, o); return nil },
		Bad: func(o zeek.Origin, text []byte, err error) error {
			sum.Malformed++
			if s.Bad != nil {
				s.Bad(o, text, err)
			}
			return nil
		},
	}
	for _, k := range kinds {
		if _, err := (zeek.Scanner{Dir: dir, Final: true}).Scan(ctx, k, nil, h); err != nil {
			return sum, err
		}
	}
	if err := rows.flush(); err != nil {
		return sum, err
	}
	for _, f := range p.Findings() {
		if !c.allows(f.Detector, f.Source, f.Destination, f.Service) {
			f.Labels = c.Labels
			sum.Findings = append(sum.Findings, f)
		}
	}
	slices.SortFunc(sum.Findings, bySeverity)
	return sum, writeFindings(s.Findings, sum.Findings)
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
