// Package webhook is the generic channel: it posts a group as JSON, in the very format of
// Alertmanager's own webhook, so that any receiver of that understands it.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Config of one webhook. Exactly one of URL and URLFile is given.
type Config struct {
	URL        commoncfg.Secret           `yaml:"url,omitempty"`
	URLFile    string                     `yaml:"url_file,omitempty"`
	HTTPConfig commoncfg.HTTPClientConfig `yaml:"http_config,omitempty"`
}

// UnmarshalYAML fills in the defaults of HTTPConfig.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	type plain Config
	*c = Config{HTTPConfig: commoncfg.DefaultHTTPClientConfig}
	return unmarshal((*plain)(c))
}

// Notifier posts to one URL.
type Notifier struct {
	url    notify.Secret
	client *http.Client
}

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	n := &Notifier{url: notify.Secret{Name: "webhook.url", Value: c.URL, File: c.URLFile}}
	if err := n.url.Check(); err != nil {
		return nil, err
	}
	if c.URL != "" {
		if err := notify.CheckURL("webhook.url", string(c.URL)); err != nil {
			return nil, err
		}
	}
	client, err := notify.NewClient(c.HTTPConfig)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	n.client = client
	return n, nil
}

// Notify implements notify.Notifier. The header Idempotency-Key is the same for each try of
// one group, so that a receiver can tell a repetition.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target, err := n.url.Get()
	if err == nil {
		err = notify.CheckURL("webhook.url", target)
	}
	if err != nil {
		return true, fmt.Errorf("webhook: %w", err)
	}
	body, err := json.Marshal(g)
	if err != nil {
		return false, fmt.Errorf("webhook: encode: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("webhook: bad request")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "inframind-alert-webhook")
	req.Header.Set("Idempotency-Key", notify.Key(body))
	_, retry, err = notify.Do(n.client, req)
	if err != nil {
		return retry, fmt.Errorf("webhook: %w", err)
	}
	return false, nil
}
