// Package slack is the channel for Slack's incoming webhooks, and for Mattermost's and
// Rocket.Chat's, which understand the same.
package slack

import (
	"context"
	"fmt"
	"strings"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Limits of Slack's Block Kit, in characters.
const (
	maxHeader  = 150
	maxSection = 3000
)

// Config of one channel.
type Config = notify.URLConfig

// Notifier posts to one webhook.
type Notifier struct{ endpoint *notify.Endpoint }

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	e, err := notify.NewEndpoint("slack", c)
	if err != nil {
		return nil, err
	}
	return &Notifier{e}, nil
}

// escape makes text of alerts harmless: &, < and > begin entities, links and mentions.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Notify implements notify.Notifier.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target, err := n.endpoint.URL()
	if err != nil {
		return true, fmt.Errorf("slack: %w", err)
	}
	title := notify.Cut(g.Title(), maxHeader)
	block := func(kind, textKind, text string) map[string]any {
		return map[string]any{"type": kind, "text": map[string]any{"type": textKind, "text": text}}
	}
	_, retry, err = notify.Post(ctx, n.endpoint.Client, target, map[string]any{
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
