package redfish

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

// TestFaults breaks the service in each way seen in the field. The scrape must end in time
// with what is left, name the failed collectors, and never panic (collectors that did would
// show reason "panic").
func TestFaults(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/Memory") {
				http.Error(w, "{}", code)
				return true
			}
			return false
		}
	}
	body := func(text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/Memory") {
				_, _ = io.WriteString(w, text)
				return true
			}
			return false
		}
	}
	for _, tc := range []struct {
		name   string
		fault  func(http.ResponseWriter, *http.Request) bool
		failed string // reason of the memory collector; empty when it must succeed
	}{
		{"not found", status(404), ""},
		{"denied", status(401), "unauthorized"},
		{"forbidden", status(403), "unauthorized"},
		{"internal error", status(500), "error"},
		{"always busy", status(503), "busy"},
		{"cut JSON", body(`{"Members": [`), "protocol"},
		{"array", body(`[1,2]`), "protocol"},
		{"null", body(`null`), "protocol"},
		{"empty", body(``), "protocol"},
		{"HTML", body(`<html>login</html>`), "protocol"},
		{"wrong types", body(`{"Members": {"a": 1}, "Status": 7, "CapacityMiB": {"x": []}, "Id": [], "Members@odata.nextLink": 5}`), ""},
		{"members of numbers", body(`{"Members": [1, null, "x", {"@odata.id": 5}, {"@odata.id": "no path"}, {"@odata.id": "//evil/x"}]}`), "protocol"},
		{"deep nesting", body(strings.Repeat(`{"a":`, 20000)), "protocol"},
		{"endless pages", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/Memory") {
				return false
			}
			fmt.Fprintf(w, `{"Members": [], "Members@odata.nextLink": "%s?page=%d"}`, r.URL.Path, rand.Int())
			return true
		}, "protocol"},
		{"pages in a circle", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/Memory") {
				return false
			}
			fmt.Fprintf(w, `{"Members": [], "Members@odata.nextLink": "%s"}`, r.URL.Path)
			return true
		}, "protocol"},
		{"50 MB", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/Memory") {
				return false
			}
			_, _ = io.WriteString(w, `{"Members": [`)
			chunk := []byte(strings.Repeat(`{"@odata.id":"/x"},`, 5000))
			for range 50 << 20 / len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return true
				}
			}
			return true
		}, "protocol"},
		{"link to another host", body(`{"Members": [{"@odata.id": "https://elsewhere.example/x"}]}`), "protocol"},
		{"link with another name of the host", body(`{"Members": [{"@odata.id": "https://elsewhere.example/redfish/v1/x"}]}`), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			svc := &redfishtest.Service{Tree: redfishtest.Full(), Fault: tc.fault}
			web := serve(t, svc)
			d := newDriver(t, nil)
			start := time.Now()
			text := scrapeText(t, d, web, 10*time.Second)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			f := families(t, text)
			if n := count(f, "hw_physical_disk_size_bytes"); n != 24 {
				t.Errorf("%d drives, want 24: one fault must not cost the rest", n)
			}
			ok, _ := value(f, "collector_success", "collector", "memory")
			if tc.failed == "" {
				if ok != 1 {
					t.Errorf("memory failed")
				}
				return
			}
			if _, there := value(f, "collector_failure_info", "collector", "memory", "reason", tc.failed); ok != 0 || !there {
				t.Errorf("memory: success %v, want a failure with reason %s:\n%s", ok, tc.failed, grep(text, "collector_failure"))
			}
			if n := svc.Stats().Sessions; n != 1 {
				t.Errorf("%d sessions open, want 1", n)
			}
		})
	}
}

func grep(text, part string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.Contains(line, part) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// TestBusyBMC limits the service to two requests at a time: with back-off everything is read.
func TestBusyBMC(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), MaxInFlight: 3, Delay: 2 * time.Millisecond}
	web := serve(t, svc)
	text := scrapeText(t, newDriver(t, nil), web, 20*time.Second)
	f := families(t, text)
	if d, m := count(f, "hw_physical_disk_size_bytes"), count(f, "hw_memory_size_bytes", "hw_type", "memory"); d != 24 || m != 32 {
		t.Errorf("%d drives, %d DIMMs:\n%s", d, m, grep(text, "failure"))
	}
}

// TestDeadline: a scrape cut off by its deadline shows what came first and says what did not.
func TestDeadline(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full(), Delay: 100 * time.Millisecond}
	web := serve(t, svc)
	start := time.Now()
	text := scrapeText(t, newDriver(t, nil), web, time.Second)
	if took := time.Since(start); took > 1300*time.Millisecond {
		t.Errorf("took %s with a deadline of 1 s", took)
	}
	f := families(t, text)
	if n := count(f, "hw_temperature_celsius"); n != 10 {
		t.Errorf("%d temperatures: sensors must come first", n)
	}
	if _, ok := value(f, "collector_failure_info", "collector", "memory", "reason", "timeout"); !ok {
		t.Errorf("no reason shown:\n%s", grep(text, "failure"))
	}
}

// TestDamagedTrees replaces values all over recorded and generated trees at random: whatever
// the service says, the exposition parses and no collector panics.
func TestDamagedTrees(t *testing.T) {
	all := map[string]map[string]any{"full": redfishtest.Full()}
	if !testing.Short() {
		maps.Copy(all, trees(t))
	}
	for name, tree := range all {
		for seed := range uint64(2) {
			t.Run(filepath.Join(name, fmt.Sprint(seed)), func(t *testing.T) {
				t.Parallel()
				rnd := rand.New(rand.NewPCG(seed, 1))
				damaged := map[string]any{}
				for path, v := range tree {
					if path != rootPath && rnd.IntN(30) == 0 {
						continue // a missing resource
					}
					damaged[path] = damage(rnd, v)
				}
				svc := &redfishtest.Service{Tree: damaged, Open: true}
				if seed == 1 {
					svc.ExpandLevel = 1
				}
				web := serve(t, svc)
				text := scrapeText(t, newDriver(t, nil), web, 20*time.Second)
				families(t, text)
				if strings.Contains(text, `reason="panic"`) {
					t.Errorf("panic:\n%s", grep(text, "panic"))
				}
			})
		}
	}
}

// damage changes one value in twenty to another type.
func damage(rnd *rand.Rand, v any) any {
	if rnd.IntN(20) == 0 {
		return []any{nil, "text", -1.5, 1e300, true, []any{}, []any{nil, 3.0}, map[string]any{}, map[string]any{"@odata.id": 5.0}, "\x00\xff"}[rnd.IntN(10)]
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = damage(rnd, e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = damage(rnd, e)
		}
		return out
	}
	return v
}

// TestManyScrapesAtOnce runs under the race detector: collectors share resources.
func TestManyScrapesAtOnce(t *testing.T) {
	svc := &redfishtest.Service{Tree: redfishtest.Full()}
	svc.OfferExpand(1)
	web := serve(t, svc)
	d := newDriver(t, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { full(t, scrapeText(t, d, web, 20*time.Second)) })
	}
	wg.Wait()
	if st := svc.Stats(); st.MadeSession != 1 {
		t.Errorf("%d sessions made, want 1", st.MadeSession)
	}
}

// TestTreesInTrouble serves every recorded tree slowly and with faults of each kind at
// random addresses: the scrape ends in time, and what it says is sound.
func TestTreesInTrouble(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, tree := range trees(t) {
		for _, tc := range []struct {
			name  string
			delay time.Duration
			room  int // requests at a time that it takes
			fault bool
		}{
			{"200ms", 200 * time.Millisecond, 0, false},
			{"50ms and little room", 50 * time.Millisecond, 3, false},
			{"faults", 0, 0, true},
		} {
			t.Run(name+"/"+tc.name, func(t *testing.T) {
				t.Parallel()
				svc := &redfishtest.Service{Tree: tree, Delay: tc.delay, MaxInFlight: tc.room}
				if tc.fault {
					svc.Fault = randomFaults(rand.New(rand.NewPCG(7, 7)))
				}
				web := serve(t, svc)
				d := newDriver(t, nil)
				d.budget = budget{slowFree, healthFree}
				limit := 2*time.Second + 10*tc.delay
				start := time.Now()
				text := scrapeText(t, d, web, limit)
				if took := time.Since(start); took > limit+3*time.Second { // the machine may be busy
					t.Errorf("took %s", took)
				}
				f := families(t, text)
				if up, _ := value(f, "redfish_up"); up != 1 {
					t.Errorf("down:\n%s", grep(text, "failure"))
				}
				if strings.Contains(text, `reason="panic"`) {
					t.Errorf("panic:\n%s", text)
				}
				if v, _ := value(f, "probe_rejected_samples"); v != 0 {
					t.Errorf("%v samples rejected", v)
				}
			})
		}
	}
}

// randomFaults answers every sixth address below systems, chassis and managers with a fault
// that stays the same.
func randomFaults(rnd *rand.Rand) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	kinds := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Count(r.URL.Path, "/") < 5 || r.Method != http.MethodGet {
			return false
		}
		mu.Lock()
		kind, ok := kinds[r.URL.Path]
		if !ok {
			kind = rnd.IntN(48)
			kinds[r.URL.Path] = kind
		}
		mu.Unlock()
		switch kind {
		case 0, 1, 2, 3:
			http.Error(w, "{}", []int{401, 404, 500, 503}[kind])
		case 4:
			_, _ = io.WriteString(w, `{"Members": [`)
		case 5:
			_, _ = io.WriteString(w, `{"Members": 5, "Status": [], "Thermal": 1, "Id": {}}`)
		case 6:
			fmt.Fprintf(w, `{"Members": [{"@odata.id": %q}], "Members@odata.nextLink": "%s?next=1"}`, r.URL.Path, r.URL.Path)
		case 7:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		default:
			return false
		}
		return true
	}
}
