package redfish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
)

const maxSeen = 5000 // entries remembered for one target

// Logs says where entries of the BMCs' event logs go. Empty: nowhere.
type Logs struct {
	// Output is stdout for JSON lines, or a syslog server: udp://host:514, tcp://host:601,
	// unix:///dev/log.
	Output string `yaml:"output,omitempty"`
	// Stream also listens to server-sent events where the BMC offers them. It takes a
	// connection to each BMC for good; an entry may come as event and as log entry.
	Stream bool `yaml:"stream,omitempty"`
	// StateDir keeps what was passed on already; without it a restart repeats entries.
	StateDir string `yaml:"state_dir,omitempty"`
	// Backlog is how old an entry may be when a target is seen for the first time; default 1d.
	Backlog model.Duration `yaml:"backlog,omitempty"`
}

func (l *Logs) validate() error {
	if l.Backlog == 0 {
		l.Backlog = model.Duration(24 * time.Hour)
	}
	if l.Output == "" || l.Output == "stdout" {
		return nil
	}
	u, err := url.Parse(l.Output)
	if err != nil || !slices.Contains([]string{"udp", "tcp", "unix"}, u.Scheme) || u.Host+u.Path == "" {
		return fmt.Errorf("logs.output: must be stdout, udp://host:port, tcp://host:port or unix:///path")
	}
	return nil
}

// LogWriter is the part of a logstore.Store that takes entries.
type LogWriter interface {
	Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error)
}

// shipper passes new entries on, each once: what was passed on is remembered after the write.
type shipper struct {
	conf    Logs
	writers []LogWriter
	metrics *driverMetrics
	closers []io.Closer

	mu   sync.Mutex
	seen map[string]*seenEntries // by target
}

// seenEntries is the state file of one target.
type seenEntries struct {
	mu     sync.Mutex
	Hashes []string `json:"hashes"` // of the entries passed on, oldest first
}

func newShipper(conf Logs, store LogWriter, m *driverMetrics) (*shipper, error) {
	s := &shipper{conf: conf, metrics: m, seen: map[string]*seenEntries{}}
	if store != nil {
		s.writers = append(s.writers, store)
		if c, ok := store.(io.Closer); ok {
			s.closers = append(s.closers, c)
		}
	}
	switch conf.Output {
	case "":
	case "stdout":
		s.writers = append(s.writers, &lineWriter{w: os.Stdout, format: jsonLine})
	default:
		u, err := url.Parse(conf.Output)
		if err != nil {
			return nil, fmt.Errorf("logs.output: %w", err)
		}
		d := &dialWriter{network: u.Scheme, address: u.Host}
		if u.Scheme == "unix" {
			d.network, d.address = "unixgram", u.Path
		}
		s.writers = append(s.writers, &lineWriter{w: d, format: syslogLine})
		s.closers = append(s.closers, d)
	}
	if conf.StateDir != "" {
		if err := os.MkdirAll(conf.StateDir, 0o750); err != nil {
			return nil, fmt.Errorf("logs.state_dir: %w", err)
		}
	}
	return s, nil
}

func (s *shipper) enabled() bool { return len(s.writers) > 0 }

func (s *shipper) close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// ship writes the entries of target that were not written before.
func (s *shipper) ship(ctx context.Context, target string, entries []logEntry) error {
	if !s.enabled() || len(entries) == 0 {
		return nil
	}
	state, known, err := s.state(target)
	if err != nil {
		return err
	}
	state.mu.Lock()
	defer state.mu.Unlock()
	old := map[string]bool{}
	for _, h := range state.Hashes {
		old[h] = true
	}
	slices.SortStableFunc(entries, func(a, b logEntry) int { return a.created.Compare(b.created) })
	var docs []logstore.Document
	hashes := state.Hashes
	oldest := time.Now().Add(-time.Duration(s.conf.Backlog))
	for _, e := range entries {
		h := e.hash(target)
		if old[h] {
			continue
		}
		old[h] = true
		hashes = append(hashes, h)
		if !known && !e.created.IsZero() && e.created.Before(oldest) {
			continue
		}
		docs = append(docs, e.document(target, h))
	}
	if len(hashes) == len(state.Hashes) {
		return nil
	}
	for _, w := range s.writers {
		rejected, err := w.Write(ctx, logstore.IndexLogs, docs)
		if err != nil {
			return fmt.Errorf("write event log entries: %w", err)
		}
		if len(rejected) > 0 {
			return fmt.Errorf("log store rejected %d event log entries, the first because %s", len(rejected), rejected[0].Reason)
		}
	}
	for _, d := range docs {
		severity, _ := d.Fields["log.level"].(string)
		s.metrics.shipped.WithLabelValues(severity).Inc()
	}
	if len(hashes) > maxSeen {
		hashes = hashes[len(hashes)-maxSeen:]
	}
	state.Hashes = slices.Clone(hashes)
	if s.conf.StateDir == "" {
		return nil
	}
	if err := job.SaveJSON(s.file(target), state); err != nil {
		return fmt.Errorf("save log cursor: %w", err)
	}
	return nil
}

func (s *shipper) file(target string) string {
	return filepath.Join(s.conf.StateDir, "redfish-log-"+hashOf(target)+".json")
}

// state finds the state of target; known is false when it was never seen.
func (s *shipper) state(target string) (st *seenEntries, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st = s.seen[target]; st != nil {
		return st, true, nil
	}
	st = &seenEntries{}
	if s.conf.StateDir != "" {
		switch err := job.LoadJSON(s.file(target), st); {
		case err == nil:
			known = len(st.Hashes) > 0
		case !errors.Is(err, os.ErrNotExist):
			return nil, false, fmt.Errorf("load log cursor: %w", err)
		}
	}
	s.seen[target] = st
	return st, known, nil
}

func hashOf(parts ...string) string {
	h := fnv.New128a()
	for _, p := range parts {
		h.Write([]byte(p + "\x00"))
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// hash identifies an entry. Ids are reused after a log was cleared, so time and text count too.
func (e logEntry) hash(target string) string {
	return hashOf(target, e.log, e.id, e.created.String(), e.message)
}

func (e logEntry) document(target, hash string) logstore.Document {
	at := e.created
	if at.IsZero() {
		at = time.Now().UTC()
	}
	fields := map[string]any{
		"host.name": target, "service.name": "redfish", "log.level": e.severity,
		"event.dataset": "redfish." + filepath.Base(e.log), "redfish.log": e.log, "redfish.entry": e.id,
	}
	for key, v := range map[string]string{"event.code": e.code, "redfish.sensor_type": e.sensor, "redfish.origin": e.origin} {
		if v != "" {
			fields[key] = v
		}
	}
	return logstore.Document{ID: hash, Time: at, Message: e.message, Fields: fields}
}

// lineWriter writes documents as lines.
type lineWriter struct {
	mu     sync.Mutex
	w      io.Writer
	format func(logstore.Document) ([]byte, error)
}

func (l *lineWriter) Write(_ context.Context, _ string, docs []logstore.Document) ([]logstore.Rejected, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range docs {
		line, err := l.format(d)
		if err != nil {
			return nil, err
		}
		if _, err := l.w.Write(line); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func jsonLine(d logstore.Document) ([]byte, error) {
	m := map[string]any{"@timestamp": d.Time.Format(time.RFC3339Nano), "message": d.Message, "event.id": d.ID}
	maps.Copy(m, d.Fields)
	line, err := json.Marshal(m)
	return append(line, '\n'), err
}

// syslogLine is RFC 5424 with the JSON line as its message; facility local0.
func syslogLine(d logstore.Document) ([]byte, error) {
	line, err := jsonLine(d)
	if err != nil {
		return nil, err
	}
	level := map[any]int{"critical": 2, "warning": 4, "ok": 6}[d.Fields["log.level"]]
	if level == 0 {
		level = 5
	}
	return fmt.Appendf(nil, "<%d>1 %s %s redfish - - - %s", 16*8+level, d.Time.Format(time.RFC3339Nano), d.Fields["host.name"], line), nil
}

// dialWriter writes to a network address and dials again after an error.
type dialWriter struct {
	network, address string
	mu               sync.Mutex
	conn             net.Conn
}

func (d *dialWriter) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		conn, err := net.DialTimeout(d.network, d.address, 5*time.Second)
		if err != nil {
			return 0, err
		}
		d.conn = conn
	}
	if err := d.conn.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
		slog.Debug("set deadline", "err", err)
	}
	n, err := d.conn.Write(p)
	if err != nil {
		err = errors.Join(err, d.conn.Close())
		d.conn = nil
	}
	return n, err
}

// Close closes the connection.
func (d *dialWriter) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil
	}
	err := d.conn.Close()
	d.conn = nil
	return err
}
