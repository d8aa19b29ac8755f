package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/logstore"
)

const (
	maxEvents  = 1000 // entries read in one scrape; the next one goes on
	writeLimit = 3 * time.Second
	maxClasses = 64 // label values of class; the specification has 45
)

// selState is how far a target's event log has been read and what was counted in it.
type selState struct {
	Cursor ipmi.Cursor                  `json:"cursor"`
	Counts map[string]map[string]uint64 `json:"counts"` // class, severity
	Latest time.Time                    `json:"latest"` // of the entries read

	metrics []prometheus.Metric // of Counts, until they change
}

// collectSEL reads new entries of the event log, hands them on and counts them.
func (s *scrape) collectSEL(ctx context.Context, ch chan<- prometheus.Metric) error {
	return s.optional("SEL", func() error {
		info, err := ipmi.GetSELInfo(ctx, s.conn())
		if err != nil {
			return err
		}
		ch <- gauge("ipmi_sel_entries", "Entries in the event log.", float64(info.Entries))
		ch <- gauge("ipmi_sel_free_bytes", "Free space in the event log.", float64(info.Free))
		ch <- gauge("ipmi_sel_overflow", "Whether entries were lost because the event log was full.", asFloat(info.Overflow))
		st, err := s.selState()
		if err != nil {
			return err
		}
		err = s.readSEL(ctx, info, st)
		for _, m := range st.counters() {
			ch <- m
		}
		if !st.Latest.IsZero() {
			ch <- gauge("ipmi_sel_latest_entry_timestamp_seconds", "Time of the newest entry of the event log, by the BMC's clock.", float64(st.Latest.Unix()))
		}
		return err
	})
}

func (s *scrape) selState() (*selState, error) {
	if s.target.sel == nil {
		st := &selState{}
		if err := s.driver.disk.load("sel", s.target.name, st); err != nil {
			return nil, err
		}
		if st.Counts == nil {
			st.Counts = map[string]map[string]uint64{}
		}
		s.target.sel = st
	}
	return s.target.sel, nil
}

// readSEL reads what is new. The cursor moves only after the entries were written.
func (s *scrape) readSEL(ctx context.Context, info ipmi.SELInfo, st *selState) error {
	var events []ipmi.Event
	var docs []logstore.Document
	began := time.Now()
	// What is read must also be written in this scrape, or a slow BMC would be read in vain.
	reading := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		reading, cancel = context.WithTimeout(ctx, time.Until(deadline)*3/4)
		defer cancel()
	}
	cur, err := ipmi.ReadSEL(reading, s.conn(), info, st.Cursor, maxEvents, func(r ipmi.SELRecord, epoch uint32) {
		e := r.Decode(s.target.repo.index)
		events = append(events, e)
		docs = append(docs, s.document(r, e, epoch))
	})
	s.note(fmt.Sprintf("%d new SEL entries", len(events)), began, err)
	if cur == st.Cursor {
		return err
	}
	// A log store that is down must not use up every scrape.
	short, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := s.driver.events.Write(short, docs); err != nil {
		return err
	}
	st.Cursor = cur
	for _, e := range events {
		st.count(e)
	}
	if serr := s.driver.disk.save("sel", s.target.name, st); err == nil {
		err = serr
	}
	return err
}

// counters are the counts as metrics.
func (st *selState) counters() []prometheus.Metric {
	if st.metrics != nil {
		return st.metrics
	}
	for class, severities := range st.Counts {
		for severity, n := range severities {
			st.metrics = append(st.metrics, constant(prometheus.CounterValue, "ipmi_sel_events_total",
				"Entries of the event log since it is watched, by sensor type and severity.", float64(n), "class", class, "severity", severity))
		}
	}
	return st.metrics
}

func (st *selState) count(e ipmi.Event) {
	st.metrics = nil
	class := e.Class
	if st.Counts[class] == nil {
		if len(st.Counts) >= maxClasses {
			class = "other"
		}
		if st.Counts[class] == nil {
			st.Counts[class] = map[string]uint64{}
		}
	}
	st.Counts[class][e.Severity.String()]++
	if e.Time.After(st.Latest) {
		st.Latest = e.Time
	}
}

// document makes a log record of an entry. Its id is the same whenever the entry is read.
func (s *scrape) document(r ipmi.SELRecord, e ipmi.Event, epoch uint32) logstore.Document {
	at := e.Time
	if at.IsZero() {
		at = s.start.UTC()
	} else {
		epoch = 0 // the time says which entry it is
	}
	host := s.target.name
	if host == LocalTarget && s.driver.host != "" { // every machine has one
		host = s.driver.host
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %x", host, epoch, r[:]))
	level := map[ipmi.Severity]string{ipmi.Failed: "error", ipmi.Degraded: "warn", ipmi.Predicted: "warn"}[e.Severity]
	if level == "" {
		level = "info"
	}
	f := map[string]any{
		"host.name": host, "event.dataset": "ipmi.sel", "service.name": "ipmi", "log.level": level,
		"ipmi.record_id": int64(e.ID), "ipmi.record_type": int64(e.Record), "ipmi.class": e.Class, "ipmi.severity": e.Severity.String(),
		"ipmi.raw": hex.EncodeToString(r[:]),
	}
	if e.Record < 0xc0 {
		f["ipmi.sensor"], f["ipmi.sensor_number"] = e.Sensor, int64(e.Number)
		f["ipmi.state"], f["ipmi.asserted"] = e.State, e.Asserted
	}
	return logstore.Document{ID: "ipmi-" + hex.EncodeToString(sum[:16]), Time: at, Message: strings.ToValidUTF8(e.String(), ""), Fields: f}
}
