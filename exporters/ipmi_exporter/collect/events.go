package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// JSONEvents writes documents as JSON lines with ECS field names.
type JSONEvents struct {
	mu sync.Mutex
	w  io.Writer
}

// NewStdoutEvents writes to standard output.
func NewStdoutEvents() *JSONEvents { return &JSONEvents{w: os.Stdout} }

// Write implements EventSink.
func (j *JSONEvents) Write(_ context.Context, docs []logstore.Document) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	enc := json.NewEncoder(j.w)
	for _, d := range docs {
		line := maps.Clone(d.Fields)
		line["@timestamp"], line["message"], line["event.id"] = d.Time.Format(time.RFC3339Nano), d.Message, d.ID
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("write event: %w", err)
		}
	}
	return nil
}

// StoreEvents writes documents to a log store.
type StoreEvents struct{ Store logstore.Store }

// Write implements EventSink.
func (s StoreEvents) Write(ctx context.Context, docs []logstore.Document) error {
	rejected, err := s.Store.Write(ctx, logstore.IndexLogs, docs)
	if err != nil {
		return err
	}
	if len(rejected) > 0 {
		return fmt.Errorf("log store refused %d of %d entries, the first because %s", len(rejected), len(docs), rejected[0].Reason)
	}
	return nil
}

// EventSinks writes to several sinks in turn. What one of them refuses is written again to
// all, so put those that keep entries by id first.
type EventSinks []EventSink

// Write implements EventSink.
func (e EventSinks) Write(ctx context.Context, docs []logstore.Document) error {
	for _, s := range e {
		if err := s.Write(ctx, docs); err != nil {
			return err
		}
	}
	return nil
}
