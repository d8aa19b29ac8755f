package elastic

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// target is what is read for index: a configured pattern or our own alias.
func (s *Store) target(index string) string {
	if p := s.conf.Read[index]; p != "" {
		return p
	}
	return index
}

// lenient makes an index that does not exist an empty one.
func lenient() url.Values {
	return url.Values{"ignore_unavailable": {"true"}, "allow_no_indices": {"true"}}
}

// cursor is, for each shard that was read, the sequence number of its last operation. A
// shard numbers its operations in the order it does them; what is late in event time is not
// late there. Keys are "index uuid/shard".
type cursor map[string]int64

func parseCursor(text string) (cursor, error) {
	c := cursor{}
	if text == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, fmt.Errorf("cursor %.40q is not one of this store", text)
	}
	return c, nil
}

// maxShards is how many shards a cursor remembers; beyond that it forgets deleted indices.
const maxShards = 5000

// shard is one primary and how far it may be read: below its global checkpoint no operation
// can still appear.
type shard struct {
	index, key string
	number     int
	end        int64
}

func (s *Store) shards(ctx context.Context, index string) ([]shard, error) {
	var reply struct {
		Indices map[string]struct {
			UUID   string `json:"uuid"`
			Shards map[string][]struct {
				Routing struct {
					State   string `json:"state"`
					Primary bool   `json:"primary"`
				} `json:"routing"`
				SeqNo struct {
					Checkpoint int64 `json:"global_checkpoint"`
				} `json:"seq_no"`
			} `json:"shards"`
		} `json:"indices"`
	}
	// Stats have no ignore_unavailable; a missing alias is an empty one.
	params := url.Values{"level": {"shards"}, "filter_path": {"indices.*.uuid,indices.*.shards.*.routing,indices.*.shards.*.seq_no"}}
	err := s.callJSON(ctx, http.MethodGet, "/"+s.target(index)+"/_stats/docs", params, nil, &reply)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []shard
	for name, ix := range reply.Indices {
		for number, copies := range ix.Shards {
			n, err := strconv.Atoi(number)
			if err != nil {
				return nil, fmt.Errorf("elasticsearch: shard number %.20q", number)
			}
			for _, c := range copies {
				if c.Routing.Primary && c.Routing.State == "STARTED" {
					out = append(out, shard{name, ix.UUID + "/" + number, n, c.SeqNo.Checkpoint})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b shard) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.number, b.number)) })
	return out, nil
}

// Read implements logstore.Store. It works on indices that others write as well: sequence
// numbers need no field of ours. Documents are in stored order within each shard; indices
// come in the order of their names, which for dated ones is that of their days.
func (s *Store) Read(ctx context.Context, q logstore.Query) (logstore.Page, error) {
	if err := q.Check(); err != nil {
		return logstore.Page{}, err
	}
	at, err := parseCursor(q.After)
	if err != nil {
		return logstore.Page{}, err
	}
	shards, err := s.shards(ctx, q.Index)
	if err != nil {
		return logstore.Page{}, err
	}
	page := logstore.Page{Next: q.After}
	left, room := q.Max(), pageBytes
	moved := false
	for _, sh := range shards {
		from, known := at[sh.key]
		if !known {
			from = -1
		}
		if sh.end <= from {
			continue
		}
		if left <= 0 || room <= 0 {
			break
		}
		docs, next, size, err := s.readShard(ctx, q, sh, from, left, room)
		if err != nil {
			return logstore.Page{}, err
		}
		page.Documents = append(page.Documents, docs...)
		left, room = left-len(docs), room-size
		at[sh.key] = next
		moved = moved || next > from
	}
	if !moved {
		return page, nil
	}
	if len(at) > maxShards {
		maps.DeleteFunc(at, func(key string, _ int64) bool {
			return !slices.ContainsFunc(shards, func(sh shard) bool { return sh.key == key })
		})
	}
	next, err := json.Marshal(at)
	if err != nil {
		return logstore.Page{}, fmt.Errorf("encode cursor: %w", err)
	}
	page.Next = string(next)
	return page, nil
}

// pageBytes ends a page early, so that 10,000 large messages are never held at once.
const pageBytes = 16 << 20

// readShard reads what one shard holds behind from, at most limit documents and about room
// bytes. next is where the shard was read to.
func (s *Store) readShard(ctx context.Context, q logstore.Query, sh shard, from int64, limit, room int) (docs []logstore.Document, next int64, size int, err error) {
	// What lies below the checkpoint is durable; a refresh makes it visible.
	if err := s.refresh(ctx, sh.index); err != nil {
		return nil, 0, 0, err
	}
	filter := append(filters(q), map[string]any{"range": map[string]any{"_seq_no": map[string]any{"lte": sh.end}}})
	params := url.Values{"preference": {"_shards:" + strconv.Itoa(sh.number)}}
	next = from
	for chunk := 32; ; {
		chunk = min(chunk, limit-len(docs))
		hits, bytes, err := s.search(ctx, sh.index, params, map[string]any{
			"size": chunk, "sort": []any{map[string]any{"_seq_no": "asc"}}, "search_after": []int64{next}, "track_total_hits": false,
			"query": map[string]any{"bool": map[string]any{"filter": filter}},
		})
		if err != nil {
			return nil, 0, 0, err
		}
		for _, h := range hits {
			d, err := h.document()
			if err != nil {
				return nil, 0, 0, err
			}
			docs = append(docs, d)
			next = h.Sort[0]
		}
		size += bytes
		switch {
		case len(hits) < chunk:
			return docs, sh.end, size, nil // all of it was looked at
		case len(docs) == limit || size >= room:
			return docs, next, size, nil
		}
		// The next part as large as what is known of the size allows.
		chunk = max(min(4<<20/max(bytes/len(hits), 1), 5000), 4)
	}
}

// hit is one document of a search.
type hit struct {
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
	Sort   []int64         `json:"sort"`
}

func (s *Store) search(ctx context.Context, target string, params url.Values, body any) (hits []hit, size int, err error) {
	var reply struct {
		Shards shardCount `json:"_shards"`
		Hits   struct {
			Hits []hit `json:"hits"`
		} `json:"hits"`
	}
	if err := s.callJSON(ctx, http.MethodPost, "/"+target+"/_search", params, body, &reply); err != nil {
		return nil, 0, err
	}
	for _, h := range reply.Hits.Hits {
		size += len(h.Source)
	}
	return reply.Hits.Hits, size, reply.Shards.err()
}

// shardCount tells an incomplete answer: HTTP 200 does not.
type shardCount struct {
	Failed   int `json:"failed"`
	Failures []struct {
		Reason struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"reason"`
	} `json:"failures"`
}

func (c shardCount) err() error {
	if c.Failed == 0 {
		return nil
	}
	e := &Error{Status: http.StatusServiceUnavailable, Reason: fmt.Sprintf("%d shards failed", c.Failed)}
	if len(c.Failures) > 0 {
		e.Type, e.Reason = c.Failures[0].Reason.Type, c.Failures[0].Reason.Reason
	}
	return e
}

// document reads a hit, ours or another writer's.
func (h hit) document() (logstore.Document, error) {
	d := logstore.Document{ID: h.ID}
	fields, err := logstore.DecodeFields(h.Source)
	if err != nil {
		return d, fmt.Errorf("elasticsearch: document %s: %w", h.ID, err)
	}
	switch v := fields["@timestamp"].(type) {
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			d.Time = t.UTC()
		}
	case int64:
		d.Time = time.UnixMilli(v).UTC()
	}
	d.Message, _ = fields["message"].(string)
	delete(fields, "@timestamp")
	delete(fields, "message")
	if len(fields) > 0 {
		d.Fields = fields
	}
	return d, nil
}

// refresh makes what is stored visible to searches.
func (s *Store) refresh(ctx context.Context, target string) error {
	return s.callJSON(ctx, http.MethodPost, "/"+target+"/_refresh", lenient(), nil, nil)
}

// settle refreshes index if this process has written to it since the last time.
func (s *Store) settle(ctx context.Context, index string) error {
	s.mu.Lock()
	dirty := s.dirty[index]
	s.dirty[index] = false
	s.mu.Unlock()
	if !dirty {
		return nil
	}
	if err := s.refresh(ctx, s.target(index)); err != nil {
		s.mu.Lock()
		s.dirty[index] = true
		s.mu.Unlock()
		return err
	}
	return nil
}

// filters are the clauses of q but its cursor.
func filters(q logstore.Query) []any {
	out := []any{}
	span := map[string]any{}
	if !q.From.IsZero() {
		span["gte"] = q.From.UTC().Format(time.RFC3339Nano)
	}
	if !q.To.IsZero() {
		span["lt"] = q.To.UTC().Format(time.RFC3339Nano)
	}
	if len(span) > 0 {
		out = append(out, map[string]any{"range": map[string]any{"@timestamp": span}})
	}
	if q.Text != "" {
		out = append(out, map[string]any{"match": map[string]any{"message": map[string]any{"query": strings.ToValidUTF8(q.Text, " "), "operator": "and"}}})
	}
	for name, want := range q.Match {
		// lenient: text asked of a number field matches nothing instead of failing.
		out = append(out, map[string]any{"match": map[string]any{name: map[string]any{"query": want, "operator": "and", "lenient": true}}})
	}
	return out
}
