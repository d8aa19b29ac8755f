// Package notify holds what all channels share. Each channel is a package below it.
package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/alert-webhook/alert"
)

// Notifier delivers a group to one channel. retry says whether trying again can help. An
// error that wraps a *Wait says when.
type Notifier interface {
	Notify(ctx context.Context, g alert.Group) (retry bool, err error)
}

// Wait is how long a channel asks to be left alone.
type Wait struct {
	For time.Duration
	Err error
}

func (w *Wait) Error() string { return fmt.Sprintf("%s (asked to wait %s)", w.Err, w.For) }
func (w *Wait) Unwrap() error { return w.Err }

// maxWait bounds what a channel may ask for.
const maxWait = time.Hour

// maxReply is how much of an answer is read: enough for a message, never a memory problem.
const maxReply = 64 << 10

// Do sends req and judges the answer: 2xx is delivered; 408, 425, 429 and 5xx are worth
// another try; anything else is final. The start of the reply goes into the error.
func Do(client *http.Client, req *http.Request) (body []byte, retry bool, err error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, !errors.Is(err, errRedirect), hideURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if resp.StatusCode/100 == 2 {
		// The far end has accepted: a reply that breaks off does not change that.
		return body, false, nil
	}
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "\uFFFD")), " ")
	if err != nil {
		text = err.Error()
	}
	failure := fmt.Errorf("answer %s: %.300s", resp.Status, text)
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		if d, ok := retryAfter(resp.Header.Get("Retry-After"), time.Now()); ok {
			return body, true, &Wait{For: d, Err: failure}
		}
		return body, true, failure
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= 500:
		return body, true, failure
	}
	return body, false, failure
}

var errRedirect = errors.New("redirects are not followed")

// NoRedirect is a CheckRedirect for channels: a POST that is redirected would lose its body
// or carry its secret elsewhere.
func NoRedirect(*http.Request, []*http.Request) error { return errRedirect }

// hideURL strips the URL that net/http puts into its errors: channel URLs hold secrets.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("send: %w", u.Err)
	}
	return fmt.Errorf("send: %w", err)
}

// retryAfter reads the header in either of its forms.
func retryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	d := time.Duration(-1)
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		d = time.Duration(min(s, maxWait.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxWait), d >= 0
}

// Key names a message by its content.
func Key(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
