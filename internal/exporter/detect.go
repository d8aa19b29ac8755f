package exporter

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"
)

// Classifier is a Driver that can tell without a credential what kind of device answers at
// a target.
type Classifier interface {
	// Classes lists the classes, e.g. "dell". The last one stands for any other device that
	// speaks the protocol.
	Classes() []string
	// Classify finds the target's class, connecting as module says ("" is the default one).
	// An error means that nothing that speaks the protocol answers.
	Classify(ctx context.Context, target, module string) (class string, err error)
}

// Detect finds out which targets of a group exist and what they are.
type Detect struct {
	Every       model.Duration       `yaml:"every,omitempty"`       // between looks at all targets; default 15m, at least 1m
	Forget      model.Duration       `yaml:"forget,omitempty"`      // how long a target that went silent is still offered; default 24h
	Concurrency int                  `yaml:"concurrency,omitempty"` // targets looked at at a time; default 32, at most 256
	Classes     map[string]ClassRule `yaml:"classes,omitempty"`     // what differs from the group by class
}

// ClassRule says how the targets of one class are offered.
type ClassRule struct {
	Module string            `yaml:"module,omitempty"`
	Auth   string            `yaml:"auth,omitempty"`
	Labels map[string]string `yaml:"labels,omitempty"`
	Ignore bool              `yaml:"ignore,omitempty"` // do not offer them
}

const (
	detectEvery   = 15 * time.Minute
	detectForget  = 24 * time.Hour
	detectAtOnce  = 32
	detectTimeout = 5 * time.Second // for one target
)

func (d *Detect) validate(i int) error {
	d.Every = cmp.Or(d.Every, model.Duration(detectEvery))
	d.Forget = cmp.Or(d.Forget, model.Duration(detectForget))
	d.Concurrency = cmp.Or(d.Concurrency, detectAtOnce)
	switch {
	case d.Every < model.Duration(time.Minute):
		return badf("discovery[%d].detect.every: must be at least 1m", i)
	case d.Concurrency < 1 || d.Concurrency > 256:
		return badf("discovery[%d].detect.concurrency: must be 1 to 256", i)
	}
	for _, r := range d.Classes {
		if err := checkLabels(r.Labels); err != nil {
			return badf("discovery[%d].detect.classes: %w", i, err)
		}
	}
	return nil
}

// checkDriver says what in the configuration the driver cannot do.
func checkDriver(conf Config, d Driver) error {
	for i, g := range conf.Discovery {
		if g.Detect == nil {
			continue
		}
		c, ok := d.(Classifier)
		if !ok {
			return badf("discovery[%d].detect: this exporter cannot tell classes apart", i)
		}
		for _, name := range sortedKeys(g.Detect.Classes) {
			if !slices.Contains(c.Classes(), name) {
				return badf("discovery[%d].detect.classes: unknown class %q; known: %s", i, name, shortList(c.Classes()))
			}
		}
	}
	return nil
}

// detector looks at the targets of one group again and again.
type detector struct {
	group  Group
	driver Classifier
	log    *slog.Logger

	mu    sync.Mutex
	ready bool // all targets were looked at once
	found map[string]sighting
}

// sighting is a target that answered.
type sighting struct {
	class string
	at    time.Time
}

func newDetector(g Group, c Classifier, log *slog.Logger) *detector {
	return &detector{group: g, driver: c, log: log, found: map[string]sighting{}}
}

// run looks at the targets until ctx ends.
func (d *detector) run(ctx context.Context) {
	every := time.NewTicker(time.Duration(d.group.Detect.Every))
	defer every.Stop()
	for {
		start := time.Now()
		d.sweep(ctx)
		if ctx.Err() != nil {
			return
		}
		d.mu.Lock()
		d.ready = true
		n := len(d.found)
		d.mu.Unlock()
		d.log.Info("discovery looked at all targets", "targets", len(d.group.expanded), "known", n, "took", time.Since(start).Round(time.Millisecond))
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep looks at every target once.
func (d *detector) sweep(ctx context.Context) {
	targets := make(chan string)
	var wg sync.WaitGroup
	for range min(d.group.Detect.Concurrency, len(d.group.expanded)) {
		wg.Go(func() {
			for target := range targets {
				d.look(ctx, target)
			}
		})
	}
	for _, target := range d.group.expanded {
		if ctx.Err() != nil {
			break
		}
		targets <- target
	}
	close(targets)
	wg.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.found, func(_ string, s sighting) bool { return time.Since(s.at) > time.Duration(d.group.Detect.Forget) })
}

func (d *detector) look(ctx context.Context, target string) {
	ctx, cancel := context.WithTimeout(ctx, detectTimeout)
	defer cancel()
	class, err := d.driver.Classify(ctx, target, d.group.Module)
	if err != nil {
		d.log.Debug("discovery: no answer", "target", target, "reason", Reason(err), "err", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found[target] = sighting{class, time.Now()}
}

// groups are the targets that are known, by class; ready is false before the first look is
// over.
func (d *detector) groups() (out []targetGroup, ready bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	byClass := map[string][]string{}
	for target, s := range d.found {
		byClass[s.class] = append(byClass[s.class], target)
	}
	for _, class := range sortedKeys(byClass) {
		rule := d.group.Detect.Classes[class]
		if rule.Ignore {
			continue
		}
		slices.Sort(byClass[class])
		labels := offer(class, cmp.Or(rule.Module, d.group.Module), cmp.Or(rule.Auth, d.group.Auth), d.group.Labels)
		maps.Copy(labels, rule.Labels)
		out = append(out, targetGroup{Targets: byClass[class], Labels: labels})
	}
	return out, d.ready
}
