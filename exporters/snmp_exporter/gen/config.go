// Package gen makes a snmp.yml of a generator.yml and compiled MIBs.
package gen

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/internal/config"
)

// Config is a generator.yml.
type Config struct {
	Version int                   `yaml:"version,omitempty"`
	Auths   map[string]*conf.Auth `yaml:"auths,omitempty"`
	Modules map[string]*Module    `yaml:"modules"`
}

// Module says which objects to ask for and what to do with them.
type Module struct {
	Walk       []string            `yaml:"walk,omitempty"`
	Lookups    []Lookup            `yaml:"lookups,omitempty"`
	WalkParams conf.WalkParams     `yaml:",inline"`
	Overrides  map[string]Override `yaml:"overrides,omitempty"`
	Filters    Filters             `yaml:"filters,omitempty"`
}

// Filters restrict which rows are read.
type Filters struct {
	Static  []StaticFilter `yaml:"static,omitempty"`
	Dynamic []conf.Filter  `yaml:"dynamic,omitempty"`
}

// StaticFilter reads only the rows with the given indices of the target columns.
type StaticFilter struct {
	Targets []string `yaml:"targets,omitempty"`
	Indices []string `yaml:"indices,omitempty"`
}

// Override changes what the MIB says of one object.
type Override struct {
	Ignore          bool                           `yaml:"ignore,omitempty"`
	RegexpExtracts  map[string][]conf.RegexExtract `yaml:"regex_extracts,omitempty"`
	DateTimePattern string                         `yaml:"datetime_pattern,omitempty"`
	Offset          float64                        `yaml:"offset,omitempty"`
	Scale           float64                        `yaml:"scale,omitempty"`
	Type            string                         `yaml:"type,omitempty"`
	Help            string                         `yaml:"help,omitempty"`
	Name            string                         `yaml:"name,omitempty"`
	DisplayHint     string                         `yaml:"display_hint,omitempty"`
}

// Lookup replaces or completes indexes by the value of a column with the same index.
type Lookup struct {
	SourceIndexes     []string `yaml:"source_indexes"`
	Lookup            string   `yaml:"lookup"`
	DropSourceIndexes bool     `yaml:"drop_source_indexes,omitempty"`
	DisplayHint       string   `yaml:"display_hint,omitempty"`
}

// overrideTypes are what type of an override may be.
var overrideTypes = []string{
	"gauge", "counter", "Float", "Double", "DateAndTime", "ParseDateAndTime", "NTPTimeStamp", "EnumAsInfo", "EnumAsStateSet", "Bits",
	"OctetString", "DisplayString", "PhysAddress48", "InetAddress", "InetAddressMissingSize", "InetAddressIPv4", "InetAddressIPv6", "LldpPortId", "IpAddr",
}

// Validate implements config.Validator.
func (c *Config) Validate() error {
	if len(c.Modules) == 0 {
		return errors.New("modules: none is defined")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		m := c.Modules[name]
		if m == nil || len(m.Walk) == 0 {
			return fmt.Errorf("modules: %s: walk is empty", name)
		}
		for _, w := range m.Walk {
			if strings.HasPrefix(w, ".") {
				return fmt.Errorf("modules: %s: walk: %q must not begin with a dot", name, w)
			}
		}
		for object, o := range m.Overrides {
			if o.Type != "" && !slices.Contains(overrideTypes, o.Type) {
				return fmt.Errorf("modules: %s: overrides: %s: unknown type %q; known: %s", name, object, o.Type, strings.Join(overrideTypes, ", "))
			}
		}
		for _, l := range m.Lookups {
			if l.Lookup == "" || len(l.SourceIndexes) == 0 {
				return fmt.Errorf("modules: %s: a lookup needs source_indexes and lookup", name)
			}
		}
	}
	return (&conf.Config{Auths: c.Auths}).Validate()
}

// Load reads a generator.yml.
func Load(path string) (*Config, error) {
	var c Config
	if err := config.Load(path, &c); err != nil {
		return nil, err
	}
	return &c, nil
}
