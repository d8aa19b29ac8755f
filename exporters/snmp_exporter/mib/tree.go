// Package mib compiles MIB modules, SMIv1 and SMIv2, into a tree of objects.
package mib

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Node is one place in the tree of OIDs. A place without a name was only passed through.
type Node struct {
	Name        string
	Module      string
	File        string
	Line        int
	Arc         uint32
	Macro       string // what defines it: OBJECT-TYPE, NOTIFICATION-TYPE, ...; empty without a name
	Base        string // built-in type: INTEGER, OCTET STRING, Counter32, ...; empty for no object
	TC          string // textual convention or type that the module names
	Hint        string // DISPLAY-HINT
	Enums       map[int]string
	FixedSize   int // size of a string, or the only value of a number, if the MIB allows but one
	Access      string
	Status      string
	Units       string
	Description string
	Indexes     []string // objects that index the row, of an entry and of its columns
	Implied     bool
	Objects     []string // of a notification
	Parent      *Node
	Children    []*Node // in order

	augments string
	oid      string
}

// OID is the dotted OID.
func (n *Node) OID() string { return n.oid }

// Tree is all objects of all modules that were loaded.
type Tree struct {
	Root    *Node
	byOID   map[string]*Node
	byName  map[string][]*Node // in OID order
	modules map[string]*module
}

// maxMIB bounds a MIB file, in bytes.
const maxMIB = 32 << 20

// Load compiles every file in dirs. Problems are returned as warnings, with file and line: one
// bad module must not cost the others. The error is set if nothing could be read.
func Load(dirs ...string) (*Tree, []error, error) {
	var files []string
	for _, d := range dirs {
		err := filepath.WalkDir(d, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, nil, err
		}
	}
	sources := map[string]string{}
	var warnings []error
	for _, f := range files {
		raw, err := readMIB(f)
		if err != nil {
			warnings = append(warnings, err)
			continue
		}
		sources[f] = raw
	}
	t, w := Compile(sources)
	warnings = append(warnings, w...)
	if len(t.modules) == 0 {
		return nil, warnings, errors.Join(append([]error{fmt.Errorf("no MIB module in %s", strings.Join(dirs, ", "))}, warnings...)...)
	}
	return t, warnings, nil
}

func readMIB(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if st.Size() > maxMIB {
		return "", fmt.Errorf("%s: larger than %d MiB, is this a MIB?", path, maxMIB>>20)
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
}

// Compile compiles modules given as text by file name.
func Compile(sources map[string]string) (*Tree, []error) {
	t := &Tree{Root: &Node{}, byOID: map[string]*Node{}, byName: map[string][]*Node{}, modules: map[string]*module{}}
	var warnings []error
	var order []*module
	for _, file := range slices.Sorted(maps.Keys(sources)) {
		src := sources[file]
		if !strings.Contains(src, "DEFINITIONS") {
			continue // a README among the MIBs
		}
		mods, err := parseFile(file, src)
		if err != nil {
			warnings = append(warnings, err)
		}
		for _, m := range mods {
			if old := t.modules[m.name]; old != nil {
				warnings = append(warnings, &Error{m.file, m.line, fmt.Sprintf("module %s is already defined in %s", m.name, old.file)})
				continue
			}
			t.modules[m.name] = m
			order = append(order, m)
		}
	}
	// SMIv2 modules later, so that they replace what RFC1213-MIB says of the same objects.
	slices.SortStableFunc(order, func(a, b *module) int { return rank(a) - rank(b) })
	r := &resolver{tree: t, done: map[*definition]string{}, busy: map[*definition]bool{}, names: map[string]map[string]*definition{}}
	warnings = append(warnings, r.run(order)...)
	t.finish()
	return t, warnings
}

func rank(m *module) int {
	if m.v2 {
		return 1
	}
	return 0
}

// place makes the node at a dotted OID and those on the way to it.
func (t *Tree) place(oid string) *Node {
	if n, ok := t.byOID[oid]; ok {
		return n
	}
	up, last := t.Root, oid
	if i := strings.LastIndexByte(oid, '.'); i >= 0 {
		up, last = t.place(oid[:i]), oid[i+1:]
	}
	arc, err := strconv.ParseUint(last, 10, 32)
	if err != nil {
		arc = 0
	}
	n := &Node{Arc: uint32(arc), Parent: up, oid: oid}
	up.Children = append(up.Children, n)
	t.byOID[oid] = n
	return n
}

// finish orders the tree, copies indexes to columns and fills the index of names.
func (t *Tree) finish() {
	for _, n := range t.byOID {
		slices.SortFunc(n.Children, func(a, b *Node) int { return int(int64(a.Arc) - int64(b.Arc)) })
	}
	slices.SortFunc(t.Root.Children, func(a, b *Node) int { return int(int64(a.Arc) - int64(b.Arc)) })
	t.Walk(t.Root, func(n *Node) {
		if n.Name != "" {
			t.byName[n.Name] = append(t.byName[n.Name], n)
		}
	})
	t.Walk(t.Root, func(n *Node) {
		if n.augments != "" {
			if a := t.find(n.augments, n); a != nil {
				n.Indexes, n.Implied = a.Indexes, a.Implied
			}
		}
		for i, ix := range n.Indexes {
			if ix == "INTEGER" { // an index without an object: the row stands for it
				n.Indexes = slices.Clone(n.Indexes)
				n.Indexes[i] = n.Name
			}
		}
	})
	t.Walk(t.Root, func(n *Node) {
		if len(n.Indexes) > 0 && n.Parent != nil {
			for _, c := range n.Children {
				c.Indexes, c.Implied = n.Indexes, n.Implied
			}
		}
	})
}

// Walk calls f for n and everything below it, in OID order.
func (t *Tree) Walk(n *Node, f func(*Node)) {
	f(n)
	for _, c := range n.Children {
		t.Walk(c, f)
	}
}

// find looks a name up near a node: in its own module first.
func (t *Tree) find(name string, near *Node) *Node {
	all := t.byName[name]
	if len(all) == 0 {
		return nil
	}
	if near != nil {
		for _, n := range all {
			if n.Module == near.Module {
				return n
			}
		}
		if m := t.modules[near.Module]; m != nil {
			for _, n := range all {
				if n.Module == m.imports[name] {
					return n
				}
			}
		}
	}
	return all[len(all)-1]
}

// Index finds the object called name that indexes the row of near.
func (t *Tree) Index(name string, near *Node) *Node { return t.find(name, near) }

// Lookup finds a node by dotted OID, NAME or MODULE::NAME; nil if there is none.
func (t *Tree) Lookup(s string) *Node {
	s = strings.TrimPrefix(s, ".")
	if n, ok := t.byOID[s]; ok {
		return n
	}
	mod, name, qualified := strings.Cut(s, "::")
	if !qualified {
		return t.find(s, nil)
	}
	for _, n := range t.byName[name] {
		if n.Module == mod {
			return n
		}
	}
	// The object was moved to another module that defines the same place.
	if m := t.modules[mod]; m != nil {
		if from, ok := m.imports[name]; ok {
			return t.Lookup(from + "::" + name)
		}
		for _, d := range m.defs {
			if d.name == name {
				return t.find(name, nil)
			}
		}
	}
	return nil
}

// Nearest finds the named node that is oid or the closest one above it, and the rest of the OID.
func (t *Tree) Nearest(oid string) (n *Node, rest string) {
	oid = strings.TrimPrefix(oid, ".")
	for i := len(oid); i > 0; i = strings.LastIndexByte(oid[:i], '.') {
		if n, ok := t.byOID[oid[:i]]; ok && n.Name != "" {
			return n, strings.TrimPrefix(oid[i:], ".")
		}
	}
	return nil, oid
}

// Named gives all nodes of one name, in OID order.
func (t *Tree) Named(name string) []*Node { return t.byName[name] }

// Names gives all names, sorted.
func (t *Tree) Names() []string { return slices.Sorted(maps.Keys(t.byName)) }
