package webhook

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/inframind/inframind/alert-webhook/alert"
)

// TestChildServer is the process that TestKill kills.
func TestChildServer(t *testing.T) {
	dir, far := os.Getenv("WEBHOOK_TEST_DIR"), os.Getenv("WEBHOOK_TEST_FAR")
	if dir == "" {
		t.Skip("runs only as the child of TestKill")
	}
	s, err := New(toSink(far), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	go s.Run(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\nlistening %s\n", l.Addr())
	t.Fatal(http.Serve(l, s.Handler()))
}

// Whatever was answered with 200 is delivered after kill -9 and a restart.
func TestKill(t *testing.T) {
	far := newSink(t)
	far.set(http.StatusServiceUnavailable)
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChildServer$", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), "WEBHOOK_TEST_DIR="+dir, "WEBHOOK_TEST_FAR="+far.URL)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var addr string
		for sc := bufio.NewScanner(out); addr == "" && sc.Scan(); {
			addr, _ = strings.CutPrefix(sc.Text(), "listening ")
			if addr == sc.Text() {
				addr = ""
			}
		}
		killed := make(chan struct{})
		for i := range 40 {
			name := fmt.Sprintf("%d-%02d", round, i)
			if i == 25 {
				go func() {
					defer close(killed)
					if err := cmd.Process.Kill(); err != nil {
						t.Error(err)
					}
				}()
			}
			resp, err := http.Post("http://"+addr+"/webhook", "application/json", strings.NewReader(payload(t, alert.Firing, name)))
			if err != nil {
				break
			}
			resp.Body.Close()
			if resp.StatusCode == 200 {
				acknowledged[name+"/firing"] = true
			}
		}
		<-killed
		_ = cmd.Wait() // killed
		http.DefaultClient.CloseIdleConnections()
	}
	if len(acknowledged) < 3*25 {
		t.Fatalf("%d alerts were acknowledged", len(acknowledged))
	}
	far.set(http.StatusOK)
	start(t, toSink(far.URL), dir)
	eventually(t, "every acknowledged alert", func() bool {
		left := len(acknowledged)
		for _, name := range far.seen() {
			if acknowledged[name] {
				left--
			}
		}
		return left <= 0
	})
}
