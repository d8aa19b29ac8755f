package redfish

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/logstore"
)

// chanStore hands over what is written.
type chanStore chan logstore.Document

func (c chanStore) Write(_ context.Context, _ string, docs []logstore.Document) ([]logstore.Rejected, error) {
	for _, d := range docs {
		c <- d
	}
	return nil, nil
}

// TestEventStream: events come without a scrape, one connection a BMC, ended by Close.
func TestEventStream(t *testing.T) {
	tree := redfishtest.Full()
	tree["/redfish/v1"].(map[string]any)["EventService"] = map[string]any{"@odata.id": "/redfish/v1/EventService"}
	tree["/redfish/v1/EventService"] = map[string]any{"@odata.id": "/redfish/v1/EventService", "ServerSentEventUri": "/redfish/v1/EventService/SSE"}
	svc := &redfishtest.Service{Tree: tree}
	events := make(chan string)
	var streams atomic.Int32
	svc.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/redfish/v1/EventService/SSE" {
			return false
		}
		if r.Header.Get("X-Auth-Token") == "" {
			t.Error("stream without a session")
		}
		streams.Add(1)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for {
			select {
			case e := <-events:
				fmt.Fprint(w, e)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return true
			}
		}
	}
	web := serve(t, svc)
	store := make(chanStore, 10)
	d := newShippingDriver(t, store, func(c *Config) { c.Logs.Stream = true })
	for range 2 {
		scrapeText(t, d, web, 10*time.Second)
	}
	for _, e := range []string{
		": keep-alive\n\n",
		"data: not JSON\n\n",
		"data: {\"MetricValues\": []}\n\n",
		"id: 1\ndata: {\"Events\": [{\"EventId\": \"7\", \"Message\": \"fan lost\",\ndata: \"MessageSeverity\": \"Critical\", \"MessageId\": \"FAN0001\"}]}\n\n",
	} {
		select {
		case events <- e:
		case <-time.After(5 * time.Second):
			t.Fatal("nobody listens")
		}
	}
	select {
	case doc := <-store:
		if doc.Message != "fan lost" || doc.Fields["log.level"] != "critical" || doc.Fields["event.code"] != "FAN0001" {
			t.Errorf("document %+v", doc)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no document")
	}
	if err := d.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if n, left := streams.Load(), svc.Stats().Sessions; n != 1 || left != 0 {
		t.Errorf("%d streams, %d sessions left; want 1 and 0", n, left)
	}
}
