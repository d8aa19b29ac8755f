package notify

import (
	"fmt"
	"net/http"

	commoncfg "github.com/prometheus/common/config"
)

// URLConfig is the configuration of a channel that is one URL to post to. Exactly one of
// URL and URLFile is given; the URL is a secret, since who has it can post.
type URLConfig struct {
	URL        commoncfg.Secret           `yaml:"url,omitempty"`
	URLFile    string                     `yaml:"url_file,omitempty"`
	HTTPConfig commoncfg.HTTPClientConfig `yaml:"http_config,omitempty"`
}

// UnmarshalYAML fills in the defaults of HTTPConfig.
func (c *URLConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain URLConfig
	*c = URLConfig{HTTPConfig: commoncfg.DefaultHTTPClientConfig}
	return unmarshal((*plain)(c))
}

// Endpoint is a URL that is read again at each use, and the client that posts to it.
type Endpoint struct {
	Client *http.Client
	url    Secret
}

// NewEndpoint checks c; channel is the name that errors begin with.
func NewEndpoint(channel string, c URLConfig) (*Endpoint, error) {
	e := &Endpoint{url: Secret{Name: channel + ".url", Value: c.URL, File: c.URLFile}}
	if err := e.url.Check(); err != nil {
		return nil, err
	}
	if c.URL != "" {
		if err := CheckURL(e.url.Name, string(c.URL)); err != nil {
			return nil, err
		}
	}
	var err error
	if e.Client, err = NewClient(c.HTTPConfig); err != nil {
		return nil, fmt.Errorf("%s: %w", channel, err)
	}
	return e, nil
}

// URL reads the address as it is now.
func (e *Endpoint) URL() (string, error) {
	target, err := e.url.Get()
	if err == nil {
		err = CheckURL(e.url.Name, target)
	}
	return target, err
}
