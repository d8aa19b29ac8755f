package tail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

// entry is a line that does not come from a file. cursor is set by the journal.
type entry struct {
	doc    logstore.Document
	cursor string
}

func (t *Tailer) takeLive(e entry) {
	t.add(e.doc, func() {
		if e.cursor != "" {
			t.state.Journal = e.cursor
		}
	})
}

// maxEntry bounds one journal entry as JSON.
const maxEntry = 8 << 20

// followJournal runs journalctl after cursor, and again when it ends, until ctx ends.
func (t *Tailer) followJournal(ctx context.Context, cursor string) {
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.log.Info("journal is not followed", "err", err)
		return
	}
	for pause := time.Second; ; {
		last, err := t.runJournal(ctx, cursor)
		if ctx.Err() != nil {
			return
		}
		switch {
		case last != "":
			cursor, pause = last, time.Second
		case strings.Contains(fmt.Sprint(err), "cursor"):
			t.log.Warn("journal does not know the saved position any more, reading this boot from its start", "err", err)
			cursor = ""
		default:
			pause = min(2*pause, time.Minute)
		}
		t.log.Warn("journalctl ended, starting it again", "in", pause, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// runJournal hands over entries until journalctl ends; last is the cursor of the last one.
func (t *Tailer) runJournal(ctx context.Context, cursor string) (last string, err error) {
	args := []string{"--output=json", "--all", "--no-pager", "--follow", "--no-tail"}
	if cursor != "" {
		args = append(args, "--after-cursor="+cursor)
	} else {
		args = append(args, "--boot")
	}
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &limited{buf: &stderr, left: 4096}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, maxEntry)
	for sc.Scan() {
		e, ok := t.journalEntry(sc.Bytes())
		if !ok {
			t.metrics.dropped.Inc()
			continue
		}
		select {
		case t.live <- e:
			last = e.cursor
		case <-ctx.Done():
		}
	}
	if err := sc.Err(); err != nil {
		_ = cmd.Cancel()
	}
	err = cmd.Wait()
	return last, errors.Join(sc.Err(), fmt.Errorf("%w: %s", orEnded(err), strings.Join(strings.Fields(stderr.String()), " ")))
}

var errEnded = errors.New("exit status 0")

func orEnded(err error) error {
	if err == nil {
		return errEnded
	}
	return err
}

// limited keeps the start of what is written to it.
type limited struct {
	buf  *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.buf.Write(p[:n])
	return len(p), nil
}

// text reads a value of journalctl's JSON: a string, or an array of bytes where it is not
// UTF-8, or an array of such where the field is there several times.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var b []int
	if json.Unmarshal(raw, &b) == nil {
		out := make([]byte, len(b))
		for i, v := range b {
			out[i] = byte(v)
		}
		return string(out)
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return text(list[0])
	}
	return ""
}

// journalEntry reads one line of journalctl --output=json.
func (t *Tailer) journalEntry(raw []byte) (entry, bool) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return entry{}, false
	}
	cursor := text(m["__CURSOR"])
	us, err := strconv.ParseInt(text(m["__REALTIME_TIMESTAMP"]), 10, 64)
	if cursor == "" || err != nil {
		return entry{}, false
	}
	sum := sha256.Sum256([]byte(cursor))
	r := record{Document: logstore.Document{
		ID: "journal-" + hex.EncodeToString(sum[:16]), Time: time.UnixMicro(us).UTC(),
		Message: strings.TrimRight(text(m["MESSAGE"]), "\r\n\x00"), Fields: map[string]any{"host.name": t.conf.Host},
	}}
	if len(r.Message) > maxLine {
		r.Message = strings.ToValidUTF8(r.Message[:maxLine], "")
		r.set("log.flags", []string{"truncated"})
	}
	for _, f := range []struct{ name, key string }{
		{"host.name", "_HOSTNAME"},
		{"service.name", "_COMM"},
		{"service.name", "SYSLOG_IDENTIFIER"},
		{"systemd.unit", "_SYSTEMD_UNIT"},
		{"systemd.transport", "_TRANSPORT"},
	} {
		if v := text(m[f.key]); v != "" {
			r.set(f.name, v)
		}
	}
	r.pid(text(m["_PID"]))
	if n, err := strconv.Atoi(text(m["PRIORITY"])); err == nil && n >= 0 && n < len(severities) {
		r.severity(n)
	}
	if n, err := strconv.Atoi(text(m["SYSLOG_FACILITY"])); err == nil && n >= 0 && n < len(facilities) {
		r.set("log.syslog.facility.code", n)
		r.set("log.syslog.facility.name", facilities[n])
	}
	return entry{r.Document, cursor}, true
}
