package redfish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/exporter"
)

const (
	maxBody     = 8 << 20 // bytes of one answer
	maxRetries  = 3       // of a busy service, within the deadline
	maxRetryGap = 5 * time.Second
)

// client speaks to one BMC. It outlives scrapes and is safe for concurrent use.
type client struct {
	base  *url.URL
	http  *http.Client
	cred  exporter.Credential
	log   *slog.Logger
	slots *slots
	count func(result string) // requests by result

	loginTurn chan struct{}

	mu       sync.Mutex
	session  session
	sessions string // address of the session collection, from the service root
	expand   expander
	selects  selector
	cache    map[string]kept
	plans    map[string][]planned // by set of collectors
	denied   map[string]bool      // paths that answer 401 to a fresh session
	used     time.Time
	users    int
	scrapes  int // ever
	// stopStream ends the event stream; nil when there is none.
	stopStream context.CancelFunc
	streams    sync.WaitGroup
	// noReports is until when metric reports are known to be of no use.
	noReports time.Time
	backlog   time.Duration // age of the oldest resource that this scrape left stale
}

// options of one GET.
type options struct {
	admit func() bool // when not nil, may call the request off once its turn has come
	since time.Time   // of the copy that is known; the oldest goes first
	etag  string      // of the copy that is known; the answer may be errNotModified
}

// errNotModified says that the known copy still holds.
var errNotModified = errors.New("not modified")

// statusError is an HTTP answer that is not a success.
type statusError struct {
	code int
	path string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: HTTP %d %s", e.path, e.code, http.StatusText(e.code))
}

// absent says that the service does not have the resource, which is no failure.
func absent(err error) bool {
	var s *statusError
	return errors.As(err, &s) && (s.code == http.StatusNotFound || s.code == http.StatusGone || s.code == http.StatusMethodNotAllowed || s.code == http.StatusNotImplemented)
}

func (c *client) url(path string) string {
	// The path comes from the service and may hold what url.URL would escape, e.g. spaces.
	return c.base.Scheme + "://" + c.base.Host + strings.ReplaceAll(path, " ", "%20")
}

// get reads one resource; path may hold a query. It logs in, renews a session that the
// service has forgotten, and waits when the service is busy.
func (c *client) get(ctx context.Context, path string, p priority, opt options) (Node, error) {
	if err := c.slots.acquire(ctx, p, opt.since); err != nil {
		return Node{}, fmt.Errorf("%s: %w", path, err)
	}
	defer c.slots.release()
	if opt.admit != nil && !opt.admit() {
		return Node{}, errDeferred
	}
	used, retries := -1, 0
	for renewals := 0; ; {
		token, serial := "", 0
		if path != rootPath || used >= 0 { // the root must be readable without a session
			var err error
			if token, serial, err = c.login(ctx, used); err != nil {
				return Node{}, err
			}
		}
		node, wait, err := c.once(ctx, path, token, opt.etag)
		var s *statusError
		switch {
		case err == nil:
			return node, nil
		case errors.As(err, &s) && s.code == http.StatusUnauthorized && c.renewable(path, renewals):
			renewals++
			used = serial
		case errors.As(err, &s) && (s.code == http.StatusServiceUnavailable || s.code == http.StatusTooManyRequests):
			if retries++; retries > maxRetries || !sleep(ctx, max(wait, time.Duration(retries)*300*time.Millisecond)) {
				return Node{}, exporter.Fail(exporter.ReasonBusy, err)
			}
		case errors.As(err, &s) && (s.code == http.StatusUnauthorized || s.code == http.StatusForbidden):
			return Node{}, exporter.Fail(exporter.ReasonUnauthorized, err)
		default:
			return Node{}, err
		}
	}
}

// renewable says whether a 401 on path may mean that the session has ended. When a fresh
// session does not help, it is that resource that is denied, and no more sessions are spent
// on it.
func (c *client) renewable(path string, renewals int) bool {
	if c.cred.Username == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.denied[path] {
		return false
	}
	if renewals > 0 {
		c.denied[path] = true
	}
	return renewals == 0
}

// sleep waits unless the context would end first.
func sleep(ctx context.Context, d time.Duration) bool {
	d = min(d, maxRetryGap)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once makes one GET. wait is what a busy service asks for.
func (c *client) once(ctx context.Context, path, token, etag string) (n Node, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(path), nil)
	if err != nil {
		return Node{}, 0, exporter.Failf(exporter.ReasonProtocol, "link %.100q cannot be requested", path)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("OData-Version", "4.0")
	if path != rootPath || token != "" {
		c.authorize(req, token)
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	start := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		err = stripURL(err)
		c.observe(ctx, "GET "+path, start, nil, err, 0)
		return Node{}, 0, fmt.Errorf("%s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	c.observe(ctx, "GET "+path, start, resp, err, len(raw))
	switch {
	case resp.StatusCode == http.StatusNotModified && etag != "":
		return Node{}, 0, errNotModified
	case resp.StatusCode != http.StatusOK:
		return Node{}, retryAfter(resp.Header), &statusError{resp.StatusCode, path}
	case err != nil:
		return Node{}, 0, fmt.Errorf("%s: read: %w", path, err)
	case len(raw) > maxBody:
		return Node{}, 0, exporter.Failf(exporter.ReasonProtocol, "%s: answer is larger than %d bytes", path, maxBody)
	}
	n, err = decode(raw)
	if err != nil {
		return Node{}, 0, exporter.Failf(exporter.ReasonProtocol, "%s: %w", path, err)
	}
	n.etag = resp.Header.Get("ETag")
	return n, 0, nil
}

func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s < 0 || s > 3600 {
		return 0
	}
	return time.Duration(s) * time.Second
}

// stripURL takes net/http's wrapping off, which repeats the method and the whole URL.
func stripURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

type traceKey struct{}

// withTrace notes the requests made under ctx.
func withTrace(ctx context.Context, t *exporter.Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

func (c *client) observe(ctx context.Context, what string, start time.Time, resp *http.Response, err error, size int) {
	result := "error"
	switch {
	case err != nil:
		result = exporter.Reason(err)
	case resp != nil:
		result = strconv.Itoa(resp.StatusCode)
	}
	t, _ := ctx.Value(traceKey{}).(*exporter.Trace)
	t.Add(what, start, result, size)
	c.count(result)
}

// newClient makes a client for a target: host, host:port, or an http(s) URL of it.
func newClient(target string, cred exporter.Credential, m *Module, log *slog.Logger, count func(string)) (*client, error) {
	if !strings.Contains(target, "://") {
		if strings.Count(target, ":") > 1 && !strings.HasPrefix(target, "[") {
			target = "[" + target + "]" // a bare IPv6 address
		}
		target = "https://" + target
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, exporter.Failf(exporter.ReasonError, "target is not a host, host:port or http(s) URL")
	}
	tlsConfig, err := m.tlsConfig()
	if err != nil {
		return nil, exporter.Fail(exporter.ReasonTLS, err)
	}
	host := u.Host
	return &client{
		base: &url.URL{Scheme: u.Scheme, Host: host},
		http: &http.Client{
			Transport: &http.Transport{
				Proxy:               nil, // BMCs are on the management network
				TLSClientConfig:     tlsConfig,
				TLSHandshakeTimeout: 10 * time.Second,
				MaxConnsPerHost:     m.Concurrency + 2, // for the login and the event stream
				MaxIdleConnsPerHost: m.Concurrency + 1,
				IdleConnTimeout:     90 * time.Second,
				WriteBufferSize:     1 << 10, // requests are short, and connections many
				ReadBufferSize:      2 << 10,
			},
			CheckRedirect: func(req *http.Request, via []*http.Request) error {
				if req.URL.Host != host || req.URL.Scheme != u.Scheme || len(via) > 3 {
					return http.ErrUseLastResponse
				}
				return nil
			},
		},
		cred: cred, log: log, slots: newSlots(m.Concurrency), count: count,
		loginTurn: make(chan struct{}, 1), cache: map[string]kept{}, plans: map[string][]planned{}, denied: map[string]bool{}, used: time.Now(),
	}, nil
}

// close ends the session and the connections.
func (c *client) close(ctx context.Context) error {
	defer c.http.CloseIdleConnections()
	c.mu.Lock()
	stop := c.stopStream
	c.mu.Unlock()
	if stop != nil {
		stop()
		c.streams.Wait()
	}
	return c.logout(ctx)
}
