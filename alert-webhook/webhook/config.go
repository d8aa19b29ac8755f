package webhook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
	"github.com/inframind/inframind/alert-webhook/notify/discord"
	"github.com/inframind/inframind/alert-webhook/notify/email"
	"github.com/inframind/inframind/alert-webhook/notify/pagerduty"
	"github.com/inframind/inframind/alert-webhook/notify/slack"
	"github.com/inframind/inframind/alert-webhook/notify/telegram"
	"github.com/inframind/inframind/alert-webhook/notify/webhook"
)

// Config is alert-webhook.yml. The zero value, validated, stores alerts and tells nobody.
type Config struct {
	Receive  Receive        `yaml:"receive,omitempty"`
	Delivery Delivery       `yaml:"delivery,omitempty"`
	Keep     model.Duration `yaml:"keep,omitempty"` // resolved alerts and finished notifications
	Channels []Channel      `yaml:"channels,omitempty"`
}

// Receive limits what is accepted.
type Receive struct {
	// BearerTokenFile, if set, makes every request but the probes and /metrics carry that
	// token. Basic authentication and TLS come from --web.config.file.
	BearerTokenFile string `yaml:"bearer_token_file,omitempty"`
	MaxBodyBytes    int64  `yaml:"max_body_bytes,omitempty"`
	MaxConcurrent   int    `yaml:"max_concurrent,omitempty"`
}

// Delivery says how hard a channel is tried.
type Delivery struct {
	Timeout    model.Duration `yaml:"timeout,omitempty"`
	MinBackoff model.Duration `yaml:"min_backoff,omitempty"`
	MaxBackoff model.Duration `yaml:"max_backoff,omitempty"`
	MaxAge     model.Duration `yaml:"max_age,omitempty"`
}

// Channel is one place to tell people. Exactly one kind is given.
type Channel struct {
	Name         string            `yaml:"name"`
	SendResolved *bool             `yaml:"send_resolved,omitempty"` // true if absent
	Match        map[string]string `yaml:"match,omitempty"`         // labels an alert must have; empty takes all

	Discord   *discord.Config   `yaml:"discord,omitempty"`
	Email     *email.Config     `yaml:"email,omitempty"`
	PagerDuty *pagerduty.Config `yaml:"pagerduty,omitempty"`
	Slack     *slack.Config     `yaml:"slack,omitempty"`
	Telegram  *telegram.Config  `yaml:"telegram,omitempty"`
	Webhook   *webhook.Config   `yaml:"webhook,omitempty"`
}

var channelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Validate implements config.Validator.
func (c *Config) Validate() error {
	if c.Receive.MaxBodyBytes == 0 {
		c.Receive.MaxBodyBytes = 8 << 20
	}
	if c.Receive.MaxConcurrent == 0 {
		c.Receive.MaxConcurrent = 16
	}
	def := func(d *model.Duration, v time.Duration) {
		if *d == 0 {
			*d = model.Duration(v)
		}
	}
	def(&c.Keep, 90*24*time.Hour)
	def(&c.Delivery.Timeout, 30*time.Second)
	def(&c.Delivery.MinBackoff, 5*time.Second)
	def(&c.Delivery.MaxBackoff, 5*time.Minute)
	def(&c.Delivery.MaxAge, 24*time.Hour)
	switch {
	case c.Receive.MaxBodyBytes < 1024:
		return errors.New("receive.max_body_bytes: want at least 1024")
	case c.Receive.MaxConcurrent < 1:
		return errors.New("receive.max_concurrent: want at least 1")
	case c.Delivery.MinBackoff > c.Delivery.MaxBackoff:
		return errors.New("delivery.min_backoff: is longer than max_backoff")
	}
	seen := map[string]bool{}
	for i := range c.Channels {
		ch := &c.Channels[i]
		if !channelName.MatchString(ch.Name) {
			return fmt.Errorf("channels[%d].name: %.70q: want letters, digits, _ . -", i, ch.Name)
		}
		if seen[ch.Name] {
			return fmt.Errorf("channels[%d].name: %q is there twice", i, ch.Name)
		}
		seen[ch.Name] = true
		if _, err := ch.notifier(); err != nil {
			return fmt.Errorf("channel %s: %w", ch.Name, err)
		}
	}
	_, err := c.token()
	return err
}

// notifier makes the channel's Notifier. A new kind of channel is one package below notify/,
// one field of Channel and one line here.
func (c Channel) notifier() (notify.Notifier, error) {
	kinds := []func() (notify.Notifier, error){}
	add(&kinds, c.Discord, discord.New)
	add(&kinds, c.Email, email.New)
	add(&kinds, c.PagerDuty, pagerduty.New)
	add(&kinds, c.Slack, slack.New)
	add(&kinds, c.Telegram, telegram.New)
	add(&kinds, c.Webhook, webhook.New)
	if len(kinds) != 1 {
		return nil, fmt.Errorf("has %d kinds, want one: discord, email, pagerduty, slack, telegram or webhook", len(kinds))
	}
	return kinds[0]()
}

// add appends how to make a channel of this kind if its settings are there.
func add[C any, N notify.Notifier](kinds *[]func() (notify.Notifier, error), conf *C, make func(C) (N, error)) {
	if conf != nil {
		*kinds = append(*kinds, func() (notify.Notifier, error) { return make(*conf) })
	}
}

func (c Channel) wants(labels map[string]string, resolved bool) bool {
	if resolved && c.SendResolved != nil && !*c.SendResolved {
		return false
	}
	for k, v := range c.Match {
		if labels[k] != v {
			return false
		}
	}
	return true
}

func (c *Config) notifiers() (map[string]notify.Notifier, error) {
	out := map[string]notify.Notifier{}
	for _, ch := range c.Channels {
		n, err := ch.notifier()
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", ch.Name, err)
		}
		out[ch.Name] = n
	}
	return out, nil
}

// token reads the bearer token, "" if none is asked for.
func (c *Config) token() (string, error) {
	if c.Receive.BearerTokenFile == "" {
		return "", nil
	}
	raw, err := os.ReadFile(c.Receive.BearerTokenFile)
	if err != nil {
		return "", fmt.Errorf("receive.bearer_token_file: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" {
		return "", fmt.Errorf("receive.bearer_token_file: %s is empty", c.Receive.BearerTokenFile)
	}
	return token, nil
}

// Test delivers a made-up alert to the channel called name, once.
func (c *Config) Test(ctx context.Context, name string, now time.Time) error {
	for _, ch := range c.Channels {
		if ch.Name != name {
			continue
		}
		n, err := ch.notifier()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Delivery.Timeout))
		defer cancel()
		g := alert.Group{
			Version: "4", GroupKey: "{}:{alertname=\"AlertWebhookTest\"}", Receiver: "alert-webhook",
			GroupLabels: map[string]string{"alertname": "AlertWebhookTest"},
		}
		_, err = n.Notify(ctx, g.Select([]alert.Alert{{
			Status: alert.Firing, StartsAt: now.UTC(), Fingerprint: fmt.Sprintf("%016x", now.UnixNano()),
			Labels:      map[string]string{"alertname": "AlertWebhookTest", "severity": "info"},
			Annotations: map[string]string{"summary": "A test of channel " + name + ". Nothing is wrong."},
		}}))
		return err
	}
	var names []string
	for _, ch := range c.Channels {
		names = append(names, ch.Name)
	}
	return fmt.Errorf("there is no channel %q; the configuration has: %s", name, strings.Join(names, ", "))
}
