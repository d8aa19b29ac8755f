package redfish

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// TestEquivalentTrees writes every recorded service anew in the ways in which other services
// write the same thing: the metrics must stay the same.
func TestEquivalentTrees(t *testing.T) {
	all := map[string]map[string]any{"full": redfishtest.Full()}
	if !testing.Short() {
		maps.Copy(all, trees(t))
	}
	for name, tree := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := metricsOfTree(t, tree)
			for way, rewrite := range map[string]func(map[string]any) map[string]any{
				"numbers as text": func(tree map[string]any) map[string]any {
					return rewritten(tree, func(_ string, v any) any {
						if n, ok := v.(float64); ok {
							return strconv.FormatFloat(n, 'f', -1, 64)
						}
						return v
					})
				},
				"addresses with a host of their own": func(tree map[string]any) map[string]any {
					return rewritten(tree, func(key string, v any) any {
						if s, ok := v.(string); ok && (key == "@odata.id" || strings.HasSuffix(key, "nextLink")) && strings.HasPrefix(s, "/redfish/") {
							return "https://bmc.example" + s
						}
						return v
					})
				},
				"addresses with a slash at the end": func(tree map[string]any) map[string]any {
					return rewritten(tree, func(key string, v any) any {
						if s, ok := v.(string); ok && key == "@odata.id" && !strings.Contains(s, "#") {
							return strings.TrimRight(s, "/") + "/"
						}
						return v
					})
				},
				"no counts": func(tree map[string]any) map[string]any {
					return rewritten(tree, func(key string, v any) any {
						if strings.HasSuffix(key, "@odata.count") {
							return nil
						}
						return v
					})
				},
				"one member a page": pages,
			} {
				if diff := cmp.Diff(want, metricsOfTree(t, rewrite(tree))); diff != "" {
					t.Errorf("%s (-as recorded +rewritten):\n%.3000s", way, diff)
				}
			}
		})
	}
}

// metricsOfTree are the hardware samples of a service, without those about the scrape.
func metricsOfTree(t *testing.T, tree map[string]any) string {
	t.Helper()
	web := serve(t, &redfishtest.Service{Tree: tree, Open: true})
	var out []string
	for line := range strings.Lines(scrapeText(t, newDriver(t, nil), web, 2*time.Minute)) {
		if strings.HasPrefix(line, "hw_") || strings.HasPrefix(line, "collector_success") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// rewritten copies a tree with every value changed; nil leaves it out.
func rewritten(tree map[string]any, change func(key string, v any) any) map[string]any {
	var walk func(key string, v any) any
	walk = func(key string, v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for k, e := range v {
				if c := walk(k, e); c != nil || e == nil {
					out[k] = c
				}
			}
			return out
		case []any:
			out := make([]any, len(v))
			for i, e := range v {
				out[i] = walk(key, e)
			}
			return out
		}
		return change(key, v)
	}
	out := map[string]any{}
	for path, v := range tree {
		out[path] = walk("", v)
	}
	return out
}

// pages breaks every collection of up to 20 references into pages of one member.
func pages(tree map[string]any) map[string]any {
	out := maps.Clone(tree)
	for path, v := range tree {
		m, _ := v.(map[string]any)
		members, _ := m["Members"].([]any)
		if len(members) < 2 || len(members) > 20 || strings.Contains(path, "/Entries") {
			continue
		}
		for i, member := range members {
			page, next := maps.Clone(m), fmt.Sprintf("%s/page%d", path, i+1)
			page["Members"] = []any{member}
			delete(page, "Members@odata.nextLink")
			if i+1 < len(members) {
				page["Members@odata.nextLink"] = next
			}
			if i == 0 {
				out[path] = page
			} else {
				out[fmt.Sprintf("%s/page%d", path, i)] = page
			}
		}
	}
	return out
}
