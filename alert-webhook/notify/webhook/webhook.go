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
	"net/url"
	"os"
	"strings"

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

// Validate implements config.Validator.
func (c *Config) Validate() error {
	if (c.URL == "") == (c.URLFile == "") {
		return errors.New("webhook: set either url or url_file")
	}
	if c.URL != "" {
		if err := check(string(c.URL)); err != nil {
			return err
		}
	}
	return c.HTTPConfig.Validate()
}

func check(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		// The URL may be a secret and stays out of the message.
		return errors.New("webhook: url is not an http or https URL")
	}
	return nil
}

// Notifier posts to one URL.
type Notifier struct {
	conf   Config
	client *http.Client
}

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	client, err := commoncfg.NewClientFromConfig(c.HTTPConfig, "alert_webhook")
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	client.CheckRedirect = notify.NoRedirect
	return &Notifier{conf: c, client: client}, nil
}

// Notify implements notify.Notifier. The header Idempotency-Key is the same for each try of
// one group, so that a receiver can tell a repetition.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target := string(n.conf.URL)
	if n.conf.URLFile != "" {
		raw, err := os.ReadFile(n.conf.URLFile)
		if err != nil {
			return true, fmt.Errorf("webhook: url_file: %w", err)
		}
		target = strings.TrimSpace(string(raw))
		if err := check(target); err != nil {
			return true, fmt.Errorf("url_file %s: %w", n.conf.URLFile, err)
		}
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
