package snmp

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter"
)

// scrape is one reading of one device: its modules are walked one after the other into one
// exposition, since two modules may share a metric.
type scrape struct {
	client  *walk.Client
	device  *walk.Device
	opts    Options
	trace   *exporter.Trace
	out     *exposition
	tables  []*table // of each module, for what is derived from them
	keepAll bool     // columns are needed after conversion
}

// counts are a client's counters at some moment.
type counts struct{ packets, retries int64 }

func (s *scrape) counts() counts {
	return counts{s.client.Packets.Load(), s.client.Retries.Load()}
}

// module walks m and adds its samples. The error says what is missing; what was read is kept.
func (s *scrape) module(ctx context.Context, m *module) error {
	start, before := time.Now(), s.counts()
	t := newTable(m)
	lost, pdus, err := s.read(ctx, m, t)
	walked := time.Since(start)
	after := s.counts()
	return s.finish(m.name, []*table{t}, report{
		start: start, walked: walked, packets: after.packets - before.packets, retries: after.retries - before.retries, pdus: pdus, lost: lost, err: err,
	})
}

// auto walks the profiles that fit the device. All their columns are walked together, so that
// those that several profiles want are read once and absent tables share packets.
func (s *scrape) auto(ctx context.Context, mods []*module) error {
	start, before := time.Now(), s.counts()
	scalar := map[string]bool{}
	var gets []string
	for _, m := range mods {
		gets = append(gets, m.gets...)
		for _, c := range m.columns {
			was, known := scalar[c.OID]
			scalar[c.OID] = c.Scalar && (was || !known)
		}
	}
	r := report{start: start}
	p := params(mods[0])
	columns := make([]walk.Column, 0, len(scalar))
	for oid, is := range scalar {
		columns = append(columns, walk.Column{OID: oid, Scalar: is})
	}
	walked, err := s.client.Walk(ctx, p, columns)
	rows := make(map[string]walk.Walked, len(walked))
	for _, w := range walked {
		rows[w.OID] = w
		r.pdus += len(w.Rows)
		if w.Err != nil {
			r.lost = append(r.lost, w)
		}
	}
	slices.Sort(gets)
	var got []walk.Instance
	if err == nil {
		var missed int
		got, missed, err = s.client.Get(ctx, p, slices.Compact(gets))
		r.pdus += len(got)
		if missed > 0 {
			r.lost = append(r.lost, walk.Walked{OID: gets[0], Err: walk.ErrDeviceError})
		}
	}
	r.err, r.walked = err, time.Since(start)
	after := s.counts()
	r.packets, r.retries = after.packets-before.packets, after.retries-before.retries
	var tables []*table
	for _, m := range mods {
		t := newTable(m)
		for _, c := range m.columns {
			t.add(rows[c.OID])
		}
		for _, in := range got {
			t.addInstance(in)
		}
		if len(t.columns) > 0 {
			tables = append(tables, t)
			s.out.gauge("snmp_auto_profile_info", "Profile that the device answered to; the value is always 1.", 1, pair{"profile", m.name})
		}
	}
	return s.finish(AutoModule, tables, r)
}

// report is what reading one module took and gave.
type report struct {
	start            time.Time
	walked           time.Duration
	packets, retries int64
	pdus             int
	lost             []walk.Walked
	err              error
}

// finish turns what was read into samples, and r into the metrics of the scrape.
func (s *scrape) finish(name string, tables []*table, r report) error {
	duplicates, unusable := s.out.duplicates, 0
	for _, t := range tables {
		if s.keepAll {
			kept := *t
			kept.columns = maps.Clone(t.columns)
			s.tables = append(s.tables, &kept)
		}
		unusable += t.convert(s.out, s.opts.WrapCounters)
	}
	label := pair{"module", name}
	s.out.gauge("snmp_scrape_walk_duration_seconds", "Time SNMP walk/bulkwalk took.", r.walked.Seconds(), label)
	s.out.gauge("snmp_scrape_packets_sent", "Packets sent for get, bulkget, and walk; including retries.", float64(r.packets), label)
	s.out.gauge("snmp_scrape_packets_retried", "Packets retried for get, bulkget, and walk.", float64(r.retries), label)
	s.out.gauge("snmp_scrape_pdus_returned", "PDUs returned from get, bulkget, and walk.", float64(r.pdus), label)
	s.out.gauge("snmp_scrape_duration_seconds", "Total SNMP time scrape took (walk and processing).", time.Since(r.start).Seconds(), label)
	s.out.gauge("snmp_scrape_columns_lost", "Columns of which rows are missing: the device did not answer, repeated itself or reported an error.", float64(len(r.lost)), label)
	s.out.gauge("snmp_scrape_duplicates_replaced", "Samples that took the place of an earlier one with the same labels.", float64(s.out.duplicates-duplicates), label)
	s.out.gauge("snmp_scrape_values_unusable", "Values that do not fit the type of their metric and are left out.", float64(unusable), label)
	s.trace.Add("module "+name, r.start, fmt.Sprintf("%d values, %d packets, %d columns lost", r.pdus, r.packets, len(r.lost)), 0)
	if r.err != nil {
		return exporter.Fail(reason(r.err), fmt.Errorf("module %s: %w", name, r.err))
	}
	if len(r.lost) > 0 {
		first := r.lost[0]
		return exporter.Fail(reason(first.Err), fmt.Errorf("module %s: %d columns are incomplete, the first is %s: %w", name, len(r.lost), first.OID, first.Err))
	}
	return nil
}

func params(m *module) walk.Params {
	p := m.conf.WalkParams
	retries := conf.DefaultRetries
	if p.Retries != nil {
		retries = *p.Retries
	}
	return walk.Params{MaxRepetitions: p.MaxRepetitions, Retries: retries, Timeout: p.Timeout, AllowNonIncreasing: p.AllowNonIncreasingOIDs}
}

// read asks for everything m wants.
func (s *scrape) read(ctx context.Context, m *module, t *table) (lost []walk.Walked, pdus int, err error) {
	p := params(m)
	columns, gets := s.filter(ctx, m, p)
	if len(gets) > 0 {
		got, missed, err := s.client.Get(ctx, p, gets)
		for _, in := range got {
			t.addInstance(in)
		}
		pdus += len(got)
		if missed > 0 {
			lost = append(lost, walk.Walked{OID: gets[0], Err: walk.ErrDeviceError})
		}
		if err != nil {
			return lost, pdus, err
		}
	}
	columns = s.cachedLabels(m, t, columns)
	walked, err := s.client.Walk(ctx, p, columns)
	for _, w := range walked {
		t.add(w)
		pdus += len(w.Rows)
		switch {
		case w.Err != nil:
			lost = append(lost, w)
		case s.opts.LabelCache > 0 && m.labels[w.OID]:
			s.device.Keep(w.OID, w.Rows)
		}
	}
	if err != nil {
		return lost, pdus, err
	}
	missed, err := s.leaves(ctx, m, p, t)
	return append(lost, missed...), pdus, err
}

// leaves gets those subtrees of walk that turn out to be instances themselves.
func (s *scrape) leaves(ctx context.Context, m *module, p walk.Params, t *table) (lost []walk.Walked, err error) {
	var oids []string
	for _, root := range m.conf.Walk {
		root = trimOID(root)
		col, _, ok := m.columnOf(root)
		if ok && col != root && !slices.ContainsFunc(t.columns[col], func(r walk.Row) bool { return walk.Under(col+"."+r.Index, root) }) {
			oids = append(oids, root)
		}
	}
	if len(oids) == 0 {
		return nil, nil
	}
	got, missed, err := s.client.Get(ctx, p, oids)
	for _, in := range got {
		t.addInstance(in)
	}
	if missed > 0 {
		lost = append(lost, walk.Walked{OID: oids[0], Err: walk.ErrDeviceError})
	}
	return lost, err
}

// cachedLabels takes from the cache the columns that only make labels; the rest is returned.
func (s *scrape) cachedLabels(m *module, t *table, columns []walk.Column) []walk.Column {
	if s.opts.LabelCache <= 0 {
		return columns
	}
	var rest []walk.Column
	for _, c := range columns {
		if m.labels[c.OID] {
			if rows, ok := s.device.Cached(c.OID, s.opts.LabelCache); ok {
				t.columns[c.OID] = rows
				continue
			}
		}
		rest = append(rest, c)
	}
	return rest
}

// filter applies the module's filters: the target columns are then fetched for the kept rows
// only. A filter that cannot be read restricts nothing.
func (s *scrape) filter(ctx context.Context, m *module, p walk.Params) ([]walk.Column, []string) {
	columns, gets := m.columns, m.gets
	for i := range m.conf.Filters {
		f := &m.conf.Filters[i]
		walked, err := s.client.Walk(ctx, p, []walk.Column{{OID: trimOID(f.OID)}})
		if err != nil || len(walked) == 0 || walked[0].Err != nil {
			continue
		}
		var keep []string
		for _, r := range walked[0].Rows {
			if f.Matches(valueText(r.Value, "DisplayString", "")) {
				keep = append(keep, r.Index[strings.LastIndexByte(r.Index, '.')+1:])
			}
		}
		target := func(oid string) bool {
			return slices.ContainsFunc(f.Targets, func(t string) bool { return walk.Under(oid, trimOID(t)) })
		}
		// A target replaces the subtree of that very name, so that the filter may stand for
		// some columns of a table while others are walked whole.
		roots := slices.DeleteFunc(slices.Clone(m.conf.Walk), func(w string) bool { return slices.Contains(f.Targets, w) })
		columns = slices.DeleteFunc(slices.Clone(columns), func(c walk.Column) bool {
			return !slices.ContainsFunc(roots, func(r string) bool { return walk.Under(c.OID, trimOID(r)) })
		})
		gets = slices.DeleteFunc(slices.Clone(gets), target)
		for _, t := range f.Targets {
			for _, k := range keep {
				gets = append(gets, trimOID(t)+"."+k)
			}
		}
	}
	return columns, gets
}
