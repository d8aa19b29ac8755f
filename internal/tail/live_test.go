package tail

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// fakeJournal is a journalctl that prints recorded entries in the real one's JSON and obeys
// --after-cursor as the real one does: unknown cursors are an error.
const fakeJournal = `#!/bin/sh
dir=$(dirname "$0")
echo "$@" >> "$dir/calls"
from=1
for a in "$@"; do
  case $a in --after-cursor=*)
    from=$(grep -nF "\"__CURSOR\":\"${a#--after-cursor=}\"" "$dir/entries" | cut -d: -f1)
    [ -n "$from" ] || { echo "Failed to seek to cursor: Invalid argument" >&2; exit 1; }
    from=$((from+1));;
  esac
done
exec tail -n +$from -f "$dir/entries"
`

func (b *bench) journal(entries ...string) string {
	b.Helper()
	bin := b.TempDir()
	b.must(os.WriteFile(filepath.Join(bin, "journalctl"), []byte(fakeJournal), 0o755))
	b.must(os.WriteFile(filepath.Join(bin, "entries"), []byte(strings.Join(entries, "")), 0o644))
	b.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	b.conf.Journal = true
	return bin
}

func journalLine(n int, message string) string {
	return fmt.Sprintf(`{"__CURSOR":"s=4f;i=%x;b=9a;m=1","__REALTIME_TIMESTAMP":"1763720521%06d","_BOOT_ID":"9a","PRIORITY":"3","SYSLOG_FACILITY":"4","SYSLOG_IDENTIFIER":"sshd","_COMM":"sshd-session","_PID":"4711","_HOSTNAME":"web-1","_SYSTEMD_UNIT":"ssh.service","_TRANSPORT":"syslog","MESSAGE":%s}`+"\n", n, n, message)
}

func TestJournal(t *testing.T) {
	b := newBench(t)
	bin := b.journal(journalLine(1, `"Failed password"`), journalLine(2, `[98,255,100]`), `{"__CURSOR":"x"}`+"\n", "not json\n", journalLine(3, `["first","second"]`))
	b.start()
	b.want("Failed password", "b\uFFFDd", "first")
	docs, err := b.store.Latest(t.Context(), logstore.Query{Index: logstore.IndexLogs, Text: "password"})
	b.must(err)
	d := docs[0]
	if d.Fields["service.name"] != "sshd" || d.Fields["process.pid"] != int64(4711) || d.Fields["log.level"] != "error" || d.Fields["host.name"] != "web-1" || !d.Time.Equal(at("2025-11-21T10:22:01.000001Z")) {
		t.Errorf("got %+v", d)
	}
	b.halt()
	f, err := os.OpenFile(filepath.Join(bin, "entries"), os.O_APPEND|os.O_WRONLY, 0)
	b.must(err)
	_, err = io.WriteString(f, journalLine(4, `"after the restart"`))
	b.must(err)
	b.must(f.Close())
	b.start()
	b.want("Failed password", "b\uFFFDd", "first", "after the restart")
	calls, err := os.ReadFile(filepath.Join(bin, "calls"))
	b.must(err)
	if !strings.Contains(string(calls), "--after-cursor=s=4f;i=3;b=9a;m=1") {
		t.Errorf("calls:\n%s", calls)
	}
}

// The journal was vacuumed: the saved cursor is no more.
func TestJournalCursorIsGone(t *testing.T) {
	b := newBench(t)
	b.journal(journalLine(7, `"still here"`))
	b.must(os.MkdirAll(b.conf.StateDir, 0o755))
	b.must(os.WriteFile(filepath.Join(b.conf.StateDir, "positions.json"), []byte(`{"version":1,"files":null,"journal":"s=gone"}`), 0o600))
	b.start()
	b.want("still here")
}

func TestSyslogPort(t *testing.T) {
	b := newBench(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	b.conf.Listen = l.Addr().String()
	b.must(l.Close())
	b.start()
	var tcp net.Conn
	for range 200 {
		if tcp, err = net.Dial("tcp", b.conf.Listen); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.must(err)
	defer tcp.Close()
	udp, err := net.Dial("udp", b.conf.Listen)
	b.must(err)
	defer udp.Close()
	for _, m := range []string{"<34>Oct 11 22:14:15 m su: datagram", "<34>1 2026-10-11T22:14:15Z m su - - - modern datagram", ""} {
		_, err := io.WriteString(udp, m)
		b.must(err)
	}
	counted := "<34>1 2026-10-11T22:14:15Z m su - - - counted\nlines!!"
	_, err = fmt.Fprintf(tcp, "<34>Oct 11 22:14:15 m su: by line\r\n%d %s<34>Oct 11 22:14:15 m su: again by line\n", len(counted), counted)
	b.must(err)
	b.want("datagram", "modern datagram", "by line", "counted\nlines!!", "again by line")
}

func TestFrame(t *testing.T) {
	long := "<1>" + strings.Repeat("x", maxLine)
	r := bufio.NewReaderSize(strings.NewReader("5 <1>ab<2>c\n999999999 x\n"+long+"\n7 <3>cut"), maxLine)
	var got []string
	for {
		raw, err := frame(r)
		if len(raw) > 0 {
			got = append(got, string(raw))
		}
		if err != nil {
			break
		}
	}
	want := []string{"<1>ab", "<2>c\n", "999999999 x\n", long[:maxLine], long[maxLine:] + "\n", "<3>cut"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %.200q", got)
	}
}
