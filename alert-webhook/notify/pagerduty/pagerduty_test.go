package pagerduty

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify/notifytest"
)

// check enforces the Events API v2.
func check(_ *http.Request, body map[string]any) error {
	errs := []error{notifytest.Length("dedup_key", body["dedup_key"], 255)}
	if body["routing_key"] != "hidden" {
		errs = append(errs, errors.New("routing_key is wrong"))
	}
	switch body["event_action"] {
	case "resolve":
	case "trigger":
		p, _ := body["payload"].(map[string]any)
		errs = append(errs, notifytest.Length("summary", p["summary"], 1024), notifytest.Length("source", p["source"], 255))
		if s, _ := p["severity"].(string); !slices.Contains([]string{"critical", "error", "warning", "info"}, s) {
			errs = append(errs, fmt.Errorf("severity %q", s))
		}
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(p["timestamp"])); err != nil {
			errs = append(errs, err)
		}
	default:
		errs = append(errs, fmt.Errorf("event_action %v", body["event_action"]))
	}
	return errors.Join(errs...)
}

func TestNotify(t *testing.T) {
	far := notifytest.New(t, 202, check)
	n, err := New(Config{RoutingKey: "hidden", URL: far.URL, HTTPConfig: commoncfg.DefaultHTTPClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	g := notifytest.Group(3)
	if _, err := n.Notify(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	firing := g.Alerts[0]
	firing.Labels["severity"] = "page"
	firing.Annotations["summary"] = strings.Repeat("🔥", 2000)
	gone := firing
	gone.Status = alert.Resolved
	for _, a := range []alert.Alert{firing, gone} {
		if _, err := n.Notify(t.Context(), g.Select([]alert.Alert{a})); err != nil {
			t.Fatal(err)
		}
	}
	b := far.Bodies()
	if len(b) != 5 || b[0]["dedup_key"] == b[1]["dedup_key"] || b[0]["dedup_key"] != b[4]["dedup_key"] || b[2]["event_action"] != "resolve" {
		t.Errorf("events: %v", b)
	}
	far.Reply(400, "", `{"status":"invalid event","message":"Event object is invalid"}`)
	if retry, err := n.Notify(t.Context(), g); retry || err == nil || strings.Count(err.Error(), "invalid event") != 3 {
		t.Errorf("invalid: %v, %v", retry, err)
	}
	far.Reply(429, "", "")
	if retry, err := n.Notify(t.Context(), g); !retry || err == nil {
		t.Errorf("limited: %v, %v", retry, err)
	}
}
