// Package eventlog passes entries of devices' event logs on: to a log store, to standard
// output as JSON lines, to a syslog server. The exporter remembers what was passed on, after
// Write has returned without an error; so an entry is never lost, and comes again when the
// process dies in between. A log store knows it by its id; stdout and syslog repeat it.
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/internal/logstore"
)

// Config says where entries go besides the log store. Inline it under `logs:`.
type Config struct {
	// Output is empty for nowhere, stdout for JSON lines, or a syslog server:
	// udp://host:514, tcp://host:601, unix:///dev/log.
	Output string `yaml:"output,omitempty"`
}

// Validate checks the configuration.
func (c Config) Validate() error {
	if c.Output == "" || c.Output == "stdout" {
		return nil
	}
	u, err := url.Parse(c.Output)
	if err == nil {
		switch u.Scheme {
		case "udp", "tcp":
			if u.Port() != "" && u.Path == "" && u.User == nil {
				return nil
			}
		case "unix":
			if u.Host == "" && u.Path != "" {
				return nil
			}
		}
	}
	return errors.New("logs.output: must be stdout, udp://host:port, tcp://host:port or unix:///path")
}

// Store is the part of a logstore.Store that takes entries.
type Store interface {
	Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error)
}

// Output takes entries. It is safe for concurrent use.
type Output struct {
	log     *slog.Logger
	store   Store
	lines   writer
	closer  []io.Closer
	refused prometheus.Counter
}

// writer writes entries as lines.
type writer interface {
	write(ctx context.Context, docs []logstore.Document) error
}

// New makes the output of a valid configuration. app is the sender's name in syslog. store
// may be nil; the output closes it when it is an io.Closer. Nothing is connected yet.
func New(conf Config, app string, store Store, log *slog.Logger, reg prometheus.Registerer) (*Output, error) {
	o := &Output{log: log, store: store, refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "exporter_log_entries_refused_total", Help: "Event log entries that the log store refused for good.",
	})}
	if err := reg.Register(o.refused); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	if c, ok := store.(io.Closer); ok {
		o.closer = append(o.closer, c)
	}
	switch conf.Output {
	case "":
	case "stdout":
		o.lines = &jsonLines{w: os.Stdout}
	default:
		u, err := url.Parse(conf.Output)
		if err != nil {
			return nil, fmt.Errorf("logs.output: %w", err)
		}
		s := &syslog{app: app, network: u.Scheme, address: u.Host}
		if u.Scheme == "unix" {
			s.network, s.address = "unixgram", u.Path
		}
		o.lines = s
		o.closer = append(o.closer, s)
	}
	return o, nil
}

// Enabled says whether entries go anywhere.
func (o *Output) Enabled() bool { return o.store != nil || o.lines != nil }

// Write writes docs to the log store's index of lines, then as lines. An error means that
// all of them are to be written again. What the store refuses for good is logged and counted.
func (o *Output) Write(ctx context.Context, docs []logstore.Document) error {
	if len(docs) == 0 {
		return nil
	}
	if o.store != nil { // first: it takes a repetition without a trace
		rejected, err := o.store.Write(ctx, logstore.IndexLogs, docs)
		if err != nil {
			return fmt.Errorf("write event log entries: %w", err)
		}
		if len(rejected) > 0 {
			o.refused.Add(float64(len(rejected)))
			o.log.Warn("log store refused event log entries", "count", len(rejected), "first_id", rejected[0].ID, "reason", rejected[0].Reason)
		}
	}
	if o.lines != nil {
		if err := o.lines.write(ctx, docs); err != nil {
			return fmt.Errorf("write event log entries: %w", err)
		}
	}
	return nil
}

// Close closes the store and the connection.
func (o *Output) Close() error {
	var errs []error
	for _, c := range slices.Backward(o.closer) {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
