package eventlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/internal/logstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func entries() []logstore.Document {
	at := time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.UTC)
	return []logstore.Document{
		{ID: "a", Time: at, Message: "first", Fields: map[string]any{"host.name": "bmc 7", "log.level": "critical"}},
		{ID: "b", Time: at, Message: strings.Repeat("é", maxLine), Fields: map[string]any{"host.name": "", "log.level": "warning"}},
		{ID: "c", Time: at, Message: "two\nlines"},
	}
}

func TestValidate(t *testing.T) {
	for out, ok := range map[string]bool{
		"": true, "stdout": true, "udp://h:514": true, "tcp://[::1]:601": true, "unix:///dev/log": true,
		"stderr": false, "udp://h": false, "tcp://u:p@h:1": false, "unix://dev/log": false, "tcp://h:1/x": false, "http://h:1": false, "udp://%zz": false,
	} {
		if err := (Config{Output: out}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", out, err)
		}
	}
}

// checkLine reads a line of RFC 5424 back with a strict parser.
func checkLine(t *testing.T, line []byte, want logstore.Document, severity uint8, host string) {
	t.Helper()
	m, err := rfc5424.NewParser().Parse(line)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	got := m.(*rfc5424.SyslogMessage)
	if *got.Severity != severity || *got.Facility != local0 || *got.Appname != "redfish" || !got.Timestamp.Equal(want.Time.Truncate(time.Microsecond)) {
		t.Errorf("%q: severity %d facility %d", line, *got.Severity, *got.Facility)
	}
	if got.Hostname == nil != (host == "") || got.Hostname != nil && *got.Hostname != host {
		t.Errorf("%q: host is not %q", line, host)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(*got.Message), &fields); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	text, _ := fields["message"].(string)
	if fields["event.id"] != want.ID || text != want.Message && (!strings.HasSuffix(text, "é…") || len(text) > maxLine+3) {
		t.Errorf("message %.40q, id %v", text, fields["event.id"])
	}
}

// TestSyslogServer receives over both networks, and over TCP also from a second server after
// the first one has gone away.
func TestSyslogServer(t *testing.T) {
	severities, hosts := []uint8{2, 4, 5}, []string{"bmc7", "", ""}
	t.Run("udp", func(t *testing.T) {
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o := open(t, "udp://"+l.LocalAddr().String())
		if err := o.Write(t.Context(), entries()); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64<<10)
		for i, want := range entries() {
			if err := l.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			n, _, err := l.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			checkLine(t, buf[:n], want, severities[i], hosts[i])
		}
	})
	t.Run("tcp", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o := open(t, "tcp://"+l.Addr().String())
		for range 2 {
			if err := o.Write(t.Context(), entries()); err != nil {
				t.Fatal(err)
			}
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(conn)
			for i, want := range entries() {
				if !lines.Scan() {
					t.Fatal("connection ended early")
				}
				checkLine(t, lines.Bytes(), want, severities[i], hosts[i])
			}
			if err := conn.Close(); err != nil { // the server restarts
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		o := open(t, "tcp://127.0.0.1:1")
		if err := o.Write(t.Context(), entries()); err == nil {
			t.Error("entries were taken that nobody received")
		}
	})
}

func TestLocalSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := open(t, "unix://"+path)
	if err := o.Write(t.Context(), entries()[:1]); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, _, err := l.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	stamp := entries()[0].Time.Local().Format(time.Stamp)
	if got := string(buf[:n]); !strings.HasPrefix(got, "<130>"+stamp+" redfish: {") {
		t.Errorf("%q", got)
	}
}

func TestJSONLines(t *testing.T) {
	var out bytes.Buffer
	o := &Output{lines: &jsonLines{w: &out}}
	if err := o.Write(t.Context(), entries()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[2], `"message":"two\nlines"`) || !strings.Contains(lines[0], `"@timestamp":"2026-03-04T05:06:07.123456789Z"`) {
		t.Errorf("%q", lines)
	}
}

// store refuses or fails when told so.
type store struct {
	docs     int
	closed   bool
	rejected []logstore.Rejected
	err      error
}

func (s *store) Write(_ context.Context, _ string, docs []logstore.Document) ([]logstore.Rejected, error) {
	s.docs += len(docs)
	return s.rejected, s.err
}

func (s *store) Close() error { s.closed = true; return nil }

func TestStoreComesFirst(t *testing.T) {
	var out bytes.Buffer
	s := &store{err: errors.New("disk full")}
	o, err := New(Config{}, "redfish", s, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	o.lines = &jsonLines{w: &out}
	if err := o.Write(t.Context(), entries()); !errors.Is(err, s.err) || out.Len() > 0 {
		t.Errorf("%v; %d bytes of lines that will come again", err, out.Len())
	}
	// What can never be stored must not hold up the rest for ever.
	s.err, s.rejected = nil, []logstore.Rejected{{ID: "a", Reason: "mapping"}}
	if err := o.Write(t.Context(), entries()); err != nil || testutil.ToFloat64(o.refused) != 1 {
		t.Errorf("%v, %v refused", err, testutil.ToFloat64(o.refused))
	}
	s.rejected = nil
	if err := o.Write(t.Context(), entries()); err != nil || s.docs != 9 || out.Len() == 0 {
		t.Errorf("%v, %d documents", err, s.docs)
	}
	if err := o.Close(); err != nil || !s.closed {
		t.Errorf("close: %v, store closed %t", err, s.closed)
	}
	if o, err := New(Config{}, "x", nil, quiet(), prometheus.NewRegistry()); err != nil || o.Enabled() {
		t.Errorf("an output to nowhere is enabled, %v", err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t *testing.T, output string) *Output {
	t.Helper()
	conf := Config{Output: output}
	if err := conf.Validate(); err != nil {
		t.Fatal(err)
	}
	o, err := New(conf, "redfish", nil, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}
