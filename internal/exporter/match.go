package exporter

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Host takes the host out of "host", "host:port", "[v6]:port", "user://host/path" forms,
// in lower case.
func Host(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok {
		target, _, _ = strings.Cut(rest, "/")
	}
	if _, err := netip.ParseAddr(target); err == nil {
		return strings.ToLower(target)
	}
	u := url.URL{Host: target}
	return strings.ToLower(u.Hostname())
}

// matcher decides by host. Names are never resolved: a name matches only a regular
// expression, so DNS cannot widen what is allowed.
type matcher struct {
	prefixes []netip.Prefix
	names    []*regexp.Regexp
	exact    map[string]bool
}

func compileMatcher(field string, entries []string) (matcher, error) {
	m := matcher{exact: map[string]bool{}}
	for _, e := range entries {
		if p, err := netip.ParsePrefix(e); err == nil {
			m.prefixes = append(m.prefixes, p.Masked())
			continue
		}
		if a, err := netip.ParseAddr(e); err == nil {
			m.prefixes = append(m.prefixes, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		re, err := regexp.Compile("^(?i:" + e + ")$")
		if err != nil {
			return m, badf("%s: %q is neither an address, a CIDR nor a regular expression: %w", field, e, err)
		}
		m.names = append(m.names, re)
		m.exact[strings.ToLower(e)] = true
	}
	return m, nil
}

func (m matcher) empty() bool { return len(m.prefixes) == 0 && len(m.names) == 0 }

// rank is -1 for no match, else larger for a more specific one: the prefix length, 0 for a
// regular expression, 1000 for a literal name.
func (m matcher) rank(host string) int {
	best := -1
	if addr, err := netip.ParseAddr(host); err == nil {
		for _, p := range m.prefixes {
			if p.Contains(addr.Unmap().WithZone("")) {
				best = max(best, 1+p.Bits())
			}
		}
	}
	if m.exact[host] {
		return 1000
	}
	for _, re := range m.names {
		if re.MatchString(host) {
			best = max(best, 0)
		}
	}
	return best
}

// compileAllowed finds out which targets may be probed. Without targets.allow these are the
// ones that the configuration names (in auths and discovery); when it names none, all are.
func (c *Config) compileAllowed() error {
	entries := c.Targets.Allow
	if len(entries) == 0 {
		for _, name := range sortedKeys(c.Auths) {
			entries = append(entries, c.Auths[name].Targets...)
		}
		for _, g := range c.Discovery {
			for _, t := range g.Targets {
				if _, err := netip.ParsePrefix(t); err != nil {
					t = regexp.QuoteMeta(Host(t))
				}
				entries = append(entries, t)
			}
		}
	}
	var err error
	c.allow, err = compileMatcher("targets.allow", entries)
	return err
}

// allowed says whether target may be probed.
func (c *Config) allowed(target string) bool {
	return c.allow.empty() || c.allow.rank(Host(target)) >= 0
}
