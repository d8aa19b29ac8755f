package elastic

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/logstore"
)

// These troubles cannot be had from a healthy server: the fake answers as a busy, a small or
// a forbidding one does.
type fake struct {
	*httptest.Server
	bulk  func(ids []string) (status int, body string)
	bulks [][]string
}

func newFake(t *testing.T, bulk func(ids []string) (int, string)) (*fake, *Store) {
	f := &fake{bulk: bulk}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/_index_template/"):
			_, _ = io.WriteString(w, `{"acknowledged":true}`)
		case r.URL.Path == "/_bulk":
			ids := bulkIDs(t, r.Body)
			f.bulks = append(f.bulks, ids)
			status, body := f.bulk(ids)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		default:
			t.Errorf("unexpected %s %s", r.Method, r.URL)
		}
	}))
	t.Cleanup(f.Close)
	s, err := New(conf(f.URL))
	if err != nil {
		t.Fatal(err)
	}
	return f, s
}

// bulkIDs reads a bulk body as strictly as Elasticsearch does.
func bulkIDs(t *testing.T, body io.Reader) (ids []string) {
	dec := json.NewDecoder(body)
	for dec.More() {
		var action struct {
			Create struct {
				Index string `json:"_index"`
				ID    string `json:"_id"`
			} `json:"create"`
		}
		var source map[string]any
		if err := errors.Join(dec.Decode(&action), dec.Decode(&source)); err != nil || action.Create.Index == "" || source["@timestamp"] == nil {
			t.Errorf("bulk body: %+v, %v", action, err)
			return ids
		}
		ids = append(ids, action.Create.ID)
	}
	return ids
}

// answer makes a bulk reply with a status for each id, 201 if none is given.
func answer(ids []string, status map[string]int) (int, string) {
	var items []string
	failed := "false"
	for _, id := range ids {
		if s := status[id]; s == 0 {
			items = append(items, `{"create":{"status":201}}`)
		} else {
			failed = "true"
			items = append(items, fmt.Sprintf(`{"create":{"status":%d,"error":{"type":"some_exception","reason":"because"}}}`, s))
		}
	}
	return 200, `{"errors":` + failed + `,"items":[` + strings.Join(items, ",") + `]}`
}

func three() []logstore.Document {
	return []logstore.Document{{ID: "a", Time: noon}, {ID: "b", Time: noon}, {ID: "c", Time: noon}}
}

func TestBusyItemsAreSentAgainAlone(t *testing.T) {
	calls := 0
	f, s := newFake(t, func(ids []string) (int, string) {
		calls++
		switch calls {
		case 1:
			return 429, `{"error":{"type":"es_rejected_execution_exception","reason":"busy"},"status":429}`
		case 2:
			return answer(ids, map[string]int{"a": 409, "b": 429, "c": 400})
		}
		return answer(ids, nil)
	})
	rejected, err := s.Write(t.Context(), "logs", three())
	if err != nil || len(rejected) != 1 || rejected[0].ID != "c" || !strings.Contains(rejected[0].Reason, "because") {
		t.Errorf("rejected %+v, err %v", rejected, err)
	}
	if got := joined(f.bulks); got != "abc abc b" {
		t.Errorf("sent %s", got)
	}
}

func joined(bulks [][]string) string {
	var out []string
	for _, ids := range bulks {
		out = append(out, strings.Join(ids, ""))
	}
	return strings.Join(out, " ")
}

func TestTooLargeRequestsAreHalved(t *testing.T) {
	f, s := newFake(t, func(ids []string) (int, string) {
		if len(ids) > 1 || ids[0] == "c" {
			return 413, "<html>nginx says 413</html>"
		}
		return answer(ids, nil)
	})
	rejected, err := s.Write(t.Context(), "logs", three())
	if err != nil || len(rejected) != 1 || rejected[0].ID != "c" || !strings.Contains(rejected[0].Reason, "413") {
		t.Errorf("rejected %+v, err %v", rejected, err)
	}
	if got := joined(f.bulks); got != "abc a bc b c" {
		t.Errorf("sent %s", got)
	}
}

// A missing privilege is no fault of the documents: nothing may be dropped.
func TestForbiddenIsAnErrorNotARejection(t *testing.T) {
	for name, bulk := range map[string]func(ids []string) (int, string){
		"item": func(ids []string) (int, string) { return answer(ids, map[string]int{"b": 403}) },
		"call": func([]string) (int, string) {
			return 403, `{"error":{"root_cause":[{"type":"security_exception","reason":"no rights"}]}}`
		},
		"short": func([]string) (int, string) { return 200, `{"errors":false,"items":[]}` },
	} {
		_, s := newFake(t, bulk)
		if rejected, err := s.Write(t.Context(), "logs", three()); err == nil || len(rejected) != 0 {
			t.Errorf("%s: rejected %+v, err %v", name, rejected, err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s, err := New(conf("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), "logs", three()); err == nil || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "check elasticsearch.urls") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
}

func TestDeadline(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	c := conf(srv.URL)
	c.Timeout = model.Duration(50 * time.Millisecond)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := s.Count(t.Context(), logstore.Query{Index: "logs"}); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// An answer that misses shards is not an answer.
func TestPartialAnswersAreErrors(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"count":3,"_shards":{"total":2,"failed":1,"failures":[{"reason":{"type":"node_disconnected","reason":"gone"}}]},"hits":{"hits":[]}}`)
	}))
	defer srv.Close()
	s, err := New(conf(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	q := logstore.Query{Index: "logs"}
	_, countErr := s.Count(t.Context(), q)
	_, latestErr := s.Latest(t.Context(), q)
	_, histErr := s.Histogram(t.Context(), q, time.Hour, "")
	for _, err := range []error{countErr, latestErr, histErr} {
		if err == nil || !strings.Contains(err.Error(), "node_disconnected") {
			t.Errorf("got %v", err)
		}
	}
}

func TestTLSAndAuthorization(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, ok := r.BasicAuth(); !ok || user != "elastic" || pass != "s3cret" {
			w.WriteHeader(401)
		}
		_, _ = io.WriteString(w, `{"count":3}`)
	}))
	defer srv.Close()
	dir := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600), os.WriteFile(filepath.Join(dir, "pw"), []byte("s3cret\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	good := "urls: [" + srv.URL + "]\nhttp_client_config:\n  basic_auth: {username: elastic, password_file: " + dir + "/pw}\n"
	for name, tc := range map[string]struct{ yml, want string }{
		"all is well":  {good + "  tls_config: {ca_file: " + dir + "/ca.pem}\n", ""},
		"unknown CA":   {good, "certificate"},
		"no password":  {"urls: [" + srv.URL + "]\nhttp_client_config:\n  tls_config: {ca_file: " + dir + "/ca.pem}\n", "401"},
		"not verified": {good + "  tls_config: {insecure_skip_verify: true}\n", ""},
	} {
		var c Config
		if err := config.Parse("f.yml", []byte(tc.yml), &c); err != nil {
			t.Fatal(err)
		}
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Count(t.Context(), logstore.Query{Index: "logs"})
		if tc.want == "" && (err != nil || n != 3) || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for in, want := range map[string]string{
		"{}":                                   "name at least one node",
		"urls: [ftp://x]":                      "want http://host:9200",
		"urls: ['http://u:s3cret@x:9200']":     "basic_auth",
		"urls: [http://x]\npartition: hour":    "want day or month",
		"urls: [http://x]\nread: {logs: /etc}": "is not an index pattern",
		"urls: [http://x]\nred: {}":            `unknown field "red"`,
		"urls: [http://x]\nhttp_client_config: {bearer_token: a, basic_auth: {username: b}}": "at most one",
	} {
		err := config.Parse("f.yml", []byte(in), &Config{HTTPConfig: commoncfg.DefaultHTTPClientConfig})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", in, err)
		}
	}
}
