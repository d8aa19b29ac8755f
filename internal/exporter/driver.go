package exporter

import (
	"context"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Driver reads targets of one protocol. Implementations are safe for concurrent use.
type Driver interface {
	// Names lists what module= accepts, the default first, and the names that auth= accepts
	// in addition to the configuration's auths.
	Names() (modules, auths []string)
	// Open reaches the target. An error means that the target is down; Fail gives it a
	// reason. The context ends with the probe.
	Open(ctx context.Context, p *Probe) (*Device, error)
	// Close ends what was kept between probes, e.g. sessions. No probe runs any more.
	Close(ctx context.Context) error
}

// Probe is one reading of one target.
type Probe struct {
	Target  string     // as given: host, host:port or URL; never with user information
	Modules []string   // as given, checked against Names; empty when none was named
	Auth    Credential // zero when none applies
	Log     *slog.Logger
	Params  map[string]string // the parameters that Spec.Params names, where given
	Trace   *Trace            // requests made, for ?debug=true and diagnose; never nil
}

// Device is an open target.
type Device struct {
	Collectors []Collector
	Serial     bool   // one collector at a time, in order, else all at once
	Close      func() // called once, after every collector has returned
}

// Collector reads one part of a device. Exactly one of Collect and Write is set.
type Collector struct {
	Name    string
	Collect func(ctx context.Context, ch chan<- prometheus.Metric) error
	// Write writes exposition text (format 0.0.4), with family names nobody else uses.
	Write func(ctx context.Context, w io.Writer) error
}

// Config is the part of the configuration that is the same for all exporters. Call Validate
// before use.
type Config struct {
	Auths     map[string]*Auth `yaml:"auths"`
	Targets   Targets          `yaml:"targets"`
	Discovery []Group          `yaml:"discovery"`
	Limits    Limits           `yaml:"limits"`

	allow matcher // made by Validate
}

// Targets says which hosts may be probed.
type Targets struct {
	Allow []string `yaml:"allow"` // addresses, CIDRs, or anchored regular expressions of names
}

// Limits bound concurrent probes.
type Limits struct {
	PerTarget int `yaml:"per_target"` // probes of one target at a time; default 1
	Global    int `yaml:"global"`     // probes at a time; default 200
}

// Validate checks the configuration and fills defaults.
func (c *Config) Validate() error {
	if c.Limits.PerTarget <= 0 {
		c.Limits.PerTarget = 1
	}
	if c.Limits.Global <= 0 {
		c.Limits.Global = 200
	}
	for name, a := range c.Auths {
		if a == nil {
			a = &Auth{}
			c.Auths[name] = a
		}
		if err := a.validate(name); err != nil {
			return err
		}
	}
	for i := range c.Discovery {
		if err := c.Discovery[i].validate(i); err != nil {
			return err
		}
		for _, n := range c.Discovery[i].auths() {
			if len(c.Auths) > 0 && c.Auths[n] == nil {
				return badf("discovery[%d].auth: no auth is named %q", i, n)
			}
		}
	}
	return c.compileAllowed()
}
