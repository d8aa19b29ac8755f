package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/inframind/inframind/internal/logstore"
)

const (
	// dialLimit and writeLimit bound a syslog server that does not answer.
	dialLimit  = 5 * time.Second
	writeLimit = 5 * time.Second
	// maxLine is what syslog servers take at least, in bytes of message text: a datagram has
	// no room for more, and rsyslog cuts at 8 KiB.
	maxLine = 4 << 10
	local0  = 16 // syslog facility
)

// jsonLine is a document as one line of JSON.
func jsonLine(d logstore.Document) ([]byte, error) {
	m := maps.Clone(d.Fields)
	if m == nil {
		m = map[string]any{}
	}
	m["@timestamp"], m["message"], m["event.id"] = d.Time.Format(time.RFC3339Nano), d.Message, d.ID
	line, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode entry: %w", err)
	}
	return line, nil
}

// jsonLines writes JSON lines.
type jsonLines struct {
	mu sync.Mutex
	w  io.Writer
}

func (j *jsonLines) write(_ context.Context, docs []logstore.Document) error {
	var out []byte
	for _, d := range docs {
		line, err := jsonLine(d)
		if err != nil {
			return err
		}
		out = append(append(out, line...), '\n')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err := j.w.Write(out)
	return err
}

// syslog sends entries to a syslog server: RFC 5424 with the JSON line as message over UDP
// and TCP, one line each; to a local socket in the form of syslog(3), which is what its
// readers expect. It connects when needed and again after an error.
type syslog struct {
	app, network, address string

	mu   sync.Mutex
	conn net.Conn
}

func (s *syslog) write(ctx context.Context, docs []logstore.Document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.connect(ctx); err != nil {
		return err
	}
	for _, d := range docs {
		line, err := s.line(d)
		if err != nil {
			return err
		}
		if _, err := s.conn.Write(line); err != nil {
			err = errors.Join(err, s.conn.Close())
			s.conn = nil
			return err
		}
	}
	return nil
}

// connect makes sure that there is a connection with a deadline.
func (s *syslog) connect(ctx context.Context) error {
	if s.conn != nil && s.network == "tcp" && hungUp(s.conn) {
		_ = s.conn.Close()
		s.conn = nil
	}
	if s.conn == nil {
		ctx, cancel := context.WithTimeout(ctx, dialLimit)
		defer cancel()
		conn, err := (&net.Dialer{}).DialContext(ctx, s.network, s.address)
		if err != nil {
			return err
		}
		s.conn = conn
	}
	limit := time.Now().Add(writeLimit)
	if d, ok := ctx.Deadline(); ok && d.Before(limit) {
		limit = d
	}
	return s.conn.SetWriteDeadline(limit)
}

// hungUp says that the server has closed the connection. A syslog server sends nothing, so a
// read that ends otherwise than by its deadline means that; without this the first lines
// after a restart of the server would be lost in the kernel's buffer.
func hungUp(conn net.Conn) bool {
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return true
	}
	_, err := conn.Read(make([]byte, 1))
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

func (s *syslog) line(d logstore.Document) ([]byte, error) {
	if len(d.Message) > maxLine {
		d.Message = strings.ToValidUTF8(d.Message[:maxLine], "") + "…"
	}
	text, err := jsonLine(d)
	if err != nil {
		return nil, err
	}
	host, _ := d.Fields["host.name"].(string)
	priority := local0*8 + severity(d.Fields["log.level"])
	if s.network == "unixgram" {
		return fmt.Appendf(nil, "<%d>%s %s: %s", priority, d.Time.Local().Format(time.Stamp), s.app, text), nil
	}
	line := fmt.Appendf(nil, "<%d>1 %s %s %s - - - %s", priority, d.Time.Format("2006-01-02T15:04:05.999999Z07:00"), hostname(host), s.app, text)
	if s.network == "tcp" {
		line = append(line, '\n')
	}
	return line, nil
}

// hostname fits a target into syslog's HOSTNAME: printable ASCII without spaces.
func hostname(target string) string {
	target = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, target)
	if target == "" {
		return "-"
	}
	return target[:min(len(target), 255)]
}

// severity is syslog's code of a log.level.
func severity(level any) int {
	text, _ := level.(string)
	switch strings.ToLower(text) {
	case "critical", "fatal":
		return 2
	case "error":
		return 3
	case "warning", "warn":
		return 4
	case "info":
		return 6
	case "debug":
		return 7
	}
	return 5
}

// Close closes the connection.
func (s *syslog) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
