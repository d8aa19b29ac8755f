package redfish

import (
	"context"
	"strconv"
	"strings"
	"time"
)

const (
	manySensors = 8 // fewer are read one by one
	maxReports  = 8 // of one service
	// reportFresh is how old a value of a metric report may be.
	reportFresh = 2 * time.Minute
)

// reportReadings reads TelemetryService's metric reports, which give many sensors in one
// answer, and returns readings by sensor address. Services without it, and those whose
// reports name no sensors, are not asked again for a while.
func (o *sink) reportReadings(ctx context.Context) map[string]float64 {
	s := o.s
	telemetry := s.rootLink("TelemetryService")
	if s.reportsUseless() || telemetry == "" {
		return nil
	}
	svc, _, err := s.get(ctx, telemetry, slow)
	out := map[string]float64{}
	if err == nil && svc.link("MetricReports") != "" {
		refs, _, err := s.references(ctx, svc.link("MetricReports"), slow, false)
		if err != nil || len(refs) > maxReports {
			refs = refs[:min(len(refs), maxReports)]
		}
		reports, _, _ := s.all(ctx, refs, sensors)
		for _, r := range reports {
			s.addReadings(r, out)
		}
	}
	if len(out) == 0 {
		s.c.mu.Lock()
		s.c.noReports = s.now().Add(slowFor)
		s.c.mu.Unlock()
	}
	return out
}

// reportsUseless says that the service's metric reports were of no use a short while ago.
func (s *scrape) reportsUseless() bool {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.c.noReports.After(s.now())
}

// addReadings takes the values of one report that belong to sensors and are fresh.
func (s *scrape) addReadings(report Node, out map[string]float64) {
	for _, v := range report.list("MetricValues") {
		property := v.str("MetricProperty")
		// ".../Sensors/Temp1#/Reading", ".../Sensors/Temp1/Reading" or ".../Sensors/Temp1"
		property, _, _ = strings.Cut(property, "#")
		property = strings.TrimSuffix(strings.TrimRight(property, "/"), "/Reading")
		path, err := clean(property, s.c.base.Host)
		if err != nil || !strings.Contains(path, "/Sensors/") {
			continue
		}
		reading, err := strconv.ParseFloat(v.str("MetricValue"), 64)
		if err != nil || reading-reading != 0 {
			continue
		}
		// A stale value is worse than a request; BMC clocks may be off, so only the past counts
		// against it, and a clock that is far off makes reports useless.
		if at := reportTime(v, report); !at.IsZero() && s.now().Sub(at).Abs() > reportFresh {
			continue
		}
		out[path] = reading
	}
}

func reportTime(v, report Node) time.Time {
	for _, text := range []string{v.str("Timestamp"), report.str("Timestamp")} {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// fromReports answers sensors from metric reports: what a sensor is comes from memory, its
// reading from the report. What is not known yet, or not in a report, is left over.
func (s *scrape) fromReports(refs []string, readings map[string]float64) (nodes []Node, left []string) {
	for _, ref := range refs {
		path, err := clean(ref, s.c.base.Host)
		if err != nil {
			left = append(left, ref)
			continue
		}
		reading, ok := readings[path]
		known, seen := s.recall(path)
		// Status and thresholds are as old as the copy: it is renewed as slow resources are.
		if !ok || !seen || s.now().Sub(known.at) > slowFor {
			left = append(left, ref)
			continue
		}
		n, err := known.node()
		if err != nil {
			left = append(left, ref)
			continue
		}
		n.m["Reading"] = reading
		nodes = append(nodes, n)
	}
	return nodes, left
}
