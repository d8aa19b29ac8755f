package redfish

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/inframind/inframind/internal/exporter"
)

// Config is the configuration file.
type Config struct {
	exporter.Config `yaml:",inline"`
	Modules         map[string]*Module `yaml:"modules"`
	Logs            Logs               `yaml:"logs"`
}

// Module is how a class of BMCs is read.
type Module struct {
	// Collectors to run; all when empty.
	Collectors []string `yaml:"collectors,omitempty"`
	// Concurrency is the number of requests to one BMC at a time; default 4, at most 16.
	Concurrency int `yaml:"concurrency,omitempty"`
	// TLS of the BMC. Certificates are verified unless it says not to.
	TLS promconfig.TLSConfig `yaml:"tls_config,omitempty"`
	// LegacyTLS also offers the old key exchanges and TLS 1.0 that BMCs of about 2012-2016
	// need. It does not touch the verification of certificates.
	LegacyTLS bool `yaml:"legacy_tls,omitempty"`
}

const defaultConcurrency = 4

// Validate checks the configuration and fills defaults.
func (c *Config) Validate() error {
	if err := c.Config.Validate(); err != nil {
		return err
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
	for i, g := range c.Discovery {
		for _, name := range g.Modules() {
			if c.Modules[name] == nil {
				return fmt.Errorf("discovery[%d].module: no module is named %q", i, name)
			}
		}
	}
	return c.Logs.validate()
}

func (m *Module) validate() error {
	if m.Concurrency == 0 {
		m.Concurrency = defaultConcurrency
	}
	if m.Concurrency < 1 || m.Concurrency > 16 {
		return fmt.Errorf("concurrency: must be 1 to 16")
	}
	known := collectorNames()
	for _, name := range m.Collectors {
		if !slices.Contains(known, name) {
			return fmt.Errorf("collectors: unknown collector %q; known: %s", name, strings.Join(known, ", "))
		}
	}
	_, err := m.tlsConfig()
	if err != nil {
		return fmt.Errorf("tls_config: %w", err)
	}
	return nil
}

func (m *Module) tlsConfig() (*tls.Config, error) {
	conf, err := promconfig.NewTLSConfig(&m.TLS)
	if err != nil {
		return nil, err
	}
	if m.LegacyTLS {
		conf.MinVersion = tls.VersionTLS10
		for _, list := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
			for _, c := range list {
				conf.CipherSuites = append(conf.CipherSuites, c.ID)
			}
		}
	}
	return conf, nil
}

// tlsKey tells apart modules whose connections must not be shared.
func (m *Module) tlsKey() string {
	return fmt.Sprintf("%+v %t %d", m.TLS, m.LegacyTLS, m.Concurrency)
}

// enabled says whether the module runs a collector.
func (m *Module) enabled(name string) bool {
	return len(m.Collectors) == 0 || slices.Contains(m.Collectors, name)
}
