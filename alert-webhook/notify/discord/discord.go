// Package discord is the channel for Discord's webhooks.
package discord

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Limits of an embed.
const (
	maxTitle       = 256
	maxDescription = 4096
)

// Colours of the bar beside the text; the text says the same.
const (
	red   = 0xB3261E
	green = 0x1B6E3C
)

// Config of one Discord channel. The URL is a secret: who has it can post.
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
	n := &Notifier{url: notify.Secret{Name: "discord.url", Value: c.URL, File: c.URLFile}}
	if err := n.url.Check(); err != nil {
		return nil, err
	}
	if c.URL != "" {
		if err := notify.CheckURL("discord.url", string(c.URL)); err != nil {
			return nil, err
		}
	}
	client, err := notify.NewClient(c.HTTPConfig)
	if err != nil {
		return nil, fmt.Errorf("discord: %w", err)
	}
	n.client = client
	return n, nil
}

// escape keeps Markdown of alerts from being rendered.
var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, ">", `\>`, "[", `\[`)

// Notify implements notify.Notifier.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target, err := n.url.Get()
	if err == nil {
		err = notify.CheckURL("discord.url", target)
	}
	if err != nil {
		return true, fmt.Errorf("discord: %w", err)
	}
	colour := red
	if g.Status == alert.Resolved {
		colour = green
	}
	_, retry, err = notify.Post(ctx, n.client, target, map[string]any{
		"allowed_mentions": map[string]any{"parse": []string{}}, // an alert pings nobody
		"embeds": []any{map[string]any{
			"title": notify.Cut(g.Title(), maxTitle), "description": notify.Body(g, maxDescription, escape.Replace), "color": colour,
		}},
	})
	if err != nil {
		return retry, fmt.Errorf("discord: %w", err)
	}
	return false, nil
}
