package redfish

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	eventsPath  = "/events/"
	maxPosts    = 64               // events being taken at a time; more get HTTP 503
	renewEvery  = 10 * time.Minute // how often a subscription is looked after
	maxOrphans  = 50               // subscriptions looked at for leftovers of ours
	listenRetry = time.Second
)

// Push says where BMCs send events to. Each BMC gets a subscription, which is looked after
// while the BMC is scraped and deleted at reload and exit.
type Push struct {
	// Listen is the address of a listener for events only, e.g. ":9611".
	Listen string `yaml:"listen"`
	// URL is how BMCs reach it, e.g. https://exporter.example:9611. Each exporter has its own.
	URL string `yaml:"url"`
	// CertFile and KeyFile are read at every start and reload; without them it is plain HTTP.
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
}

func (p *Push) validate() error {
	if _, _, err := net.SplitHostPort(p.Listen); err != nil {
		return fmt.Errorf("logs.push.listen: %w", err)
	}
	u, err := url.Parse(p.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || u.RawQuery != "" {
		return errors.New("logs.push.url: must be an http(s) URL without user and query")
	}
	p.URL = strings.TrimRight(p.URL, "/")
	_, err = p.tls()
	return err
}

func (p *Push) tls() (*tls.Config, error) {
	if p.CertFile == "" && p.KeyFile == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(p.CertFile, p.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("logs.push: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// receiver takes the events that BMCs send.
type receiver struct {
	conf   *Push
	log    *slog.Logger
	ship   func(ctx context.Context, target string, events []logEntry) error
	posts  *prometheus.CounterVec // by result
	room   chan struct{}
	starts sync.Once

	mu          sync.Mutex
	subscribers map[string]subscriber // by the last element of their URL
}

// subscriber is a BMC that was told where to send events.
type subscriber struct {
	target string
	secret string // the Context that its events must carry
}

func newReceiver(conf *Push, log *slog.Logger, posts *prometheus.CounterVec, ship func(context.Context, string, []logEntry) error) *receiver {
	return &receiver{conf: conf, log: log, ship: ship, posts: posts, room: make(chan struct{}, maxPosts), subscribers: map[string]subscriber{}}
}

// admit makes the destination for a target's events.
func (r *receiver) admit(target string) (id string, s subscriber) {
	id, s = rand.Text(), subscriber{target, rand.Text()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribers[id] = s
	return id, s
}

func (r *receiver) dismiss(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.subscribers, id)
}

// serve listens until ctx ends. The address may still be held by the driver that a reload
// replaces, so it tries again.
func (r *receiver) serve(ctx context.Context) {
	tlsConfig, err := r.conf.tls()
	if err != nil {
		r.log.Error("events cannot be received", "err", err)
		return
	}
	srv := &http.Server{
		Handler: r, TLSConfig: tlsConfig, ReadTimeout: 10 * time.Second, WriteTimeout: 40 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	stopped := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stopped()
	for tries := 0; ctx.Err() == nil; tries++ {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.conf.Listen)
		if err == nil {
			r.log.Info("events are received", "address", l.Addr().String())
			if tlsConfig != nil {
				l = tls.NewListener(l, tlsConfig)
			}
			err = srv.Serve(l)
		}
		if ctx.Err() == nil && tries == 5 {
			r.log.Error("events cannot be received", "address", r.conf.Listen, "err", err)
		}
		pause(ctx, listenRetry)
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// ServeHTTP takes one delivery.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status := http.StatusServiceUnavailable
	select {
	case r.room <- struct{}{}:
		status = r.take(w, req)
		<-r.room
	default:
	}
	result := map[int]string{http.StatusNoContent: "accepted", http.StatusServiceUnavailable: "busy"}[status]
	if result == "" {
		result = "refused"
	}
	r.posts.WithLabelValues(result).Inc()
	w.WriteHeader(status)
}

// take checks a delivery and passes its events on.
func (r *receiver) take(w http.ResponseWriter, req *http.Request) (status int) {
	id, ok := strings.CutPrefix(req.URL.Path, eventsPath)
	if at := strings.Index(req.URL.Path, eventsPath); !ok && at >= 0 { // the URL may have a path of its own
		id = req.URL.Path[at+len(eventsPath):]
	}
	r.mu.Lock()
	s, known := r.subscribers[strings.TrimRight(id, "/")]
	r.mu.Unlock()
	switch {
	case !known:
		return http.StatusNotFound
	case req.Method != http.MethodPost:
		return http.StatusMethodNotAllowed
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxEvent))
	if err != nil {
		return http.StatusRequestEntityTooLarge
	}
	n, err := decode(raw)
	if err != nil {
		return http.StatusBadRequest
	}
	events := n.list("Events")
	secret := n.str("Context")
	if secret == "" && len(events) > 0 { // in the first versions of the schema each event has it
		secret = events[0].str("Context")
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) != 1 {
		r.log.Warn("event without the context of its subscription", "target", s.target, "from", req.RemoteAddr)
		return http.StatusForbidden
	}
	ctx, cancel := context.WithTimeout(req.Context(), 30*time.Second)
	defer cancel()
	if err := r.ship(ctx, s.target, parseEvents(n)); err != nil {
		r.log.Warn("events not passed on", "target", s.target, "err", err)
		return http.StatusServiceUnavailable // the BMC tries again
	}
	return http.StatusNoContent
}

// subscribe keeps a subscription at the service until ctx ends, then deletes it.
func (d *Driver) subscribe(ctx context.Context, c *client, svc Node) {
	d.push.starts.Do(func() { d.done.Go(func() { d.push.serve(d.ctx) }) })
	id, who := d.push.admit(c.base.Host)
	defer d.push.dismiss(id)
	list, err := clean(svc.link("Subscriptions"), c.base.Host)
	if err != nil {
		return
	}
	destination := d.conf.Logs.Push.URL + eventsPath
	mine := ""
	for ctx.Err() == nil {
		if mine == "" || !c.subscribed(ctx, mine) {
			if err := c.unsubscribe(ctx, list, destination); err != nil {
				d.log.Debug("old subscriptions not deleted", "target", c.base.Host, "err", err)
			}
			if mine, err = c.createSubscription(ctx, list, destination+id, who.secret, svc); err != nil && ctx.Err() == nil {
				d.log.Warn("no subscription to events", "target", c.base.Host, "err", err)
			}
		}
		pause(ctx, d.renew)
	}
	if mine == "" {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := c.delete(last, mine); err != nil {
		d.log.Warn("subscription may be left on the device", "target", c.base.Host, "err", err)
	}
}

// subscribed says that a subscription is there and at work. When the service does not
// answer, it is taken for there.
func (c *client) subscribed(ctx context.Context, path string) bool {
	n, err := c.get(ctx, path, slow, options{})
	if err != nil {
		return !absent(err)
	}
	return !strings.EqualFold(n.str("Status.State"), "Disabled")
}

// unsubscribe deletes subscriptions that an earlier run of this exporter left.
func (c *client) unsubscribe(ctx context.Context, list, destination string) error {
	n, err := c.get(ctx, list, slow, options{})
	if err != nil {
		return err
	}
	var errs []error
	for _, ref := range memberList(n)[:min(len(memberList(n)), maxOrphans)] {
		path, err := clean(ref.id(), c.base.Host)
		if err != nil {
			continue
		}
		s := ref
		if !ref.full() {
			if s, err = c.get(ctx, path, slow, options{}); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if strings.HasPrefix(s.str("Destination"), destination) {
			errs = append(errs, c.delete(ctx, path))
		}
	}
	return errors.Join(errs...)
}

// createSubscription asks for events of every kind and returns the subscription's address.
// Services from before EventFormatType want a list of event types, which newer ones refuse.
func (c *client) createSubscription(ctx context.Context, list, destination, secret string, svc Node) (string, error) {
	body := map[string]any{"Destination": destination, "Context": secret, "Protocol": "Redfish"}
	types, _ := svc.find("EventTypesForSubscription").([]any)
	if len(types) == 0 {
		types = []any{"Alert"}
	}
	old := maps.Clone(body)
	old["EventTypes"] = types
	formats, _ := svc.find("EventFormatTypes").([]any)
	for _, f := range formats {
		if f == "Event" {
			body["EventFormatType"] = f
		}
	}
	var status *statusError
	path, err := c.postSubscription(ctx, list, body)
	if errors.As(err, &status) && status.code/100 == 4 && !absent(err) {
		path, err = c.postSubscription(ctx, list, old)
	}
	return path, err
}

func (c *client) postSubscription(ctx context.Context, list string, body map[string]any) (string, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("encode subscription: %w", err)
	}
	resp, err := c.do(ctx, http.MethodPost, list, raw)
	if err != nil {
		return "", err
	}
	location := resp.Header.Get("Location")
	if n, err := decode(resp.body); err == nil && location == "" {
		location = n.id()
	}
	return clean(location, c.base.Host)
}

func (c *client) delete(ctx context.Context, path string) error {
	_, err := c.do(ctx, http.MethodDelete, path, nil)
	if absent(err) {
		return nil
	}
	return err
}

// reply is an answer that was read whole.
type reply struct {
	*http.Response
	body []byte
}

// do makes a request that changes the service, in a session that is renewed once.
func (c *client) do(ctx context.Context, method, path string, body []byte) (reply, error) {
	for used := -1; ; {
		token, serial, err := c.login(ctx, used)
		if err != nil {
			return reply{}, err
		}
		req, err := http.NewRequestWithContext(ctx, method, c.url(path), bytes.NewReader(body))
		if err != nil {
			return reply{}, fmt.Errorf("%s: %w", path, err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		c.authorize(req, token)
		start := time.Now()
		resp, err := c.http.Do(req)
		c.observe(ctx, method+" "+path, start, resp, err, 0)
		if err != nil {
			return reply{}, fmt.Errorf("%s: %w", path, stripURL(err))
		}
		raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		_ = resp.Body.Close()
		switch {
		case err != nil:
			return reply{}, fmt.Errorf("%s: read: %w", path, err)
		case resp.StatusCode == http.StatusUnauthorized && used < 0 && token != "":
			used = serial
		case resp.StatusCode/100 != 2:
			return reply{}, &statusError{resp.StatusCode, path}
		default:
			return reply{resp, raw}, nil
		}
	}
}
