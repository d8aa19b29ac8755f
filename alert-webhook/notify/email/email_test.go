package email

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/alert-webhook/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a small SMTP server that is as strict as real ones: STARTTLS before AUTH, AUTH
// before MAIL, lines of at most 998 bytes with CRLF.
type server struct {
	addr   string
	cert   tls.Certificate
	plain  bool   // offers no STARTTLS
	refuse string // answer to RCPT

	mu    sync.Mutex
	mails []string
	wg    sync.WaitGroup
}

func newServer(t *testing.T) (s *server, caFile string) {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	web.Close()
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = &server{addr: l.Addr().String(), cert: web.TLS.Certificates[0]}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer func() { _ = conn.Close() }()
				s.talk(t, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.wg.Wait()
	})
	return s, caFile
}

func (s *server) talk(t *testing.T, conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	secure, authed := false, false
	say("220 mail.example.org ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			switch {
			case secure:
				say("250-mail.example.org\r\n250 AUTH PLAIN")
			case s.plain:
				say("250 mail.example.org")
			default:
				say("250-mail.example.org\r\n250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go ahead")
			conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{s.cert}})
			r, secure = bufio.NewReader(conn), true
		case "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(arg, "PLAIN "))
			if !secure || string(raw) != "\x00alerts\x00s3cret" {
				say("535 5.7.8 authentication failed")
				continue
			}
			authed = true
			say("235 ok")
		case "MAIL":
			if !authed && !s.plain {
				say("530 5.7.0 authentication required")
				continue
			}
			say("250 ok")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go ahead")
			say(s.data(t, r))
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what")
		}
	}
}

func (s *server) data(t *testing.T, r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "451 cut off"
		}
		if line == ".\r\n" {
			break
		}
		if !strings.HasSuffix(line, "\r\n") || len(line) > 1000 {
			t.Errorf("line of %d bytes: %.80q", len(line), line)
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, b.String())
	return "250 queued"
}

func config(s *server, caFile string) Config {
	return Config{
		Server: s.addr, From: "Alerts <alerts@example.org>", To: []string{"ops@example.org", "Ünal <u@example.org>"},
		Username: "alerts", Password: "s3cret", TLSConfig: commoncfg.TLSConfig{CAFile: caFile, ServerName: "example.com"},
	}
}

func send(t *testing.T, c Config, size int) (bool, error) {
	t.Helper()
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return n.Notify(ctx, notifytest.Group(size))
}

func TestNotify(t *testing.T) {
	s, ca := newServer(t)
	for range 2 {
		if _, err := send(t, config(s, ca), 300); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, raw := range s.mails {
		m, err := mail.ReadMessage(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Header.Get("Message-ID"))
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != "[FIRING:299] Disk<!channel>" {
			t.Errorf("subject %q, %v", subject, err)
		}
		if to, err := m.Header.AddressList("To"); err != nil || len(to) != 2 || m.Header.Get("Bcc") != "" {
			t.Errorf("to %v, bcc %q, %v", to, m.Header.Get("Bcc"), err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil || strings.Count(string(body), "instance=db-") != 300 {
			t.Errorf("%d alerts in the body, %v", strings.Count(string(body), "instance=db-"), err)
		}
	}
	if len(ids) != 2 || ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("message ids %q", ids)
	}
}

func TestTroubles(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*server, *Config)
		retry  bool
		want   string
	}{
		"full mailbox":        {func(s *server, _ *Config) { s.refuse = "452 4.2.2 mailbox full" }, true, "452"},
		"unknown user":        {func(s *server, _ *Config) { s.refuse = "550 5.1.1 unknown user" }, false, "550"},
		"wrong password":      {func(_ *server, c *Config) { c.Password = "wrong" }, false, "535"},
		"unknown CA":          {func(_ *server, c *Config) { c.TLSConfig.CAFile = "" }, true, "certificate"},
		"no STARTTLS":         {func(s *server, _ *Config) { s.plain = true }, false, "no STARTTLS"},
		"password, no TLS":    {func(s *server, c *Config) { s.plain, c.AllowPlaintext = true, true }, false, "no STARTTLS"},
		"plaintext by intent": {func(s *server, c *Config) { s.plain, c.AllowPlaintext, c.Username = true, true, "" }, false, ""},
		"down":                {func(_ *server, c *Config) { c.Server = "127.0.0.1:1" }, true, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			s, ca := newServer(t)
			c := config(s, ca)
			tc.change(s, &c)
			retry, err := send(t, c, 1)
			if retry != tc.retry || (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("retry %v, err %v", retry, err)
			}
		})
	}
}

func TestBadConfig(t *testing.T) {
	good := Config{Server: "mx:25", From: "a@b", To: []string{"c@d"}}
	for name, change := range map[string]func(*Config){
		"server":   func(c *Config) { c.Server = "mx" },
		"from":     func(c *Config) { c.From = "a@b\r\nBcc: x@y" },
		"to":       func(c *Config) { c.To = []string{"nobody"} },
		"no to":    func(c *Config) { c.To = nil },
		"password": func(c *Config) { c.Username = "u" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "email.") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}
