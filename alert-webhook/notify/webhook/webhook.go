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

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Config of one channel.
type Config = notify.URLConfig

// Notifier posts to one URL.
type Notifier struct{ endpoint *notify.Endpoint }

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	e, err := notify.NewEndpoint("webhook", c)
	if err != nil {
		return nil, err
	}
	return &Notifier{e}, nil
}

// Notify implements notify.Notifier. The header Idempotency-Key is the same for each try of
// one group, so that a receiver can tell a repetition.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	target, err := n.endpoint.URL()
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
	_, retry, err = notify.Do(n.endpoint.Client, req)
	if err != nil {
		return retry, fmt.Errorf("webhook: %w", err)
	}
	return false, nil
}
