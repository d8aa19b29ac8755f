package redfish

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/exporter/eventlog"
	"github.com/inframind/inframind/internal/logstore"
)

// memoryStore keeps documents by id, as a log store does.
type memoryStore struct {
	docs   map[string]logstore.Document
	writes int
	err    error
}

func (m *memoryStore) Write(_ context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error) {
	if m.err != nil {
		return nil, m.err
	}
	if index != logstore.IndexLogs {
		return nil, fmt.Errorf("index %s", index)
	}
	for _, d := range docs {
		m.writes++
		m.docs[d.ID] = d
	}
	return nil, nil
}

// withLog adds a log of n entries, one an hour up to now; every tenth is critical.
func withLog(tree map[string]any, n int, newestFirst bool) map[string]any {
	base := "/redfish/v1/Managers/0/LogServices"
	manager := tree["/redfish/v1/Managers/0"].(map[string]any)
	manager["LogServices"] = map[string]any{"@odata.id": base}
	tree[base] = map[string]any{"@odata.id": base, "Members": []any{map[string]any{"@odata.id": base + "/Sel"}}}
	tree[base+"/Sel"] = map[string]any{
		"@odata.id": base + "/Sel", "Id": "Sel", "Name": "SEL", "ServiceEnabled": true,
		"Entries": map[string]any{"@odata.id": base + "/Sel/Entries"},
	}
	entries := []any{}
	for i := range n {
		severity := "OK"
		if i%10 == 0 {
			severity = "Critical"
		}
		e := map[string]any{
			"@odata.id": fmt.Sprintf("%s/Sel/Entries/%d", base, i), "@odata.type": "#LogEntry.v1_4_0.LogEntry", "Id": fmt.Sprint(i),
			"Created": time.Now().Add(-time.Duration(n-i) * time.Hour).Format(time.RFC3339), "Severity": severity,
			"Message": fmt.Sprintf("event %d", i), "MessageId": "MEM0001",
		}
		if newestFirst {
			entries = append([]any{e}, entries...)
		} else {
			entries = append(entries, e)
		}
	}
	tree[base+"/Sel/Entries"] = map[string]any{"@odata.id": base + "/Sel/Entries", "Members": entries, "Members@odata.count": float64(n)}
	return tree
}

func TestLogEntriesAreShippedOnce(t *testing.T) {
	dir := t.TempDir()
	store := &memoryStore{docs: map[string]logstore.Document{}}
	tree := withLog(redfishtest.Full(), 40, false)
	svc := &redfishtest.Service{Tree: tree}
	web := serve(t, svc)
	reg := prometheus.NewRegistry()
	open := func() *Driver {
		m := &Module{}
		m.TLS.InsecureSkipVerify = true
		conf := Config{Modules: map[string]*Module{"default": m}, Logs: Logs{StateDir: dir}}
		if err := conf.Validate(); err != nil {
			t.Fatal(err)
		}
		d, err := New(conf, quiet(), reg, store)
		if err != nil {
			t.Fatal(err)
		}
		reg = prometheus.NewRegistry()
		return d
	}
	d := open()
	text := scrapeText(t, d, web, 10*time.Second)
	f := families(t, text)
	for severity, want := range map[string]float64{"ok": 36, "critical": 4, "warning": 0} {
		if v, _ := value(f, "hw_log_entries", "severity", severity); v != want {
			t.Errorf("hw_log_entries{severity=%q} %v, want %v", severity, v, want)
		}
	}
	if strings.Contains(text, "event 1") {
		t.Error("log text is in a label")
	}
	if store.writes != 23 { // the last 24 hours, the entry at 24 h just outside
		t.Errorf("%d entries at first sight, want 23", store.writes)
	}
	scrapeText(t, d, web, 10*time.Second)
	if store.writes != 23 {
		t.Errorf("%d writes after a second scrape, want 23: nothing is new", store.writes)
	}
	if err := d.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	// After a restart only what came in between is new, however old its time stamp.
	entries := tree["/redfish/v1/Managers/0/LogServices/Sel/Entries"].(map[string]any)
	entries["Members"] = append(entries["Members"].([]any), map[string]any{
		"@odata.id": "/e/x", "Id": "0", "Created": "2011-01-01T00:00:00Z", "Severity": "Warning", "Message": "late",
	})
	d = open()
	defer d.Close(context.Background())
	// A store that fails keeps the cursor where it was.
	store.err = errors.New("disk full")
	f = families(t, scrapeText(t, d, web, 10*time.Second))
	if v, _ := value(f, "collector_success", "collector", "logs"); v != 0 {
		t.Error("a failed write counts as success")
	}
	store.err = nil
	scrapeText(t, d, web, 10*time.Second)
	if store.writes != 24 {
		t.Errorf("%d writes after restart, want 24", store.writes)
	}
	if v := testutil.ToFloat64(d.metrics.shipped.WithLabelValues("warning")); v != 1 {
		t.Errorf("redfish_exporter_log_entries_total{severity=warning} %v, want 1", v)
	}
	for _, doc := range store.docs {
		if doc.Message == "late" && (doc.Fields["log.level"] != "warning" || doc.Fields["host.name"] == "" || doc.Time.Year() != 2011) {
			t.Errorf("document %+v", doc)
		}
	}
}

func TestLogPaging(t *testing.T) {
	for _, tc := range []struct {
		name  string
		pages int // of 50
		asc   bool
		want  string // the newest entry must be among those read
	}{
		{"newest first", 30, false, "event 1499"},
		{"oldest first", 30, true, "event 1499"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := withLog(redfishtest.Full(), tc.pages*50, !tc.asc)
			base := "/redfish/v1/Managers/0/LogServices/Sel/Entries"
			members := tree[base].(map[string]any)["Members"].([]any)
			svc := &redfishtest.Service{Tree: tree}
			svc.Fault = pager(base, members)
			web := serve(t, svc)
			store := &memoryStore{docs: map[string]logstore.Document{}}
			d := newShippingDriver(t, store, func(c *Config) { c.Modules["default"].Collectors = []string{"logs"} })
			scrapeText(t, d, web, 10*time.Second)
			found := false
			for _, doc := range store.docs {
				found = found || doc.Message == tc.want
			}
			if !found {
				t.Errorf("%d entries read, %q is not among them", len(store.docs), tc.want)
			}
			if n := svc.Stats().Requests; n > 20 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestSyslogOutput(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for s := bufio.NewScanner(conn); s.Scan(); {
			lines <- s.Text()
		}
	}()
	svc := &redfishtest.Service{Tree: withLog(redfishtest.Full(), 5, false)}
	web := serve(t, svc)
	d := newDriver(t, func(c *Config) {
		c.Logs = Logs{Config: eventlog.Config{Output: "tcp://" + l.Addr().String()}, Backlog: model.Duration(48 * time.Hour)}
	})
	scrapeText(t, d, web, 10*time.Second)
	if err := d.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range lines {
		got = append(got, line)
	}
	if len(got) != 5 || !strings.HasPrefix(got[0], "<130>1 ") || !strings.HasPrefix(got[1], "<134>1 ") {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(got[0][strings.Index(got[0], "{"):]), &doc); err != nil || doc["message"] != "event 0" || doc["event.code"] != "MEM0001" {
		t.Errorf("line %q: %v", got[0], err)
	}
}
