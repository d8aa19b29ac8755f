package tail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of the syslog port.
const (
	maxConns    = 256
	maxDatagram = 64 << 10
	idleConn    = 10 * time.Minute
)

// listen receives syslog (RFC 3164 and RFC 5424) over UDP and TCP (RFC 6587, both framings)
// on t.conf.Listen. What was received and not yet stored is lost when the process dies:
// syslog has no acknowledgement. A TCP sender is slowed down while the store is behind,
// datagrams are then dropped and counted.
func (t *Tailer) listen(ctx context.Context, wg *sync.WaitGroup) error {
	var lc net.ListenConfig
	tcp, err := lc.Listen(ctx, "tcp", t.conf.Listen)
	if err != nil {
		return fmt.Errorf("tail: syslog: %w", err)
	}
	// Port 0 is for tests: both then share the port that TCP got.
	udp, err := lc.ListenPacket(ctx, "udp", tcp.Addr().String())
	if err != nil {
		return errors.Join(fmt.Errorf("tail: syslog: %w", err), tcp.Close())
	}
	t.log.Info("syslog is received", "address", tcp.Addr().String())
	context.AfterFunc(ctx, func() {
		_ = tcp.Close()
		_ = udp.Close()
	})
	wg.Go(func() { t.datagrams(udp) })
	wg.Go(func() { t.accept(ctx, tcp, wg) })
	return nil
}

func (t *Tailer) datagrams(udp net.PacketConn) {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := udp.ReadFrom(buf)
		if err != nil {
			return // closed
		}
		if e, ok := t.message(buf[:n], from); ok {
			select {
			case t.live <- e:
			default:
				t.metrics.dropped.Inc()
			}
		}
	}
}

func (t *Tailer) accept(ctx context.Context, l net.Listener, wg *sync.WaitGroup) {
	slots := make(chan struct{}, maxConns)
	var refused sync.Once
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed
		}
		select {
		case slots <- struct{}{}:
		default:
			refused.Do(func() { t.log.Warn("syslog connections are refused", "limit", maxConns) })
			_ = conn.Close()
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			defer func() { _ = conn.Close() }()
			t.stream(ctx, conn)
		})
	}
}

func (t *Tailer) stream(ctx context.Context, conn net.Conn) {
	r := bufio.NewReaderSize(conn, maxLine)
	for ctx.Err() == nil {
		if err := conn.SetReadDeadline(time.Now().Add(idleConn)); err != nil {
			return
		}
		raw, err := frame(r)
		if e, ok := t.message(raw, conn.RemoteAddr()); ok {
			select {
			case t.live <- e:
			case <-ctx.Done():
			}
		}
		if err != nil {
			return
		}
	}
}

// frame reads one message: "12 <34>1 ..." counts octets, anything else ends with a newline.
// A line that is longer than the reader's buffer comes in pieces.
func frame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(1)
	if err != nil {
		return nil, err
	}
	if head[0] >= '1' && head[0] <= '9' {
		head, _ = r.Peek(8) // fewer are there at the end of a stream
	}
	digits, _, ok := bytes.Cut(head, []byte(" "))
	if n, err := strconv.Atoi(string(digits)); ok && err == nil && n > 0 && n <= maxLine {
		if _, err := r.Discard(len(digits) + 1); err != nil {
			return nil, err
		}
		buf := make([]byte, n)
		got, err := io.ReadFull(r, buf)
		return buf[:got], err
	}
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return bytes.Clone(line), err
}

// message makes an entry of one syslog message. Its id is random: a sender that repeats
// itself means it.
func (t *Tailer) message(raw []byte, from net.Addr) (entry, bool) {
	line := strings.Trim(string(raw), "\r\n\x00")
	if strings.TrimSpace(line) == "" {
		return entry{}, false
	}
	now := time.Now()
	p := t.lines
	if host, _, err := net.SplitHostPort(from.String()); err == nil {
		p.host = host
	}
	rec := p.parse(line, "syslog", now)
	if !rec.timed {
		rec.Time = now.UTC()
	}
	rec.ID = "syslog-" + strings.ToLower(rand.Text())
	rec.Fields["log.source.address"] = from.String()
	return entry{doc: rec.Document}, true
}
