package mib

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// builtin are the types that need no definition.
var builtin = []string{
	"INTEGER", "Integer32", "Unsigned32", "UInteger32", "Gauge", "Gauge32", "Counter", "Counter32", "Counter64", "TimeTicks",
	"OCTET STRING", "OBJECT IDENTIFIER", "BITS", "BIT STRING", "IpAddress", "NetworkAddress", "Opaque", "SEQUENCE", "CHOICE", "NULL",
	"NsapAddress",
}

// wellKnown are names every module may use without importing them.
var wellKnown = map[string]string{
	"ccitt": "0", "iso": "1", "joint-iso-ccitt": "2", "org": "1.3", "dod": "1.3.6", "internet": "1.3.6.1",
	"directory": "1.3.6.1.1", "mgmt": "1.3.6.1.2", "mib-2": "1.3.6.1.2.1", "transmission": "1.3.6.1.2.1.10",
	"experimental": "1.3.6.1.3", "private": "1.3.6.1.4", "enterprises": "1.3.6.1.4.1", "security": "1.3.6.1.5",
	"snmpV2": "1.3.6.1.6", "snmpDomains": "1.3.6.1.6.1", "snmpProxys": "1.3.6.1.6.2", "snmpModules": "1.3.6.1.6.3", "zeroDotZero": "0.0",
}

// resolver gives definitions their places and types.
type resolver struct {
	tree  *Tree
	names map[string]map[string]*definition // by module and name
	done  map[*definition]string
	busy  map[*definition]bool
	warn  []error
	spare map[string]*typeDef // of standard modules that may be missing
}

func (r *resolver) run(order []*module) []error {
	spare, err := parseFile("built in", fallback)
	if err != nil {
		return []error{err}
	}
	r.spare = spare[0].types
	for _, m := range order {
		byName := map[string]*definition{}
		for _, d := range m.defs {
			if _, ok := byName[d.name]; !ok {
				byName[d.name] = d
			}
		}
		r.names[m.name] = byName
	}
	for _, m := range order {
		missing := map[string]bool{}
		for _, from := range m.imports {
			if r.tree.modules[from] == nil && !macroModule(from) {
				missing[from] = true
			}
		}
		for _, from := range slices.Sorted(maps.Keys(missing)) {
			r.warn = append(r.warn, &Error{m.file, m.line, fmt.Sprintf("module %s imports from %s, which is not among the MIBs", m.name, from)})
		}
		for _, d := range m.defs {
			oid, err := r.oidOf(d)
			if err != nil {
				r.warn = append(r.warn, err)
				continue
			}
			r.define(oid, d)
		}
	}
	return r.warn
}

// macroModule tells whether a module only brings macros and types that are built in.
func macroModule(name string) bool {
	switch name {
	case "SNMPv2-SMI", "SNMPv2-CONF", "SNMPv2-TC", "RFC-1212", "RFC1155-SMI", "RFC-1215", "RFC1065-SMI":
		return true
	}
	return false
}

// oidOf finds the place of d.
func (r *resolver) oidOf(d *definition) (string, error) {
	if oid, ok := r.done[d]; ok {
		return oid, nil
	}
	bad := func(format string, args ...any) error {
		return &Error{d.mod.file, d.line, d.name + ": " + fmt.Sprintf(format, args...)}
	}
	if r.busy[d] {
		return "", bad("its OID refers to itself")
	}
	r.busy[d] = true
	defer delete(r.busy, d)
	var parts []string
	for i, p := range d.oid {
		switch {
		case i == 0 && p.name != "":
			up, err := r.named(p.name, d)
			if err != nil && p.number >= 0 {
				up, err = strconv.FormatInt(p.number, 10), nil
			}
			if err != nil {
				return "", bad("%v", err)
			}
			parts = append(parts, up)
		case p.number >= 0 && p.number < 1<<32:
			parts = append(parts, strconv.FormatInt(p.number, 10))
		default:
			return "", bad("part %d of its OID has no number", i+1)
		}
	}
	if len(parts) == 0 {
		return "", bad("its OID is empty")
	}
	oid := strings.Join(parts, ".")
	if strings.Count(oid, ".") >= 128 {
		return "", bad("its OID has more than 128 parts")
	}
	r.done[d] = oid
	return oid, nil
}

// named finds the OID of a name as d's module sees it.
func (r *resolver) named(name string, d *definition) (string, error) {
	if other := r.names[d.mod.name][name]; other != nil && other != d {
		return r.oidOf(other)
	}
	if from, ok := d.mod.imports[name]; ok {
		if other := r.names[from][name]; other != nil {
			return r.oidOf(other)
		}
	}
	if oid, ok := wellKnown[name]; ok {
		return oid, nil
	}
	// Many modules forget an import: any definition is better than none.
	for _, mod := range slices.Sorted(maps.Keys(r.names)) {
		if other := r.names[mod][name]; other != nil && other != d {
			return r.oidOf(other)
		}
	}
	if from, ok := d.mod.imports[name]; ok {
		return "", fmt.Errorf("its parent %s is imported from %s, which is not among the MIBs", name, from)
	}
	return "", fmt.Errorf("its parent %s is not defined", name)
}

// define fills in the node at oid. An object replaces a mere name, and a later module an earlier
// one: SMIv2 modules come last.
func (r *resolver) define(oid string, d *definition) {
	n := r.tree.place(oid)
	if n.Name != "" && n.Macro == "OBJECT-TYPE" && d.macro != "OBJECT-TYPE" {
		return
	}
	*n = Node{
		Name: d.name, Module: d.mod.name, File: d.mod.file, Line: d.line, Macro: d.macro, Access: d.access, Status: d.status,
		Units: d.units, Description: d.description, Indexes: d.indexes, Implied: d.implied, Objects: d.objects,
		Arc: n.Arc, Parent: n.Parent, Children: n.Children, augments: d.augments, oid: n.oid,
	}
	if d.macro == "OBJECT-TYPE" {
		r.typed(n, d)
	}
}

// typed follows the type of an object to a built-in one, taking along the first hint, names of
// numbers and sizes on the way.
func (r *resolver) typed(n *Node, d *definition) {
	s, mod := d.syntax, d.mod
	sizes := s.sizes
	n.Enums = s.enums
	for range 32 { // bounds a type that refers to itself
		if slices.Contains(builtin, s.name) {
			break
		}
		t := r.typeOf(s.name, mod)
		if t == nil {
			r.warn = append(r.warn, &Error{d.mod.file, d.line, fmt.Sprintf("%s: type %s is not defined", d.name, s.name)})
			return
		}
		if n.TC == "" {
			n.TC = t.name
		}
		if n.Hint == "" {
			n.Hint = t.hint
		}
		if n.Enums == nil {
			n.Enums = t.syntax.enums
		}
		if sizes == nil {
			sizes = t.syntax.sizes
		}
		s, mod = t.syntax, t.mod
	}
	if slices.Contains(builtin, s.name) {
		n.Base = s.name
	}
	if len(sizes) == 1 && sizes[0][0] == sizes[0][1] && sizes[0][0] > 0 && sizes[0][0] < 1<<31 {
		n.FixedSize = int(sizes[0][0])
	}
}

func (r *resolver) typeOf(name string, mod *module) *typeDef {
	if t := mod.types[name]; t != nil {
		return t
	}
	if from := r.tree.modules[mod.imports[name]]; from != nil && from.types[name] != nil {
		return from.types[name]
	}
	for _, m := range slices.Sorted(maps.Keys(r.tree.modules)) {
		if t := r.tree.modules[m].types[name]; t != nil {
			return t
		}
	}
	return r.spare[name]
}
