package exporter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

const (
	providerTimeout = 10 * time.Second
	providerRefresh = 5 * time.Minute // how long an answer is kept unless configured
	maxCached       = 10_000          // targets remembered by a provider
	maxStale        = time.Hour       // how long an answer serves when the provider fails
	providersAtOnce = 8               // calls of one provider at a time
)

// ExecProvider runs a program that prints {"username": ..., "password": ..., "secrets": {...}}.
// The target is its last argument.
type ExecProvider struct {
	Command []string       `yaml:"command"`
	Refresh model.Duration `yaml:"refresh,omitempty"` // default 5m

	cache secretCache
}

// HTTPProvider asks a URL, with target= added to its query, for the same JSON.
type HTTPProvider struct {
	URL        string                       `yaml:"url"`
	HTTPClient *promconfig.HTTPClientConfig `yaml:"http_client_config,omitempty"`
	Refresh    model.Duration               `yaml:"refresh,omitempty"` // default 5m

	client *http.Client
	cache  secretCache
}

func (p *ExecProvider) validate() error {
	if len(p.Command) == 0 {
		return errors.New("command is missing")
	}
	return nil
}

func (p *ExecProvider) fetch(ctx context.Context, target string, c *Credential) error {
	return p.cache.get(ctx, target, time.Duration(p.Refresh), c, func(ctx context.Context) (answer, error) {
		args := append(append([]string{}, p.Command[1:]...), target)
		cmd := exec.CommandContext(ctx, p.Command[0], args...)
		cmd.WaitDelay = time.Second
		var out limitedBuffer
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil {
			return answer{}, fmt.Errorf("run %s: %w", p.Command[0], err)
		}
		return parseAnswer(out.buf.Bytes())
	})
}

// limitedBuffer refuses more than maxSecret bytes.
type limitedBuffer struct{ buf bytes.Buffer } // not embedded: io.Copy would use its ReadFrom

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.buf.Len()+len(p) > maxSecret {
		return 0, fmt.Errorf("more than %d bytes", maxSecret)
	}
	return b.buf.Write(p)
}

func (p *HTTPProvider) validate() error {
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
		return errors.New("url is not an http(s) URL")
	}
	if u.User != nil {
		return errors.New("url holds a user: use http_client_config.basic_auth")
	}
	conf := promconfig.DefaultHTTPClientConfig
	if p.HTTPClient != nil {
		conf = *p.HTTPClient
		if err := conf.Validate(); err != nil {
			return err
		}
	}
	p.client, err = promconfig.NewClientFromConfig(conf, "secret_provider")
	return err
}

func (p *HTTPProvider) fetch(ctx context.Context, target string, c *Credential) error {
	return p.cache.get(ctx, target, time.Duration(p.Refresh), c, func(ctx context.Context) (answer, error) {
		u, err := url.Parse(p.URL)
		if err != nil {
			return answer{}, err
		}
		q := u.Query()
		q.Set("target", target)
		u.RawQuery = q.Encode()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return answer{}, err
		}
		resp, err := p.client.Do(req)
		if err != nil {
			if u := (*url.Error)(nil); errors.As(err, &u) {
				err = u.Err // without the URL, which may hold a token
			}
			return answer{}, fmt.Errorf("ask the secret provider: %w", err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return answer{}, fmt.Errorf("secret provider answered %s", resp.Status)
		}
		raw, err := io.ReadAll(io.LimitReader(resp.Body, maxSecret))
		if err != nil {
			return answer{}, fmt.Errorf("read secret provider: %w", err)
		}
		return parseAnswer(raw)
	})
}

// answer is what a provider returns.
type answer struct {
	Username string                       `json:"username"`
	Password promconfig.Secret            `json:"password"`
	Secrets  map[string]promconfig.Secret `json:"secrets"`
}

func parseAnswer(raw []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		// The error of encoding/json could quote the secret.
		return a, errors.New("secret provider's answer is not the expected JSON")
	}
	if a.Password == "" && len(a.Secrets) == 0 {
		return a, errors.New("secret provider's answer holds no password")
	}
	return a, nil
}

// secretCache keeps answers by target for a while.
type secretCache struct {
	mu      sync.Mutex
	turn    chan struct{} // bounds the calls of the provider
	answers map[string]cachedAnswer
}

type cachedAnswer struct {
	answer
	until time.Time
}

// get sets c from the answer for target, at most refresh old. When the provider fails, its
// last answer serves for maxStale more; c.stale then says why.
func (s *secretCache) get(ctx context.Context, target string, refresh time.Duration, c *Credential, fetch func(context.Context) (answer, error)) error {
	if refresh <= 0 {
		refresh = providerRefresh
	}
	s.mu.Lock()
	if s.turn == nil {
		s.turn = make(chan struct{}, providersAtOnce)
	}
	hit, ok := s.answers[target]
	s.mu.Unlock()
	if now := time.Now(); !ok || now.After(hit.until) {
		a, err := s.call(ctx, fetch)
		switch {
		case err == nil:
			hit = cachedAnswer{answer: a, until: now.Add(refresh)}
			s.put(target, hit)
		case ok && now.Before(hit.until.Add(maxStale)):
			c.stale = err
		default:
			return err
		}
	}
	if hit.Username != "" {
		c.Username = hit.Username
	}
	c.Password, c.Secrets = hit.Password, maps.Clone(hit.Secrets)
	return nil
}

func (s *secretCache) call(ctx context.Context, fetch func(context.Context) (answer, error)) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
		return fetch(ctx)
	case <-ctx.Done():
		return answer{}, fmt.Errorf("wait for the secret provider: %w", ctx.Err())
	}
}

func (s *secretCache) put(target string, a cachedAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil || len(s.answers) >= maxCached {
		s.answers = map[string]cachedAnswer{}
	}
	s.answers[target] = a
}

// forget makes the next probe of target ask the provider again.
func (s *secretCache) forget(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.answers, target)
}
