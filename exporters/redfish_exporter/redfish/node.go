package redfish

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Node is a JSON object of a service, read with tolerance: every accessor returns a zero
// value for what is missing, null or of another type.
type Node struct {
	m    map[string]any
	etag string // of the answer that it came in, for whole resources
	raw  []byte // that answer
}

// decode parses one JSON object.
func decode(raw []byte) (Node, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return Node{}, fmt.Errorf("decode JSON: %w", err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return Node{}, errors.New("decode JSON: not an object")
	}
	return Node{m: m, raw: raw}, nil
}

// find walks a dotted path, e.g. "Status.Health".
func (n Node) find(path string) any {
	m := n.m
	for {
		key, rest, more := strings.Cut(path, ".")
		v := m[key]
		if !more {
			return v
		}
		var ok bool
		if m, ok = v.(map[string]any); !ok {
			return nil
		}
		path = rest
	}
}

// has says whether the path holds something other than null.
func (n Node) has(path string) bool { return n.find(path) != nil }

// str returns a text, or a number or truth value as text.
func (n Node) str(path string) string {
	switch v := n.find(path).(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// first returns the first text that is not empty.
func (n Node) first(paths ...string) string {
	for _, p := range paths {
		if s := n.str(p); s != "" {
			return s
		}
	}
	return ""
}

var errNotNumber = errors.New("not a number")

// num returns a number: a JSON number, or a string that holds just one. ok is false when
// nothing is there; the error says that something is there which is no number.
func (n Node) num(path string) (v float64, ok bool, err error) {
	switch x := n.find(path).(type) {
	case nil:
		return 0, false, nil
	case float64:
		return x, true, nil
	case string:
		s := strings.TrimSpace(x)
		if s == "" || strings.EqualFold(s, "N/A") || strings.EqualFold(s, "null") {
			return 0, false, nil
		}
		if v, err := strconv.ParseFloat(s, 64); err == nil && v-v == 0 {
			return v, true, nil
		}
	}
	return 0, false, errNotNumber
}

// truth returns a truth value: JSON's, or "true" and "false" as text.
func (n Node) truth(path string) (v, ok bool) {
	switch x := n.find(path).(type) {
	case bool:
		return x, true
	case string:
		b, err := strconv.ParseBool(strings.ToLower(x))
		return b, err == nil
	}
	return false, false
}

// obj returns the object at path, empty when there is none.
func (n Node) obj(path string) Node {
	m, _ := n.find(path).(map[string]any)
	return Node{m: m}
}

// list returns the objects of the array at path; an object in its place counts as one.
func (n Node) list(path string) []Node {
	switch v := n.find(path).(type) {
	case map[string]any:
		return []Node{{m: v}}
	case []any:
		out := make([]Node, 0, len(v))
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				out = append(out, Node{m: m})
			}
		}
		return out
	}
	return nil
}

// id is the resource's own address.
func (n Node) id() string {
	if s, ok := n.m["@odata.id"].(string); ok {
		return s
	}
	s, _ := n.m["href"].(string) // before Redfish 1.0
	return s
}

// link is the address that the reference at path points to.
func (n Node) link(path string) string {
	switch v := n.find(path).(type) {
	case map[string]any:
		return Node{m: v}.id()
	case string:
		return v
	}
	return ""
}

// full says whether the object is a resource and not only a reference to one.
func (n Node) full() bool {
	for k := range n.m {
		if k != "href" && !strings.HasPrefix(k, "@") {
			return true
		}
	}
	return false
}

// title is the resource's name as the service gives it.
func (n Node) title() string { return n.first("Name", "FanName", "DeviceName", "Id", "MemberId") }

// name tells apart siblings. Many services call all siblings the same, e.g.
// "Processor": where the name has no number, the id makes it clear, unless it is as long as a UUID.
func (n Node) name() string {
	name, id := n.title(), n.first("Id", "MemberId")
	switch {
	case strings.ContainsAny(name, "0123456789") || id == "" || len(id) > 32 || strings.EqualFold(id, name):
		return name
	}
	return name + " " + id
}

// clean brings an address to the form under which it is remembered: no host, no fragment,
// no trailing slash. It refuses what is no path of the service.
func clean(link, host string) (string, error) {
	link, _, _ = strings.Cut(link, "#")
	if scheme, rest, ok := strings.Cut(link, "://"); ok {
		// A BMC behind a translated address or with several names writes a name of its own: the
		// path is asked for where we are connected, never elsewhere.
		h, path, _ := strings.Cut(rest, "/")
		if !strings.HasPrefix(scheme, "http") || (!strings.EqualFold(h, host) && !strings.HasPrefix(path, "redfish/v1")) {
			return "", fmt.Errorf("link leads to another host")
		}
		link = "/" + path
	}
	if strings.HasPrefix(link, "redfish/") {
		link = "/" + link
	}
	if !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "//") || strings.ContainsAny(link, "\r\n\x00") {
		return "", fmt.Errorf("link is not a path")
	}
	path, query, hasQuery := strings.Cut(link, "?")
	if len(path) > 1 {
		path = strings.TrimRight(path, "/")
	}
	if hasQuery {
		path += "?" + query
	}
	return path, nil
}

// short turns an address into an hw_id: without host and service root.
func short(address string) string {
	if path, err := clean(address, ""); err == nil {
		address = path
	}
	address, _ = strings.CutPrefix(address, "/redfish/v1")
	return strings.Trim(address, "/")
}
