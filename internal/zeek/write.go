package zeek

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// FormatTime writes Unix nanoseconds the way Zeek writes a time.
func FormatTime(ns int64) string { return fmt.Sprintf("%d.%06d", ns/1e9, ns%1e9/1000) }

// Writer writes a conn or dns log as TSV.
type Writer struct {
	w    *bufio.Writer
	kind Kind
}

var connColumns = []string{
	"ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes", "resp_bytes",
	"conn_state", "local_orig", "local_resp", "missed_bytes", "history", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes",
}

var dnsColumns = []string{"ts", "uid", "id.orig_h", "id.resp_h", "query", "qtype_name", "rcode_name"}

// NewWriter writes the header of the log kind, KindConn or KindDNS, to w.
func NewWriter(w io.Writer, kind Kind) (*Writer, error) {
	columns := connColumns
	if kind == KindDNS {
		columns = dnsColumns
	}
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10), kind: kind}
	_, err := fmt.Fprintf(out.w, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t%s\n#fields\t%s\n", kind, strings.Join(columns, "\t"))
	return out, err
}

// Conn writes one connection.
func (w *Writer) Conn(c *Conn) error {
	duration := "-"
	if !math.IsNaN(c.Duration) {
		duration = strconv.FormatFloat(c.Duration, 'f', 6, 64)
	}
	return w.line(FormatTime(c.Time), clean(c.UID), c.Orig.String(), strconv.Itoa(int(c.OrigPort)), c.Resp.String(), strconv.Itoa(int(c.RespPort)),
		c.Proto.String(), clean(c.Service), duration, num(c.OrigBytes), num(c.RespBytes), c.State.String(), triText(c.LocalOrig), triText(c.LocalResp),
		num(c.MissedBytes), clean(c.History), num(c.OrigPkts), num(c.OrigIPBytes), num(c.RespPkts), num(c.RespIPBytes))
}

// App writes one DNS query.
func (w *Writer) App(a *App) error {
	return w.line(FormatTime(a.Time), clean(a.UID), a.Orig.String(), a.Resp.String(), clean(a.Name), clean(a.Type), clean(a.Code))
}

// Flush writes what is buffered.
func (w *Writer) Flush() error { return w.w.Flush() }

func (w *Writer) line(fields ...string) error {
	_, err := w.w.WriteString(strings.Join(fields, "\t") + "\n")
	return err
}

func num(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func triText(t Tri) string { return [...]string{"-", "F", "T"}[t] }

// clean escapes what would break a line, as Zeek does.
func clean(s string) string {
	if s == "" {
		return "-"
	}
	return strings.NewReplacer("\t", `\x09`, "\n", `\x0a`, "\r", `\x0d`).Replace(s)
}
