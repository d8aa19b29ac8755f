package slack

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/notify"
	"github.com/inframind/inframind/alert-webhook/notify/notifytest"
)

// check is what Slack answers invalid_blocks or invalid_payload to, and no entity or mention
// of the alert's may be live.
func check(_ *http.Request, body map[string]any) error {
	blocks, _ := body["blocks"].([]any)
	if len(blocks) == 0 || len(blocks) > 50 {
		return fmt.Errorf("invalid_blocks: %d blocks", len(blocks))
	}
	errs := []error{notifytest.Length("text", body["text"], 40000)}
	for _, b := range blocks {
		block, _ := b.(map[string]any)
		text, _ := block["text"].(map[string]any)
		switch block["type"] {
		case "header":
			errs = append(errs, notifytest.Length("header", text["text"], 150))
			if text["type"] != "plain_text" {
				errs = append(errs, errors.New("a header is plain_text"))
			}
		case "section":
			errs = append(errs, notifytest.Length("section", text["text"], 3000))
			if s, _ := text["text"].(string); strings.ContainsAny(s, "<>") {
				errs = append(errs, fmt.Errorf("live markup in %.100q", s))
			}
		default:
			errs = append(errs, fmt.Errorf("block type %v", block["type"]))
		}
	}
	return errors.Join(errs...)
}

func TestNotify(t *testing.T) {
	far := notifytest.New(t, 200, check)
	n, err := New(Config{URL: commoncfg.Secret(far.URL + "/hidden"), HTTPConfig: commoncfg.DefaultHTTPClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 300} {
		if _, err := n.Notify(t.Context(), notifytest.Group(size)); err != nil {
			t.Errorf("%d alerts: %v", size, err)
		}
	}
	if len(far.Bodies()) != 3 || !strings.Contains(fmt.Sprint(far.Bodies()[2]), "more alerts") {
		t.Errorf("%d messages", len(far.Bodies()))
	}
	far.Reply(429, "Retry-After: 30", "rate_limited")
	retry, err := n.Notify(t.Context(), notifytest.Group(1))
	var w *notify.Wait
	if !retry || !errors.As(err, &w) || w.For != 30*time.Second {
		t.Errorf("limited: %v, %v", retry, err)
	}
	far.Reply(410, "", "channel_is_archived")
	if retry, err := n.Notify(t.Context(), notifytest.Group(1)); retry || err == nil || !strings.Contains(err.Error(), "channel_is_archived") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("archived: %v, %v", retry, err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no URL is accepted")
	}
}
