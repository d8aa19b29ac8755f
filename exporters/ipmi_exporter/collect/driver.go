package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
	"github.com/inframind/inframind/internal/exporter/hw"
)

// Namespace is the prefix of the exporter's own metrics.
const Namespace = "ipmi"

// LocalTarget is the target= of the BMC of the machine that the exporter runs on.
const LocalTarget = "local"

// Options are what a Driver needs besides its configuration.
type Options struct {
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Store   eventlog.Store // takes new entries of event logs; may be nil; closed with the driver
}

// Driver implements exporter.Driver for BMCs.
type Driver struct {
	conf   Config
	log    *slog.Logger
	schema *hw.Schema
	events *eventlog.Output
	host   string // of this machine, for its own events; empty when it has no name
	disk   disk

	sessions prometheus.Gauge
	opened   prometheus.Counter
	cold     prometheus.Counter

	mu      sync.Mutex
	targets map[string]*target
}

// New makes a driver. conf must have been validated.
func New(conf Config, opt Options) (*Driver, error) {
	events, err := eventlog.New(conf.Logs, "ipmi", opt.Store, opt.Log, opt.Metrics)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		opt.Log.Warn("this machine has no name; its own BMC's events are those of \"local\"", "err", err)
	}
	f := promauto.With(opt.Metrics)
	return &Driver{
		conf: conf, log: opt.Log, host: host, schema: hw.New("ipmi"), events: events, disk: disk{conf.StateDirectory}, targets: map[string]*target{},
		sessions: f.NewGauge(prometheus.GaugeOpts{Name: "ipmi_sessions", Help: "Sessions that are open with BMCs."}),
		opened:   f.NewCounter(prometheus.CounterOpts{Name: "ipmi_sessions_opened_total", Help: "Sessions opened with BMCs."}),
		cold:     f.NewCounter(prometheus.CounterOpts{Name: "ipmi_sdr_reads_total", Help: "SDR repositories that had to be read from a BMC."}),
	}, nil
}

// Names implements exporter.Driver.
func (d *Driver) Names() (modules, auths []string) {
	modules = []string{"default"}
	for name := range d.conf.Modules {
		if name != "default" {
			modules = append(modules, name)
		}
	}
	return modules, nil
}

// Classes implements exporter.Classifier: what a BMC tells without a login.
func (d *Driver) Classes() []string { return []string{"ipmi_1.5", "ipmi_2.0"} }

// Classify implements exporter.Classifier.
func (d *Driver) Classify(ctx context.Context, target, _ string) (string, error) {
	v, err := ipmi.Detect(ctx, target)
	if err != nil {
		return "", reasoned(err)
	}
	return "ipmi_" + string(v), nil
}

// Open implements exporter.Driver: it finds or opens the session and reads the chassis
// status, which shows that the BMC is there.
func (d *Driver) Open(ctx context.Context, p *exporter.Probe) (*exporter.Device, error) {
	name := "default"
	if len(p.Modules) > 1 {
		return nil, exporter.Failf(exporter.ReasonError, "give one module, not %d", len(p.Modules))
	}
	if len(p.Modules) == 1 {
		name = p.Modules[0]
	}
	m := d.conf.Modules[name]
	t := d.target(p.Target)
	if err := t.lock(ctx); err != nil {
		return nil, exporter.Fail(exporter.ReasonBusy, err)
	}
	s := &scrape{driver: d, target: t, module: m, probe: p, start: time.Now()}
	if err := s.open(ctx); err != nil {
		t.drop(d)
		t.unlock()
		return nil, reasoned(err)
	}
	return s.device(), nil
}

// Close implements exporter.Driver: it ends every session, then the connections of the
// event log's output.
func (d *Driver) Close(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, t := range d.targets {
		wg.Go(func() {
			err := t.lock(ctx)
			if err == nil {
				t.drop(d)
				t.unlock()
				return
			}
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("session with %s: %w", t.name, err))
		})
	}
	wg.Wait()
	clear(d.targets)
	return errors.Join(append(errs, d.events.Close())...)
}

const (
	maxTargets   = 10_000
	forgetTarget = time.Hour // state of a target that nobody asked for in so long
)

// target finds the state of a target and forgets that of others which is no longer used.
func (d *Driver) target(name string) *target {
	key := strings.ToLower(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.targets[key]
	if t == nil {
		for k, old := range d.targets {
			if len(d.targets) >= maxTargets || old.unused(forgetTarget) {
				old.retire(d)
				delete(d.targets, k)
			}
		}
		t = newTarget(name)
		d.targets[key] = t
	}
	t.touch()
	return t
}

// reasoned gives the errors of package ipmi their reasons.
func reasoned(err error) error {
	for _, r := range []struct {
		is     error
		reason string
	}{
		{ipmi.ErrUser, exporter.ReasonUnauthorized},
		{ipmi.ErrPassword, exporter.ReasonUnauthorized},
		{ipmi.ErrPrivilege, exporter.ReasonUnauthorized},
		{ipmi.ErrBusy, exporter.ReasonBusy},
		{ipmi.ErrSuite, exporter.ReasonUnsupported},
		{ipmi.ErrMalformed, exporter.ReasonProtocol},
		{ipmi.ErrTimeout, exporter.ReasonTimeout},
		{os.ErrNotExist, exporter.ReasonUnreachable}, // local devices
		{syscall.EACCES, exporter.ReasonUnauthorized},
	} {
		if errors.Is(err, r.is) {
			return exporter.Fail(r.reason, err)
		}
	}
	var code ipmi.CompletionCode
	if errors.As(err, &code) {
		if ipmi.IsUnsupported(err) {
			return exporter.Fail(exporter.ReasonUnsupported, err)
		}
		return exporter.Fail(exporter.ReasonProtocol, err)
	}
	return err
}
