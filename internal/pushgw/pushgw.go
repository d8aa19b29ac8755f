// Package pushgw publishes a job's metrics through a Pushgateway.
package pushgw

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	"github.com/prometheus/common/expfmt"
)

// Client pushes to one Pushgateway. The zero value is not usable: call New.
type Client struct {
	url  string
	http *http.Client
}

// New makes a client for the Pushgateway at base, e.g. http://127.0.0.1:9091.
// Credentials belong into hc (prometheus/common's http_client_config), never into the URL.
func New(base string, hc *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("pushgateway URL %q: want http://host:port", redact(base))
	}
	if u.User != nil {
		return nil, fmt.Errorf("pushgateway URL %q carries credentials: use basic_auth in http_client_config", redact(base))
	}
	if hc == nil {
		hc = http.DefaultClient
	}
	return &Client{url: strings.TrimSuffix(base, "/"), http: hc}, nil
}

// Publish replaces everything that was pushed under job and grouping by what g gathers.
// The push is one request: it is applied as a whole or not at all.
func (c *Client) Publish(ctx context.Context, job string, grouping map[string]string, g prometheus.Gatherer) error {
	p := push.New(c.url, job).Gatherer(g).Client(c.http).Format(expfmt.NewFormat(expfmt.TypeProtoDelim))
	for k, v := range grouping {
		p = p.Grouping(k, v)
	}
	if err := p.PushContext(ctx); err != nil {
		return fmt.Errorf("push job %s to %s: %w", job, c.url, err)
	}
	return nil
}

func redact(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(unparsable)"
	}
	return u.Redacted()
}
