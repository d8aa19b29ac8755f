package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

func isMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// Latest implements logstore.Store.
func (s *Store) Latest(ctx context.Context, q logstore.Query) ([]logstore.Document, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, q.Index); err != nil {
		return nil, err
	}
	hits, _, err := s.search(ctx, s.target(q.Index), lenient(), map[string]any{
		"size": q.Max(), "track_total_hits": false, "query": map[string]any{"bool": map[string]any{"filter": filters(q)}},
		"sort": []any{map[string]any{"@timestamp": map[string]any{"order": "desc", "unmapped_type": "date"}}, map[string]any{"_seq_no": "desc"}},
	})
	if err != nil {
		return nil, err
	}
	return documents(hits)
}

func documents(hits []hit) (docs []logstore.Document, err error) {
	for _, h := range hits {
		d, err := h.document()
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, nil
}

// Get implements logstore.Store. An id that is stored for several days gives the newest.
func (s *Store) Get(ctx context.Context, index, id string) (logstore.Document, bool, error) {
	if err := logstore.CheckIndex(index); err != nil {
		return logstore.Document{}, false, err
	}
	if err := s.settle(ctx, index); err != nil {
		return logstore.Document{}, false, err
	}
	hits, _, err := s.search(ctx, s.target(index), lenient(), map[string]any{
		"size": 1, "query": map[string]any{"ids": map[string]any{"values": []string{id}}},
		"sort": []any{map[string]any{"@timestamp": map[string]any{"order": "desc", "unmapped_type": "date"}}},
	})
	if err != nil || len(hits) == 0 {
		return logstore.Document{}, false, err
	}
	d, err := hits[0].document()
	return d, err == nil, err
}

// Count implements logstore.Store.
func (s *Store) Count(ctx context.Context, q logstore.Query) (int64, error) {
	if err := q.Check(); err != nil {
		return 0, err
	}
	if err := s.settle(ctx, q.Index); err != nil {
		return 0, err
	}
	var reply struct {
		Count  int64      `json:"count"`
		Shards shardCount `json:"_shards"`
	}
	body := map[string]any{"query": map[string]any{"bool": map[string]any{"filter": filters(q)}}}
	if err := s.callJSON(ctx, http.MethodPost, "/"+s.target(q.Index)+"/_count", lenient(), body, &reply); err != nil {
		return 0, err
	}
	return reply.Count, reply.Shards.err()
}

// maxValues is how many values of a field one bar of a histogram may have.
const maxValues = 1000

// bar is one bucket of the date histogram.
type bar struct {
	Key   int64 `json:"key"`
	Count int64 `json:"doc_count"`
	None  struct {
		Count int64 `json:"doc_count"`
	} `json:"none"`
	Values struct {
		Other   int64 `json:"sum_other_doc_count"`
		Buckets []struct {
			Key   json.RawMessage `json:"key"`
			Text  string          `json:"key_as_string"`
			Count int64           `json:"doc_count"`
		} `json:"buckets"`
	} `json:"values"`
}

// Histogram implements logstore.Store.
func (s *Store) Histogram(ctx context.Context, q logstore.Query, every time.Duration, field string) ([]logstore.Bucket, error) {
	if err := logstore.CheckHistogram(every, field); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, q.Index); err != nil {
		return nil, err
	}
	bars := map[string]any{"date_histogram": map[string]any{"field": "@timestamp", "fixed_interval": fmt.Sprintf("%dms", every.Milliseconds()), "min_doc_count": 1}}
	if field != "" {
		bars["aggs"] = map[string]any{
			"values": map[string]any{"terms": map[string]any{"field": field, "size": maxValues}},
			"none":   map[string]any{"missing": map[string]any{"field": field}},
		}
	}
	var reply struct {
		Shards       shardCount `json:"_shards"`
		Aggregations struct {
			Bars struct {
				Buckets []bar `json:"buckets"`
			} `json:"bars"`
		} `json:"aggregations"`
	}
	body := map[string]any{"size": 0, "query": map[string]any{"bool": map[string]any{"filter": filters(q)}}, "aggs": map[string]any{"bars": bars}}
	err := s.callJSON(ctx, http.MethodPost, "/"+s.target(q.Index)+"/_search", lenient(), body, &reply)
	if err == nil {
		err = reply.Shards.err()
	}
	var e *Error
	switch {
	case errors.As(err, &e) && e.Type == "too_many_buckets_exception":
		return nil, logstore.ErrTooManyBuckets
	case err != nil:
		return nil, err
	}
	var out []logstore.Bucket
	for _, b := range reply.Aggregations.Bars.Buckets {
		if b.Values.Other > 0 {
			return nil, fmt.Errorf("histogram: %s has more than %d values", field, maxValues)
		}
		out = append(out, b.split(field)...)
	}
	if len(out) > logstore.MaxBuckets {
		return nil, logstore.ErrTooManyBuckets
	}
	logstore.SortBuckets(out)
	return out, nil
}

func (b bar) split(field string) (out []logstore.Bucket) {
	start := time.UnixMilli(b.Key).UTC()
	if field == "" {
		return []logstore.Bucket{{Start: start, Count: b.Count}}
	}
	if b.None.Count > 0 {
		out = append(out, logstore.Bucket{Start: start, Count: b.None.Count})
	}
	for _, v := range b.Values.Buckets {
		text := v.Text
		if text == "" && json.Unmarshal(v.Key, &text) != nil {
			text = strings.TrimSpace(string(v.Key)) // a number
		}
		out = append(out, logstore.Bucket{Start: start, Value: text, Count: v.Count})
	}
	return out
}
