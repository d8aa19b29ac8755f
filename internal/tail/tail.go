// Package tail follows log files, the journal and a syslog port into a log store. Positions
// are saved after the write they stand for and document ids come from (file, offset), so
// that a crash at any moment loses no line and stores none twice. See docs/logs.md.
package tail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
)

// Config says what to follow. The zero value of a time or size takes its default.
type Config struct {
	Files    []string          // paths or globs
	Journal  bool              // also journald, if journalctl is there
	Listen   string            // host:port for syslog over UDP and TCP, "" for none
	StateDir string            // positions are kept here; one Tailer a directory
	Labels   map[string]string // added to every document as labels.<name>
	Host     string            // host.name where a line has none; default os.Hostname

	Poll     time.Duration // between two looks at the files, 500 ms
	Discover time.Duration // between two expansions of the globs, 5 s
	Idle     time.Duration // a last line without newline is taken as it is after this, 5 s
	Linger   time.Duration // a rotated file is watched this long after its last change, 30 s
}

// Bounds of memory and of one write.
const (
	batchLines = 1000
	batchBytes = 4 << 20
	maxLine    = 256 << 10 // longer lines are stored in pieces of this
	maxFiles   = 1000
)

// DefaultFiles are the globs of an ordinary Linux machine.
func DefaultFiles() []string {
	return []string{"/var/log/syslog", "/var/log/messages", "/var/log/secure", "/var/log/cron", "/var/log/maillog", "/var/log/*.log", "/var/log/*/*.log"}
}

// Tailer follows what its Config names. It is a prometheus.Collector.
type Tailer struct {
	conf    Config
	store   logstore.Store
	log     *slog.Logger
	metrics *metrics
	lines   parser

	unlock func() error
	state  *state
	files  []*file
	told   map[string]bool // troubles with paths that were logged once
	batch  batch
	live   chan entry // from the journal and the network

	nextDiscover time.Time
}

// batch is what the next write holds, and what becomes true once it is written.
type batch struct {
	docs   []logstore.Document
	bytes  int
	ahead  bool // positions must be saved before the write
	commit []func()
}

// New makes a Tailer that has not started. It fails if another one uses conf.StateDir or if
// the positions there cannot be read.
func New(conf Config, store logstore.Store, log *slog.Logger) (*Tailer, error) {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&conf.Poll, 500*time.Millisecond)
	def(&conf.Discover, 5*time.Second)
	def(&conf.Idle, 5*time.Second)
	def(&conf.Linger, 30*time.Second)
	if conf.Host == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("tail: %w", err)
		}
		conf.Host = host
	}
	for _, g := range conf.Files {
		if _, err := filepath.Match(g, ""); err != nil {
			return nil, fmt.Errorf("tail: glob %q: %w", g, err)
		}
	}
	for name := range conf.Labels {
		if err := logstore.CheckField("labels." + name); err != nil {
			return nil, fmt.Errorf("tail: label %q: %w", name, err)
		}
	}
	if conf.StateDir == "" {
		return nil, errors.New("tail: no state directory is given")
	}
	unlock, err := job.Lock(conf.StateDir)
	if err != nil {
		return nil, fmt.Errorf("tail: %w", err)
	}
	st, err := loadState(filepath.Join(conf.StateDir, "positions.json"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tail: %w", err), unlock())
	}
	return &Tailer{
		conf: conf, store: store, log: log, metrics: newMetrics(), lines: parser{host: conf.Host, zone: time.Local},
		unlock: unlock, state: st, told: map[string]bool{}, live: make(chan entry, batchLines),
	}, nil
}

// Run follows until ctx ends. It may be called once.
func (t *Tailer) Run(ctx context.Context) (err error) {
	defer func() {
		for _, f := range t.files {
			f.close()
		}
		err = errors.Join(err, t.unlock())
	}()
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if t.conf.Listen != "" {
		if err := t.listen(ctx, &wg); err != nil {
			return err
		}
	}
	if t.conf.Journal {
		cursor := t.state.Journal
		wg.Go(func() { t.followJournal(ctx, cursor) })
	}
	for ctx.Err() == nil {
		more, err := t.round(ctx)
		if err != nil {
			if ctx.Err() != nil {
				break // what was not written is read again by the next Run
			}
			return err
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(t.conf.Poll):
		case e := <-t.live:
			t.takeLive(e)
		}
	}
	return nil
}

// round looks at everything once; more says that something is waiting already.
func (t *Tailer) round(ctx context.Context) (more bool, err error) {
	if now := time.Now(); !now.Before(t.nextDiscover) {
		if err := t.discover(ctx, now); err != nil {
			return false, err
		}
		t.nextDiscover = now.Add(t.conf.Discover)
	}
	for _, f := range append([]*file(nil), t.files...) {
		m, err := t.pump(ctx, f)
		if err != nil {
			return false, err
		}
		more = more || m
	}
	for range batchLines {
		select {
		case e := <-t.live:
			t.takeLive(e)
			continue
		default:
		}
		break
	}
	err = t.flush(ctx)
	t.lag()
	return more || len(t.live) > 0, err
}

// lag publishes how much is known to be unread.
func (t *Tailer) lag() {
	var unread int64
	for _, f := range t.files {
		unread += max(f.size-f.pos.Offset, 0)
	}
	t.metrics.unread.Set(float64(unread))
	t.metrics.files.Set(float64(len(t.files)))
}

// add puts a document into the batch; commit runs once it is stored.
func (t *Tailer) add(d logstore.Document, commit func()) {
	for name, v := range t.conf.Labels {
		d.Fields["labels."+name] = v
	}
	t.batch.docs = append(t.batch.docs, d)
	t.batch.bytes += len(d.Message)
	t.batch.commit = append(t.batch.commit, commit)
}

func (t *Tailer) full() bool { return len(t.batch.docs) >= batchLines || t.batch.bytes >= batchBytes }

// flush writes the batch and then saves the positions.
func (t *Tailer) flush(ctx context.Context) error {
	if t.batch.ahead {
		if err := t.save(ctx); err != nil {
			return err
		}
	}
	if len(t.batch.docs) > 0 {
		var rejected []logstore.Rejected
		err := t.insist(ctx, "log store does not take lines", func() (err error) {
			rejected, err = t.store.Write(ctx, logstore.IndexLogs, t.batch.docs)
			return err
		})
		if err != nil {
			return err
		}
		t.stored(rejected)
	}
	done := t.batch.commit
	t.batch = batch{}
	if len(done) == 0 {
		return nil
	}
	for _, commit := range done {
		commit()
	}
	return t.save(ctx)
}

func (t *Tailer) save(ctx context.Context) error {
	return t.insist(ctx, "log positions cannot be saved", t.state.save)
}

// insist repeats do until it succeeds or ctx ends: lines wait in their files meanwhile,
// nowhere else.
func (t *Tailer) insist(ctx context.Context, trouble string, do func() error) error {
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		err := do()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.metrics.failures.Inc()
		t.log.Warn("trying again", "trouble", trouble, "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (t *Tailer) stored(rejected []logstore.Rejected) {
	t.metrics.lines.Add(float64(len(t.batch.docs) - len(rejected)))
	t.metrics.rejected.Add(float64(len(rejected)))
	t.metrics.success.SetToCurrentTime()
	if len(rejected) > 0 {
		t.log.Warn("log store refused lines for good", "lines", len(rejected), "first", strings.ToValidUTF8(rejected[0].ID, "?"), "reason", rejected[0].Reason)
	}
}

// tellOnce logs a trouble with a file at most once a path.
func (t *Tailer) tellOnce(path string, err error) {
	if !t.told[path] {
		t.told[path] = true
		t.log.Warn("log file cannot be followed", "path", path, "err", err)
	}
}
