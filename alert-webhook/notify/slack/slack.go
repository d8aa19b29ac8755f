// Package slack is the channel for Slack's incoming webhooks, and for Mattermost's and
// Rocket.Chat's, which understand the same.
package slack

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Limits of Slack's Block Kit, in characters.
const (
	maxHeader  = 150
	maxSection = 3000
)

// Config of one Slack channel. The URL is a secret: who has it can post.
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

// Notifier posts to one webhook.
type Notifier struct {
	url    notify.Secret
	client *http.Client
}

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	n := &Notifier{url: notify.Secret{Name: "slack.url", Value: c.URL, File: c.URLFile}}
	if err := n.url.Check(); err != nil {
		return nil, err
	}
	if c.URL != "" {
		if err := notify.CheckURL("slack.url", string(c.URL)); err != nil {
			return nil, err
		}
	}
	client, err := notify.NewClient(c.HTTPConfig)
	if err != nil {
		return nil, fmt.Errorf("slack: %w", err)
	}
	n.client = client
	return n, nil
}

// escape makes text of alerts harmless: &, < and > begin entities, links and mentions.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Notify implements notify.Notifier.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target, err := n.url.Get()
	if err == nil {
		err = notify.CheckURL("slack.url", target)
	}
	if err != nil {
		return true, fmt.Errorf("slack: %w", err)
	}
	title := notify.Cut(g.Title(), maxHeader)
	block := func(kind, textKind, text string) map[string]any {
		return map[string]any{"type": kind, "text": map[string]any{"type": textKind, "text": text}}
	}
	_, retry, err = notify.Post(ctx, n.client, target, map[string]any{
		"text": escape.Replace(title), // of the push notification
		"blocks": []any{
			block("header", "plain_text", title),
			block("section", "mrkdwn", notify.Body(g, maxSection, escape.Replace)),
		},
	})
	if err != nil {
		return retry, fmt.Errorf("slack: %w", err)
	}
	return false, nil
}
