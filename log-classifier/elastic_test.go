package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// server is a real Elasticsearch and an index of its own for one test.
type server struct{ addr, index, output, conf, state string }

// newServer returns the real server that the test needs, or skips it.
func newServer(t *testing.T) server {
	t.Helper()
	addr := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH")
	if addr == "" {
		t.Skip("no Elasticsearch: set INFRAMIND_TEST_ELASTICSEARCH to its address; e2e/elasticsearch.sh starts one")
	}
	dir, name := t.TempDir(), strings.ToLower(rand.Text()[:12])
	s := server{addr, "lc-in-" + name, "lc-out-" + name, filepath.Join(dir, "c.yml"), filepath.Join(dir, "state")}
	conf := fmt.Sprintf("batch_size: 200\nelasticsearch: {urls: ['%s'], replicas: 0, read: {logs: '%s'}}\noutput: %s\n", addr, s.index, s.output)
	if err := os.WriteFile(s.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s server) call(t *testing.T, method, path, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %.300s %v", method, path, resp.StatusCode, raw, err)
	}
	return string(raw)
}

// put stores documents, as Filebeat does: without ids of ours, or a mapping.
func (s server) put(t *testing.T, docs ...string) {
	t.Helper()
	var b strings.Builder
	for _, d := range docs {
		b.WriteString(`{"create":{}}` + "\n" + d + "\n")
	}
	if got := s.call(t, http.MethodPost, "/"+s.index+"/_bulk?refresh=true", b.String()); strings.Contains(got, `"errors":true`) {
		t.Fatalf("bulk: %.300s", got)
	}
}

func (s server) count(t *testing.T, query string) (n int) {
	t.Helper()
	s.call(t, http.MethodPost, "/"+s.output+"*/_refresh", "")
	var reply struct{ Count int }
	if err := json.Unmarshal([]byte(s.call(t, http.MethodGet, "/"+s.output+"*/_count?q="+query, "")), &reply); err != nil {
		t.Fatal(err)
	}
	return reply.Count
}

func (s server) run(t *testing.T) (code int, errs string) {
	t.Helper()
	code, _, errs = run(t, "", "run", "--once", "--config.file", s.conf, "--state.dir", s.state)
	return code, errs
}

func message(i int) string {
	return fmt.Sprintf(`{"@timestamp":"2026-11-21T12:00:00Z","message":"request %d took %d ms","host":{"name":"web-%d"}}`, i, i%97, i%3)
}

// TestElasticsearch: an index that does not exist, documents without a message, lines that
// come later, and headers inside of messages.
func TestElasticsearch(t *testing.T) {
	s := newServer(t)
	if code, errs := s.run(t); code != 0 {
		t.Fatalf("an index that does not exist yet: %d %s", code, errs)
	}
	s.put(t, message(1), message(2), `{"@timestamp":"2026-11-21T12:00:00Z","what":7}`,
		`{"@timestamp":"2026-11-21T12:00:00Z","message":"<2>Nov 21 12:00:00 db-1 kernel: Out of memory: Killed process 12 (java)"}`,
		`{"@timestamp":"2026-11-21T12:00:00Z","message":"<30>1 2026-11-21T12:00:00Z h app not-a-number - - started"}`)
	if code, errs := s.run(t); code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	if n := s.count(t, "*"); n != 4 {
		t.Errorf("%d labelled lines, want 4", n)
	}
	if n := s.count(t, "host.name:db-1+AND+process.name:kernel+AND+ml_category:critical+AND+log.level:crit"); n != 1 {
		t.Errorf("%d lines of the kernel of db-1, want 1", n)
	}
	s.put(t, message(3))
	for range 2 {
		if code, errs := s.run(t); code != 0 {
			t.Fatalf("%d %s", code, errs)
		}
	}
	if n := s.count(t, "*"); n != 5 {
		t.Errorf("%d labelled lines after one more, want 5", n)
	}
}

// TestKillElasticsearch kills runs at random moments: in the end every line is labelled, and
// counted, once.
func TestKillElasticsearch(t *testing.T) {
	s := newServer(t)
	const lines = 10_000
	docs := make([]string, lines)
	for i := range docs {
		docs[i] = message(i)
	}
	s.put(t, docs...)
	killed := 0
	for i := range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(300+300*i)*time.Millisecond)
		cmd := exec.CommandContext(ctx, os.Args[0], "run", "--once", "--config.file", s.conf, "--state.dir", s.state)
		cmd.Env = append(os.Environ(), "LOG_CLASSIFIER_CHILD=1")
		if cmd.Run() != nil {
			killed++
		}
		cancel()
	}
	if code, errs := s.run(t); code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	if n := s.count(t, "*"); n != lines {
		t.Errorf("%d documents after %d kills, want %d", n, killed, lines)
	}
	code, out, errs := run(t, "", "templates", "--json", "--state.dir", s.state)
	if want := fmt.Sprintf(`"count":%d,`, lines); code != 0 || !strings.Contains(out, want) {
		t.Errorf("templates after %d kills: %s %s, want %s", killed, out, errs, want)
	}
	t.Logf("%d of 6 runs were killed", killed)
}
