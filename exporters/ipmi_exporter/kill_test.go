package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
)

// build makes the real binary.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ipmi_exporter")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// process is a running exporter.
type process struct {
	base           string // URL
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          bool
}

// start runs the binary until it is ready; the test's end kills it.
func start(t *testing.T, bin, conf string) *process {
	t.Helper()
	listen := fmt.Sprintf("127.0.0.1:%d", ipmitest.FreePort(t))
	p := &process{base: "http://" + listen, cmd: exec.Command(bin, "--config.file", conf, "--web.listen-address", listen)}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.ended {
			_ = p.end(t, syscall.SIGKILL)
		}
	})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(p.base + "/-/healthy")
		if err == nil {
			resp.Body.Close()
			return p
		}
	}
	t.Fatalf("the exporter did not start\n%s", p.stderr.String())
	return nil
}

// end sends a signal and waits for the process.
func (p *process) end(t *testing.T, sig syscall.Signal) error {
	t.Helper()
	p.ended = true
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	return p.cmd.Wait()
}

// elasticsearch is what the log store's tests need of one: the real server's address where
// INFRAMIND_TEST_ELASTICSEARCH names it, else a fake that keeps documents by id.
type elasticsearch struct {
	url  string
	real bool

	mu   sync.Mutex
	docs map[string]string // host.name by id
}

func newElasticsearch(t *testing.T) *elasticsearch {
	if addr := os.Getenv("INFRAMIND_TEST_ELASTICSEARCH"); addr != "" {
		return &elasticsearch{url: addr, real: true}
	}
	return newFakeElasticsearch(t)
}

func newFakeElasticsearch(t *testing.T) *elasticsearch {
	e := &elasticsearch{docs: map[string]string{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.Header().Set("Content-Type", "application/json")
		if !strings.HasSuffix(r.URL.Path, "/_bulk") {
			fmt.Fprint(w, `{"acknowledged":true}`)
			return
		}
		n, err := e.bulk(r.Body)
		if err != nil {
			return // the client was killed
		}
		items := strings.TrimSuffix(strings.Repeat(`{"index":{"status":201}},`, n), ",")
		fmt.Fprintf(w, `{"errors":false,"items":[%s]}`, items)
	}))
	t.Cleanup(srv.Close)
	e.url = srv.URL
	return e
}

// bulk takes pairs of lines: the id, the document.
func (e *elasticsearch) bulk(body io.Reader) (n int, err error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); n++ {
		var action map[string]struct {
			ID string `json:"_id"`
		}
		var doc struct {
			Host string `json:"host.name"`
		}
		if err := json.Unmarshal(s.Bytes(), &action); err != nil {
			return n, err
		}
		if !s.Scan() {
			return n, io.ErrUnexpectedEOF
		}
		if err := json.Unmarshal(s.Bytes(), &doc); err != nil {
			return n, err
		}
		for _, a := range action {
			e.docs[a.ID] = doc.Host
		}
	}
	return n, nil
}

// count is how many documents of a host there are.
func (e *elasticsearch) count(t *testing.T, host string) (n int) {
	t.Helper()
	if !e.real {
		e.mu.Lock()
		defer e.mu.Unlock()
		for _, name := range e.docs {
			if name == host {
				n++
			}
		}
		return n
	}
	resp, err := http.Post(e.url+"/logs/_refresh", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var answer struct{ Count int }
	body := get(t, e.url+"/logs/_count?q="+url.QueryEscape(fmt.Sprintf("host.name:%q", host)), 200)
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Count
}

// TestKilled kills the exporter at any moment of a scrape while the event log grows, wraps
// and is cleared: in the end the log store has every entry once, stdout every entry, and the
// counters are right.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	const rounds, news = 12, 4
	bmc := &ipmitest.BMC{MaxSession: 1000} // the killed ones stay open
	addr := bmc.Start(t)
	store, bin, dir := newElasticsearch(t), build(t), t.TempDir()
	conf := filepath.Join(dir, "c.yml")
	yml := fmt.Sprintf("auths: {default: {username: admin, password_file: %s}}\nlogs: {output: stdout}\nelasticsearch: {urls: [%q]}\nstate_directory: %s\n", passwordFile(t), store.url, dir)
	if err := os.WriteFile(conf, []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	at, id := uint32(time.Now().Unix())-10_000, uint16(0)
	for round := range rounds {
		bmc.Lock(func() {
			for range news {
				at, id = at+1, id+1
				bmc.SEL = append(bmc.SEL, failure(id, at))
			}
			bmc.SELState.Added++
		})
		p := start(t, bin, conf)
		if round%3 == 2 || round == rounds-1 { // one in peace: what it has read may be lost to the BMC
			get(t, p.base+"/probe?target="+addr, 200)
		} else {
			go func() {
				if resp, err := http.Get(p.base + "/probe?target=" + addr); err == nil {
					resp.Body.Close()
				}
			}()
			time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond)
		}
		if err := p.end(t, syscall.SIGKILL); err == nil {
			t.Error("the exporter was not killed")
		}
		lines.Write(p.stdout.Bytes())
		bmc.Lock(func() {
			switch round {
			case 5: // cleared
				bmc.SEL, id = nil, 0
				bmc.SELState.Erased = at
			case 8: // wrapped
				bmc.SEL = slices.Delete(bmc.SEL, 0, news)
			}
		})
	}
	if n := store.count(t, addr); n != rounds*news {
		t.Errorf("%d documents, want %d", n, rounds*news)
	}
	if n := differentEvents(t, lines.String()); n != rounds*news {
		t.Errorf("%d entries on stdout, want %d", n, rounds*news)
	}
	p := start(t, bin, conf)
	if body := get(t, p.base+"/probe?target="+addr, 200); !strings.Contains(body, fmt.Sprintf("ipmi_sel_events_total{class=\"power_supply\",severity=\"failed\"} %d\n", rounds*news)) {
		t.Errorf("wrong count in\n%s", body)
	}
}

// failure is the record of a power supply that failed.
func failure(id uint16, at uint32) [16]byte {
	r := [16]byte{2: 2, 7: 0x20, 9: 4, 10: 8, 11: 0x61, 12: 0x6f, 13: 1}
	binary.LittleEndian.PutUint16(r[:], id)
	binary.LittleEndian.PutUint32(r[3:], at)
	return r
}

// differentEvents counts the events in JSON lines.
func differentEvents(t *testing.T, lines string) int {
	t.Helper()
	ids := map[string]bool{}
	for l := range strings.Lines(lines) {
		var doc map[string]any
		if err := json.Unmarshal([]byte(l), &doc); err != nil {
			t.Errorf("%q: %v", l, err)
		}
		ids[fmt.Sprint(doc["event.id"])] = true
	}
	return len(ids)
}
