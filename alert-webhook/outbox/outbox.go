// Package outbox is a durable queue of notifications in SQLite: at least once, in order for
// each group and channel, with back-off, and with dead letters that stay to be seen.
package outbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// Schema creates the queue's table; the owner of the database runs it.
const Schema = `
CREATE TABLE outbox (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	channel    TEXT NOT NULL,
	group_key  TEXT NOT NULL,
	title      TEXT NOT NULL,
	payload    BLOB NOT NULL,              -- JSON of alert.Group
	state      TEXT NOT NULL,              -- pending, delivered, dead
	attempts   INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,           -- all times Unix milliseconds
	next_at    INTEGER NOT NULL,
	done_at    INTEGER NOT NULL DEFAULT 0,
	last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_pending ON outbox (channel, id) WHERE state = 'pending';
CREATE INDEX outbox_done ON outbox (state, done_at);`

// States of an Item.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Dead      = "dead"
)

// Options of a queue; zero fields take the defaults.
type Options struct {
	MinBackoff time.Duration // 5 s
	MaxBackoff time.Duration // 5 min
	MaxAge     time.Duration // 24 h: what is older when a try fails becomes a dead letter
	Timeout    time.Duration // 30 s for one try
	Log        *slog.Logger
	Metrics    *Metrics
}

func (o *Options) defaults() {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.MinBackoff, 5*time.Second)
	def(&o.MaxBackoff, 5*time.Minute)
	def(&o.MaxAge, 24*time.Hour)
	def(&o.Timeout, 30*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
}

// Outbox is the queue. It does not own the database.
type Outbox struct {
	db   *sql.DB
	wake chan struct{}

	mu       sync.Mutex
	opts     Options
	channels map[string]notify.Notifier
	busy     map[string]bool
}

// New makes a queue over db, which has Schema.
func New(db *sql.DB, opts Options) *Outbox {
	opts.defaults()
	return &Outbox{db: db, opts: opts, wake: make(chan struct{}, 1), channels: map[string]notify.Notifier{}, busy: map[string]bool{}}
}

// Configure replaces the channels and the limits. A try under way ends with the old ones.
func (o *Outbox) Configure(channels map[string]notify.Notifier, opts Options) {
	opts.defaults()
	o.mu.Lock()
	opts.Metrics = o.opts.Metrics
	o.channels, o.opts = maps.Clone(channels), opts
	for channel := range channels {
		opts.Metrics.init(channel)
	}
	o.mu.Unlock()
	o.Wake()
}

// Wake makes Run look for work now.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Enqueue adds g for channel within tx. After the commit the caller calls Wake.
func (o *Outbox) Enqueue(ctx context.Context, tx *sql.Tx, channel string, g alert.Group, now time.Time) error {
	payload, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("queue: encode: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (channel, group_key, title, payload, state, created_at, next_at) VALUES (?, ?, ?, ?, 'pending', ?, ?)",
		channel, g.GroupKey, g.Title(), payload, now.UnixMilli(), now.UnixMilli())
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// idlePoll is the longest time between two looks into the queue.
const idlePoll = 30 * time.Second

// Run delivers until ctx ends. Each channel is served on its own: a dead one holds up no
// other. What is under way when ctx ends is cancelled and tried again by the next Run.
func (o *Outbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		pause := o.start(ctx, &wg)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-o.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// start gives every idle channel that has a due item a goroutine, and returns when to look
// again.
func (o *Outbox) start(ctx context.Context, wg *sync.WaitGroup) time.Duration {
	now := time.Now()
	due, err := o.due(ctx)
	if err != nil {
		if ctx.Err() == nil {
			o.log().Error("notification queue cannot be read", "err", err)
		}
		return o.options().MinBackoff
	}
	pause := idlePoll
	for channel, at := range due {
		o.mu.Lock()
		n, known := o.channels[channel]
		skip := o.busy[channel] || !known
		if !skip && !at.After(now) {
			o.busy[channel] = true
			wg.Go(func() {
				o.drain(ctx, channel, n)
				o.mu.Lock()
				o.busy[channel] = false
				o.mu.Unlock()
				o.Wake()
			})
		}
		o.mu.Unlock()
		if !skip && at.After(now) {
			pause = min(pause, at.Sub(now))
		}
	}
	return max(pause, 10*time.Millisecond)
}

// first restricts a query to items that no earlier item of the same group and channel holds
// up: "resolved" must never overtake "firing".
const first = `state = 'pending' AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.state = 'pending' AND e.channel = o.channel AND e.group_key = o.group_key AND e.id < o.id)`

func (o *Outbox) due(ctx context.Context) (map[string]time.Time, error) {
	rows, err := o.db.QueryContext(ctx, "SELECT channel, min(next_at) FROM outbox o WHERE "+first+" GROUP BY channel")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]time.Time{}
	for rows.Next() {
		var channel string
		var at int64
		if err := rows.Scan(&channel, &at); err != nil {
			return nil, err
		}
		out[channel] = time.UnixMilli(at)
	}
	return out, rows.Err()
}

// drain tries the due items of channel, oldest first, until none is due.
func (o *Outbox) drain(ctx context.Context, channel string, n notify.Notifier) {
	for ctx.Err() == nil {
		var it Item
		var payload []byte
		var created int64
		err := o.db.QueryRowContext(ctx, "SELECT id, attempts, created_at, payload FROM outbox o WHERE channel = ? AND next_at <= ? AND "+first+" ORDER BY id LIMIT 1",
			channel, time.Now().UnixMilli()).Scan(&it.ID, &it.Attempts, &created, &payload)
		if errors.Is(err, sql.ErrNoRows) {
			return
		}
		it.Channel, it.CreatedAt = channel, time.UnixMilli(created)
		if err == nil {
			err = o.try(ctx, it, payload, n)
		}
		if err != nil {
			if ctx.Err() == nil {
				o.log().Error("notification queue", "channel", channel, "err", err)
			}
			return
		}
	}
}

// try delivers one item and records the outcome.
func (o *Outbox) try(ctx context.Context, it Item, payload []byte, n notify.Notifier) error {
	opts := o.options()
	var g alert.Group
	retry, err := false, json.Unmarshal(payload, &g)
	start := time.Now()
	if err == nil {
		tctx, cancel := context.WithTimeout(ctx, opts.Timeout)
		retry, err = n.Notify(tctx, g)
		cancel()
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the process ends: this try does not count
	}
	now := time.Now()
	// The outcome is recorded even if the process is asked to end meanwhile.
	wctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	log := opts.Log.With("channel", it.Channel, "id", it.ID, "attempt", it.Attempts+1)
	opts.Metrics.observe(it.Channel, now.Sub(start))
	switch {
	case err == nil:
		if _, err := o.db.ExecContext(wctx, "UPDATE outbox SET state = 'delivered', attempts = attempts + 1, done_at = ?, last_error = '' WHERE id = ?", now.UnixMilli(), it.ID); err != nil {
			return fmt.Errorf("record delivery: %w", err)
		}
		opts.Metrics.delivered(it.Channel, now)
		log.Info("notification delivered", "title", g.Title())
		return nil
	case retry && now.Sub(it.CreatedAt) < opts.MaxAge:
		pause := backoff(opts, it.Attempts, err)
		opts.Metrics.count(it.Channel, "retried")
		log.Warn("notification failed, will be tried again", "in", pause.Round(time.Millisecond), "err", err)
		_, dberr := o.db.ExecContext(wctx, "UPDATE outbox SET attempts = attempts + 1, next_at = ?, last_error = ? WHERE id = ?", now.Add(pause).UnixMilli(), err.Error(), it.ID)
		return dberr
	default:
		opts.Metrics.count(it.Channel, "dead")
		log.Error("notification given up", "title", g.Title(), "err", err)
		_, dberr := o.db.ExecContext(wctx, "UPDATE outbox SET state = 'dead', attempts = attempts + 1, done_at = ?, last_error = ? WHERE id = ?", now.UnixMilli(), err.Error(), it.ID)
		return dberr
	}
}

// backoff doubles with every attempt; a quarter of it is chance, so that a channel that
// comes back is not met by everything at once. A channel's own wish is respected.
func backoff(o Options, attempts int, err error) time.Duration {
	d := o.MaxBackoff
	if attempts < 30 {
		d = min(o.MinBackoff<<attempts, o.MaxBackoff)
	}
	d = d*3/4 + time.Duration(rand.Int64N(int64(d)/4+1))
	var w *notify.Wait
	if errors.As(err, &w) {
		d = max(d, w.For)
	}
	return d
}

func (o *Outbox) options() Options {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.opts
}

func (o *Outbox) log() *slog.Logger { return o.options().Log }
