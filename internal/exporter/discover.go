package exporter

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
)

// maxDiscovered bounds the addresses of one group.
const maxDiscovered = 65536

var labelRE = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Group is a class of targets that /discover offers.
type Group struct {
	Class   string            `yaml:"class,omitempty"`  // name for /discover?class=
	Targets []string          `yaml:"targets"`          // hosts, host:port, URLs and CIDRs
	Module  string            `yaml:"module,omitempty"` // becomes the parameter module
	Auth    string            `yaml:"auth,omitempty"`   // becomes the parameter auth
	Labels  map[string]string `yaml:"labels,omitempty"` // kept on the series

	expanded []string
}

func (g *Group) validate(i int) error {
	if len(g.Targets) == 0 {
		return badf("discovery[%d].targets: is empty", i)
	}
	for name := range g.Labels {
		if !labelRE.MatchString(name) {
			return badf("discovery[%d].labels: %q is not a label name", i, name)
		}
	}
	g.expanded = nil
	for _, t := range g.Targets {
		p, err := netip.ParsePrefix(t)
		if err != nil {
			if err := checkTarget(t); err != nil {
				return badf("discovery[%d].targets: %q: %w", i, t, err)
			}
			g.expanded = append(g.expanded, t)
			continue
		}
		hosts := expand(p)
		if hosts == nil || len(g.expanded)+len(hosts) > maxDiscovered {
			return badf("discovery[%d].targets: %s holds more than %d addresses", i, t, maxDiscovered)
		}
		g.expanded = append(g.expanded, hosts...)
	}
	return nil
}

// expand lists the host addresses of p, without network and broadcast address in IPv4;
// nil when there are too many.
func expand(p netip.Prefix) []string {
	p = p.Masked()
	bits := p.Addr().BitLen() - p.Bits()
	if bits > 16 {
		return nil
	}
	out := make([]string, 0, 1<<bits)
	for a := p.Addr(); p.Contains(a); a = a.Next() {
		out = append(out, a.String())
	}
	if p.Addr().Is4() && bits > 1 {
		out = out[1 : len(out)-1]
	}
	return out
}

// targetGroup is an element of http_sd's answer.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// discover answers /discover in the format of Prometheus' http_sd.
func (s *server) discover(w http.ResponseWriter, r *http.Request) {
	g := s.enter()
	defer g.leave()
	class := r.URL.Query().Get("class")
	groups := []targetGroup{}
	var classes []string
	for _, d := range g.conf.Discovery {
		classes = append(classes, d.Class)
		if class != "" && class != d.Class {
			continue
		}
		labels := map[string]string{}
		for name, v := range map[string]string{"__param_module": d.Module, "__param_auth": d.Auth, "__meta_class": d.Class} {
			if v != "" {
				labels[name] = v
			}
		}
		maps.Copy(labels, d.Labels)
		groups = append(groups, targetGroup{Targets: d.expanded, Labels: labels})
	}
	if class != "" && !slices.Contains(classes, class) {
		http.Error(w, "unknown class; known: "+shortList(classes), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(groups)
}
