package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// maxWritten bounds what one collector may write as text, in bytes.
const maxWritten = 256 << 20

// lastMoment is what drivers get to return in when the deadline has passed; those that honour
// their context need no more.
const lastMoment = 50 * time.Millisecond

// Result is what one probe found.
type Result struct {
	Up       bool
	Err      error // why it is down; nil when up
	Families []*dto.MetricFamily
	Text     Text // exposition of everything
}

// run probes a target and always has a result before ctx ends, give or take the time that
// it takes to encode it. namespace names the up metric.
func run(ctx context.Context, d Driver, namespace string, p *Probe) Result {
	start := time.Now()
	dev, err := open(ctx, d, p)
	var outcomes []*outcome
	if err == nil {
		outcomes = collectAll(ctx, dev, p)
	} else {
		p.Log.Warn("target is down", "target", p.Target, "reason", Reason(err), "err", err)
	}
	return assemble(namespace, err, time.Since(start), outcomes, p)
}

// down is the result of a probe that never reached the driver.
func down(namespace string, err error, took time.Duration, log *slog.Logger) Result {
	return assemble(namespace, err, took, nil, &Probe{Log: log})
}

// assemble makes the exposition of a probe.
func assemble(namespace string, err error, took time.Duration, outcomes []*outcome, p *Probe) Result {
	ms := ownMetrics(namespace, err, took, outcomes)
	var written []Text
	for _, o := range outcomes {
		metrics, text := o.take()
		ms = append(ms, metrics...)
		written = append(written, text)
	}
	res := Result{Up: err == nil, Err: err, Families: gather(ms, p)}
	for _, f := range res.Families {
		if _, err := expfmt.MetricFamilyToText(&res.Text, f); err != nil {
			p.Log.Warn("metric family cannot be written", "family", f.GetName(), "err", err)
		}
	}
	for _, text := range written {
		res.Text = append(res.Text, text...)
	}
	return res
}

// open calls the driver without waiting past the deadline, and survives its panics.
func open(ctx context.Context, d Driver, p *Probe) (*Device, error) {
	type opened struct {
		dev *Device
		err error
	}
	done := make(chan opened, 1)
	go func() {
		dev, err := guard(p, "open", func() (*Device, error) { return d.Open(ctx, p) })
		done <- opened{dev, err}
	}()
	select {
	case o := <-done:
		return o.dev, o.err
	case <-ctx.Done():
	}
	select { // a driver that honours the context returns at once, and knows better what was wrong
	case o := <-done:
		return o.dev, o.err
	case <-time.After(lastMoment):
	}
	go func() { // a device that comes too late must not leak
		if o := <-done; o.dev != nil && o.dev.Close != nil {
			o.dev.Close()
		}
	}()
	return nil, Fail(ReasonTimeout, fmt.Errorf("open %s: %w", p.Target, context.Cause(ctx)))
}

// guard turns a panic into an error: a device's odd answer must not end the process.
func guard[T any](p *Probe, what string, f func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			p.Log.Error("panic in exporter, please report it", "target", p.Target, "in", what, "panic", r, "stack", string(debug.Stack()))
			err = Failf(ReasonPanic, "%s: panic: %v", what, r)
		}
	}()
	return f()
}

// outcome is one collector's work, filled while it runs.
type outcome struct {
	name string
	mu   sync.Mutex
	// Guarded by mu.
	metrics []prometheus.Metric
	text    Text
	closed  bool // the result was taken; what comes later is dropped
	took    time.Duration
	err     error
}

// Write takes exposition text.
func (o *outcome) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, context.DeadlineExceeded
	}
	if o.text.Len()+len(b) > maxWritten {
		return 0, errors.New("collector wrote too much")
	}
	return o.text.Write(b)
}

func (o *outcome) take() ([]prometheus.Metric, Text) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return o.metrics, o.text.wholeLines()
}

// collectAll runs the collectors and returns when they are done or the deadline has passed.
func collectAll(ctx context.Context, dev *Device, p *Probe) []*outcome {
	start := time.Now()
	outs := make([]*outcome, len(dev.Collectors))
	for i, c := range dev.Collectors {
		outs[i] = &outcome{name: c.Name, err: context.DeadlineExceeded}
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		var wg sync.WaitGroup
		for i, c := range dev.Collectors {
			if dev.Serial {
				collectOne(ctx, c, outs[i], p)
				continue
			}
			wg.Go(func() { collectOne(ctx, c, outs[i], p) })
		}
		wg.Wait()
		if dev.Close != nil {
			_, _ = guard(p, "close", func() (struct{}, error) { dev.Close(); return struct{}{}, nil })
		}
	}()
	select {
	case <-all:
	case <-ctx.Done():
		select {
		case <-all:
		case <-time.After(lastMoment):
		}
	}
	for _, o := range outs {
		o.mu.Lock()
		if o.took == 0 {
			o.took = time.Since(start)
		}
		o.mu.Unlock()
	}
	return outs
}

func collectOne(ctx context.Context, c Collector, o *outcome, p *Probe) {
	if ctx.Err() != nil {
		return
	}
	start := time.Now()
	_, err := guard(p, c.Name, func() (struct{}, error) {
		if c.Write != nil {
			return struct{}{}, c.Write(ctx, o)
		}
		return struct{}{}, o.drain(func(ch chan<- prometheus.Metric) error { return c.Collect(ctx, ch) })
	})
	if err != nil {
		p.Log.Warn("collector failed", "target", p.Target, "collector", c.Name, "reason", Reason(err), "err", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.took, o.err = max(time.Since(start), 1), err
	}
}

// drain keeps what collect sends until the outcome is closed.
func (o *outcome) drain(collect func(chan<- prometheus.Metric) error) error {
	ch := make(chan prometheus.Metric, 64)
	var wg sync.WaitGroup
	wg.Go(func() {
		for m := range ch {
			o.mu.Lock()
			if !o.closed {
				o.metrics = append(o.metrics, m)
			}
			o.mu.Unlock()
		}
	})
	// Deferred, so that a panicking collector does not leave the goroutine behind.
	defer wg.Wait()
	defer close(ch)
	return collect(ch)
}
