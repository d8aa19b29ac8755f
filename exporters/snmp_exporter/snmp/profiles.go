package snmp

import (
	"embed"
	"fmt"
	"slices"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/config"
)

//go:generate sh profiles/generate.sh

//go:embed profiles/snmp.yml profiles/hardware.yml
var profileFiles embed.FS

// profiles are the modules shipped with the exporter, when each is walked, and the rules that
// find hardware in them.
type profiles struct {
	modules map[string]*module
	choices []choice
	rules   []rule
}

// choice says which devices a profile is for.
type choice struct {
	Name  string   `yaml:"name"`
	Under []string `yaml:"under"` // of sysObjectID; none means every device
}

// rule finds hardware in one column of a profile.
type rule struct {
	Profile string               `yaml:"profile"`
	Type    string               `yaml:"type"`   // hw_type
	Value   string               `yaml:"value"`  // object with the value
	Metric  string               `yaml:"metric"` // one of kinds
	Scale   float64              `yaml:"scale"`  // to the unit of the metric
	Unit    string               `yaml:"unit"`   // fahrenheit, if that is what scale makes
	Name    []string             `yaml:"name"`   // objects with the part's name
	Text    string               `yaml:"text"`   // name, or addition to it
	Status  string               `yaml:"status"` // object with the state
	States  any                  `yaml:"states"` // name of a table of states, or one
	Skip    []float64            `yaml:"skip"`   // values that stand for no value
	When    map[string][]float64 `yaml:"when"`   // conditions on objects of the row
	Unless  map[string][]float64 `yaml:"unless"` // the opposite; an object the row lacks does no harm

	kind                kind
	states              map[int]string
	valueOID, statusOID string
	nameOIDs            []string
	whenOIDs            map[string][]float64
	unlessOIDs          map[string][]float64
	scalar              bool // there is one row, which needs no number
}

type hardwareFile struct {
	Profiles []choice                  `yaml:"profiles"`
	States   map[string]map[int]string `yaml:"states"`
	Rules    []rule                    `yaml:"rules"`
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
	if raw, err = profileFiles.ReadFile("profiles/hardware.yml"); err != nil {
		return nil, err
	}
	var f hardwareFile
	if err := config.Parse("profiles/hardware.yml", raw, &f); err != nil {
		return nil, fmt.Errorf("built-in profiles: %w", err)
	}
	p.choices, p.rules = f.Profiles, f.Rules
	for _, ch := range p.choices {
		if p.modules[ch.Name] == nil {
			return nil, fmt.Errorf("built-in profiles: no module is called %s", ch.Name)
		}
	}
	for i := range p.rules {
		if err := p.rules[i].resolve(p.modules, f.States); err != nil {
			return nil, fmt.Errorf("built-in profiles: rule %d for %s: %w", i+1, p.rules[i].Profile, err)
		}
	}
	return p, nil
}

// resolve finds the OIDs of the objects that r names.
func (r *rule) resolve(modules map[string]*module, states map[string]map[int]string) error {
	m := modules[r.Profile]
	if m == nil {
		return fmt.Errorf("no module is called %s", r.Profile)
	}
	oids := map[string]string{}
	for _, me := range m.conf.Metrics {
		oids[me.Name] = me.OID
		for _, l := range me.Lookups {
			if l.OID != "" {
				oids[l.Labelname] = l.OID
			}
		}
	}
	var err error
	find := func(name string) string {
		if name == "" {
			return ""
		}
		oid, ok := oids[name]
		if !ok && err == nil {
			err = fmt.Errorf("the module has no object %s", name)
		}
		return oid
	}
	r.valueOID, r.statusOID = find(r.Value), find(r.Status)
	for _, n := range r.Name {
		r.nameOIDs = append(r.nameOIDs, find(n))
	}
	r.whenOIDs = map[string][]float64{}
	for n, allowed := range r.When {
		r.whenOIDs[find(n)] = allowed
	}
	r.unlessOIDs = map[string][]float64{}
	for n, banned := range r.Unless {
		r.unlessOIDs[find(n)] = banned
	}
	if err != nil {
		return err
	}
	if me := m.byOID[r.column()]; me != nil {
		r.scalar = len(me.Indexes) == 0
	}
	if r.Value != "" {
		k, ok := kinds[r.Metric]
		if !ok {
			return fmt.Errorf("unknown metric %q", r.Metric)
		}
		r.kind = k
	}
	r.states, err = stateTable(r.States, states)
	return err
}

// stateTable reads what a rule says of states: nothing, the name of a table, or a table.
func stateTable(v any, named map[string]map[int]string) (map[int]string, error) {
	switch s := v.(type) {
	case nil:
		return nil, nil
	case string:
		if named[s] == nil {
			return nil, fmt.Errorf("unknown states %q", s)
		}
		return named[s], nil
	case map[any]any:
		out := map[int]string{}
		for k, v := range s {
			n, isInt := k.(int)
			state, isText := v.(string)
			if !isInt || !isText {
				return nil, fmt.Errorf("states: %v: %v is not a number and a state", k, v)
			}
			out[n] = state
		}
		return out, nil
	}
	return nil, fmt.Errorf("states: want a name or a table, not %T", v)
}

// choose gives the profiles for a device. The general ones are always asked for: a table that
// a device lacks costs a part of one packet.
func (p *profiles) choose(id identity) []*module {
	var out []*module
	for _, c := range p.choices {
		fits := len(c.Under) == 0 || id.objectID == "" // a device that does not say what it is
		for _, u := range c.Under {
			fits = fits || walk.Under(id.objectID, u) || slices.ContainsFunc(id.supports, func(o string) bool { return walk.Under(o, u) })
		}
		if fits {
			out = append(out, p.modules[c.Name])
		}
	}
	return out
}
