package scorer

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
)

// realServer is the address of the Elasticsearch these tests need.
func realServer(t *testing.T) string {
	t.Helper()
	addr := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH")
	if addr == "" {
		t.Skip("no Elasticsearch: set INFRAMIND_TEST_ELASTICSEARCH to its address; e2e/elasticsearch.sh starts one")
	}
	return addr
}

func openElastic(t *testing.T, addr, filebeat string) logstore.Store {
	t.Helper()
	replicas := 0
	s, err := elastic.New(elastic.Config{URLs: []string{addr}, HTTPConfig: commoncfg.DefaultHTTPClientConfig, Replicas: &replicas, Read: map[string]string{IndexZeek: filebeat}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// call sends a request to Elasticsearch itself, past the store.
func call(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if out, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 || bytes.Contains(out, []byte(`"errors":true`)) {
		t.Fatalf("%s %s: %s %.500s", method, url, resp.Status, out)
	}
}

// freshDay is a day of its own for each test, so that its documents have an index of their own.
func freshDay(t *testing.T) time.Time {
	t.Helper()
	var b [2]byte
	if _, err := rand.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	return time.Date(2000, 1, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, (int(b[0])<<8|int(b[1]))%9000)
}

// Documents as Filebeat's Zeek module writes them, with Elasticsearch's own mapping of them.
func TestFilebeatInElasticsearch(t *testing.T) {
	addr, day := realServer(t), freshDay(t)
	index := "filebeat-" + strings.ToLower(rand.Text()[:10])
	var bulk strings.Builder
	for i := range 300 {
		at := day.Add(time.Duration(i) * time.Second).Format(time.RFC3339Nano)
		fmt.Fprintf(&bulk, `{"create":{}}`+"\n"+`{"@timestamp":%q,"event":{"module":"zeek","dataset":"zeek.connection","duration":1000000},"source":{"ip":"10.0.0.66","port":%d,"packets":1,"bytes":60},"destination":{"ip":"10.0.0.5","port":%d,"packets":1,"bytes":40},"network":{"transport":"tcp"},"zeek":{"session_id":"C%d","connection":{"state":"REJ","history":"Sr","local_orig":true,"local_resp":true}}}`+"\n", at, 40000+i, 1+i, i)
		fmt.Fprintf(&bulk, `{"create":{}}`+"\n"+`{"@timestamp":%q,"event":{"module":"zeek","dataset":"zeek.dns"},"source":{"ip":"10.0.0.67"},"destination":{"ip":"10.0.0.53"},"dns":{"question":{"name":"%016x%016x.t.example.com","type":"TXT"},"response_code":"NOERROR"},"zeek":{"session_id":"D%d"}}`+"\n", at, uint64(i)*0x9e3779b97f4a7c15, uint64(i)*0xbf58476d1ce4e5b9, i)
	}
	call(t, http.MethodPost, addr+"/"+index+"/_bulk?refresh=true", bulk.String())
	store := openElastic(t, addr, index)
	e, err := New(Config{Zeek: ZeekConfig{Index: index}}, Options{StateDir: t.TempDir(), Store: store, Now: func() time.Time { return day.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	res, err := e.RunOnce(t.Context())
	if err != nil || res.Read != 600 || res.Skipped+res.Failed != 0 {
		t.Fatalf("%+v %v", res, err)
	}
	for _, want := range []string{"10.0.0.66 tried", "10.0.0.67 asked for"} {
		docs, err := store.Latest(t.Context(), logstore.Query{Index: logstore.IndexAnomalies, From: day, To: day.Add(24 * time.Hour), Text: want})
		if err != nil || len(docs) == 0 || docs[0].Fields["anomaly.type"] != "finding" && docs[0].Fields["anomaly.type"] != "connection" {
			t.Errorf("%q cannot be searched for: %d documents, %v", want, len(docs), err)
		}
	}
	if res, err = e.RunOnce(t.Context()); err != nil || res.Read != 0 || res.Written != 0 {
		t.Errorf("the second run: %+v %v", res, err)
	}
}

// A node whose disk is full refuses writes with status 429; the run fails, moves nothing,
// and the next one writes everything. A document that fits no mapping goes to the dead
// letters.
func TestElasticsearchRefuses(t *testing.T) {
	addr := realServer(t)
	store := openElastic(t, addr, "none-*")
	for range 5 {
		if refusedAndRepeated(t, addr, store, freshDay(t)) {
			return
		}
	}
	t.Error("Elasticsearch took its block away five times")
}

// refusedAndRepeated is false when Elasticsearch, which looks at its disk every 30 seconds,
// took the block away while the run was trying.
func refusedAndRepeated(t *testing.T, addr string, store logstore.Store, day time.Time) bool {
	t.Helper()
	index := addr + "/" + logstore.IndexAnomalies + "-" + day.Format("2006.01.02")
	seed := logstore.Document{ID: "seed", Time: day, Message: "makes the index"}
	if rejected, err := store.Write(t.Context(), logstore.IndexAnomalies, []logstore.Document{seed}); err != nil || len(rejected) > 0 {
		t.Fatalf("%v %v", rejected, err)
	}
	call(t, http.MethodPut, index+"/_mapping", `{"properties":{"anomaly.kind":{"type":"object"}}}`)
	call(t, http.MethodPut, index+"/_settings", `{"index.blocks.read_only_allow_delete":true}`)
	dir, state := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(300, day, 1)+portScan(100, day.Add(30*time.Minute)))
	e := newEngine(t, dir, state, store, day.Add(2*time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	switch res, err := e.RunOnce(ctx); {
	case err == nil:
		return false
	case !strings.Contains(err.Error(), "too busy"):
		t.Fatalf("a full disk: %+v %v", res, err)
	}
	call(t, http.MethodPut, index+"/_settings", `{"index.blocks.read_only_allow_delete":null}`)
	res, err := e.RunOnce(t.Context())
	if err != nil || res.Read != 400 || res.Written < 50 || res.Failed != 1 {
		t.Fatalf("after it had room again: %+v %v", res, err)
	}
	raw, err := os.ReadFile(filepath.Join(state, "dead-letter.log"))
	if err != nil || !strings.Contains(string(raw), "vertical scan") {
		t.Errorf("dead letters: %.300s %v", raw, err)
	}
	return true
}
