// Package pagerduty is the channel for PagerDuty's Events API v2: one event an alert.
package pagerduty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Limits of an event.
const (
	maxSummary = 1024
	maxDetail  = 4096 // characters of one detail; an event may have 512 KB
)

// Config of one integration.
type Config struct {
	RoutingKey     commoncfg.Secret           `yaml:"routing_key,omitempty"`
	RoutingKeyFile string                     `yaml:"routing_key_file,omitempty"`
	URL            string                     `yaml:"url,omitempty"`
	HTTPConfig     commoncfg.HTTPClientConfig `yaml:"http_config,omitempty"`
}

// UnmarshalYAML fills in the defaults.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	type plain Config
	*c = Config{HTTPConfig: commoncfg.DefaultHTTPClientConfig}
	return unmarshal((*plain)(c))
}

// Notifier sends events to one integration.
type Notifier struct {
	url    string
	key    notify.Secret
	client *http.Client
}

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	if c.URL == "" {
		c.URL = "https://events.pagerduty.com/v2/enqueue"
	}
	n := &Notifier{url: c.URL, key: notify.Secret{Name: "pagerduty.routing_key", Value: c.RoutingKey, File: c.RoutingKeyFile}}
	if err := errors.Join(n.key.Check(), notify.CheckURL("pagerduty.url", c.URL)); err != nil {
		return nil, err
	}
	client, err := notify.NewClient(c.HTTPConfig)
	if err != nil {
		return nil, fmt.Errorf("pagerduty: %w", err)
	}
	n.client = client
	return n, nil
}

// severity maps what people write to what PagerDuty accepts.
func severity(a alert.Alert) string {
	switch s := notify.Severity(a); s {
	case "critical", "error", "warning", "info":
		return s
	case "page", "fatal", "emergency", "disaster":
		return "critical"
	case "none", "notice", "debug":
		return "info"
	}
	return "error"
}

// dedupKey is the same for the trigger and the resolve of one episode, and for each try.
func dedupKey(a alert.Alert) string {
	sum := sha256.Sum256([]byte(a.Episode()))
	return hex.EncodeToString(sum[:])
}

func event(key string, g alert.Group, a alert.Alert) map[string]any {
	e := map[string]any{"routing_key": key, "dedup_key": dedupKey(a), "event_action": "trigger", "client": "inframind alert-webhook"}
	if a.Status == alert.Resolved {
		e["event_action"] = "resolve"
		return e
	}
	source := a.Labels["instance"]
	if source == "" {
		source = "alertmanager"
	}
	details := map[string]string{}
	for _, m := range []map[string]string{a.Labels, a.Annotations} {
		for k, v := range m {
			if len(details) < 64 {
				details[notify.Cut(k, 256)] = notify.Cut(v, maxDetail)
			}
		}
	}
	e["payload"] = map[string]any{
		"summary": notify.Cut(notify.Summary(a), maxSummary), "source": notify.Cut(source, 255), "severity": severity(a),
		"timestamp": a.StartsAt.Format(time.RFC3339Nano), "class": notify.Cut(a.Name(), 255), "group": notify.Cut(g.GroupKey, 255), "custom_details": details,
	}
	if notify.CheckURL("", a.GeneratorURL) == nil {
		e["links"] = []any{map[string]string{"href": a.GeneratorURL, "text": "Query"}}
	}
	return e
}

// Notify implements notify.Notifier. If one event of several fails the whole group is tried
// again: the dedup keys make the others harmless. An event that is refused for good does not
// keep the rest from being sent.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	key, err := n.key.Get()
	if err != nil {
		return true, fmt.Errorf("pagerduty: %w", err)
	}
	var refused []error
	for _, a := range g.Alerts {
		_, retry, err := notify.Post(ctx, n.client, n.url, event(key, g, a))
		switch {
		case err == nil:
		case retry:
			return true, fmt.Errorf("pagerduty: %w", err)
		default:
			refused = append(refused, fmt.Errorf("pagerduty: alert %.100s: %w", a.Name(), err))
		}
	}
	return false, errors.Join(refused...)
}
