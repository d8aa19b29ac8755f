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
// lists of them. The time and the message are not repeated in Fields.
type Document struct {
	ID      string    // deterministic, so that writing a document twice changes nothing
	Time    time.Time // of the event (@timestamp)
	Message string
	Fields  map[string]any
}

// Rejected is one document the store refused for good, e.g. by a mapping error.
type Rejected struct {
	ID     string
	Reason string
}

// Query selects documents of one index. Zero fields do not restrict.
type Query struct {
	Index string
	Text  string            // full-text match on the message, all words required
	Match map[string]string // exact match by field name
	From  time.Time         // event time, inclusive
	To    time.Time         // event time, exclusive
	After string            // cursor: only what was stored after it
	Limit int               // at most this many documents; 0 means 1,000
}

// Page is one read. Documents are in the order they were stored, so a late line with an old
// time is not missed by a cursor. Next continues after the last document; it equals the
// query's cursor when nothing new was there.
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
	// Write stores docs in index and returns once they are durable. Documents that can
	// never be stored come back as rejected; err means that the whole call is to be
	// repeated, which is safe because ids are deterministic.
	Write(ctx context.Context, index string, docs []Document) (rejected []Rejected, err error)
	// Read returns documents in stored order.
	Read(ctx context.Context, q Query) (Page, error)
	// Latest returns up to q.Limit documents, newest event time first; q.After is ignored.
	Latest(ctx context.Context, q Query) ([]Document, error)
	// Get returns one document by id; ok is false when there is none.
	Get(ctx context.Context, index, id string) (doc Document, ok bool, err error)
	// Count counts the documents that q selects; q.Limit is ignored.
	Count(ctx context.Context, q Query) (int64, error)
	// Histogram counts the documents of q by time bucket and by the values of field.
	Histogram(ctx context.Context, q Query, every time.Duration, field string) ([]Bucket, error)
	Close() error
}
