package collect

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
)

// target is what is remembered of one BMC between scrapes. Its lock is held by a scrape
// from Open to the end; everything but used is guarded by it.
type target struct {
	name string
	sem  chan struct{}

	usedMu sync.Mutex
	used   time.Time

	conn     ipmi.Conn
	connKey  string // what the session was opened with
	version  ipmi.ConnInfo
	idle     *time.Timer // ends the session
	idleUser int         // scrapes so far, so that an old timer does not end a newer use

	text     *text
	repo     repository
	device   aged[ipmi.DeviceID]
	selfTest aged[selfTest]
	powerOn  aged[time.Duration]
	dcmi     aged[bool]
	clock    aged[clockOffset]
	frus     aged[[]fruUnit]
	sel      *selState
	absent   map[string]time.Time // commands that the BMC does not have, and since when we know
}

func newTarget(name string) *target {
	return &target{name: name, text: newText(), sem: make(chan struct{}, 1), absent: map[string]time.Time{}}
}

// aged is slow data with the time it was read.
type aged[T any] struct {
	v    T
	read time.Time
}

func (a *aged[T]) fresh(now time.Time, refresh time.Duration) bool {
	return !a.read.IsZero() && now.Sub(a.read) < refresh
}

func (t *target) lock(ctx context.Context) error {
	select {
	case t.sem <- struct{}{}:
		if t.idle != nil {
			t.idle.Stop()
		}
		t.idleUser++
		return nil
	case <-ctx.Done():
		return fmt.Errorf("another scrape of %s has not ended: %w", t.name, context.Cause(ctx))
	}
}

func (t *target) unlock() { <-t.sem }

// release ends a scrape and keeps the session for a while.
func (t *target) release(d *Driver) {
	if t.conn != nil {
		user := t.idleUser
		t.idle = time.AfterFunc(time.Duration(d.conf.SessionIdle), func() {
			select {
			case t.sem <- struct{}{}:
				if t.idleUser == user {
					t.drop(d)
				}
				t.unlock()
			default: // in use again
			}
		})
	}
	t.unlock()
}

// drop ends the session.
func (t *target) drop(d *Driver) {
	if t.idle != nil {
		t.idle.Stop()
	}
	if t.conn == nil {
		return
	}
	if err := t.conn.Close(); err != nil {
		d.log.Debug("session not closed", "target", t.name, "err", err)
	}
	t.conn = nil
	d.sessions.Dec()
}

// retire ends the session of a target that is forgotten, unless it is in use; then its
// idle timer does.
func (t *target) retire(d *Driver) {
	select {
	case t.sem <- struct{}{}:
		t.drop(d)
		t.unlock()
	default:
	}
}

func (t *target) touch() {
	t.usedMu.Lock()
	t.used = time.Now()
	t.usedMu.Unlock()
}

func (t *target) unused(d time.Duration) bool {
	t.usedMu.Lock()
	defer t.usedMu.Unlock()
	return time.Since(t.used) > d
}

// session returns the open session when it was opened with the same options, else a new
// one. kept says that it is an old one, which the BMC may have ended.
func (t *target) session(ctx context.Context, d *Driver, opt ipmi.Options) (kept bool, err error) {
	key := sessionKey(opt)
	if t.conn != nil && t.connKey == key {
		return true, nil
	}
	t.drop(d)
	t.conn, err = t.dial(ctx, opt)
	if err != nil {
		return false, err
	}
	t.connKey, t.version = key, t.conn.Info()
	d.sessions.Inc()
	d.opened.Inc()
	return false, nil
}

// dial opens a session. What worked the last time is tried at once, without the questions
// before it, and a BMC that has spoken 2.0 is never asked to speak 1.5.
func (t *target) dial(ctx context.Context, opt ipmi.Options) (ipmi.Conn, error) {
	if t.name == LocalTarget {
		return ipmi.OpenDevice("")
	}
	auto := opt
	if t.version.Suite != 0 && opt.Suite == 0 && opt.Version != ipmi.Version15 {
		opt.Suite, opt.Version, auto.Version = t.version.Suite, ipmi.Version20, ipmi.Version20
		c, err := ipmi.Dial(ctx, t.name, opt)
		if err == nil || !isSuite(err) {
			return c, err
		}
		t.version.Suite = 0
	}
	return ipmi.Dial(ctx, t.name, auto)
}

// sessionKey tells sessions apart that must not be shared. It holds no secret.
func sessionKey(o ipmi.Options) string {
	sum := sha256.Sum256(slices.Concat([]byte(o.User), []byte{0}, o.Password, []byte{0}, o.BMCKey))
	return fmt.Sprintf("%x %d %d %s %t", sum[:8], o.Privilege, o.Suite, o.Version, o.OneByOne)
}

// quirkNames are those of the session and of the BMC.
func (t *target) quirkNames(q ipmi.Quirks) string {
	return strings.Join(slices.Concat(t.version.Quirks, q.Names), ",")
}
