package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/inframind/inframind/alert-webhook/notify"
	"github.com/inframind/inframind/alert-webhook/notify/notifytest"
)

// Whatever the limit, the text fits, and the alerts on it plus those counted are all.
func TestBodyLosesNoAlert(t *testing.T) {
	for _, n := range []int{1, 2, 7, 500} {
		for _, limit := range []int{300, 1000, 3000, 4096, 1 << 20} {
			got := notify.Body(notifytest.Group(n), limit, func(s string) string { return s })
			shown := strings.Count(got, "Disk<!channel>")
			var more int
			if at := strings.LastIndex(got, "… and "); at >= 0 {
				if _, err := fmt.Sscanf(got[at:], "… and %d more alerts", &more); err != nil {
					t.Error(err)
				}
			}
			if notify.Units(got) > limit || shown+more != n {
				t.Errorf("%d alerts in %d units: %d units, %d shown, %d counted", n, limit, notify.Units(got), shown, more)
			}
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		in    string
		limit int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"🔥🔥", 4, "🔥🔥"}, {"🔥🔥🔥", 4, "🔥…"}} {
		if got := notify.Cut(tc.in, tc.limit); got != tc.want {
			t.Errorf("%q to %d: %q", tc.in, tc.limit, got)
		}
	}
}
