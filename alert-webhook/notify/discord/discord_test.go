package discord

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

// check enforces Discord's limits: at most 10 embeds, 6,000 characters in all of them, and
// that nobody can be pinged.
func check(_ *http.Request, body map[string]any) error {
	embeds, _ := body["embeds"].([]any)
	mentions, _ := body["allowed_mentions"].(map[string]any)
	parse, ok := mentions["parse"].([]any)
	if len(embeds) == 0 || len(embeds) > 10 || !ok || len(parse) != 0 {
		return fmt.Errorf("%d embeds, mentions %v", len(embeds), mentions)
	}
	var all strings.Builder
	var errs []error
	for _, e := range embeds {
		embed, _ := e.(map[string]any)
		errs = append(errs, notifytest.Length("title", embed["title"], 256), notifytest.Length("description", embed["description"], 4096))
		fmt.Fprint(&all, embed["title"], embed["description"])
	}
	return errors.Join(append(errs, notifytest.Length("embeds", all.String(), 6000))...)
}

func TestNotify(t *testing.T) {
	far := notifytest.New(t, 204, check)
	n, err := New(Config{URL: commoncfg.Secret(far.URL + "/hidden"), HTTPConfig: commoncfg.DefaultHTTPClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 300} {
		if _, err := n.Notify(t.Context(), notifytest.Group(size)); err != nil {
			t.Errorf("%d alerts: %v", size, err)
		}
	}
	if got := fmt.Sprint(far.Bodies()); !strings.Contains(got, "more alerts") || strings.Contains(got, " *now* ") {
		t.Errorf("got %.300s", got)
	}
	far.Reply(429, "Retry-After: 1.5", `{"message":"You are being rate limited.","retry_after":1.5,"global":false}`)
	retry, err := n.Notify(t.Context(), notifytest.Group(1))
	var w *notify.Wait
	if !retry || !errors.As(err, &w) || w.For != 1500*time.Millisecond {
		t.Errorf("limited: %v, %v", retry, err)
	}
	far.Reply(404, "", `{"message":"Unknown Webhook","code":10015}`)
	if retry, err := n.Notify(t.Context(), notifytest.Group(1)); retry || err == nil || !strings.Contains(err.Error(), "Unknown Webhook") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("unknown: %v, %v", retry, err)
	}
}
