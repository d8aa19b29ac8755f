package redfish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
)

const eventServicePath = "/redfish/v1/EventService"

// eventSource is the EventService of a BMC: it holds subscriptions and posts events.
type eventSource struct {
	old bool // wants EventTypes, as before Redfish 1.3

	mu   sync.Mutex
	made int
	subs map[string]map[string]any
}

func (e *eventSource) serve(w http.ResponseWriter, r *http.Request) bool {
	list := eventServicePath + "/Subscriptions"
	if !strings.HasPrefix(r.URL.Path, list) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, list), "/"); {
	case r.Header.Get("X-Auth-Token") == "":
		http.Error(w, "{}", http.StatusUnauthorized)
	case r.Method == http.MethodPost:
		var in map[string]any
		if json.NewDecoder(r.Body).Decode(&in) != nil || in["Protocol"] != "Redfish" || (in["EventTypes"] != nil) != e.old {
			http.Error(w, "{}", http.StatusBadRequest)
			return true
		}
		e.made++
		path := fmt.Sprintf("%s/%d", list, e.made)
		in["@odata.id"] = path
		e.subs[path] = in
		w.Header().Set("Location", path)
		w.WriteHeader(http.StatusCreated)
	case id == "":
		members := []any{}
		for path := range e.subs {
			members = append(members, map[string]any{"@odata.id": path})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"@odata.id": list, "Members": members})
	case e.subs[r.URL.Path] == nil:
		http.Error(w, "{}", http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(e.subs, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		_ = json.NewEncoder(w).Encode(e.subs[r.URL.Path])
	}
	return true
}

// ours is the one subscription to destinations of the exporter, nil when there is none.
func (e *eventSource) ours(t *testing.T, url string) map[string]any {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	var found map[string]any
	for _, s := range e.subs {
		if strings.HasPrefix(s["Destination"].(string), url) {
			if found != nil {
				t.Errorf("more than one subscription: %v", e.subs)
			}
			found = s
		}
	}
	return found
}

func (e *eventSource) start() *redfishtest.Service {
	e.subs = map[string]map[string]any{}
	tree := redfishtest.Full()
	tree["/redfish/v1"].(map[string]any)["EventService"] = map[string]any{"@odata.id": eventServicePath}
	tree[eventServicePath] = map[string]any{
		"@odata.id": eventServicePath, "EventFormatTypes": []any{"Event", "MetricReport"}, "EventTypesForSubscription": []any{"StatusChange", "Alert"},
		"Subscriptions": map[string]any{"@odata.id": eventServicePath + "/Subscriptions"},
	}
	return &redfishtest.Service{Tree: tree, Fault: e.serve}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for range 500 {
		if cond() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: not within 5 s", what)
}

func deliver(t *testing.T, destination string, body string) int {
	t.Helper()
	resp, err := http.Post(destination, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestPushedEvents: a subscription is made once, in the form that the service takes, in
// place of one that an earlier run left; only events with its secret are taken; Close
// deletes it.
func TestPushedEvents(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%t", old), func(t *testing.T) {
			source := &eventSource{old: old}
			svc := source.start()
			addr := freeAddress(t)
			url := "http://" + addr
			source.subs["/redfish/v1/EventService/Subscriptions/left"] = map[string]any{"Destination": url + "/events/OLD"}
			source.subs["/redfish/v1/EventService/Subscriptions/others"] = map[string]any{"Destination": "http://elsewhere/events/X"}
			web := serve(t, svc)
			store := make(chanStore, 10)
			d := newShippingDriver(t, store, func(c *Config) { c.Logs.Push = &Push{Listen: addr, URL: url + "/"} })
			for range 3 {
				scrapeText(t, d, web, 10*time.Second)
			}
			var sub map[string]any
			eventually(t, "subscription", func() bool {
				sub = source.ours(t, url)
				return sub != nil && sub["Context"] != nil
			})
			if source.made != 1 || len(source.subs) != 2 {
				t.Errorf("%d subscriptions made, %d there, want 1 and 2", source.made, len(source.subs))
			}
			destination, secret := sub["Destination"].(string), sub["Context"].(string)
			if len(secret) < 20 || strings.Contains(destination, secret) {
				t.Errorf("secret %q, destination %q", secret, destination)
			}
			eventually(t, "listener", func() bool {
				conn, err := net.Dial("tcp", addr)
				if err == nil {
					conn.Close()
				}
				return err == nil
			})
			event := `{"Context": %q, "Events": [{"EventId": "1", "MessageSeverity": "Critical", "Message": "fan lost", "OriginOfCondition": {"@odata.id": "/redfish/v1/Chassis/0"}}]}`
			for _, tc := range []struct {
				name, to, body string
				want           int
			}{
				{"no secret", destination, fmt.Sprintf(event, ""), 403},
				{"wrong secret", destination, fmt.Sprintf(event, secret+"x"), 403},
				{"wrong destination", url + "/events/OLD", fmt.Sprintf(event, secret), 404},
				{"no JSON", destination, "hello", 400},
				{"too large", destination, `{"Context": "` + string(bytes.Repeat([]byte("x"), maxEvent)), 413},
				{"event", destination, fmt.Sprintf(event, secret), 204},
				{"repeated", destination, fmt.Sprintf(event, secret), 204},
				{"secret in the event", destination, fmt.Sprintf(`{"Events": [{"Context": %q, "EventId": "2", "Message": "fan back"}]}`, secret), 204},
			} {
				if got := deliver(t, tc.to, tc.body); got != tc.want {
					t.Errorf("%s: HTTP %d, want %d", tc.name, got, tc.want)
				}
			}
			first, second := <-store, <-store
			if first.Message != "fan lost" || first.Fields["redfish.origin"] != "Chassis/0" || first.Fields["log.level"] != "critical" || second.Message != "fan back" || len(store) != 0 {
				t.Errorf("%+v\n%+v and %d more", first, second, len(store))
			}
			if ok, no := testutil.ToFloat64(d.metrics.posts.WithLabelValues("accepted")), testutil.ToFloat64(d.metrics.posts.WithLabelValues("refused")); ok != 3 || no != 5 {
				t.Errorf("%v accepted, %v refused, want 3 and 5", ok, no)
			}
			if err := d.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if left := source.ours(t, url); left != nil || len(source.subs) != 1 || svc.Stats().Sessions != 0 {
				t.Errorf("left after Close: %v, %d sessions", source.subs, svc.Stats().Sessions)
			}
		})
	}
}

// TestSubscriptionIsRenewed: a BMC that forgot it, or gave it up, gets a new one.
func TestSubscriptionIsRenewed(t *testing.T) {
	source := &eventSource{}
	svc := source.start()
	web := serve(t, svc)
	d := newShippingDriver(t, make(chanStore, 1), func(c *Config) { c.Logs.Push = &Push{Listen: freeAddress(t), URL: "http://exporter"} })
	d.renew = 10 * time.Millisecond
	scrapeText(t, d, web, 10*time.Second)
	for i := range 3 {
		eventually(t, fmt.Sprintf("subscription %d", i+1), func() bool {
			source.mu.Lock()
			defer source.mu.Unlock()
			if len(source.subs) != 1 || source.made != i+1 {
				return false
			}
			for _, sub := range source.subs {
				sub["Status"] = map[string]any{"State": "Disabled"} // too many failed deliveries
			}
			if i == 0 {
				clear(source.subs) // factory reset
			}
			return true
		})
	}
}

func TestPushConfig(t *testing.T) {
	for _, tc := range []struct {
		push Push
		ok   bool
	}{
		{Push{Listen: ":9611", URL: "https://exporter:9611"}, true},
		{Push{Listen: "9611", URL: "https://exporter:9611"}, false},
		{Push{Listen: ":9611"}, false},
		{Push{Listen: ":9611", URL: "https://u:p@exporter"}, false},
		{Push{Listen: ":9611", URL: "https://exporter", CertFile: "/none", KeyFile: "/none"}, false},
	} {
		if err := tc.push.validate(); (err == nil) != tc.ok {
			t.Errorf("%+v: %v", tc.push, err)
		}
	}
}
