// Package collect turns what package ipmi reads from a BMC into metrics of the shared
// hardware schema: one session a target for all collectors, SDRs cached on disk, slow
// data at its own pace.
package collect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmi"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
)

// Config is the configuration file.
type Config struct {
	exporter.Config `yaml:",inline"`
	Modules         map[string]*Module `yaml:"modules"`
	// StateDirectory keeps SDR repositories and event log cursors over restarts. Empty keeps
	// them in memory: the whole event log is then read again after a restart.
	StateDirectory string `yaml:"state_directory"`
	// SessionIdle is how long a session is kept open for the next scrape. 0 means 30s.
	SessionIdle model.Duration `yaml:"session_idle"`
	// Logs says where new entries of event logs go besides the log store; they are counted anyway.
	Logs eventlog.Config `yaml:"logs"`
}

// Module says how to talk to a class of BMCs and what to read.
type Module struct {
	Collectors  []string       `yaml:"collectors"`   // empty: all
	Privilege   string         `yaml:"privilege"`    // user (default), operator, admin
	CipherSuite int            `yaml:"cipher_suite"` // 3 or 17; 0 asks the BMC
	Version     string         `yaml:"version"`      // "2.0", "1.5" or empty: 2.0 unless the BMC has only 1.5
	Refresh     model.Duration `yaml:"refresh"`      // of thresholds, FRUs and BMC data; default 1h
	Quirks      []string       `yaml:"quirks"`       // besides those found by the table
	Sensors     SensorFilter   `yaml:"sensors"`
}

// SensorFilter leaves out sensors by exact name.
type SensorFilter struct {
	Exclude []string `yaml:"exclude"`
}

const (
	defaultIdle    = 30 * time.Second
	defaultRefresh = time.Hour
)

// Collector names, in the order in which they run: fast and important first.
const (
	colChassis  = "chassis"
	colDCMI     = "dcmi"
	colWatchdog = "watchdog"
	colSensors  = "sensors"
	colBMC      = "bmc"
	colFRU      = "fru"
	colSEL      = "sel"
)

func allCollectors() []string {
	return []string{colChassis, colDCMI, colWatchdog, colSensors, colBMC, colFRU, colSEL}
}

// Validate checks the configuration and fills defaults.
func (c *Config) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	if c.SessionIdle < 0 {
		return fmt.Errorf("session_idle: is negative")
	}
	if c.SessionIdle == 0 {
		c.SessionIdle = model.Duration(defaultIdle)
	}
	if c.Modules == nil {
		c.Modules = map[string]*Module{}
	}
	if c.Modules["default"] == nil {
		c.Modules["default"] = &Module{}
	}
	for name, m := range c.Modules {
		if m == nil {
			m = &Module{}
			c.Modules[name] = m
		}
		if err := m.validate(); err != nil {
			return fmt.Errorf("modules.%s.%w", name, err)
		}
	}
	if err := c.Logs.Validate(); err != nil {
		return err
	}
	for i, g := range c.Discovery {
		for _, name := range g.Modules() {
			if c.Modules[name] == nil {
				return fmt.Errorf("discovery[%d].module: no module is named %q", i, name)
			}
		}
	}
	return nil
}

func (m *Module) validate() error {
	for _, name := range m.Collectors {
		if !slices.Contains(allCollectors(), name) {
			return fmt.Errorf("collectors: unknown collector %q; known: %s", name, strings.Join(allCollectors(), ", "))
		}
	}
	if _, err := ipmi.ParsePrivilege(m.Privilege); err != nil {
		return fmt.Errorf("privilege: %w", err)
	}
	switch ipmi.Suite(m.CipherSuite) {
	case 0, ipmi.Suite3, ipmi.Suite17:
	default:
		return fmt.Errorf("cipher_suite: %d is not 3, 17 or 0 (automatic)", m.CipherSuite)
	}
	switch ipmi.Version(m.Version) {
	case ipmi.VersionAuto, ipmi.Version15, ipmi.Version20:
	default:
		return fmt.Errorf("version: %q is not \"2.0\" or \"1.5\"", m.Version)
	}
	if m.Refresh < 0 {
		return fmt.Errorf("refresh: is negative")
	}
	if m.Refresh == 0 {
		m.Refresh = model.Duration(defaultRefresh)
	}
	if _, err := ipmi.QuirksFor(ipmi.DeviceID{}, m.Quirks); err != nil {
		return fmt.Errorf("quirks: %w", err)
	}
	return nil
}

func (m *Module) enabled(collector string) bool {
	return len(m.Collectors) == 0 || slices.Contains(m.Collectors, collector)
}

// dialOptions are the module's part of a session.
func (m *Module) dialOptions(cred exporter.Credential) (ipmi.Options, error) {
	p, err := ipmi.ParsePrivilege(m.Privilege)
	if err != nil {
		return ipmi.Options{}, err
	}
	q, err := ipmi.QuirksFor(ipmi.DeviceID{}, m.Quirks)
	return ipmi.Options{
		User: cred.Username, Password: []byte(cred.Password), BMCKey: []byte(cred.Secrets["kg"]),
		Privilege: p, Version: ipmi.Version(m.Version), Suite: ipmi.Suite(m.CipherSuite),
		OneByOne: q.OneAtATime,
	}, err
}
