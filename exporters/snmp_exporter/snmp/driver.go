// Package snmp reads devices by SNMP: modules of a snmp.yml become the metrics everybody
// knows them by, and without a module the profiles that fit the device are chosen.
package snmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/exporter"
)

// AutoModule is the module that chooses profiles by what the device says it is.
const AutoModule = "auto"

// DefaultAuth is used when a probe names none.
const DefaultAuth = "public_v2"

// Options of a Driver.
type Options struct {
	InFlight     int           // requests under way to one device, default 2
	WrapCounters bool          // wrap Counter64 at 2^53
	Source       string        // local address:port to send from
	LabelCache   time.Duration // how long label-only columns are kept; 0 reads them every time
	Devices      *walk.Devices // what is known of devices; shared by drivers of one process
	Metrics      *Metrics
}

// Driver reads SNMP devices. It implements exporter.Driver.
type Driver struct {
	opts     Options
	auths    map[string]*conf.Auth
	modules  map[string]*module
	profiles *profiles
}

// New makes a driver of a checked configuration. The profiles of the auto module are added to
// its modules under their own names where those are free.
func New(c *conf.Config, opts Options) (*Driver, error) {
	if opts.Devices == nil {
		opts.Devices = walk.NewDevices(10_000)
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics()
	}
	p, err := loadProfiles()
	if err != nil {
		return nil, err
	}
	d := &Driver{opts: opts, auths: map[string]*conf.Auth{}, modules: map[string]*module{}, profiles: p}
	maps.Copy(d.modules, p.modules)
	for name, m := range c.Modules {
		d.modules[name] = compile(name, m)
	}
	d.auths["public_v1"] = &conf.Auth{Community: "public", Version: 1}
	d.auths["public_v2"] = &conf.Auth{Community: "public", Version: 2}
	maps.Copy(d.auths, c.Auths)
	return d, nil
}

// SetAuth adds an auth that no file defines. It must not be called while probes run.
func (d *Driver) SetAuth(name string, a *conf.Auth) { d.auths[name] = a }

// Names implements exporter.Driver.
func (d *Driver) Names() (modules, auths []string) {
	modules = append([]string{AutoModule}, slices.Sorted(maps.Keys(d.modules))...)
	return modules, slices.Sorted(maps.Keys(d.auths))
}

// Close implements exporter.Driver. Nothing is kept open between probes.
func (d *Driver) Close(context.Context) error { return nil }

// Identity OIDs, asked for first: they show that somebody answers, and who.
const (
	sysObjectID = "1.3.6.1.2.1.1.2.0"
	sysUpTime   = "1.3.6.1.2.1.1.3.0"
	sysORID     = "1.3.6.1.2.1.1.9.1.2"
)

// Open implements exporter.Driver.
func (d *Driver) Open(ctx context.Context, p *exporter.Probe) (*exporter.Device, error) {
	name := p.Auth.Name
	if name == "" {
		name = DefaultAuth
	}
	auth := d.auths[name]
	if auth == nil {
		return nil, exporter.Failf(exporter.ReasonCredentials, "no auth is called %q", name)
	}
	names := p.Modules
	if len(names) == 0 {
		names = []string{AutoModule}
	}
	first := &module{conf: &conf.Module{WalkParams: conf.WalkParams{Timeout: conf.DefaultTimeout}}}
	for _, n := range names {
		if m := d.modules[n]; m != nil {
			first = m
			break
		}
	}
	dev := d.opts.Devices.Get(p.Target + "\x00" + name + "\x00" + p.Params["snmp_context"])
	client, err := walk.Dial(ctx, p.Target, walk.Options{
		Auth: auth, ContextName: p.Params["snmp_context"], Unconnected: first.conf.WalkParams.UseUnconnectedUDPSocket,
		Source: d.opts.Source, InFlight: d.opts.InFlight, Device: dev, Observe: d.opts.Metrics.observe,
	})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	got, _, err := client.Get(ctx, params(first), []string{sysObjectID, sysUpTime})
	if err != nil {
		d.opts.Metrics.count(client)
		return nil, errors.Join(exporter.Fail(reason(err), fmt.Errorf("%s: %w", p.Target, err)), client.Close())
	}
	p.Trace.Add("get system", start, fmt.Sprintf("%d of 2 values", len(got)), 0)
	s := &scrape{client: client, device: dev, opts: d.opts, trace: p.Trace, out: newExposition()}
	var profiles []*module
	if slices.Contains(names, AutoModule) {
		profiles = d.profiles.choose(s.identify(ctx, params(first), got))
		s.keepAll = true
	}
	collectors := []exporter.Collector{{Name: "modules", Write: func(ctx context.Context, w io.Writer) error {
		return s.modules(ctx, w, profiles, d.named(names))
	}}}
	if len(profiles) > 0 {
		collectors = append(collectors, exporter.Collector{Name: "hardware", Collect: func(_ context.Context, ch chan<- prometheus.Metric) error {
			d.profiles.hardware(s.tables, ch)
			return nil
		}})
	}
	return &exporter.Device{Serial: true, Collectors: collectors, Close: func() {
		d.opts.Metrics.count(client)
		_ = client.Close() // UDP: nothing can be lost
	}}, nil
}

// modules walks all modules and writes what came of them. It stops walking a little before the
// deadline, so that there is time to write.
func (s *scrape) modules(ctx context.Context, w io.Writer, profiles, mods []*module) error {
	walkCtx := ctx
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		c, cancel := context.WithDeadline(ctx, deadline.Add(-min(left/10, time.Second)))
		defer cancel()
		walkCtx = c
	}
	var errs []error
	if len(profiles) > 0 {
		errs = append(errs, s.auto(walkCtx, profiles))
	}
	s.keepAll = false
	for _, m := range mods {
		if err := s.module(walkCtx, m); err != nil {
			errs = append(errs, err)
		}
	}
	if err := s.out.write(w); err != nil {
		return err
	}
	s.out = nil
	return errors.Join(errs...)
}

// reason finds the bounded reason of an error of this protocol.
func reason(err error) string {
	switch {
	case errors.Is(err, walk.ErrLogin):
		return exporter.ReasonUnauthorized
	case errors.Is(err, walk.ErrNoAnswer):
		return exporter.ReasonTimeout
	case errors.Is(err, walk.ErrDeviceError), errors.Is(err, walk.ErrNotIncreasing), errors.Is(err, walk.ErrEndless):
		return exporter.ReasonProtocol
	}
	return exporter.Reason(err)
}

// identity is what a device says it is.
type identity struct {
	objectID string   // sysObjectID without leading dot
	supports []string // sysORID: what the agent says it implements
}

// identify reads what is not in got already.
func (s *scrape) identify(ctx context.Context, p walk.Params, got []walk.Instance) identity {
	var id identity
	for _, in := range got {
		if in.OID == sysObjectID {
			id.objectID = strings.TrimPrefix(in.Value.Text(), ".")
		}
	}
	// An agent without the table is no reason to fail.
	walked, err := s.client.Walk(ctx, p, []walk.Column{{OID: sysORID}})
	if err == nil && len(walked) == 1 {
		for _, r := range walked[0].Rows {
			id.supports = append(id.supports, strings.TrimPrefix(r.Value.Text(), "."))
		}
	}
	return id
}

// named gives the modules of these names, each once.
func (d *Driver) named(names []string) (mods []*module) {
	for _, n := range names {
		if m := d.modules[n]; m != nil && !slices.Contains(mods, m) {
			mods = append(mods, m)
		}
	}
	return mods
}
