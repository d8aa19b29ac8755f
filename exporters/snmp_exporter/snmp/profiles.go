package snmp

import (
	"embed"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
)

//go:embed profiles/snmp.yml
var profileFiles embed.FS

// profiles are the modules shipped with the exporter and what is known about when to use them.
type profiles struct {
	modules map[string]*module
}

func loadProfiles() (*profiles, error) {
	raw, err := profileFiles.ReadFile("profiles/snmp.yml")
	if err != nil {
		return nil, err
	}
	c, err := conf.Parse("profiles/snmp.yml", raw)
	if err != nil {
		return nil, fmt.Errorf("built-in profiles: %w", err)
	}
	p := &profiles{modules: map[string]*module{}}
	for name, m := range c.Modules {
		p.modules[name] = compile(name, m)
	}
	return p, nil
}

func (p *profiles) choose(id identity) []*module { return nil }

func (p *profiles) hardware(tables []*table, ch chan<- prometheus.Metric) error { return nil }
