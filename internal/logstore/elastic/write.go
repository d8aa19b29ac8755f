package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// Bounds of one bulk request.
const (
	bulkBytes = 8 << 20
	bulkDocs  = 5000
)

// maxTries bounds how often a document that Elasticsearch is too busy for is sent; with the
// pauses of backoff that is about a minute.
const maxTries = 9

// template is what our indices look like. Priority 500 outranks the built-in logs-*-*
// template, which would make data streams of them. Every document is found under the alias.
func (s *Store) template(index string) map[string]any {
	settings := map[string]any{
		"number_of_shards": s.conf.Shards,
		// One odd value must not cost the document: it is kept and not indexed.
		"mapping.ignore_malformed":                         true,
		"mapping.total_fields.ignore_dynamic_beyond_limit": true,
	}
	if s.conf.Replicas != nil {
		settings["number_of_replicas"] = *s.conf.Replicas
	}
	return map[string]any{
		"index_patterns": []string{index + "-2*"},
		"priority":       500,
		"template": map[string]any{
			"aliases":  map[string]any{index: map[string]any{}},
			"settings": map[string]any{"index": settings},
			"mappings": map[string]any{
				"dynamic_templates": []any{
					map[string]any{"strings": map[string]any{"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword", "ignore_above": 1024}}},
				},
				"date_detection": false,
				"properties": map[string]any{
					"@timestamp": map[string]any{"type": "date", "ignore_malformed": false},
					"message":    map[string]any{"type": "text"},
				},
			},
		},
		"_meta": map[string]any{"managed_by": "inframind"},
	}
}

// prepare installs the template of index before its first write.
func (s *Store) prepare(ctx context.Context, index string) error {
	s.mu.Lock()
	done := s.ready[index]
	s.mu.Unlock()
	if done {
		return nil
	}
	if err := s.callJSON(ctx, http.MethodPut, "/_index_template/inframind-"+index, nil, s.template(index), nil); err != nil {
		return fmt.Errorf("install index template of %s: %w", index, err)
	}
	s.mu.Lock()
	s.ready[index] = true
	s.mu.Unlock()
	return nil
}

// partition is the index that holds documents of time t.
func (s *Store) partition(index string, t time.Time) string {
	if s.conf.Partition == "month" {
		return index + t.Format("-2006.01")
	}
	return index + t.Format("-2006.01.02")
}

// item is one document as two lines of a bulk request.
type item struct {
	id    string
	lines []byte
}

func (s *Store) encode(index string, d logstore.Document) (item, error) {
	d, err := d.Clean()
	if err != nil {
		return item{}, err
	}
	source := make(map[string]any, len(d.Fields)+2)
	maps.Copy(source, d.Fields)
	source["@timestamp"] = d.Time.Format(time.RFC3339Nano)
	source["message"] = d.Message
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// "create" leaves a document that is there as it is.
	if err := enc.Encode(map[string]any{"create": map[string]string{"_index": s.partition(index, d.Time), "_id": d.ID}}); err != nil {
		return item{}, fmt.Errorf("encode: %w", err)
	}
	if err := enc.Encode(source); err != nil {
		return item{}, fmt.Errorf("encode: %w", err)
	}
	return item{d.ID, b.Bytes()}, nil
}

// Write implements logstore.Store.
func (s *Store) Write(ctx context.Context, index string, docs []logstore.Document) (rejected []logstore.Rejected, err error) {
	if err := logstore.CheckIndex(index); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var items []item
	for _, d := range docs {
		it, err := s.encode(index, d)
		if err != nil {
			rejected = append(rejected, logstore.Rejected{ID: d.ID, Reason: err.Error()})
			continue
		}
		items = append(items, it)
	}
	if len(items) == 0 {
		return rejected, nil
	}
	if err := s.prepare(ctx, index); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.dirty[index] = true
	s.mu.Unlock()
	for len(items) > 0 {
		n, size := 0, 0
		for n < len(items) && n < bulkDocs && (n == 0 || size+len(items[n].lines) <= bulkBytes) {
			size += len(items[n].lines)
			n++
		}
		bad, err := s.send(ctx, items[:n])
		if err != nil {
			return nil, err
		}
		rejected, items = append(rejected, bad...), items[n:]
	}
	return rejected, nil
}

// send stores items, again and again those that Elasticsearch was too busy for.
func (s *Store) send(ctx context.Context, items []item) (rejected []logstore.Rejected, err error) {
	for try := 1; ; try++ {
		busy, bad, err := s.bulk(ctx, items)
		var e *Error
		switch {
		case errors.As(err, &e) && e.Status == http.StatusRequestEntityTooLarge:
			more, err := s.halves(ctx, items, e)
			return append(rejected, more...), err
		case errors.As(err, &e) && e.temporary():
			busy = items
		case err != nil:
			return nil, err
		}
		rejected = append(rejected, bad...)
		if len(busy) == 0 {
			return rejected, nil
		}
		if try == maxTries {
			return nil, fmt.Errorf("elasticsearch is too busy for %d documents after %d tries: %w", len(busy), try, errors.Join(err, errBusy))
		}
		items = busy
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("elasticsearch is too busy for %d documents after %d tries: %w", len(busy), try, errors.Join(err, ctx.Err()))
		case <-time.After(backoff(try)):
		}
	}
}

var errBusy = errors.New("rejected execution")

// backoff doubles from 100 ms to 15 s; half of it is chance.
func backoff(try int) time.Duration {
	d := min(100*time.Millisecond<<try, 15*time.Second)
	return d/2 + time.Duration(rand.Int64N(int64(d)/2))
}

// halves sends in two parts what a proxy or a node finds too large.
func (s *Store) halves(ctx context.Context, items []item, e *Error) ([]logstore.Rejected, error) {
	if len(items) == 1 {
		return []logstore.Rejected{{ID: items[0].id, Reason: e.Error()}}, nil
	}
	a, err := s.send(ctx, items[:len(items)/2])
	if err != nil {
		return nil, err
	}
	b, err := s.send(ctx, items[len(items)/2:])
	return append(a, b...), err
}

// bulk sends items once. busy are those to be sent again, rejected those that never will be
// stored; a document that is there already is stored.
func (s *Store) bulk(ctx context.Context, items []item) (busy []item, rejected []logstore.Rejected, err error) {
	var body bytes.Buffer
	for _, it := range items {
		body.Write(it.lines)
	}
	var reply struct {
		Errors bool `json:"errors"`
		Items  []map[string]struct {
			Status int `json:"status"`
			Error  struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
				Cause  struct {
					Reason string `json:"reason"`
				} `json:"caused_by"`
			} `json:"error"`
		} `json:"items"`
	}
	if err := s.call(ctx, http.MethodPost, "/_bulk", nil, "application/x-ndjson", body.Bytes(), &reply); err != nil {
		return nil, nil, err
	}
	if len(reply.Items) != len(items) {
		return nil, nil, fmt.Errorf("elasticsearch: bulk answer has %d items for %d documents", len(reply.Items), len(items))
	}
	if !reply.Errors {
		return nil, nil, nil
	}
	for i, r := range reply.Items {
		res := r["create"]
		switch {
		case res.Status/100 == 2 || res.Status == http.StatusConflict:
		case res.Status == http.StatusTooManyRequests || res.Status >= 500:
			busy = append(busy, items[i])
		case res.Status == http.StatusUnauthorized || res.Status == http.StatusForbidden || res.Status == http.StatusNotFound:
			// A privilege or a setting of the cluster, not the document: nothing may be dropped.
			return nil, nil, &Error{Status: res.Status, Type: res.Error.Type, Reason: res.Error.Reason}
		default:
			reason := res.Error.Type + ": " + res.Error.Reason
			if res.Error.Cause.Reason != "" {
				reason += ": " + res.Error.Cause.Reason
			}
			rejected = append(rejected, logstore.Rejected{ID: items[i].id, Reason: reason})
		}
	}
	return busy, rejected, nil
}
