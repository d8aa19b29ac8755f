package webhook

import (
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/outbox"
)

//go:embed page.html
var pageHTML string

// html/template escapes all that alerts say.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"labels": func(a alert.Alert) string {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(a.Labels)) {
			if k != "alertname" && k != "severity" {
				out = append(out, k+"="+a.Labels[k])
			}
		}
		return strings.Join(out, " ")
	},
	"time": func(t time.Time) string {
		if t.IsZero() {
			return "–"
		}
		return t.UTC().Format("2006-01-02 15:04:05Z")
	},
}).Parse(pageHTML))

// pageLength is how many alerts and notifications the page shows.
const pageLength = 50

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var data struct {
		Status        string
		Counts        map[string]int64
		Alerts        []Record
		Next          string
		Notifications []outbox.Item
	}
	q, err := parseList(r.URL.Query())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err)
		return
	}
	q.Limit = pageLength
	data.Status = q.Status
	if data.Counts, err = s.Counts(r.Context()); err == nil {
		data.Alerts, data.Next, err = s.Alerts(r.Context(), q)
	}
	if err == nil {
		data.Notifications, err = s.Notifications(r.Context(), "", "", 0, pageLength)
	}
	if err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := pageTemplate.Execute(w, data); err != nil {
		s.log.Debug("page not sent", "err", err)
	}
}
