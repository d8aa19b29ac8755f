// Package demo makes a small fleet that looks alive: 30 days of metric history, node
// metrics, a syslog file and a Zeek conn.log that go on from there. The same seed and
// clock give the same data. Everything it makes is labelled demo="true".
package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/inframind/inframind/internal/job"
)

// Options say where the demo's files go. Dir receives syslog.log and zeek/conn.log; tail
// the first and score the second with the label demo="true".
type Options struct {
	Dir  string
	Seed uint64
	Now  func() time.Time // nil means time.Now
}

// origin is what a demo began with; it is kept beside its files.
type origin struct {
	Seed  uint64    `json:"seed"`
	Start time.Time `json:"start"`
}

// Demo is a running demo.
type Demo struct {
	fleet  *Fleet
	syslog *logStream
	zeek   *zeekStream
	now    func() time.Time
}

// backfill is how much of the log and connection streams is written at the first start.
const backfill = 24 * time.Hour

// SyslogFile is where New puts its log stream below dir.
func SyslogFile(dir string) string { return filepath.Join(dir, "syslog.log") }

// ZeekDir is where New puts its connection logs below dir.
func ZeekDir(dir string) string { return filepath.Join(dir, "zeek") }

// New writes the last day of both streams, or only what is missing since an earlier run.
func New(o Options) (*Demo, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(ZeekDir(o.Dir), 0o750); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	now := o.Now()
	// A later start goes on with the same fleet: the disk that fills keeps filling.
	origin := origin{Seed: o.Seed, Start: now}
	state := filepath.Join(o.Dir, "demo.json")
	err := job.LoadJSON(state, &origin)
	if err == nil {
		err = job.SaveJSON(state, origin)
	}
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	o.Seed = origin.Seed
	d := &Demo{fleet: NewFleet(o.Seed, origin.Start), now: o.Now}
	if d.syslog, err = openLogStream(SyslogFile(o.Dir), o.Seed); err != nil {
		return nil, err
	}
	if d.zeek, err = openZeekStream(ZeekDir(o.Dir), o.Seed, origin.Start); err != nil {
		return nil, err
	}
	if err := d.advance(now); err != nil {
		return nil, err
	}
	return d, nil
}

// Fleet serves the node metrics of the demo's hosts.
func (d *Demo) Fleet() *Fleet { return d.fleet }

// Run extends both streams once a second until ctx ends.
func (d *Demo) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.Join(d.syslog.file.Close(), d.zeek.close())
		case <-tick.C:
			if err := d.advance(d.now()); err != nil {
				return err
			}
		}
	}
}

func (d *Demo) advance(to time.Time) error {
	return errors.Join(d.syslog.advance(to), d.zeek.advance(to))
}

// hash mixes its arguments into 64 well-spread bits (splitmix64's finaliser), so that a
// value depends on the seed, the series and the moment alone and not on what was asked before.
func hash(seed uint64, parts ...uint64) uint64 {
	h := seed + 0x9e3779b97f4a7c15
	for _, p := range parts {
		h ^= p + 0x9e3779b97f4a7c15 + h<<6 + h>>2
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// unit maps a hash to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

func name64(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// pick chooses among items by their weights; u is in [0, 1).
func pick[T any](items []T, weight func(T) float64, u float64) T {
	var total float64
	for _, it := range items {
		total += weight(it)
	}
	u *= total
	for _, it := range items {
		if u -= weight(it); u < 0 {
			return it
		}
	}
	return items[len(items)-1]
}
