//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// TestKillAndRestart kills the all-in-one again and again while log lines are written and
// rotated and alerts, metrics and silences are sent to it. In the end every line must be in
// the log store exactly once, and everything that was acknowledged must be there.
func TestKillAndRestart(t *testing.T) {
	bin, dir := binary(t, "inframind"), t.TempDir()
	app := filepath.Join(t.TempDir(), "app.log")
	if code, out, errs := run(t, time.Minute, bin, "init", filepath.Join(dir, "config")); code != 0 {
		t.Fatal(out, errs)
	}
	write(t, filepath.Join(dir, "config/inframind.yml"), fmt.Sprintf("logs: {files: ['%s'], journal: false}\n", app))

	lines := &lineWriter{path: app}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { lines.run(ctx, t) })
	acked := &acknowledged{}
	for round := range 6 {
		p, base := startInfraMind(t, bin, dir)
		sendCtx, stop := context.WithCancel(ctx)
		var senders sync.WaitGroup
		senders.Go(func() { acked.send(sendCtx, base, round) })
		time.Sleep(time.Duration(700+300*round) * time.Millisecond)
		p.kill(t)
		stop()
		senders.Wait()
	}
	cancel()
	wg.Wait()

	p, base := startInfraMind(t, bin, dir)
	acked.check(t, base)
	want := lines.written()
	eventually(t, time.Minute, "every line is stored", func() error {
		body, err := get(base + "/metrics")
		if err != nil {
			return err
		}
		m := regexp.MustCompile(`log_tail_unread_bytes\{source="logs"\} (\S+)`).FindStringSubmatch(body)
		if m == nil || m[1] != "0" {
			return fmt.Errorf("unread bytes %v", m)
		}
		return nil
	}, p)
	time.Sleep(time.Second) // one more look at the rotated files
	if code := p.stop(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
	seen := storedLines(t, filepath.Join(dir, "logs"))
	lost, twice := 0, 0
	for n := range want {
		switch seen[n] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	if lost > 0 || twice > 0 || len(seen) != want {
		t.Errorf("of %d lines %d are lost and %d are there twice; %d numbers stored", want, lost, twice, len(seen))
	}
	bar(t, "6 kill -9 during writes: log lines lost / stored twice", fmt.Sprintf("%d / %d of %d", lost, twice, want), "0 / 0", lost+twice == 0)
	bar(t, "6 kill -9 during writes: acknowledged alerts, pushes, silences lost", fmt.Sprintf("%d of %d", acked.lost, acked.total()), "0", acked.lost == 0)
}

// lineWriter appends numbered lines to a file and rotates it now and then.
type lineWriter struct {
	path string
	mu   sync.Mutex
	n    int
}

func (w *lineWriter) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func (w *lineWriter) run(ctx context.Context, t *testing.T) {
	for i := 0; ctx.Err() == nil; i++ {
		if i%150 == 149 {
			if err := os.Rename(w.path, fmt.Sprintf("%s.%d", w.path, i)); err != nil {
				t.Error(err)
				return
			}
		}
		f, err := os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Error(err)
			return
		}
		w.mu.Lock()
		for range 20 {
			fmt.Fprintf(f, "%s app-1 app[42]: request number %d is done\n", time.Now().UTC().Format(time.RFC3339Nano), w.n)
			w.n++
		}
		w.mu.Unlock()
		if err := f.Close(); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// storedLines opens the log store of a stopped process and counts each number.
func storedLines(t *testing.T, dir string) map[int]int {
	t.Helper()
	s, err := sqlite.Open(dir, sqlite.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	number := regexp.MustCompile(`request number (\d+) is done`)
	seen, cursor := map[int]int{}, ""
	for {
		page, err := s.Read(t.Context(), logstore.Query{Index: logstore.IndexLogs, After: cursor, Limit: logstore.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		if page.Next == cursor {
			return seen
		}
		cursor = page.Next
		for _, d := range page.Documents {
			m := number.FindStringSubmatch(d.Message)
			if m == nil {
				t.Errorf("a line that was not written so: %q", d.Message)
				continue
			}
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			seen[n]++
		}
	}
}

// acknowledged is what the killed processes had answered 200 to.
type acknowledged struct {
	alerts, pushes, silences []string
	lost                     int
}

func (a *acknowledged) total() int { return len(a.alerts) + len(a.pushes) + len(a.silences) }

// send goes on until ctx ends or the process is gone.
func (a *acknowledged) send(ctx context.Context, base string, round int) {
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprintf("round%d-%d", round, i)
		now := time.Now().UTC().Format(time.RFC3339)
		alert := fmt.Sprintf(`{"version":"4","groupKey":"%[1]s","receiver":"x","status":"firing","groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am",`+
			`"alerts":[{"status":"firing","labels":{"alertname":"%[1]s"},"annotations":{},"startsAt":"%[2]s","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"%016[3]x"}]}`, name, now, round*100000+i)
		silence := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"none","isRegex":false}],"startsAt":%q,"endsAt":%q,"createdBy":"e2e","comment":%q}`,
			now, time.Now().Add(time.Hour).UTC().Format(time.RFC3339), name)
		for _, s := range []struct {
			path, contentType, body string
			list                    *[]string
		}{
			{"/alerts/api/v1/alerts", "application/json", alert, &a.alerts},
			{"/pushgateway/metrics/job/" + name, "text/plain", "pushed 1\n", &a.pushes},
			{"/alertmanager/api/v2/silences", "application/json", silence, &a.silences},
		} {
			if post(ctx, base+s.path, s.contentType, s.body) {
				*s.list = append(*s.list, name)
			}
		}
	}
}

// post tells whether the answer was 200; a process that is killed gives none.
func post(ctx context.Context, url, contentType, body string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", contentType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}

func (a *acknowledged) check(t *testing.T, base string) {
	t.Helper()
	pushed, err := get(base + "/pushgateway/metrics")
	if err != nil {
		t.Fatal(err)
	}
	silences, err := get(base + "/alertmanager/api/v2/silences")
	if err != nil {
		t.Fatal(err)
	}
	for what, names := range map[string][]string{pushed: a.pushes, silences: a.silences, storedAlerts(t, base): a.alerts} {
		for _, name := range names {
			if !strings.Contains(what, `"`+name+`"`) {
				a.lost++
				t.Errorf("%s was acknowledged and is lost", name)
			}
		}
	}
	t.Logf("acknowledged: %d alerts, %d pushes, %d silences", len(a.alerts), len(a.pushes), len(a.silences))
	if len(a.alerts) < 10 || len(a.pushes) < 10 || len(a.silences) < 10 {
		t.Error("too few were acknowledged to prove anything")
	}
}

// storedAlerts reads every page of alert-webhook's list.
func storedAlerts(t *testing.T, base string) string {
	t.Helper()
	var all strings.Builder
	after := ""
	for {
		body, err := get(base + "/alerts/api/v1/alerts?limit=500" + after)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(body)
		var page struct {
			Next string `json:"next"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		if page.Next == "" {
			return all.String()
		}
		after = "&after=" + page.Next
	}
}
