package notify

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
)

// Secret is a value that is given as it is or in a file, which is read at each use.
type Secret struct {
	Name  string // of the setting, for errors
	Value commoncfg.Secret
	File  string
}

// Check says whether exactly one of the two is given.
func (s Secret) Check() error {
	if (s.Value == "") == (s.File == "") {
		return fmt.Errorf("set either %s or %s_file", s.Name, s.Name)
	}
	return nil
}

// Get returns the value.
func (s Secret) Get() (string, error) {
	if s.File == "" {
		return string(s.Value), nil
	}
	raw, err := os.ReadFile(s.File)
	if err != nil {
		return "", fmt.Errorf("%s_file: %w", s.Name, err)
	}
	v := strings.TrimSpace(string(raw))
	if v == "" {
		return "", fmt.Errorf("%s_file: %s is empty", s.Name, s.File)
	}
	return v, nil
}

// CheckURL says whether raw is an http or https URL. It may be a secret and stays out of the
// message.
func CheckURL(name, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%s is not an http or https URL", name)
	}
	return nil
}

// NewClient makes a channel's HTTP client.
func NewClient(c commoncfg.HTTPClientConfig) (*http.Client, error) {
	client, err := commoncfg.NewClientFromConfig(c, "alert_webhook")
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = NoRedirect
	return client, nil
}

// Post sends v as JSON; see Do.
func Post(ctx context.Context, client *http.Client, target string, v any) (reply []byte, retry bool, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, false, fmt.Errorf("encode: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, false, errors.New("the URL is not one")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "inframind-alert-webhook")
	return Do(client, req)
}
