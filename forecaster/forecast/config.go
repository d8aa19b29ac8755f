package forecast

import (
	"errors"
	"fmt"
	"time"

	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/promapi"
)

// Config is the forecaster's YAML file. The zero value with the two URLs is usable:
// Validate fills in everything else.
type Config struct {
	Prometheus  promapi.Server  `yaml:"prometheus"`
	Pushgateway *promapi.Server `yaml:"pushgateway,omitempty"` // nil: do not push

	History     pmodel.Duration   `yaml:"history,omitempty"`     // of each query, 7d to 400d
	Step        pmodel.Duration   `yaml:"step,omitempty"`        // resolution of each query
	Horizons    []pmodel.Duration `yaml:"horizons,omitempty"`    // gauges are made for these
	Interval    pmodel.Duration   `yaml:"interval,omitempty"`    // between forecasts
	Retrain     pmodel.Duration   `yaml:"retrain,omitempty"`     // between full backtests of a series
	Timeout     pmodel.Duration   `yaml:"timeout,omitempty"`     // of one run
	MaxSeries   int               `yaml:"max_series,omitempty"`  // of one target
	Concurrency int               `yaml:"concurrency,omitempty"` // series at a time; 0: one a CPU
	NoDefaults  bool              `yaml:"no_default_targets"`    // only the targets below
	Targets     []Target          `yaml:"targets,omitempty"`
	Events      []Event           `yaml:"events,omitempty"` // that change the load of all targets
}

// Limits of what may be configured.
const (
	minHistory = 7 * 24 * time.Hour
	maxHistory = 400 * 24 * time.Hour
	maxHorizon = 400 * 24 * time.Hour
)

// Validate fills in defaults and checks the whole.
func (c *Config) Validate() error {
	def := func(d *pmodel.Duration, v time.Duration) {
		if *d == 0 {
			*d = pmodel.Duration(v)
		}
	}
	def(&c.History, 30*24*time.Hour)
	def(&c.Step, 5*time.Minute)
	def(&c.Interval, time.Hour)
	def(&c.Retrain, 24*time.Hour)
	def(&c.Timeout, 30*time.Minute)
	if len(c.Horizons) == 0 {
		c.Horizons = []pmodel.Duration{pmodel.Duration(7 * 24 * time.Hour), pmodel.Duration(30 * 24 * time.Hour)}
	}
	if c.MaxSeries == 0 {
		c.MaxSeries = 10000
	}
	if err := c.Prometheus.Validate(); err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	if c.Pushgateway != nil {
		if err := c.Pushgateway.Validate(); err != nil {
			return fmt.Errorf("pushgateway: %w", err)
		}
	}
	return errors.Join(c.checkRanges(), c.checkTargets())
}

func (c *Config) checkRanges() error {
	switch h, s := time.Duration(c.History), time.Duration(c.Step); {
	case h < minHistory || h > maxHistory:
		return fmt.Errorf("history: %s is not between 7d and 400d", c.History)
	case s < time.Minute || s > 24*time.Hour:
		return fmt.Errorf("step: %s is not between 1m and 1d", c.Step)
	case c.Retrain < c.Interval:
		return fmt.Errorf("retrain: %s is less than interval %s", c.Retrain, c.Interval)
	case c.MaxSeries < 0 || c.Concurrency < 0:
		return errors.New("max_series and concurrency: must not be negative")
	}
	for i, e := range c.Events {
		if err := e.validate(); err != nil {
			return fmt.Errorf("events[%d] %q: %w", i, e.Name, err)
		}
	}
	for _, h := range c.Horizons {
		if d := time.Duration(h); d < time.Duration(c.Step) || d > maxHorizon {
			return fmt.Errorf("horizons: %s is not between step and 400d", h)
		}
	}
	return nil
}

func (c *Config) checkTargets() error {
	if !c.NoDefaults {
		named := map[string]bool{}
		for _, t := range c.Targets {
			named[t.Name] = true
		}
		for _, t := range DefaultTargets() {
			if !named[t.Name] { // a target of the same name replaces the default
				c.Targets = append(c.Targets, t)
			}
		}
		c.NoDefaults = true // they are in the list now: Validate may be called again
	}
	if len(c.Targets) == 0 {
		return errors.New("targets: none, and no_default_targets is set")
	}
	seen := map[string]bool{}
	for i := range c.Targets {
		t := &c.Targets[i]
		if err := t.validate(); err != nil {
			return fmt.Errorf("targets[%d] %q: %w", i, t.Name, err)
		}
		if seen[t.Name] {
			return fmt.Errorf("targets[%d]: the name %q is taken", i, t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

func (c *Config) longest() time.Duration {
	var out time.Duration
	for _, h := range c.Horizons {
		out = max(out, time.Duration(h))
	}
	return out
}
