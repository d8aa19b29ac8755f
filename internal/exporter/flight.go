package exporter

import (
	"context"
	"errors"
	"sync"
	"time"
)

// flights merges concurrent probes of one key and bounds probes per target and over all.
type flights struct {
	limits Limits
	global chan struct{}

	mu      sync.Mutex
	byKey   map[string]*flight
	targets map[string]*slot
}

type flight struct {
	done    chan struct{}
	res     Result
	waiters int
	cancel  context.CancelFunc
}

// slot bounds the probes of one target; it lives while someone uses it.
type slot struct {
	sem  chan struct{}
	refs int
}

func newFlights(l Limits) *flights {
	return &flights{limits: l, global: make(chan struct{}, l.Global), byKey: map[string]*flight{}, targets: map[string]*slot{}}
}

// do runs probe for key, or waits for the one that runs already. The probe outlives the
// caller that started it as long as another caller waits, but never the first deadline.
func (f *flights) do(ctx context.Context, key, target string, probe func(context.Context) Result) (res Result, merged bool) {
	f.mu.Lock()
	fl := f.byKey[key]
	merged = fl != nil
	if !merged {
		probeCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		if deadline, ok := ctx.Deadline(); ok {
			cancel()
			probeCtx, cancel = context.WithDeadline(context.WithoutCancel(ctx), deadline)
		}
		fl = &flight{done: make(chan struct{}), cancel: cancel}
		f.byKey[key] = fl
		go f.lead(probeCtx, fl, key, target, probe)
	}
	fl.waiters++
	f.mu.Unlock()

	select {
	case <-fl.done:
		return fl.res, merged
	case <-ctx.Done():
		// The probe notices the same deadline and has a partial result in a moment.
		select {
		case <-fl.done:
			return fl.res, merged
		case <-graceAfter(ctx):
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fl.waiters--
	if fl.waiters == 0 {
		fl.cancel()
	}
	return Result{Err: Fail(ReasonTimeout, context.Cause(ctx))}, merged
}

// graceAfter fires when a caller has waited long enough past its deadline; at once when it
// has gone away.
func graceAfter(ctx context.Context) <-chan time.Time {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return time.After(200 * time.Millisecond)
	}
	return time.After(0)
}

func (f *flights) lead(ctx context.Context, fl *flight, key, target string, probe func(context.Context) Result) {
	defer fl.cancel()
	release, err := f.acquire(ctx, target)
	if err == nil {
		fl.res = probe(ctx)
		release()
	} else {
		fl.res = Result{Err: Failf(ReasonBusy, "waited for a free slot: %w", err)}
	}
	f.mu.Lock()
	delete(f.byKey, key)
	f.mu.Unlock()
	close(fl.done)
}

// acquire waits for a slot of the target, then for one of all.
func (f *flights) acquire(ctx context.Context, target string) (release func(), err error) {
	f.mu.Lock()
	s := f.targets[target]
	if s == nil {
		s = &slot{sem: make(chan struct{}, f.limits.PerTarget)}
		f.targets[target] = s
	}
	s.refs++
	f.mu.Unlock()
	drop := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if s.refs--; s.refs == 0 {
			delete(f.targets, target)
		}
	}
	select {
	case s.sem <- struct{}{}:
	case <-ctx.Done():
		drop()
		return nil, ctx.Err()
	}
	select {
	case f.global <- struct{}{}:
	case <-ctx.Done():
		<-s.sem
		drop()
		return nil, ctx.Err()
	}
	return func() { <-f.global; <-s.sem; drop() }, nil
}
