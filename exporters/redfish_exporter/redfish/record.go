package redfish

import (
	"encoding/json"
	"strings"
)

// record keeps an answer for the replay archive, as a mockup tree: <path>/index.json.
func (s *scrape) record(path string, n Node) {
	path, _, _ = strings.Cut(path, "?")
	raw, err := json.MarshalIndent(redacted(n.m, ""), "", "  ")
	if err == nil {
		s.probe.Trace.Record(strings.TrimPrefix(path, "/")+"/index.json", raw)
	}
}

// redacted copies v without what identifies a machine, its owner or its network.
func redacted(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = redacted(e, k)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = redacted(e, key)
		}
		return out
	case string:
		if v != "" && private(key) {
			return "redacted"
		}
	}
	return v
}

// private says whether a property's text is left out of archives.
func private(key string) bool {
	k := strings.ToLower(key)
	for _, part := range []string{
		"serial", "uuid", "macaddress", "hostname", "ipv4", "ipv6", "assettag", "servicetag", "password", "token",
		"fqdn", "username", "durablename", "sku", "wwn", "license", "nameserver", "gateway",
	} {
		if strings.Contains(k, part) {
			return true
		}
	}
	return k == "address" || k == "subnetmask"
}
