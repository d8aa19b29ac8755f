// Package telegram is the channel for Telegram's Bot API.
package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// maxText is the longest message, in UTF-16 code units.
const maxText = 4096

// Config of one chat.
type Config struct {
	Token      commoncfg.Secret           `yaml:"token,omitempty"`
	TokenFile  string                     `yaml:"token_file,omitempty"`
	ChatID     string                     `yaml:"chat_id"` // a number, or @name of a public channel
	APIURL     string                     `yaml:"api_url,omitempty"`
	HTTPConfig commoncfg.HTTPClientConfig `yaml:"http_config,omitempty"`
}

// UnmarshalYAML fills in the defaults.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	type plain Config
	*c = Config{HTTPConfig: commoncfg.DefaultHTTPClientConfig}
	return unmarshal((*plain)(c))
}

// Notifier sends to one chat.
type Notifier struct {
	conf   Config
	token  notify.Secret
	client *http.Client
}

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	if c.APIURL == "" {
		c.APIURL = "https://api.telegram.org"
	}
	n := &Notifier{conf: c, token: notify.Secret{Name: "telegram.token", Value: c.Token, File: c.TokenFile}}
	if err := errors.Join(n.token.Check(), notify.CheckURL("telegram.api_url", c.APIURL)); err != nil {
		return nil, err
	}
	if c.ChatID == "" {
		return nil, errors.New("telegram.chat_id is missing")
	}
	client, err := notify.NewClient(c.HTTPConfig)
	if err != nil {
		return nil, fmt.Errorf("telegram: %w", err)
	}
	n.client = client
	return n, nil
}

// Notify implements notify.Notifier. The text is sent without a parse mode: nothing in an
// alert can be markup.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	token, err := n.token.Get()
	if err != nil {
		return true, fmt.Errorf("telegram: %w", err)
	}
	title := notify.Cut(g.Title(), 300)
	text := title + "\n" + notify.Body(g, maxText-notify.Units(title)-1, func(s string) string { return s })
	target := strings.TrimSuffix(n.conf.APIURL, "/") + "/bot" + token + "/sendMessage"
	reply, retry, err := notify.Post(ctx, n.client, target, map[string]any{
		"chat_id": n.conf.ChatID, "text": text, "link_preview_options": map[string]any{"is_disabled": true},
	})
	if err == nil {
		return false, nil
	}
	// Telegram says in the body, not in a header, how long to wait.
	var answer struct {
		Parameters struct {
			RetryAfter float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(reply, &answer) == nil && answer.Parameters.RetryAfter > 0 {
		err = &notify.Wait{For: time.Duration(min(answer.Parameters.RetryAfter, 3600) * float64(time.Second)), Err: err}
	}
	return retry, fmt.Errorf("telegram: %w", err)
}
