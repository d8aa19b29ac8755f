// Package alert is what Alertmanager's webhook (payload version 4) says, checked and bounded.
package alert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// States of an alert.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// Limits of one payload.
const (
	MaxAlerts = 10_000
	maxPairs  = 256     // labels or annotations of one alert
	maxText   = 1 << 16 // bytes of one label or annotation value
	maxName   = 1024    // bytes of one label or annotation name
)

// Alert is one alert of a group. EndsAt is zero while it fires.
type Alert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// Name is the alertname label.
func (a Alert) Name() string { return a.Labels[model.AlertNameLabel] }

// Episode identifies one firing of one alert, from its start to its end.
func (a Alert) Episode() string {
	return a.Fingerprint + "@" + a.StartsAt.UTC().Format(time.RFC3339Nano)
}

// Group is one notification of Alertmanager: alerts that belong together.
type Group struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   uint64            `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []Alert           `json:"alerts"`
}

// Select returns the group with only those alerts, its status and common labels anew.
func (g Group) Select(alerts []Alert) Group {
	g.Alerts = alerts
	g.Status = Resolved
	for i, a := range alerts {
		if a.Status == Firing {
			g.Status = Firing
		}
		if i == 0 {
			g.CommonLabels, g.CommonAnnotations = maps.Clone(a.Labels), maps.Clone(a.Annotations)
		}
		keepCommon(g.CommonLabels, a.Labels)
		keepCommon(g.CommonAnnotations, a.Annotations)
	}
	return g
}

func keepCommon(common, other map[string]string) {
	maps.DeleteFunc(common, func(k, v string) bool {
		o, ok := other[k]
		return !ok || o != v
	})
}

// Title is one line that says what the group is about, e.g. "[FIRING:2] DiskFull (cluster=a)".
func (g Group) Title() string {
	firing := 0
	for _, a := range g.Alerts {
		if a.Status == Firing {
			firing++
		}
	}
	var b strings.Builder
	if firing > 0 {
		fmt.Fprintf(&b, "[FIRING:%d]", firing)
	} else {
		fmt.Fprintf(&b, "[RESOLVED:%d]", len(g.Alerts))
	}
	name := g.CommonLabels[model.AlertNameLabel]
	if name == "" {
		name = "several alerts"
	}
	b.WriteString(" " + name)
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(g.GroupLabels)) {
		if k != model.AlertNameLabel {
			pairs = append(pairs, k+"="+g.GroupLabels[k])
		}
	}
	if len(pairs) > 0 {
		b.WriteString(" (" + strings.Join(pairs, ", ") + ")")
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Parse reads and checks a payload. Its errors are for the sender: they say what is wrong
// where. Keys it does not know are passed over, Alertmanager may add some.
func Parse(raw []byte) (Group, error) {
	var g Group
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&g); err != nil {
		return g, decodeError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return g, errors.New("there is more after the JSON object")
	}
	switch {
	case g.Version != "4":
		return g, fmt.Errorf("version is %.20q, want \"4\" (Alertmanager's webhook payload)", g.Version)
	case len(g.Alerts) == 0:
		return g, errors.New("alerts is empty")
	case len(g.Alerts) > MaxAlerts:
		return g, fmt.Errorf("%d alerts, more than %d: set max_alerts in Alertmanager's webhook_configs", len(g.Alerts), MaxAlerts)
	}
	for name, m := range map[string]map[string]string{"groupLabels": g.GroupLabels, "commonLabels": g.CommonLabels, "commonAnnotations": g.CommonAnnotations} {
		if err := checkPairs(m); err != nil {
			return g, fmt.Errorf("%s: %w", name, err)
		}
	}
	for i := range g.Alerts {
		if err := g.Alerts[i].check(); err != nil {
			return g, fmt.Errorf("alerts[%d]: %w", i, err)
		}
	}
	return g, nil
}

func decodeError(err error) error {
	var syn *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syn):
		return fmt.Errorf("not JSON at byte %d: %w", syn.Offset, err)
	case errors.As(err, &typ):
		return fmt.Errorf("%s is a JSON %s, want %s", typ.Field, typ.Value, typ.Type)
	case errors.Is(err, io.EOF):
		return errors.New("the body is empty")
	}
	return fmt.Errorf("not JSON: %w", err)
}

func (a *Alert) check() error {
	switch {
	case a.Status != Firing && a.Status != Resolved:
		return fmt.Errorf("status is %.20q, want firing or resolved", a.Status)
	case a.StartsAt.Year() < 1970 || a.StartsAt.Year() > 2200:
		return errors.New("startsAt is missing or out of range")
	case len(a.Labels) == 0:
		return errors.New("labels is empty")
	case len(a.Fingerprint) > 64:
		return errors.New("fingerprint is longer than 64 bytes")
	case len(a.GeneratorURL) > maxText:
		return fmt.Errorf("generatorURL has %d bytes, more than %d", len(a.GeneratorURL), maxText)
	}
	if err := checkPairs(a.Labels); err != nil {
		return fmt.Errorf("labels: %w", err)
	}
	if err := checkPairs(a.Annotations); err != nil {
		return fmt.Errorf("annotations: %w", err)
	}
	if a.Status == Firing {
		a.EndsAt = time.Time{}
	}
	if a.Fingerprint == "" {
		ls := model.LabelSet{}
		for k, v := range a.Labels {
			ls[model.LabelName(k)] = model.LabelValue(v)
		}
		a.Fingerprint = ls.Fingerprint().String()
	}
	return nil
}

func checkPairs(m map[string]string) error {
	if len(m) > maxPairs {
		return fmt.Errorf("%d entries, more than %d", len(m), maxPairs)
	}
	for k, v := range m {
		if k == "" || len(k) > maxName {
			return fmt.Errorf("name of %d bytes, want 1 to %d", len(k), maxName)
		}
		if len(v) > maxText {
			return fmt.Errorf("%.60s has %d bytes, more than %d", k, len(v), maxText)
		}
	}
	return nil
}
