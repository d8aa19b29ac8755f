// Package supervise keeps the parts of the all-in-one apart: one that fails or panics is
// started again after a pause and never takes another down, and its state is a metric.
package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// State of a part.
type State string

// States, in the order in which the metric lists them.
const (
	Off      State = "off"      // not configured
	Starting State = "starting" // has not succeeded yet
	OK       State = "ok"
	Failed   State = "failed"
)

var states = []State{Off, Starting, OK, Failed}

// Pauses before a part that failed is started again: doubled each time, and back to the
// first after it has run for longer than the last.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

var (
	stateDesc   = prometheus.NewDesc("inframind_component_state", "State of the component; 1 for the state it is in.", []string{"component", "state"}, nil)
	restartDesc = prometheus.NewDesc("inframind_component_restarts_total", "How often the component was started again after it had failed.", []string{"component"}, nil)
	successDesc = prometheus.NewDesc("inframind_component_last_success_timestamp_seconds", "Unix time at which the component last did its work, 0 if it never has.", []string{"component"}, nil)
)

// Part is one supervised component. It is safe for concurrent use.
type Part struct {
	log   *slog.Logger
	stop  context.CancelFunc
	ended chan struct{}

	mu       sync.Mutex
	state    State
	restarts int
	success  time.Time
}

// OK notes that the part has done its work.
func (p *Part) OK() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.success = OK, time.Now()
}

// Idle notes that nothing is configured for the part to do.
func (p *Part) Idle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = Off
}

// Fail notes an error that the part itself goes on from; nil is the same as OK.
func (p *Part) Fail(err error) {
	if err == nil {
		p.OK()
		return
	}
	p.log.Error("component failed", "err", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = Failed
}

// Stop ends the part and waits for it.
func (p *Part) Stop() {
	p.stop()
	<-p.ended
}

// Supervisor runs parts and is the prometheus.Collector of their states.
type Supervisor struct {
	log *slog.Logger
	wg  sync.WaitGroup

	mu    sync.Mutex
	parts map[string]*Part
}

// New makes a Supervisor without parts.
func New(log *slog.Logger) *Supervisor {
	return &Supervisor{log: log, parts: map[string]*Part{}}
}

// Start runs a part until ctx ends, again and again if it must. Run calls OK on the Part
// when it has done its work, returns nil when ctx has ended, and an error otherwise.
// A part that was stopped may be started again under its name.
func (s *Supervisor) Start(ctx context.Context, name string, run func(context.Context, *Part) error) *Part {
	p := s.add(name, Starting)
	ctx, p.stop = context.WithCancel(ctx)
	s.wg.Go(func() {
		defer close(p.ended)
		pause := firstPause
		for ctx.Err() == nil {
			began := time.Now()
			err := protect(ctx, p, run)
			if ctx.Err() != nil {
				if err != nil {
					p.log.Warn("component ended with an error", "err", err)
				}
				return
			}
			if err == nil {
				err = fmt.Errorf("ended before it was told to")
			}
			if time.Since(began) > lastPause {
				pause = firstPause
			}
			p.Fail(fmt.Errorf("%w; next start in %s", err, pause))
			p.countRestart()
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, lastPause)
		}
	})
	return p
}

// Off lists a part that is not configured.
func (s *Supervisor) Off(name string) { s.add(name, Off) }

// Wait returns when every part has ended.
func (s *Supervisor) Wait() { s.wg.Wait() }

func (s *Supervisor) add(name string, st State) *Part {
	p := &Part{log: s.log.With("component", name), state: st, ended: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.parts[name]; old != nil {
		old.mu.Lock()
		p.restarts, p.success = old.restarts, old.success
		old.mu.Unlock()
	}
	s.parts[name] = p
	return p
}

func (p *Part) countRestart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.restarts++
}

// protect turns a panic of run into an error.
func protect(ctx context.Context, p *Part, run func(context.Context, *Part) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("component panicked", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return run(ctx, p)
}

// Describe implements prometheus.Collector.
func (s *Supervisor) Describe(ch chan<- *prometheus.Desc) {
	ch <- stateDesc
	ch <- restartDesc
	ch <- successDesc
}

// Collect implements prometheus.Collector.
func (s *Supervisor) Collect(ch chan<- prometheus.Metric) {
	s.mu.Lock()
	parts := maps.Clone(s.parts)
	s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		p := parts[name]
		p.mu.Lock()
		state, restarts, success := p.state, p.restarts, p.success
		p.mu.Unlock()
		for _, st := range states {
			v := 0.0
			if st == state {
				v = 1
			}
			ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, v, name, string(st))
		}
		at := 0.0
		if !success.IsZero() {
			at = float64(success.UnixMilli()) / 1000
		}
		ch <- prometheus.MustNewConstMetric(restartDesc, prometheus.CounterValue, float64(restarts), name)
		ch <- prometheus.MustNewConstMetric(successDesc, prometheus.GaugeValue, at, name)
	}
}
