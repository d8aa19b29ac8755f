package gen

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
)

// Generate makes the modules of c. Modules that cannot be made are left out and reported in
// the error, warnings name objects that were left out of a module.
func Generate(c *Config, t *mib.Tree) (out *conf.Config, warnings, errs []error) {
	out = &conf.Config{Version: c.Version, Auths: c.Auths, Modules: map[string]*conf.Module{}}
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		g := &generator{tree: t, cfg: c.Modules[name], types: map[*mib.Node]string{}, need: map[string]bool{}, instances: map[string][]string{}}
		m, err := g.module()
		for _, w := range g.warnings {
			warnings = append(warnings, fmt.Errorf("module %s: %w", name, w))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("module %s: %w", name, err))
			continue
		}
		out.Modules[name] = m
	}
	return out, warnings, errs
}

// generator makes one module.
type generator struct {
	tree      *mib.Tree
	cfg       *Module
	types     map[*mib.Node]string // by override
	need      map[string]bool      // OIDs to read; those that end in a dot are single instances
	instances map[string][]string  // indexes asked for singly, by column
	out       conf.Module
	warnings  []error
}

func (g *generator) warnf(format string, args ...any) {
	g.warnings = append(g.warnings, fmt.Errorf(format, args...))
}

func (g *generator) module() (*conf.Module, error) {
	for _, name := range slices.Sorted(maps.Keys(g.cfg.Overrides)) {
		o := g.cfg.Overrides[name]
		if o.Type == "" {
			continue
		}
		n := g.tree.Lookup(name)
		if n == nil {
			g.warnf("overrides: no object is called %s", name)
			continue
		}
		g.types[n] = o.Type
	}
	tops, err := g.walks()
	if err != nil {
		return nil, err
	}
	for _, top := range tops {
		g.tree.Walk(top, func(n *mib.Node) {
			if m := g.metric(n); m != nil {
				g.out.Metrics = append(g.out.Metrics, m)
			}
		})
	}
	for _, m := range g.out.Metrics {
		if err := g.lookups(m); err != nil {
			return nil, err
		}
		for _, ix := range m.Indexes {
			ix.Labelname = sanitize(ix.Labelname)
		}
		g.inetAddress(m)
	}
	g.override()
	g.filter()
	for _, oid := range minimize(slices.Collect(maps.Keys(g.need))) {
		if single, ok := strings.CutSuffix(oid, "."); ok {
			g.out.Get = append(g.out.Get, single)
		} else {
			g.out.Walk = append(g.out.Walk, oid)
		}
	}
	g.out.WalkParams = g.cfg.WalkParams
	return &g.out, nil
}

// walks resolves what is to be walked and notes it as needed.
func (g *generator) walks() ([]*mib.Node, error) {
	var oids []string
	var errs []error
	for _, w := range g.cfg.Walk {
		if n := g.tree.Lookup(w); n != nil {
			oids = append(oids, n.OID())
		} else if numericOID.MatchString(w) {
			oids = append(oids, w)
		} else {
			errs = append(errs, fmt.Errorf("walk: no object is called %s%s", w, g.suggest(w)))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	tops := map[string]*mib.Node{}
	for _, oid := range minimize(oids) {
		if n := g.tree.Lookup(oid); n != nil {
			if _, usable := g.typeOf(n); usable && accessible(n) && len(n.Indexes) == 0 {
				g.need[oid+".0."] = true
			} else {
				g.need[oid] = true
			}
			tops[n.OID()] = n
			continue
		}
		n, index := g.tree.Nearest(oid)
		if n == nil {
			return nil, fmt.Errorf("walk: nothing is known of %s", oid)
		}
		if _, usable := g.typeOf(n); !usable || !accessible(n) || len(n.Indexes) == 0 {
			return nil, fmt.Errorf("walk: %s is not an instance of %s", oid, n.Name)
		}
		g.need[oid+"."] = true
		g.instances[n.OID()] = append(g.instances[n.OID()], "."+index)
		tops[n.OID()] = n
	}
	var out []*mib.Node
	for _, oid := range slices.Sorted(maps.Keys(tops)) {
		out = append(out, tops[oid])
	}
	return out, nil
}

var numericOID = regexp.MustCompile(`^\d+(\.\d+)*$`)

// suggest names objects that differ in case only, or the modules of a qualified name.
func (g *generator) suggest(name string) string {
	_, short, qualified := strings.Cut(name, "::")
	if !qualified {
		short = name
	}
	for _, n := range g.tree.Names() {
		if strings.EqualFold(n, short) && n != name {
			all := g.tree.Named(n)
			return fmt.Sprintf("; did you mean %s::%s?", all[0].Module, n)
		}
	}
	return ""
}

// typeOf is the type of n in a snmp.yml; usable is false for what cannot be a metric.
func (g *generator) typeOf(n *mib.Node) (typ string, usable bool) {
	if t, ok := g.types[n]; ok {
		if t == "IpAddr" {
			t = "InetAddressIPv4"
		}
		return t, true
	}
	return n.MetricType()
}

func accessible(n *mib.Node) bool {
	switch n.Access {
	case "read-only", "read-write", "read-create", "not-accessible":
		return true
	}
	return false
}

// metric makes the metric of n; nil if n is none.
func (g *generator) metric(n *mib.Node) *conf.Metric {
	typ, usable := g.typeOf(n)
	if !usable || !accessible(n) {
		return nil
	}
	m := &conf.Metric{Name: sanitize(n.Name), OID: n.OID(), Type: typ, Help: firstSentence(n.Description) + " - " + n.OID(), EnumValues: n.Enums}
	if g.cfg.Overrides[m.Name].Ignore {
		return nil
	}
	var before, before2 string // textual conventions of the indexes to the left
	for i, name := range n.Indexes {
		in := g.tree.Index(name, n)
		if in == nil {
			g.warnf("%s is left out: its index %s is not defined", n.Name, name)
			return nil
		}
		ix := &conf.Index{Labelname: name, FixedSize: in.FixedSize, Implied: n.Implied && i == len(n.Indexes)-1}
		if ix.Type, usable = g.typeOf(in); !usable {
			g.warnf("%s is left out: its index %s has a type that cannot be an index", n.Name, name)
			return nil
		}
		if ix.Type == "EnumAsInfo" {
			ix.EnumValues = in.Enums
		}
		// An address and the object that says its form become one index.
		if form, ok := formOf[ix.Type]; ok {
			switch form {
			case before:
				m.Indexes = m.Indexes[:len(m.Indexes)-1]
			case before2:
				m.Indexes = m.Indexes[:len(m.Indexes)-2]
			default:
				g.warnf("%s is left out: index %s of type %s does not follow a %s", n.Name, name, ix.Type, form)
				return nil
			}
		}
		before2, before = before, in.TC
		m.Indexes = append(m.Indexes, ix)
	}
	return m
}

// formOf names the type of the object that says the form of another.
var formOf = map[string]string{"InetAddress": "InetAddressType", "InetAddressMissingSize": "InetAddressType", "LldpPortId": "LldpPortIdSubtype"}

// lookups adds to m those that its indexes allow.
func (g *generator) lookups(m *conf.Metric) error {
	var drop []string
	for _, l := range g.cfg.Lookups {
		found := 0
		for _, ix := range m.Indexes {
			for _, s := range l.SourceIndexes {
				if s == ix.Labelname {
					found++
				}
			}
		}
		if found != len(l.SourceIndexes) {
			continue
		}
		n := g.lookupNode(l.Lookup, m.OID)
		if n == nil {
			return fmt.Errorf("lookups: no object is called %s%s", l.Lookup, g.suggest(l.Lookup))
		}
		typ, usable := g.typeOf(n)
		if !usable {
			return fmt.Errorf("lookups: %s has a type that cannot be a label", l.Lookup)
		}
		lookup := &conf.Lookup{Labelname: sanitize(n.Name), Type: typ, OID: n.OID(), DisplayHint: hint(l.DisplayHint, n)}
		if typ == "EnumAsInfo" {
			lookup.EnumValues = n.Enums
		}
		for _, s := range l.SourceIndexes {
			lookup.Labels = append(lookup.Labels, sanitize(s))
		}
		m.Lookups = append(m.Lookups, lookup)
		if slices.ContainsFunc(g.cfg.Lookups, func(o Lookup) bool { return slices.Contains(o.SourceIndexes, lookup.Labelname) }) {
			m.Indexes = append(m.Indexes, &conf.Index{Labelname: lookup.Labelname, Type: typ}) // for the lookup that goes on from it
		}
		g.needBeside(n.OID(), m.OID)
		for _, f := range g.cfg.Filters.Static {
			if slices.ContainsFunc(f.Targets, func(t string) bool { return g.numeric(t) == n.OID() }) {
				g.restrict(m.OID, f.Indices)
			}
		}
		if l.DropSourceIndexes {
			drop = append(drop, l.SourceIndexes...)
		}
	}
	for _, d := range drop {
		m.Lookups = append(m.Lookups, &conf.Lookup{Labels: []string{}, Labelname: sanitize(d)})
	}
	return nil
}

// lookupNode prefers the object of that name in the metric's own table.
func (g *generator) lookupNode(name, metric string) *mib.Node {
	n := g.tree.Lookup(name)
	if n == nil || strings.Contains(name, "::") {
		return n
	}
	table := metric[:strings.LastIndexByte(metric, '.')+1]
	for _, o := range g.tree.Named(name) {
		if strings.HasPrefix(o.OID(), table) {
			return o
		}
	}
	return n
}

// needBeside asks for a column where metric is asked for: whole, or the same instances.
func (g *generator) needBeside(column, metric string) {
	if len(g.instances[metric]) == 0 {
		g.need[column] = true
		return
	}
	for _, index := range g.instances[metric] {
		g.need[column+index+"."] = true
	}
}

// inetAddress makes sure that the object that says the form of an address is read too.
func (g *generator) inetAddress(m *conf.Metric) {
	if m.Type != "InetAddress" && m.Type != "InetAddressMissingSize" {
		return
	}
	n := g.tree.Lookup(m.OID)
	left := g.tree.Lookup(fmt.Sprintf("%s.%d", n.Parent.OID(), int64(n.Arc)-1))
	if left == nil || left.TC != "InetAddressType" {
		m.Type = "OctetString"
		return
	}
	g.needBeside(left.OID(), m.OID)
}

// override applies what overrides say beyond types.
func (g *generator) override() {
	for _, m := range g.out.Metrics {
		for _, key := range []string{m.Name, m.OID} {
			o, ok := g.cfg.Overrides[key]
			if !ok {
				continue
			}
			m.RegexpExtracts, m.DateTimePattern, m.Offset, m.Scale = o.RegexpExtracts, o.DateTimePattern, o.Offset, o.Scale
			m.DisplayHint = hint(o.DisplayHint, g.tree.Lookup(m.OID))
			if o.Help != "" {
				m.Help = o.Help
			}
			if o.Name != "" {
				m.Name = o.Name
			}
			break
		}
	}
}

func hint(want string, n *mib.Node) string {
	if want == "@mib" {
		return n.Hint
	}
	return want
}

// filter applies the module's filters.
func (g *generator) filter() {
	for _, f := range g.cfg.Filters.Static {
		for _, t := range f.Targets {
			g.restrict(g.numeric(t), f.Indices)
		}
	}
	for _, f := range g.cfg.Filters.Dynamic {
		f.OID = g.numeric(f.OID)
		for i, t := range f.Targets {
			f.Targets[i] = g.numeric(t)
		}
		g.out.Filters = append(g.out.Filters, f)
	}
}

func (g *generator) numeric(name string) string {
	if n := g.tree.Lookup(name); n != nil {
		return n.OID()
	}
	return name
}

// restrict reads single instances of a column instead of all of it.
func (g *generator) restrict(oid string, indices []string) {
	delete(g.need, oid)
	for _, i := range indices {
		g.need[oid+"."+i+"."] = true
	}
}

// minimize drops OIDs that lie below another one; the order is that of the text.
func minimize(oids []string) []string {
	slices.Sort(oids)
	var out []string
	last := ""
	for _, o := range oids {
		if last == "" || !strings.HasPrefix(o+".", last) {
			out = append(out, o)
			last = o + "."
		}
	}
	return out
}

func firstSentence(s string) string {
	s, _, _ = strings.Cut(strings.Join(strings.Fields(s), " "), ". ")
	return s
}

var invalidChar = regexp.MustCompile(`[^a-zA-Z0-9_]`)

func sanitize(name string) string { return invalidChar.ReplaceAllString(name, "_") }
