package redfish

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/exporter/eventlog"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
)

// maxSeen is how many entries of one log are remembered; it exceeds what one scrape reads.
const maxSeen = 2 * maxLogEntries

// Logs says where entries of the BMCs' event logs go. Empty: nowhere.
type Logs struct {
	eventlog.Config `yaml:",inline"`
	// Stream also listens to server-sent events where the BMC offers them. It takes a
	// connection to each BMC for good; an entry may come as event and as log entry.
	Stream bool `yaml:"stream,omitempty"`
	// Push subscribes to the BMCs' events, where they offer that and no stream is used.
	Push *Push `yaml:"push,omitempty"`
	// StateDir keeps what was passed on already; without it a restart repeats entries.
	StateDir string `yaml:"state_dir,omitempty"`
	// Backlog is how old an entry may be when a log is seen for the first time; default 1d.
	Backlog model.Duration `yaml:"backlog,omitempty"`
}

func (l *Logs) validate() error {
	if l.Backlog == 0 {
		l.Backlog = model.Duration(24 * time.Hour)
	}
	if l.Push != nil {
		if err := l.Push.validate(); err != nil {
			return err
		}
	}
	return l.Config.Validate()
}

// shipper passes new entries on, each once: what was passed on is remembered after the write.
type shipper struct {
	conf    Logs
	out     *eventlog.Output
	metrics *driverMetrics

	mu   sync.Mutex
	seen map[string]*seenEntries // by target
}

// seenEntries is the state file of one target.
type seenEntries struct {
	mu sync.Mutex
	// Logs holds, by log, the short hashes of the entries passed on, oldest first. A log that
	// was read at least once has an element.
	Logs map[string][]uint64 `json:"logs"`
}

func newShipper(conf Logs, store eventlog.Store, log *slog.Logger, reg prometheus.Registerer, m *driverMetrics) (*shipper, error) {
	if conf.StateDir != "" {
		if err := os.MkdirAll(conf.StateDir, 0o750); err != nil {
			return nil, fmt.Errorf("logs.state_dir: %w", err)
		}
	}
	out, err := eventlog.New(conf.Config, "redfish", store, log, reg)
	if err != nil {
		return nil, err
	}
	return &shipper{conf: conf, out: out, metrics: m, seen: map[string]*seenEntries{}}, nil
}

// ship writes those of target's entries that were not written before. logs are the event
// logs that were read whole, even when they are empty; of a log seen for the first time
// only entries of the last days count.
func (s *shipper) ship(ctx context.Context, target string, logs []string, entries []logEntry) error {
	if !s.out.Enabled() || len(logs)+len(entries) == 0 {
		return nil
	}
	state, err := s.state(target)
	if err != nil {
		return err
	}
	state.mu.Lock()
	defer state.mu.Unlock()
	slices.SortStableFunc(entries, func(a, b logEntry) int { return a.created.Compare(b.created) })
	docs, next := state.news(target, entries, time.Now().Add(-time.Duration(s.conf.Backlog)))
	for _, log := range logs {
		if _, ok := state.Logs[log]; !ok && next[log] == nil {
			next[log] = []uint64{}
		}
	}
	if len(next) == 0 {
		return nil
	}
	if err := s.out.Write(ctx, docs); err != nil {
		return err
	}
	for _, d := range docs {
		severity, _ := d.Fields["redfish.severity"].(string)
		s.metrics.shipped.WithLabelValues(severity).Inc()
	}
	maps.Copy(state.Logs, next)
	if s.conf.StateDir == "" {
		return nil
	}
	if err := job.SaveJSON(s.file(target), state); err != nil {
		return fmt.Errorf("save log cursor: %w", err)
	}
	return nil
}

// news are the entries that were not seen before, and the logs they change as they will be
// once those are written.
func (e *seenEntries) news(target string, entries []logEntry, oldest time.Time) (docs []logstore.Document, next map[string][]uint64) {
	next = map[string][]uint64{}
	known := map[string]map[uint64]bool{}
	for _, entry := range entries {
		seen := known[entry.log]
		if seen == nil {
			seen = make(map[uint64]bool, len(e.Logs[entry.log]))
			for _, h := range e.Logs[entry.log] {
				seen[h] = true
			}
			known[entry.log] = seen
		}
		id := entry.hash(target)
		short := binary.BigEndian.Uint64(id)
		if seen[short] {
			continue
		}
		seen[short] = true
		hashes, changed := next[entry.log]
		old, ever := e.Logs[entry.log]
		if !changed {
			hashes = slices.Clone(old)
		}
		hashes = append(hashes, short)
		next[entry.log] = hashes[max(0, len(hashes)-maxSeen):]
		if ever || entry.log == eventService || entry.created.IsZero() || !entry.created.Before(oldest) {
			docs = append(docs, entry.document(target, id))
		}
	}
	return docs, next
}

func (s *shipper) file(target string) string {
	return filepath.Join(s.conf.StateDir, fmt.Sprintf("redfish-log-%x.json", hashOf(target)))
}

// state finds the state of target.
func (s *shipper) state(target string) (*seenEntries, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.seen[target]; st != nil {
		return st, nil
	}
	st := &seenEntries{}
	if s.conf.StateDir != "" {
		if err := job.LoadJSON(s.file(target), st); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("load log cursor: %w", err)
		}
	}
	if st.Logs == nil {
		st.Logs = map[string][]uint64{}
	}
	s.seen[target] = st
	return st, nil
}

func hashOf(parts ...string) []byte {
	h := fnv.New128a()
	for _, p := range parts {
		h.Write([]byte(p + "\x00"))
	}
	return h.Sum(nil)
}

// hash identifies an entry. Ids are reused after a log was cleared, so time and text count too.
func (e logEntry) hash(target string) []byte {
	return hashOf(target, e.log, e.id, e.created.String(), e.message)
}

func (e logEntry) document(target string, hash []byte) logstore.Document {
	at := e.created
	if at.IsZero() {
		at = time.Now().UTC()
	}
	level := e.severity
	if level == "ok" {
		level = "info"
	}
	fields := map[string]any{
		"host.name": target, "service.name": "redfish", "log.level": level, "redfish.severity": e.severity,
		"event.dataset": "redfish." + filepath.Base(e.log), "redfish.log": e.log, "redfish.entry": e.id,
	}
	for key, v := range map[string]string{"event.code": e.code, "redfish.sensor_type": e.sensor, "redfish.origin": e.origin} {
		if v != "" {
			fields[key] = v
		}
	}
	return logstore.Document{ID: fmt.Sprintf("%x", hash), Time: at, Message: e.message, Fields: fields}
}
