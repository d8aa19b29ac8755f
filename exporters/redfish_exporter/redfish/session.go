package redfish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/inframind/inframind/internal/exporter"
)

const (
	rootPath     = "/redfish/v1"
	sessionsPath = "/redfish/v1/SessionService/Sessions"
	// basicFor is how long a client stays with basic authentication after the service
	// refused a session for want of room.
	basicFor = 5 * time.Minute
	// refusedFor is how long a refused credential is not tried again: BMCs lock accounts.
	refusedFor = time.Minute
	// loginFor bounds a login whose scrape has ended.
	loginFor = 10 * time.Second
)

// session is how a client authenticates. The zero value has not tried yet.
type session struct {
	token    string // of the session; empty with basic authentication
	location string // of the session, to delete it
	basic    time.Time
	refused  time.Time // until when the credential counts as refused
	serial   int       // of the session, so that one 401 renews it once
}

// login makes sure that there is a session, or decides for basic authentication. used is
// the serial of the session that the caller saw refused, -1 for none.
func (c *client) login(ctx context.Context, used int) (token string, serial int, err error) {
	if c.cred.Username == "" {
		return "", 0, nil
	}
	select { // a mutex that obeys the context
	case c.loginTurn <- struct{}{}:
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	if token, serial, ok, err := c.loggedIn(used); ok {
		<-c.loginTurn
		return token, serial, err
	}
	if err := c.enter(ctx); err != nil {
		return "", 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.token, c.session.serial, nil
}

// loggedIn says how to authenticate when that is known; ok is false when a session must be
// asked for.
func (c *client) loggedIn(used int) (token string, serial int, ok bool, err error) {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	now := time.Now()
	switch {
	case now.Before(s.refused):
		return "", 0, true, exporter.Failf(exporter.ReasonUnauthorized, "user or password was refused; tried again in %s", time.Until(s.refused).Round(time.Second))
	case s.token != "" && s.serial != used:
		return s.token, s.serial, true, nil
	case now.Before(s.basic) && s.serial != used:
		return "", s.serial, true, nil
	case now.Before(s.basic):
		// Basic authentication was refused too.
		c.setSession(func(s *session) { s.refused = now.Add(refusedFor) })
		return "", 0, true, exporter.Failf(exporter.ReasonUnauthorized, "user or password was refused")
	}
	return "", 0, false, nil
}

// enter asks for a session and gives the turn back. Once the request is on its way the answer
// is awaited even when ctx ends: it holds the only key to a session that the service has made.
func (c *client) enter(ctx context.Context) error {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginFor)
	var sent atomic.Bool
	own = httptrace.WithClientTrace(own, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	stop := context.AfterFunc(ctx, func() {
		if !sent.Load() {
			cancel()
		}
	})
	done := make(chan error, 1)
	go func() {
		defer func() { stop(); cancel(); <-c.loginTurn }()
		done <- c.createSession(own)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *client) setSession(change func(*session)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.session)
}

// createSession asks for a session at the address the service root names, or at the
// standard one. Without room or without a session service it falls back to basic
// authentication.
func (c *client) createSession(ctx context.Context) error {
	body, err := json.Marshal(map[string]string{"UserName": c.cred.Username, "Password": string(c.cred.Password)})
	if err != nil {
		return fmt.Errorf("encode login: %w", err)
	}
	resp, err := c.post(ctx, c.sessionAddress(), body)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	token := resp.Header.Get("X-Auth-Token")
	switch {
	case resp.StatusCode/100 == 2 && token != "":
		location := resp.Header.Get("Location")
		if location == "" {
			if n, err := decode(raw); err == nil {
				location = n.id()
			}
		}
		path, err := clean(location, c.base.Host)
		if err != nil {
			path = "" // it will expire by itself
			c.log.Warn("service does not say how to end its session", "target", c.base.Host)
		}
		var old session
		c.setSession(func(s *session) { old, *s = *s, session{token: token, location: path, serial: s.serial + 1} })
		if old.location != "" && old.location != path {
			// The service refused the old one, but it may still hold its place.
			if err := c.deleteSession(ctx, old.location, token); err != nil {
				c.log.Debug("old session not deleted", "target", c.base.Host, "err", err)
			}
		}
		return nil
	case (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden) && !sessionsExhausted(raw):
		c.setSession(func(s *session) { *s = session{refused: time.Now().Add(refusedFor), serial: s.serial + 1} })
		return exporter.Failf(exporter.ReasonUnauthorized, "log in: %s", resp.Status)
	default:
		c.log.Info("no session to be had, using basic authentication", "target", c.base.Host, "status", resp.Status)
		c.setSession(func(s *session) { *s = session{basic: time.Now().Add(basicFor), serial: s.serial + 1} })
		return nil
	}
}

// sessionsExhausted recognises the message ids of a full session table.
func sessionsExhausted(raw []byte) bool {
	for _, id := range []string{"RAC0218", "SessionLimitExceeded", "CreateLimitReachedForResource"} {
		if bytes.Contains(raw, []byte(id)) {
			return true
		}
	}
	return false
}

// sessionAddress is where sessions are made.
func (c *client) sessionAddress() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions != "" {
		return c.sessions
	}
	return sessionsPath
}

func (c *client) post(ctx context.Context, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(path), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("OData-Version", "4.0")
	start := time.Now()
	resp, err := c.http.Do(req)
	c.observe(ctx, "POST "+path, start, resp, err, 0)
	return resp, stripURL(err)
}

// logout ends the session, whatever became of the scrape's context.
func (c *client) logout(ctx context.Context) error {
	select { // a login may still be under way
	case c.loginTurn <- struct{}{}:
		defer func() { <-c.loginTurn }()
	case <-ctx.Done():
		return fmt.Errorf("log out of %s: %w", c.base.Host, ctx.Err())
	}
	var s session
	c.setSession(func(old *session) { s = *old; *old = session{serial: old.serial + 1} })
	if s.token == "" || s.location == "" {
		return nil
	}
	return c.deleteSession(ctx, s.location, s.token)
}

func (c *client) deleteSession(ctx context.Context, path, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, c.url(path), nil)
	if err != nil {
		return fmt.Errorf("log out of %s: %w", c.base.Host, err)
	}
	req.Header.Set("X-Auth-Token", token)
	start := time.Now()
	resp, err := c.http.Do(req)
	c.observe(ctx, "DELETE "+path, start, resp, err, 0)
	if err != nil {
		return fmt.Errorf("log out of %s: %w", c.base.Host, stripURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("log out of %s: %s", c.base.Host, resp.Status)
	}
	return nil
}

// authorize puts the credential on a request.
func (c *client) authorize(req *http.Request, token string) {
	switch {
	case token != "":
		req.Header.Set("X-Auth-Token", token)
	case c.cred.Username != "":
		req.SetBasicAuth(c.cred.Username, strings.TrimRight(string(c.cred.Password), "\r\n"))
	}
}
