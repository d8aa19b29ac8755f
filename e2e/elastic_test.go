//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// elasticsearch is the base URL of a real server, which run.sh starts.
func elasticsearch(t *testing.T) string {
	t.Helper()
	base := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH")
	if base == "" {
		t.Skip("no Elasticsearch: set INFRAMIND_TEST_ELASTICSEARCH to its address; e2e/elasticsearch.sh starts one")
	}
	return base
}

// count asks Elasticsearch itself how many documents a query string selects.
func count(t *testing.T, base, index, query string) int {
	t.Helper()
	if _, err := request("POST", base+"/"+index+"/_refresh?ignore_unavailable=true", "", ""); err != nil {
		t.Fatal(err)
	}
	body, err := get(base + "/" + index + "/_count?ignore_unavailable=true&q=" + query)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Count int }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Count
}

// TestLogsReachPeople proves the way of a log line over real servers: Filebeat's documents
// lie in Elasticsearch, the job labels them into logs-classified and pushes its counts, our
// own rule fires on the critical ones, and the receiver is told.
func TestLogsReachPeople(t *testing.T) {
	es := elasticsearch(t)
	s := startSite(t, "", "groups: []\n")
	index := fmt.Sprintf("filebeat-e2e-%d", time.Now().UnixNano())
	const lines = 200
	var bulk strings.Builder
	for i := range lines {
		message := "Accepted publickey for deploy from 10.0.0.7 port 50122 ssh2"
		if i%50 == 0 {
			message = "Out of memory: Killed process 4211 (postgres) total-vm:8123456kB, anon-rss:7654321kB"
		}
		fmt.Fprintf(&bulk, `{"create":{}}`+"\n"+`{"@timestamp":%q,"message":%q,"host":{"name":"db-1"},"process":{"name":"kernel"}}`+"\n",
			time.Now().Add(time.Duration(i-lines)*time.Second).UTC().Format(time.RFC3339Nano), message)
	}
	if body, err := request("POST", es+"/"+index+"/_bulk?refresh=true", "application/x-ndjson", bulk.String()); err != nil || !strings.Contains(body, `"errors":false`) {
		t.Fatalf("bulk: %v %.500s", err, body)
	}
	dir := t.TempDir()
	conf, output := filepath.Join(dir, "log-classifier.yml"), "e2e-classified-"+index[len(index)-12:]
	write(t, conf, fmt.Sprintf("elasticsearch: {urls: ['%s'], replicas: 0, read: {logs: '%s'}}\noutput: %s\npushgateway: {url: '%s'}\n", es, index, output, s.pushgateway))
	classify := func() {
		code, stdout, stderr := run(t, 2*time.Minute, binary(t, "log-classifier"), "run", "--once", "--config.file="+conf, "--state.dir="+filepath.Join(dir, "state"))
		if code != 0 {
			t.Fatalf("log-classifier: exit status %d\n%s%s", code, stdout, stderr)
		}
	}
	classify()
	if got := count(t, es, output+"*", "*"); got != lines {
		t.Errorf("%d labelled lines, want %d", got, lines)
	}
	if got := count(t, es, output+"*", "ml_category:critical"); got != lines/50 {
		t.Errorf("%d critical lines, want %d", got, lines/50)
	}
	classify()
	if got := count(t, es, output+"*", "*"); got != lines {
		t.Errorf("after a second run %d labelled lines, want %d", got, lines)
	}
	if body := s.waitForAlert(t, "CriticalLogLines"); !strings.Contains(body, `"db-1`) {
		t.Errorf("the notification does not name the host:\n%s", body)
	}
}

// TestAnomaliesReachPeople does the same for a port scan in Zeek's conn.log.
func TestAnomaliesReachPeople(t *testing.T) {
	es := elasticsearch(t)
	s := startSite(t, "", "groups: []\n")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "zeek/conn.log"), portScan(time.Now().Add(-time.Hour)))
	conf := filepath.Join(dir, "anomaly-scorer.yml")
	write(t, conf, fmt.Sprintf("zeek: {dir: '%s'}\nelasticsearch: {urls: ['%s'], replicas: 0}\npushgateway: {url: '%s'}\n", filepath.Join(dir, "zeek"), es, s.pushgateway))
	before := count(t, es, "anomalies*", "*")
	score := func() {
		code, stdout, stderr := run(t, 2*time.Minute, binary(t, "anomaly-scorer"), "run", "--once", "--config.file="+conf, "--state.dir="+filepath.Join(dir, "state"))
		if code != 0 {
			t.Fatalf("anomaly-scorer: exit status %d\n%s%s", code, stdout, stderr)
		}
	}
	score()
	after := count(t, es, "anomalies*", "*")
	if after <= before {
		t.Errorf("%d anomalies in Elasticsearch, %d before", after, before)
	}
	score()
	if again := count(t, es, "anomalies*", "*"); again != after {
		t.Errorf("after a second run %d anomalies, want %d", again, after)
	}
	if body := s.waitForAlert(t, "NetworkAttack"); !strings.Contains(body, "scan") {
		t.Errorf("the notification does not speak of a scan:\n%s", body)
	}
}

// portScan is a conn.log in which 10.9.9.9 asks 500 ports of one host that are closed, amid
// other hosts that fetch web pages.
func portScan(from time.Time) string {
	var b strings.Builder
	b.WriteString("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
		"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n" +
		"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\tstring\tcount\tcount\tcount\tcount\n")
	for i := range 500 {
		at := float64(from.UnixMilli())/1000 + float64(i)/10
		fmt.Fprintf(&b, "%.6f\tCs%d\t10.9.9.9\t%d\t10.0.0.5\t%d\ttcp\t-\t0.000100\t0\t0\tREJ\t0\tSr\t1\t60\t1\t40\n", at, i, 40000+i, 1+i)
		fmt.Fprintf(&b, "%.6f\tCw%d\t10.0.0.%d\t%d\t10.0.1.1\t443\ttcp\tssl\t0.4%02d\t%d\t%d\tSF\t0\tShADadFf\t10\t%d\t12\t%d\n", at+0.05, i, 10+i%20, 50000+i, i%100, 800+i%300, 9000+17*i%4000, 1300+i%300, 9700+17*i%4000)
	}
	return b.String()
}

// TestUnreachableElasticsearch wants one line and exit status 1.
func TestUnreachableElasticsearch(t *testing.T) {
	dir, url := t.TempDir(), fmt.Sprintf("http://127.0.0.1:%d", freePort(t))
	conf := filepath.Join(dir, "log-classifier.yml")
	write(t, conf, fmt.Sprintf("elasticsearch: {urls: ['%s']}\n", url))
	code, _, stderr := run(t, 2*time.Minute, binary(t, "log-classifier"), "run", "--once", "--config.file="+conf, "--state.dir="+filepath.Join(dir, "state"))
	lines := significant(stderr)
	if code != 1 || len(lines) != 1 || !regexp.MustCompile(`^log-classifier: .*`+strings.TrimPrefix(url, "http://")+`.*connection refused`).MatchString(lines[0]) {
		t.Errorf("exit status %d, want 1 and one line that names the address; stderr:\n%s", code, stderr)
	}
}
