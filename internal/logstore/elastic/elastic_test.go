package elastic

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/storetest"
)

// server returns the address of the real server that the tests need.
func server(tb testing.TB) string {
	tb.Helper()
	addr := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH")
	if addr == "" {
		tb.Skip("no Elasticsearch: set INFRAMIND_TEST_ELASTICSEARCH to its address; e2e/elasticsearch.sh starts one")
	}
	return addr
}

func conf(addr string) Config {
	zero := 0
	return Config{URLs: []string{addr}, HTTPConfig: commoncfg.DefaultHTTPClientConfig, Replicas: &zero}
}

func TestContract(t *testing.T) {
	addr := server(t)
	storetest.Run(t, func(*testing.T) storetest.Opener {
		return func() (logstore.Store, error) { return New(conf(addr)) }
	})
}

var noon = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

func fresh(tb testing.TB) (*Store, string) {
	tb.Helper()
	s, err := New(conf(server(tb)))
	if err != nil {
		tb.Fatal(err)
	}
	return s, "t-" + strings.ToLower(rand.Text()[:12])
}

// What Elasticsearch alone can find wrong, a conflict of mappings, costs one document.
func TestMappingConflictIsRejectedPerItem(t *testing.T) {
	s, index := fresh(t)
	docs := []logstore.Document{
		{ID: "a", Time: noon, Message: "x", Fields: map[string]any{"host.name": "web-1"}},
		{ID: "b", Time: noon, Message: "x", Fields: map[string]any{"host": "web-1"}},
		{ID: "c", Time: noon, Message: "x", Fields: map[string]any{"process.pid": 1}},
		{ID: "d", Time: noon, Message: "x", Fields: map[string]any{"process.pid": "no number"}},
	}
	rejected, err := s.Write(t.Context(), index, docs)
	if err != nil || len(rejected) != 1 || rejected[0].ID != "b" || !strings.Contains(rejected[0].Reason, "host") {
		t.Fatalf("rejected %+v, err %v", rejected, err)
	}
	p, err := s.Read(t.Context(), logstore.Query{Index: index})
	if err != nil || len(p.Documents) != 3 || p.Documents[2].Fields["process.pid"] != "no number" {
		t.Errorf("stored %+v, err %v", p.Documents, err)
	}
}

// Names like logs-classified match the built-in logs-*-* template: ours must win, or they
// become data streams.
func TestOwnTemplateWins(t *testing.T) {
	s, _ := fresh(t)
	index := "logs-t" + strings.ToLower(rand.Text()[:8])
	foreign := map[string]any{"index_patterns": []string{"logs-*-*"}, "priority": 100, "template": map[string]any{"mappings": map[string]any{"properties": map[string]any{"message": map[string]any{"type": "keyword"}}}}}
	if err := s.callJSON(t.Context(), "PUT", "/_index_template/test-built-in", nil, foreign, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.callJSON(context.Background(), "DELETE", "/_index_template/test-built-in", nil, nil, nil); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Write(t.Context(), index, []logstore.Document{{ID: "a", Time: noon, Message: "two words"}}); err != nil {
		t.Fatal(err)
	}
	var got map[string]struct {
		Aliases  map[string]any `json:"aliases"`
		Mappings struct {
			Properties map[string]struct{ Type string } `json:"properties"`
		} `json:"mappings"`
	}
	if err := s.callJSON(t.Context(), "GET", "/"+index, nil, nil, &got); err != nil {
		t.Fatal(err)
	}
	ix, ok := got[index+"-2026.11.18"]
	if !ok || ix.Mappings.Properties["message"].Type != "text" {
		t.Errorf("got %+v", got)
	}
}

// Documents of another writer: nested objects, several shards, no field of ours, updates.
func TestReadsWhatOthersWrote(t *testing.T) {
	s, index := fresh(t)
	pattern := "filebeat-" + index
	s.conf.Read = map[string]string{index: pattern + "-*"}
	create := func(name string) {
		body := map[string]any{"settings": map[string]any{"number_of_shards": 3, "number_of_replicas": 0}}
		if err := s.callJSON(t.Context(), "PUT", "/"+pattern+"-"+name, nil, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name, id, source string) {
		if err := s.call(t.Context(), "PUT", "/"+pattern+"-"+name+"/_doc/"+id, nil, jsonType, []byte(source), nil); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	after := ""
	drain := func() {
		for {
			p, err := s.Read(t.Context(), logstore.Query{Index: index, After: after, Limit: 7})
			if err != nil {
				t.Fatal(err)
			}
			after = p.Next
			if len(p.Documents) == 0 {
				return
			}
			for _, d := range p.Documents {
				seen[d.ID]++
				if d.Message != "hello" || d.Fields["host.name"] != "web-1" || d.Fields["process.pid"] != int64(7) || !d.Time.Equal(noon) {
					t.Fatalf("got %+v", d)
				}
			}
		}
	}
	source := `{"@timestamp":"2026-11-18T12:00:00.000Z","message":"hello","host":{"name":"web-1"},"process":{"pid":7},"agent":{"list":[{"a":1}],"none":null}}`
	create("1")
	for i := range 50 {
		put("1", fmt.Sprint(i), source)
	}
	drain()
	create("2")
	put("2", "new", source)
	put("1", "late", source)
	drain()
	if len(seen) != 52 {
		t.Fatalf("%d documents", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was read %d times", id, n)
		}
	}
	put("1", "3", source) // written again by its owner: read again, under the same id
	drain()
	if seen["3"] != 2 {
		t.Errorf("the update was read %d times", seen["3"]-1)
	}
}
