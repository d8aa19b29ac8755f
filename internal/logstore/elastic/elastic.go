// Package elastic is the log store on Elasticsearch 8: one index a day of event time, our own
// index templates, and cursors made of sequence numbers. It speaks through the transport of
// the official client. See docs/logstore.md.
package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/logstore"
)

// Config of an Elasticsearch store.
type Config struct {
	URLs       []string                   `yaml:"urls"`
	HTTPConfig commoncfg.HTTPClientConfig `yaml:"http_client_config,omitempty"`
	// Read names the indices that are read for an index of ours, e.g. logs: filebeat-*. What
	// is not named is read from the indices this program writes.
	Read map[string]string `yaml:"read,omitempty"`
	// Partition is day or month: how much event time one index holds.
	Partition string         `yaml:"partition,omitempty"`
	Shards    int            `yaml:"shards,omitempty"`   // of new indices, 1 if 0
	Replicas  *int           `yaml:"replicas,omitempty"` // of new indices, the cluster's default if absent
	Timeout   model.Duration `yaml:"timeout,omitempty"`  // of one request, 1 min if 0

	Log *slog.Logger `yaml:"-"`
}

// UnmarshalYAML fills in the defaults of HTTPConfig.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	type plain Config
	*c = Config{HTTPConfig: commoncfg.DefaultHTTPClientConfig}
	return unmarshal((*plain)(c))
}

// Validate implements config.Validator.
func (c *Config) Validate() error {
	if len(c.URLs) == 0 {
		return errors.New("elasticsearch.urls: name at least one node, e.g. https://es-1:9200")
	}
	for _, raw := range c.URLs {
		if _, err := parseURL(raw); err != nil {
			return err
		}
	}
	for index, pattern := range c.Read {
		if err := logstore.CheckIndex(index); err != nil {
			return fmt.Errorf("elasticsearch.read: %w", err)
		}
		if pattern == "" || strings.ContainsAny(pattern, "/? #\"\\<>|") || strings.HasPrefix(pattern, "_") {
			return fmt.Errorf("elasticsearch.read.%s: %q is not an index pattern", index, pattern)
		}
	}
	switch c.Partition {
	case "":
		c.Partition = "day"
	case "day", "month":
	default:
		return fmt.Errorf("elasticsearch.partition: %q, want day or month", c.Partition)
	}
	if c.Timeout == 0 {
		c.Timeout = model.Duration(time.Minute)
	}
	if c.Shards < 0 || c.Shards > 64 || c.Replicas != nil && *c.Replicas < 0 {
		return errors.New("elasticsearch: shards or replicas out of range")
	}
	c.Shards = max(c.Shards, 1)
	return c.HTTPConfig.Validate()
}

func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("elasticsearch.urls: want http://host:9200 or https://host:9200")
	case u.User != nil:
		return nil, fmt.Errorf("elasticsearch.urls: %s carries credentials: use basic_auth in http_client_config", u.Redacted())
	}
	return u, nil
}

// Store implements logstore.Store.
type Store struct {
	conf   Config
	log    *slog.Logger
	client *elastictransport.Client
	close  func()

	mu    sync.Mutex
	ready map[string]bool // indices whose template is installed
	dirty map[string]bool // indices written to since their last refresh
}

var _ logstore.Store = (*Store)(nil)

// New makes a Store. It sends nothing: the first write installs the templates.
func New(conf Config) (*Store, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	var urls []*url.URL
	for _, raw := range conf.URLs {
		u, err := parseURL(raw)
		if err != nil {
			return nil, err
		}
		urls = append(urls, u)
	}
	hc, err := commoncfg.NewClientFromConfig(conf.HTTPConfig, "elasticsearch")
	if err != nil {
		return nil, fmt.Errorf("elasticsearch: %w", err)
	}
	client, err := elastictransport.NewClient(
		elastictransport.WithURLs(urls...),
		elastictransport.WithTransport(hc.Transport),
		elastictransport.WithRetry(2, 502, 504), // on another node
	)
	if err != nil {
		return nil, fmt.Errorf("elasticsearch: %w", err)
	}
	if conf.Log == nil {
		conf.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{conf: conf, log: conf.Log, client: client, close: hc.CloseIdleConnections, ready: map[string]bool{}, dirty: map[string]bool{}}, nil
}

// Close frees idle connections.
func (s *Store) Close() error {
	s.close()
	return nil
}

// maxReply bounds an answer. A page is asked for in parts that stay far below.
const maxReply = 256 << 20

// Error is an answer of Elasticsearch that is not 2xx.
type Error struct {
	Status int
	Type   string
	Reason string
}

func (e *Error) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("elasticsearch answers %d: %.300s", e.Status, e.Reason)
	}
	hint := ""
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		hint = " (check http_client_config and the privileges in docs/logstore.md)"
	}
	return fmt.Sprintf("elasticsearch answers %d: %s: %.300s%s", e.Status, e.Type, e.Reason, hint)
}

// temporary says whether the same request may succeed later.
func (e *Error) temporary() bool { return e.Status == 429 || e.Status >= 500 }

// call sends one request and decodes the answer into out, if that is not nil.
func (s *Store) call(ctx context.Context, method, path string, params url.Values, contentType string, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.conf.Timeout))
	defer cancel()
	u := url.URL{Path: path, RawQuery: params.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("elasticsearch: %w", err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", contentType)
	} else {
		req.Body = nil
		req.ContentLength = 0
	}
	resp, err := s.client.Perform(req)
	if err != nil {
		return fmt.Errorf("elasticsearch at %s does not answer %s %s: %w (check elasticsearch.urls, TLS settings and the network)", strings.Join(s.conf.URLs, ", "), method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return fmt.Errorf("elasticsearch: %s %s: %w", method, path, err)
	}
	if len(raw) > maxReply {
		return fmt.Errorf("elasticsearch: %s %s: the answer has more than %d bytes", method, path, maxReply)
	}
	if resp.StatusCode/100 != 2 {
		return decodeError(resp.StatusCode, raw)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("elasticsearch: %s %s: the answer is not what was expected: %w", method, path, err)
	}
	return nil
}

func decodeError(status int, raw []byte) error {
	e := &Error{Status: status}
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	var detail struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
		Cause  []struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"root_cause"`
	}
	if json.Unmarshal(raw, &body) == nil && json.Unmarshal(body.Error, &detail) == nil {
		e.Type, e.Reason = detail.Type, detail.Reason
		if len(detail.Cause) > 0 && detail.Cause[0].Reason != "" {
			e.Type, e.Reason = detail.Cause[0].Type, detail.Cause[0].Reason
		}
		return e
	}
	e.Reason = strings.Join(strings.Fields(strings.ToValidUTF8(string(raw[:min(len(raw), 300)]), "?")), " ")
	return e
}

const jsonType = "application/json"

func (s *Store) callJSON(ctx context.Context, method, path string, params url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("elasticsearch: encode: %w", err)
		}
	}
	return s.call(ctx, method, path, params, jsonType, body, out)
}
