package redfish

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/exporter"
)

const (
	maxEvent       = 1 << 20 // bytes of one server-sent event
	streamRetry    = time.Minute
	maxStreamRetry = 15 * time.Minute
)

// follow starts to receive the service's events, once per client, where it offers them and
// the configuration wants them: server-sent events, or else a subscription.
func (d *Driver) follow(ctx context.Context, s *scrape) {
	conf := d.conf.Logs
	if !d.logs.out.Enabled() || (!conf.Stream && conf.Push == nil) || s.probe.Trace.Recording() {
		return
	}
	c := s.c
	c.mu.Lock()
	started := c.stopStream != nil
	c.mu.Unlock()
	if started {
		return
	}
	svc, _, err := s.get(ctx, s.rootLink("EventService"), slow)
	if err != nil {
		return // no such service, or asked again at the next scrape
	}
	var receive func(context.Context)
	sse, err := clean(svc.str("ServerSentEventUri"), c.base.Host)
	switch {
	case conf.Stream && err == nil:
		receive = func(ctx context.Context) { d.listen(ctx, c, sse) }
	case conf.Push != nil && svc.link("Subscriptions") != "":
		receive = func(ctx context.Context) { d.subscribe(ctx, c, svc) }
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopStream == nil {
		// It outlives the scrape; it ends with the client.
		var receiving context.Context
		receiving, c.stopStream = context.WithCancel(context.Background())
		c.streams.Go(func() { receive(receiving) })
	}
}

// listen reads events until the client ends, and connects again when the service hangs up.
func (d *Driver) listen(ctx context.Context, c *client, path string) {
	wait := streamRetry
	for {
		start := time.Now()
		err := d.readStream(ctx, c, path)
		if ctx.Err() != nil {
			return
		}
		d.log.Info("event stream ended", "target", c.base.Host, "err", err)
		if time.Since(start) > 10*wait {
			wait = streamRetry
		}
		pause(ctx, wait)
		wait = min(2*wait, maxStreamRetry)
	}
}

// readStream reads one connection's events to its end.
func (d *Driver) readStream(ctx context.Context, c *client, path string) error {
	token, _, err := c.login(ctx, -1)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(path), nil)
	if err != nil {
		return fmt.Errorf("event stream: %w", err)
	}
	req.Header.Set("Accept", "text/event-stream")
	c.authorize(req, token)
	resp, err := c.http.Do(req)
	if err != nil {
		return stripURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return &statusError{resp.StatusCode, path}
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxEvent)
	var data strings.Builder
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, "data:"); ok {
			if data.Len()+len(text) > maxEvent {
				return exporter.Failf(exporter.ReasonProtocol, "event is larger than %d bytes", maxEvent)
			}
			data.WriteString(text)
			continue
		}
		if line == "" && data.Len() > 0 {
			d.event(ctx, c, data.String())
			data.Reset()
		}
	}
	return errors.Join(lines.Err(), errors.New("closed by the service"))
}

// event ships the records of one Event; other payloads, e.g. metric reports, are not events.
func (d *Driver) event(ctx context.Context, c *client, data string) {
	n, err := decode([]byte(data))
	if err != nil {
		d.log.Debug("event cannot be read", "target", c.base.Host, "err", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := d.logs.ship(ctx, c.base.Host, nil, parseEvents(n)); err != nil {
		d.log.Warn("events not passed on", "target", c.base.Host, "err", err)
	}
}

// parseEvents are the records of one Event.
func parseEvents(n Node) []logEntry {
	var entries []logEntry
	for _, e := range n.list("Events") {
		if len(entries) >= maxLogEntries {
			break
		}
		entry := parseEntry(e, eventService)
		entry.id = e.first("EventId", "MemberId", "Id")
		entry.origin = short(e.link("OriginOfCondition"))
		entries = append(entries, entry)
	}
	return entries
}
