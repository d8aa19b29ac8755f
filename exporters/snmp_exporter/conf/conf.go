// Package conf reads and writes snmp.yml, the configuration format of the Prometheus SNMP
// exporter: auths (how to log in to a device) and modules (what to ask it).
package conf

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/exporter"
)

// Defaults of a module, the same as everybody's snmp.yml expects.
const (
	DefaultMaxRepetitions = 25
	DefaultRetries        = 3
	DefaultTimeout        = 5 * time.Second
)

// Config is the content of one or more snmp.yml files.
type Config struct {
	Version int                `yaml:"version,omitempty"`
	Auths   map[string]*Auth   `yaml:"auths,omitempty"`
	Modules map[string]*Module `yaml:"modules,omitempty"`

	// Beyond the common format: what may be probed, what is discovered, and how much at once.
	Targets   exporter.Targets `yaml:"targets,omitempty"`
	Discovery []exporter.Group `yaml:"discovery,omitempty"`
	Limits    exporter.Limits  `yaml:"limits,omitempty"`
}

// Auth says which SNMP version a device speaks and what it must be shown.
type Auth struct {
	Community     Secret `yaml:"community,omitempty"`
	SecurityLevel string `yaml:"security_level,omitempty"`
	Username      string `yaml:"username,omitempty"`
	Password      Secret `yaml:"password,omitempty"`
	AuthProtocol  string `yaml:"auth_protocol,omitempty"`
	PrivProtocol  string `yaml:"priv_protocol,omitempty"`
	PrivPassword  Secret `yaml:"priv_password,omitempty"`
	ContextName   string `yaml:"context_name,omitempty"`
	Version       int    `yaml:"version,omitempty"`
}

// Module lists what is asked of a device and how the answers become metrics.
type Module struct {
	Walk       []string   `yaml:"walk,omitempty"`
	Get        []string   `yaml:"get,omitempty"`
	Metrics    []*Metric  `yaml:"metrics,omitempty"`
	WalkParams WalkParams `yaml:",inline"`
	Filters    []Filter   `yaml:"filters,omitempty"`
}

// WalkParams bound the requests of a module. MaxRepetitions 0 and Retries nil mean the defaults.
type WalkParams struct {
	MaxRepetitions          uint32        `yaml:"max_repetitions,omitempty"`
	Retries                 *int          `yaml:"retries,omitempty"`
	Timeout                 time.Duration `yaml:"timeout,omitempty"`
	UseUnconnectedUDPSocket bool          `yaml:"use_unconnected_udp_socket,omitempty"`
	AllowNonIncreasingOIDs  bool          `yaml:"allow_nonincreasing_oids,omitempty"`
}

// Filter keeps those rows whose OID column matches one of Values; the columns in Targets are
// then fetched for these rows only.
type Filter struct {
	OID     string   `yaml:"oid"`
	Targets []string `yaml:"targets,omitempty"`
	Values  []string `yaml:"values,omitempty"`

	match []*regexp.Regexp
}

// Matches tells whether a row with this value in the filter's column is kept.
func (f *Filter) Matches(value string) bool {
	return slices.ContainsFunc(f.match, func(re *regexp.Regexp) bool { return re.MatchString(value) })
}

// Metric turns the instances below OID into samples.
type Metric struct {
	Name            string                    `yaml:"name"`
	OID             string                    `yaml:"oid"`
	Type            string                    `yaml:"type"`
	Help            string                    `yaml:"help"`
	Indexes         []*Index                  `yaml:"indexes,omitempty"`
	Lookups         []*Lookup                 `yaml:"lookups,omitempty"`
	RegexpExtracts  map[string][]RegexExtract `yaml:"regex_extracts,omitempty"`
	DateTimePattern string                    `yaml:"datetime_pattern,omitempty"`
	EnumValues      map[int]string            `yaml:"enum_values,omitempty"`
	DisplayHint     string                    `yaml:"display_hint,omitempty"`
	Offset          float64                   `yaml:"offset,omitempty"`
	Scale           float64                   `yaml:"scale,omitempty"`
}

// Index is one part of an instance's index; it becomes a label.
type Index struct {
	Labelname   string         `yaml:"labelname"`
	Type        string         `yaml:"type"`
	FixedSize   int            `yaml:"fixed_size,omitempty"`
	Implied     bool           `yaml:"implied,omitempty"`
	EnumValues  map[int]string `yaml:"enum_values,omitempty"`
	DisplayHint string         `yaml:"display_hint,omitempty"`
}

// Lookup adds a label whose value is read at OID with the index of Labels. Without Labels it
// removes the label called Labelname.
type Lookup struct {
	Labels      []string       `yaml:"labels"`
	Labelname   string         `yaml:"labelname"`
	OID         string         `yaml:"oid,omitempty"`
	Type        string         `yaml:"type,omitempty"`
	EnumValues  map[int]string `yaml:"enum_values,omitempty"`
	DisplayHint string         `yaml:"display_hint,omitempty"`
}

// RegexExtract makes a number of a text: Value is expanded with the groups of Regex.
type RegexExtract struct {
	Value string `yaml:"value"`
	Regex Regexp `yaml:"regex"`
}

// UnmarshalYAML implements yaml.Unmarshaler; Value defaults to the first group.
func (r *RegexExtract) UnmarshalYAML(unmarshal func(any) error) error {
	*r = RegexExtract{Value: "$1"}
	type plain RegexExtract
	return unmarshal((*plain)(r))
}

// Regexp is an anchored regular expression.
type Regexp struct{ *regexp.Regexp }

// UnmarshalYAML implements yaml.Unmarshaler.
func (re *Regexp) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err != nil {
		return err
	}
	c, err := regexp.Compile("^(?:" + s + ")$")
	if err != nil {
		return fmt.Errorf("regex %q: %w", s, err)
	}
	re.Regexp = c
	return nil
}

// MarshalYAML implements yaml.Marshaler. A regex that was read from a snmp.yml carries one pair
// of anchors too many when it is written again, as everywhere in this format.
func (re Regexp) MarshalYAML() (any, error) {
	if re.Regexp == nil {
		return nil, nil
	}
	return re.String(), nil
}

// Secret is a string that is not shown.
type Secret string

// MarshalYAML implements yaml.Marshaler.
func (s Secret) MarshalYAML() (any, error) {
	if s == "" {
		return nil, nil
	}
	return "<secret>", nil
}

// String implements fmt.Stringer.
func (s Secret) String() string { return "<secret>" }

// UnmarshalYAML implements yaml.Unmarshaler and fills in defaults.
func (a *Auth) UnmarshalYAML(unmarshal func(any) error) error {
	*a = Auth{Community: "public", SecurityLevel: "noAuthNoPriv", AuthProtocol: "MD5", PrivProtocol: "DES", Version: 2}
	type plain Auth
	return unmarshal((*plain)(a))
}

// metricTypes are the types a metric may have; stringTypes may also be lookups and indexes.
var (
	numberTypes = []string{"gauge", "counter", "Float", "Double", "DateAndTime", "ParseDateAndTime", "NTPTimeStamp", "EnumAsInfo", "EnumAsStateSet", "Bits"}
	stringTypes = []string{"OctetString", "DisplayString", "PhysAddress48", "InetAddress", "InetAddressMissingSize", "InetAddressIPv4", "InetAddressIPv6", "LldpPortId"}
	indexTypes  = append([]string{"gauge", "counter", "Integer", "Integer32", "EnumAsInfo"}, stringTypes...)
)

// Validate implements config.Validator: it checks every auth and module, and fills in defaults.
func (c *Config) Validate() error {
	for _, name := range slices.Sorted(maps.Keys(c.Auths)) {
		if c.Auths[name] == nil {
			return fmt.Errorf("auths: %s is empty", name)
		}
		if err := c.Auths[name].check(); err != nil {
			return fmt.Errorf("auths: %s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		m := c.Modules[name]
		if m == nil {
			return fmt.Errorf("modules: %s is empty", name)
		}
		if err := m.check(); err != nil {
			return fmt.Errorf("modules: %s: %w", name, err)
		}
	}
	return nil
}

func (a *Auth) check() error {
	if a.Version < 1 || a.Version > 3 {
		return fmt.Errorf("version must be 1, 2 or 3, not %d", a.Version)
	}
	if a.Version < 3 {
		return nil
	}
	if a.Username == "" {
		return fmt.Errorf("username is missing, SNMPv3 needs one")
	}
	switch a.SecurityLevel {
	case "noAuthNoPriv":
		return nil
	case "authNoPriv", "authPriv":
	default:
		return fmt.Errorf("security_level must be noAuthNoPriv, authNoPriv or authPriv, not %q", a.SecurityLevel)
	}
	if a.Password == "" {
		return fmt.Errorf("password is missing, security_level %s needs one", a.SecurityLevel)
	}
	if !slices.Contains(AuthProtocols, a.AuthProtocol) {
		return fmt.Errorf("auth_protocol must be one of %s, not %q", strings.Join(AuthProtocols, ", "), a.AuthProtocol)
	}
	if a.SecurityLevel == "authNoPriv" {
		return nil
	}
	if a.PrivPassword == "" {
		return fmt.Errorf("priv_password is missing, security_level authPriv needs one")
	}
	if !slices.Contains(PrivProtocols, a.PrivProtocol) {
		return fmt.Errorf("priv_protocol must be one of %s, not %q", strings.Join(PrivProtocols, ", "), a.PrivProtocol)
	}
	return nil
}

// Names of the SNMPv3 protocols an Auth may name.
var (
	AuthProtocols = []string{"MD5", "SHA", "SHA224", "SHA256", "SHA384", "SHA512"}
	PrivProtocols = []string{"DES", "AES", "AES192", "AES192C", "AES256", "AES256C"}
)

func (m *Module) check() error {
	if m.WalkParams.Retries == nil {
		n := DefaultRetries
		m.WalkParams.Retries = &n
	}
	if *m.WalkParams.Retries < 0 {
		return fmt.Errorf("retries must not be negative")
	}
	if m.WalkParams.Timeout == 0 {
		m.WalkParams.Timeout = DefaultTimeout
	}
	if m.WalkParams.Timeout < 0 {
		return fmt.Errorf("timeout must not be negative")
	}
	for _, oid := range slices.Concat(m.Walk, m.Get) {
		if !oidRE.MatchString(oid) {
			return fmt.Errorf("%q is not a numeric OID", oid)
		}
	}
	for _, me := range m.Metrics {
		if me == nil {
			return fmt.Errorf("an entry of metrics is empty")
		}
		if err := me.check(); err != nil {
			return fmt.Errorf("metric %s: %w", me.Name, err)
		}
	}
	for i := range m.Filters {
		f := &m.Filters[i]
		if !oidRE.MatchString(f.OID) {
			return fmt.Errorf("filter: %q is not a numeric OID", f.OID)
		}
		f.match = nil
		for _, v := range f.Values {
			re, err := regexp.Compile(v)
			if err != nil {
				return fmt.Errorf("filter on %s: %w", f.OID, err)
			}
			f.match = append(f.match, re)
		}
	}
	return nil
}

var oidRE = regexp.MustCompile(`^\.?\d+(\.\d+)*$`)

func (m *Metric) check() error {
	if !model.LegacyValidation.IsValidMetricName(m.Name) {
		return fmt.Errorf("%q is not a valid metric name", m.Name)
	}
	if !oidRE.MatchString(m.OID) {
		return fmt.Errorf("%q is not a numeric OID", m.OID)
	}
	if !slices.Contains(numberTypes, m.Type) && !slices.Contains(stringTypes, m.Type) {
		return fmt.Errorf("unknown type %q", m.Type)
	}
	known := map[string]bool{}
	for _, ix := range m.Indexes {
		if ix == nil || !model.LegacyValidation.IsValidLabelName(ix.Labelname) {
			return fmt.Errorf("an index has no valid labelname")
		}
		if !slices.Contains(indexTypes, ix.Type) {
			return fmt.Errorf("index %s: unknown type %q", ix.Labelname, ix.Type)
		}
		if ix.FixedSize < 0 || ix.FixedSize > 128 {
			return fmt.Errorf("index %s: fixed_size must be from 0 to 128", ix.Labelname)
		}
		known[ix.Labelname] = true
	}
	for _, l := range m.Lookups {
		if err := l.check(known); err != nil {
			return err
		}
	}
	for suffix := range m.RegexpExtracts {
		if !model.LegacyValidation.IsValidMetricName(m.Name + suffix) {
			return fmt.Errorf("regex_extracts: %q does not make a valid metric name", suffix)
		}
	}
	return nil
}

func (l *Lookup) check(known map[string]bool) error {
	if l == nil || !model.LegacyValidation.IsValidLabelName(l.Labelname) {
		return fmt.Errorf("a lookup has no valid labelname")
	}
	if len(l.Labels) == 0 {
		return nil
	}
	if !oidRE.MatchString(l.OID) {
		return fmt.Errorf("lookup %s: %q is not a numeric OID", l.Labelname, l.OID)
	}
	if l.Type != "" && l.Type != "Bits" && !slices.Contains(indexTypes, l.Type) && !slices.Contains(numberTypes, l.Type) {
		return fmt.Errorf("lookup %s: unknown type %q", l.Labelname, l.Type)
	}
	for _, n := range l.Labels {
		if !known[n] {
			return fmt.Errorf("lookup %s: label %q is neither an index nor an earlier lookup", l.Labelname, n)
		}
	}
	known[l.Labelname] = true
	return nil
}
