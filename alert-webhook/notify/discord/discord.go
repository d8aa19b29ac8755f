// Package discord is the channel for Discord's webhooks.
package discord

import (
	"context"
	"fmt"
	"strings"

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

// Config of one channel.
type Config = notify.URLConfig

// Notifier posts to one webhook.
type Notifier struct{ endpoint *notify.Endpoint }

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	e, err := notify.NewEndpoint("discord", c)
	if err != nil {
		return nil, err
	}
	return &Notifier{e}, nil
}

// escape keeps Markdown of alerts from being rendered.
var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "~", `\~`, "`", "\\`", "|", `\|`, ">", `\>`, "[", `\[`)

// Notify implements notify.Notifier.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target, err := n.endpoint.URL()
	if err != nil {
		return true, fmt.Errorf("discord: %w", err)
	}
	colour := red
	if g.Status == alert.Resolved {
		colour = green
	}
	_, retry, err = notify.Post(ctx, n.endpoint.Client, target, map[string]any{
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
