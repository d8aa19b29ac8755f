package redfish

import (
	"encoding/json"
	"regexp"
	"strings"
)

// record keeps an answer for the replay archive, as a mockup tree: <path>/index.json.
func (s *scrape) record(path string, n Node) {
	path, _, _ = strings.Cut(path, "?")
	raw, err := json.MarshalIndent(redacted(n.m, "", s.probe.Trace.Hide), "", "  ")
	if err == nil {
		s.probe.Trace.Record(strings.TrimPrefix(path, "/")+"/index.json", raw)
	}
}

// addressRE finds MAC addresses and e-mail addresses in any text.
var addressRE = regexp.MustCompile(`\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b|[\w.+-]+@[\w-]+\.[\w.]+`)

// redacted copies v without what identifies a machine, its owner or its network. found is
// told each text that is left out.
func redacted(v any, key string, found func(string)) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = redacted(e, k, found)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = redacted(e, key, found)
		}
		return out
	case string:
		if v != "" && private(key) {
			found(v)
			return "redacted"
		}
		if !strings.HasPrefix(key, "@") { // @odata.context has an @ of its own
			return addressRE.ReplaceAllString(v, "redacted")
		}
	}
	return v
}

// private says whether a property's text is left out of archives.
func private(key string) bool {
	k := strings.ToLower(key)
	for _, part := range []string{
		"serial", "uuid", "macaddress", "hostname", "ipv4", "ipv6", "assettag", "servicetag", "password", "token",
		"fqdn", "username", "durablename", "sku", "wwn", "guid", "license", "nameserver", "gateway", "contact", "email", "owner", "postaladdress",
	} {
		if strings.Contains(k, part) {
			return true
		}
	}
	return k == "address" || k == "subnetmask"
}
