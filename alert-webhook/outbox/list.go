package outbox

import (
	"context"
	"fmt"
	"time"
)

// Item is one notification to one channel.
type Item struct {
	ID        int64     `json:"id"`
	Channel   string    `json:"channel"`
	Title     string    `json:"title"`
	State     string    `json:"state"`
	Attempts  int       `json:"attempts"`
	CreatedAt time.Time `json:"createdAt"`
	NextAt    time.Time `json:"nextAt,omitzero"` // of a pending one
	DoneAt    time.Time `json:"doneAt,omitzero"`
	LastError string    `json:"lastError,omitempty"`
}

// List returns up to limit items below the id before (0: from the newest), newest first.
// An empty state or channel does not restrict.
func (o *Outbox) List(ctx context.Context, state, channel string, before int64, limit int) ([]Item, error) {
	rows, err := o.db.QueryContext(ctx, `SELECT id, channel, title, state, attempts, created_at, next_at, done_at, last_error FROM outbox
		WHERE (? = '' OR state = ?) AND (? = '' OR channel = ?) AND (? = 0 OR id < ?) ORDER BY id DESC LIMIT ?`,
		state, state, channel, channel, before, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := []Item{}
	for rows.Next() {
		var it Item
		var created, next, done int64
		if err := rows.Scan(&it.ID, &it.Channel, &it.Title, &it.State, &it.Attempts, &created, &next, &done, &it.LastError); err != nil {
			return nil, fmt.Errorf("list notifications: %w", err)
		}
		it.CreatedAt = time.UnixMilli(created).UTC()
		if it.State == Pending {
			it.NextAt = time.UnixMilli(next).UTC()
		} else {
			it.DoneAt = time.UnixMilli(done).UTC()
		}
		out = append(out, it)
	}
	return out, rows.Err()
}

// Prune forgets what was delivered or given up before t.
func (o *Outbox) Prune(ctx context.Context, t time.Time) error {
	if _, err := o.db.ExecContext(ctx, "DELETE FROM outbox WHERE state IN ('delivered', 'dead') AND done_at < ?", t.UnixMilli()); err != nil {
		return fmt.Errorf("prune notifications: %w", err)
	}
	return nil
}
