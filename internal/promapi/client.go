// Package promapi queries servers that speak the Prometheus HTTP API (Prometheus, Thanos,
// Mimir, VictoriaMetrics). Range queries are decoded as a stream, one series in memory at
// a time, so that the size of an answer does not matter.
package promapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/config"

	"github.com/inframind/inframind/internal/series"
)

const (
	// MaxPoints is Prometheus' own limit of points per series in one answer.
	MaxPoints = 11000

	maxAttempts  = 4
	maxErrorBody = 4 << 10
)

// Server is where and how to reach an HTTP API, as written in a configuration file.
type Server struct {
	URL              string                   `yaml:"url"`
	HTTPClientConfig *config.HTTPClientConfig `yaml:"http_client_config,omitempty"`
}

// Validate checks the URL. Credentials belong into http_client_config, never into the URL.
func (s *Server) Validate() error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("url: want http://host:port[/prefix]")
	}
	if u.User != nil {
		return errors.New("url: carries credentials: use basic_auth in http_client_config")
	}
	if s.HTTPClientConfig != nil {
		return s.HTTPClientConfig.Validate()
	}
	return nil
}

// HTTPClient makes the HTTP client that http_client_config asks for.
func (s *Server) HTTPClient(name string) (*http.Client, error) {
	cfg := config.DefaultHTTPClientConfig
	if s.HTTPClientConfig != nil {
		cfg = *s.HTTPClientConfig
	}
	return config.NewClientFromConfig(cfg, name)
}

// Error is a query that failed, with the query itself: one bad expression among many has
// to be found.
type Error struct {
	Query  string
	Status int    // HTTP status, 0 when there was no answer
	Type   string // the API's errorType, e.g. bad_data, timeout, execution
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("query %s: %v", e.Query, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Client queries one server. It is safe for concurrent use.
type Client struct {
	base  string
	http  *http.Client
	sleep func(ctx context.Context, d time.Duration) error
}

// New makes a client of the server.
func New(s Server) (*Client, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	hc, err := s.HTTPClient("promapi")
	if err != nil {
		return nil, err
	}
	return &Client{base: strings.TrimSuffix(s.URL, "/"), http: hc, sleep: sleep}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// QueryRange evaluates query from start to end (both included) each step and calls fn
// with each series as it arrives. The series is fn's to keep. Ranges of more than
// MaxPoints points are asked for in pieces, which are joined before fn sees them; only
// then are all series in memory at once.
func (c *Client) QueryRange(ctx context.Context, query string, start, end time.Time, step time.Duration, fn func(series.Series) error) error {
	if step <= 0 || end.Before(start) {
		return &Error{Query: query, Err: fmt.Errorf("range %s to %s step %s is empty", start, end, step)}
	}
	pieces := splitRange(start, end, step)
	if len(pieces) == 1 {
		return c.queryPiece(ctx, query, pieces[0], step, fn)
	}
	joined := joiner{index: map[string]int{}}
	for _, p := range pieces {
		if err := c.queryPiece(ctx, query, p, step, joined.add); err != nil {
			return err
		}
	}
	for i := range joined.list {
		if err := fn(joined.list[i]); err != nil {
			return err
		}
		joined.list[i] = series.Series{}
	}
	return nil
}

// Query evaluates query at one moment; each series has one sample.
func (c *Client) Query(ctx context.Context, query string, at time.Time, fn func(series.Series) error) error {
	form := url.Values{"query": {query}, "time": {stamp(at)}}
	return c.do(ctx, query, "/api/v1/query", form, fn)
}

type piece struct{ start, end time.Time }

// splitRange cuts a range into pieces of at most MaxPoints points on the same grid.
func splitRange(start, end time.Time, step time.Duration) []piece {
	var out []piece
	for from := start; !from.After(end); {
		to := from.Add((MaxPoints - 1) * step)
		if to.After(end) {
			to = end
		}
		out = append(out, piece{from, to})
		from = to.Add(step)
	}
	return out
}

type joiner struct {
	index map[string]int
	list  []series.Series
}

func (j *joiner) add(s series.Series) error {
	key := s.Labels.String()
	i, ok := j.index[key]
	if !ok {
		j.index[key] = len(j.list)
		j.list = append(j.list, s)
		return nil
	}
	j.list[i].Times = append(j.list[i].Times, s.Times...)
	j.list[i].Values = append(j.list[i].Values, s.Values...)
	return nil
}

func (c *Client) queryPiece(ctx context.Context, query string, p piece, step time.Duration, fn func(series.Series) error) error {
	form := url.Values{
		"query": {query}, "start": {stamp(p.start)}, "end": {stamp(p.end)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	}
	return c.do(ctx, query, "/api/v1/query_range", form, fn)
}

// do posts form and streams the answer into fn. Temporary failures are repeated only
// before the first series was handed over: fn must not see one twice.
func (c *Client) do(ctx context.Context, query, path string, form url.Values, fn func(series.Series) error) error {
	var last *Error
	for attempt := range maxAttempts {
		seen := false
		wait, err := c.attempt(ctx, path, form, func(s series.Series) error {
			seen = true
			return fn(s)
		})
		if err == nil {
			return nil
		}
		if !errors.As(err, &last) {
			last = &Error{Err: err}
		}
		last.Query = query
		if wait < 0 || seen || attempt == maxAttempts-1 {
			break
		}
		if wait == 0 {
			wait = time.Duration(1<<attempt)*500*time.Millisecond + rand.N(250*time.Millisecond)
		}
		if err := c.sleep(ctx, wait); err != nil {
			break
		}
	}
	return last
}

// attempt makes one request. wait is negative when repeating cannot help, 0 when the
// server named no time, else what its Retry-After said.
func (c *Client) attempt(ctx context.Context, path string, form url.Values, fn func(series.Series) error) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return -1, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return -1, err
		}
		return 0, err
	}
	defer func() {
		_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody) // lets the connection be used again
		_ = resp.Body.Close()
	}()
	if resp.StatusCode == http.StatusOK {
		return -1, decode(resp.Body, fn)
	}
	e := statusError(resp)
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented {
		return retryAfter(resp.Header.Get("Retry-After"), time.Now()), e
	}
	return -1, e
}

const maxRetryAfter = time.Minute

// retryAfter reads the header's two forms; 0 means none.
func retryAfter(h string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(h); err == nil && s > 0 {
		return min(time.Duration(s)*time.Second, maxRetryAfter)
	}
	if t, err := http.ParseTime(h); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

func stamp(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
