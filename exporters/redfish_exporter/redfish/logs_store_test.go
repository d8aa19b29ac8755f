package redfish

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish/redfishtest"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

const entriesPath = "/redfish/v1/Managers/0/LogServices/Sel/Entries"

// logDriver reads nothing but event logs, into store, with its cursor in stateDir.
func logDriver(store eventlog.Store, stateDir string) (*Driver, error) {
	m := &Module{Collectors: []string{"logs"}}
	m.TLS.InsecureSkipVerify = true
	conf := Config{Modules: map[string]*Module{"default": m}, Logs: Logs{StateDir: stateDir, Backlog: model.Duration(24 * 365 * time.Hour)}}
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	return New(conf, quiet(), prometheus.NewRegistry(), store)
}

func scrapeLogs(d *Driver, target string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return exporter.ProbeOnce(ctx, keep{d}, "redfish", &exporter.Probe{Target: target, Auth: credential(), Log: quiet()}, new(discard))
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }

// TestChildExporter is the process that TestKilledExporter kills.
func TestChildExporter(t *testing.T) {
	dir, target := os.Getenv("REDFISH_TEST_CHILD_DIR"), os.Getenv("REDFISH_TEST_CHILD_TARGET")
	if dir == "" {
		t.Skip("runs only as the child of TestKilledExporter")
	}
	store, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := logDriver(store, filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	for last := os.Getenv("REDFISH_TEST_CHILD_LAST") != ""; ; {
		if err := scrapeLogs(d, target); err != nil {
			t.Fatal(err)
		}
		if last {
			if err := d.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

// TestKilledExporter kills the exporter again and again while the BMC logs events: in the
// end the log store holds each of them once.
func TestKilledExporter(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	svc := &redfishtest.Service{Tree: withLog(redfishtest.Full(), 1, false)}
	web := serve(t, svc)
	child := func(last string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChildExporter$")
		cmd.Env = append(os.Environ(), "REDFISH_TEST_CHILD_DIR="+dir, "REDFISH_TEST_CHILD_TARGET="+web.URL, "REDFISH_TEST_CHILD_LAST="+last)
		return cmd
	}
	total := 1
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		cmd := child("")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Duration(150+rnd.IntN(250)) * time.Millisecond); time.Now().Before(end); {
			svc.Edit(func(tree map[string]any) {
				list := tree[entriesPath].(map[string]any)
				list["Members"] = append(list["Members"].([]any), map[string]any{
					"@odata.id": fmt.Sprintf("%s/%d", entriesPath, total), "Id": fmt.Sprint(total), "Severity": "OK", "Message": fmt.Sprintf("event %d", total),
					"Created": time.Now().UTC().Format(time.RFC3339),
				})
			})
			total++
			time.Sleep(10 * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	if out, err := child("1").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	store, err := sqlite.Open(filepath.Join(dir, "store"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	page, err := store.Read(t.Context(), logstore.Query{Index: logstore.IndexLogs, Limit: logstore.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, d := range page.Documents {
		seen[d.Message]++
	}
	for i := range total {
		if n := seen[fmt.Sprintf("event %d", i)]; n != 1 {
			t.Errorf("event %d of %d is stored %d times", i, total, n)
		}
	}
	t.Logf("%d events, %d documents", total, len(page.Documents))
}

// TestElasticsearch: entries reach a real server once, also when the exporter has lost its
// cursor and sends them again.
func TestElasticsearch(t *testing.T) {
	addr := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH")
	if addr == "" {
		t.Skip("no Elasticsearch: set INFRAMIND_TEST_ELASTICSEARCH to its address; e2e/elasticsearch.sh starts one")
	}
	zero := 0
	conf := elastic.Config{URLs: []string{addr}, HTTPConfig: commoncfg.DefaultHTTPClientConfig, Replicas: &zero}
	svc := &redfishtest.Service{Tree: withLog(redfishtest.Full(), 20, false)}
	web := serve(t, svc)
	for range 2 {
		store, err := elastic.New(conf)
		if err != nil {
			t.Fatal(err)
		}
		d, err := logDriver(store, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := scrapeLogs(d, web.URL); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	store, err := elastic.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	host := web.Listener.Addr().String()
	query := logstore.Query{Index: logstore.IndexLogs, Match: map[string]string{"host.name": host}}
	eventually(t, "20 documents of "+host, func() bool { // once the index is refreshed
		n, err := store.Count(t.Context(), query)
		return err == nil && n == 20
	})
	query.Match["log.level"] = "critical"
	docs, err := store.Latest(t.Context(), query)
	if err != nil || len(docs) != 2 || docs[0].Message != "event 10" || docs[0].Fields["event.code"] != "MEM0001" {
		t.Errorf("critical entries %+v, %v", docs, err)
	}
}
