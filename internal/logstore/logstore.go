// Package logstore is where log lines, classified lines, anomalies and forecasts are kept.
// Two adapters exist: SQLite for the all-in-one and Elasticsearch 8 for sites that have it.
// One contract suite (storetest) runs over both.
package logstore

import (
	"context"
	"time"
)

// Index names the project writes. Others may be read.
const (
	IndexLogs       = "logs"            // raw lines, written by the tailer, Filebeat or Logstash
	IndexClassified = "logs-classified" // written by log-classifier
	IndexAnomalies  = "anomalies"       // written by anomaly-scorer
	IndexForecasts  = "forecasts"       // written by forecaster
)

// Document is one record. Field names are ECS names in dotted form ("host.name",
// "service.name", "log.level", "process.pid"); values are strings, numbers, booleans or
// lists of them. The time and the message are not repeated in Fields. A store returns whole
// numbers as int64, others as float64 and lists as []any.
type Document struct {
	ID      string    // deterministic, at most MaxID bytes; see Store.Write
	Time    time.Time // of the event (@timestamp)
	Message string
	Fields  map[string]any
}

// Rejected is one document the store refused for good, e.g. by a mapping error.
type Rejected struct {
	ID     string
	Reason string
}

// Query selects documents of one index. Zero fields do not restrict. What is one word of a
// text is the store's business where punctuation is inside: disk_full, 192.0.2.1.
type Query struct {
	Index string
	Text  string            // full-text match on the message, all words required, any case
	Match map[string]string // exact match by field name; a list matches by any element
	From  time.Time         // event time, inclusive
	To    time.Time         // event time, exclusive
	After string            // cursor: only what was stored after it
	Limit int               // at most this many documents; 0 means 1,000, above MaxLimit means MaxLimit
}

// Page is one read. Documents are in the order they were stored, so a late line with an old
// time is not missed by a cursor (Elasticsearch: in that order within each shard). Next
// continues after the last document; it equals the query's cursor when nothing new was
// there, and may move past documents that the query does not select. Large documents make a
// page shorter than Limit: only an empty page is the end.
type Page struct {
	Documents []Document
	Next      string
}

// Bucket is one bar of a histogram.
type Bucket struct {
	Start time.Time
	Value string // of the field that splits the bars
	Count int64
}

// Store keeps documents by index. Implementations are safe for concurrent use.
type Store interface {
	// Write stores docs in index and returns once they are durable. A document whose id is
	// already stored for the day of its Time is left as it was, so writing twice changes
	// nothing. Documents that can never be stored come back as rejected, the others are
	// stored; err means that the whole call is to be repeated.
	Write(ctx context.Context, index string, docs []Document) (rejected []Rejected, err error)
	// Read returns documents in stored order.
	Read(ctx context.Context, q Query) (Page, error)
	// Latest returns up to q.Limit documents, newest event time first; q.After is ignored.
	Latest(ctx context.Context, q Query) ([]Document, error)
	// Get returns one document by id; ok is false when there is none.
	Get(ctx context.Context, index, id string) (doc Document, ok bool, err error)
	// Count counts the documents that q selects; q.Limit is ignored.
	Count(ctx context.Context, q Query) (int64, error)
	// Histogram counts the documents of q by time bucket (UTC multiples of every) and by
	// the values of field, in that order. Value is "" where a document lacks the field and
	// everywhere if field is "". More than MaxBuckets buckets is an error.
	Histogram(ctx context.Context, q Query, every time.Duration, field string) ([]Bucket, error)
	Close() error
}
