package redfish

import "strings"

// maxRefused is how many addresses may refuse $expand before it is given up everywhere.
const maxRefused = 8

// expander is what a client knows about $expand on its service: what the service root
// offers, and where it did not keep the promise.
type expander struct {
	query   string // e.g. "$expand=.($levels=1)"; empty when not offered
	deep    string // the same with two levels; empty when not offered
	refused map[string]bool
}

// learn reads ProtocolFeaturesSupported of the service root.
func (e *expander) learn(root Node) {
	f := root.obj("ProtocolFeaturesSupported.ExpandQuery")
	all, _ := f.truth("ExpandAll")
	noLinks, _ := f.truth("NoLinks")
	e.query, e.deep = "", ""
	if len(e.refused) >= maxRefused {
		return // the offer is not meant
	}
	switch {
	case noLinks:
		e.query = "$expand=."
	case all:
		e.query = "$expand=*"
	default:
		return
	}
	if levels, _ := f.truth("Levels"); !levels {
		return
	}
	most, ok, err := f.num("MaxLevels")
	base := e.query
	e.query = base + "($levels=1)"
	if ok && err == nil && most >= 2 {
		e.deep = base + "($levels=2)"
	}
}

// forRequest is the query for a path; empty when a plain GET is better.
func (e *expander) forRequest(path string, deep bool) string {
	if e.query == "" || e.refused[path] || strings.Contains(path, "$expand") {
		return ""
	}
	if deep && e.deep != "" {
		return e.deep
	}
	return e.query
}

// refuse remembers that path cannot be expanded.
func (e *expander) refuse(path string) {
	if e.refused == nil {
		e.refused = map[string]bool{}
	}
	e.refused[path] = true
	if len(e.refused) >= maxRefused {
		e.query, e.deep = "", ""
	}
}
