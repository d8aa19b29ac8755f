package exporter

import (
	"context"
	"encoding/json"
	"log/slog"
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
	// Detect offers only targets that answer, each with the class that it is found to have.
	Detect *Detect `yaml:"detect,omitempty"`

	expanded []string
}

func (g *Group) validate(i int) error {
	if len(g.Targets) == 0 {
		return badf("discovery[%d].targets: is empty", i)
	}
	if err := checkLabels(g.Labels); err != nil {
		return badf("discovery[%d].labels: %w", i, err)
	}
	if g.Detect != nil {
		if g.Class != "" {
			return badf("discovery[%d]: class is what detect finds; give one of them", i)
		}
		if err := g.Detect.validate(i); err != nil {
			return err
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

func checkLabels(labels map[string]string) error {
	for name := range labels {
		if !labelRE.MatchString(name) {
			return badf("%q is not a label name", name)
		}
	}
	return nil
}

// Modules are the modules that the group names.
func (g *Group) Modules() []string {
	return g.named(g.Module, func(r ClassRule) string { return r.Module })
}

// auths are the auths that the group names.
func (g *Group) auths() []string {
	return g.named(g.Auth, func(r ClassRule) string { return r.Auth })
}

func (g *Group) named(own string, of func(ClassRule) string) (names []string) {
	if own != "" {
		names = append(names, own)
	}
	if g.Detect != nil {
		for _, class := range sortedKeys(g.Detect.Classes) {
			if n := of(g.Detect.Classes[class]); n != "" {
				names = append(names, n)
			}
		}
	}
	return names
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

// offer makes the labels of a group of targets.
func offer(class, module, auth string, extra map[string]string) map[string]string {
	labels := map[string]string{}
	for name, v := range map[string]string{"__param_module": module, "__param_auth": auth, "__meta_class": class} {
		if v != "" {
			labels[name] = v
		}
	}
	maps.Copy(labels, extra)
	return labels
}

// discover answers /discover in the format of Prometheus' http_sd.
func (s *server) discover(w http.ResponseWriter, r *http.Request) {
	g := s.enter()
	defer g.leave()
	groups, classes, ready := g.offered(s.log)
	if !ready { // Prometheus keeps the targets that it has
		w.Header().Set("Retry-After", "10")
		http.Error(w, "the first look at all targets is not over yet", http.StatusServiceUnavailable)
		return
	}
	if class := r.URL.Query().Get("class"); class != "" {
		if !slices.Contains(classes, class) {
			http.Error(w, "unknown class; known: "+shortList(classes), http.StatusBadRequest)
			return
		}
		groups = slices.DeleteFunc(groups, func(t targetGroup) bool { return t.Labels["__meta_class"] != class })
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(groups)
}

// offered are all targets, and the classes that there can be. Detection begins with the
// first call and ends with the generation.
func (g *generation) offered(log *slog.Logger) (groups []targetGroup, classes []string, ready bool) {
	g.detecting.Do(func() {
		var ctx context.Context
		ctx, g.stopDetecting = context.WithCancel(context.Background())
		for _, d := range g.conf.Discovery {
			if c, ok := g.driver.(Classifier); ok && d.Detect != nil {
				det := newDetector(d, c, log)
				g.detectors = append(g.detectors, det)
				g.sweeps.Go(func() { det.run(ctx) })
			}
		}
	})
	groups, ready = []targetGroup{}, true
	for _, d := range g.conf.Discovery {
		if d.Detect == nil {
			classes = append(classes, d.Class)
			groups = append(groups, targetGroup{Targets: d.expanded, Labels: offer(d.Class, d.Module, d.Auth, d.Labels)})
		}
	}
	for _, det := range g.detectors {
		classes = append(classes, det.driver.Classes()...)
		found, ok := det.groups()
		groups, ready = append(groups, found...), ready && ok
	}
	return groups, classes, ready
}
