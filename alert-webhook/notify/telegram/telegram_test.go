package telegram

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

// check enforces the Bot API: the token in the path, 4,096 characters.
func check(r *http.Request, body map[string]any) error {
	if r.URL.Path != "/bot42:hidden/sendMessage" || body["chat_id"] != "-100" || body["parse_mode"] != nil {
		return fmt.Errorf("path %s, chat %v", r.URL.Path, body["chat_id"])
	}
	return notifytest.Length("text", body["text"], 4096)
}

func TestNotify(t *testing.T) {
	far := notifytest.New(t, 200, check)
	n, err := New(Config{Token: "42:hidden", ChatID: "-100", APIURL: far.URL, HTTPConfig: commoncfg.DefaultHTTPClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 2, 300} {
		if _, err := n.Notify(t.Context(), notifytest.Group(size)); err != nil {
			t.Errorf("%d alerts: %v", size, err)
		}
	}
	if got := fmt.Sprint(far.Bodies()[2]["text"]); !strings.Contains(got, "more alerts") || !strings.HasPrefix(got, "[FIRING:299] Disk") {
		t.Errorf("got %.300s", got)
	}
	far.Reply(429, "", `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 17","parameters":{"retry_after":17}}`)
	retry, err := n.Notify(t.Context(), notifytest.Group(1))
	var w *notify.Wait
	if !retry || !errors.As(err, &w) || w.For != 17*time.Second {
		t.Errorf("limited: %v, %v", retry, err)
	}
	far.Reply(403, "", `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`)
	if retry, err := n.Notify(t.Context(), notifytest.Group(1)); retry || err == nil || !strings.Contains(err.Error(), "blocked") {
		t.Errorf("blocked: %v, %v", retry, err)
	}
	far.Close()
	if retry, err := n.Notify(t.Context(), notifytest.Group(1)); !retry || err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("down: %v, %v", retry, err)
	}
	if _, err := New(Config{Token: "x"}); err == nil {
		t.Error("no chat is accepted")
	}
}
