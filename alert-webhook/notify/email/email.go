// Package email is the channel for SMTP servers.
package email

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/notify"
)

// maxBody is the longest text that is sent; servers commonly take 10 MB.
const maxBody = 1 << 20

// Config of one group of recipients.
type Config struct {
	Server       string              `yaml:"server"` // host:port; 465 is TLS from the start, else STARTTLS
	From         string              `yaml:"from"`
	To           []string            `yaml:"to"`
	Username     string              `yaml:"username,omitempty"`
	Password     commoncfg.Secret    `yaml:"password,omitempty"`
	PasswordFile string              `yaml:"password_file,omitempty"`
	TLSConfig    commoncfg.TLSConfig `yaml:"tls_config,omitempty"`
	// AllowPlaintext lets mail out without TLS if the server has none. A password never is.
	AllowPlaintext bool `yaml:"allow_plaintext,omitempty"`
}

// Notifier sends mail.
type Notifier struct {
	conf     Config
	host     string
	tls      *tls.Config
	from     *mail.Address
	to       []*mail.Address
	password notify.Secret
}

// New makes a Notifier.
func New(c Config) (*Notifier, error) {
	n := &Notifier{conf: c, password: notify.Secret{Name: "email.password", Value: c.Password, File: c.PasswordFile}}
	var err error
	if n.host, _, err = net.SplitHostPort(c.Server); err != nil || n.host == "" {
		return nil, fmt.Errorf("email.server: %q, want host:port", c.Server)
	}
	if n.from, err = mail.ParseAddress(c.From); err != nil {
		return nil, fmt.Errorf("email.from: %q: %w", c.From, err)
	}
	for _, a := range c.To {
		addr, err := mail.ParseAddress(a)
		if err != nil {
			return nil, fmt.Errorf("email.to: %q: %w", a, err)
		}
		n.to = append(n.to, addr)
	}
	if len(n.to) == 0 {
		return nil, errors.New("email.to: name at least one address")
	}
	if c.Username != "" {
		if err := n.password.Check(); err != nil {
			return nil, err
		}
	}
	if n.tls, err = commoncfg.NewTLSConfig(&c.TLSConfig); err != nil {
		return nil, fmt.Errorf("email.tls_config: %w", err)
	}
	if n.tls.ServerName == "" {
		n.tls.ServerName = n.host
	}
	return n, nil
}

// Notify implements notify.Notifier. SMTP's 4yz answers are worth another try, 5yz are not.
func (n *Notifier) Notify(ctx context.Context, g alert.Group) (retry bool, err error) {
	msg, err := n.message(g, time.Now())
	if err != nil {
		return false, fmt.Errorf("email: %w", err)
	}
	if err := n.send(ctx, msg); err != nil {
		var p *textproto.Error
		final := errors.As(err, &p) && p.Code >= 500 || errors.Is(err, errNoTLS)
		return !final, fmt.Errorf("email: %w", err)
	}
	return false, nil
}

var errNoTLS = errors.New("the server offers no STARTTLS; allow_plaintext would send without, but never a password")

func (n *Notifier) send(ctx context.Context, msg []byte) (err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.conf.Server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // after QUIT there is nothing to lose
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if strings.HasSuffix(n.conf.Server, ":465") {
		conn = tls.Client(conn, n.tls)
	}
	c, err := smtp.NewClient(conn, n.host)
	if err != nil {
		return err
	}
	if _, secure := conn.(*tls.Conn); !secure {
		if ok, _ := c.Extension("STARTTLS"); ok {
			if err := c.StartTLS(n.tls); err != nil {
				return err
			}
		} else if !n.conf.AllowPlaintext || n.conf.Username != "" {
			return errNoTLS
		}
	}
	if n.conf.Username != "" {
		password, err := n.password.Get()
		if err != nil {
			return err
		}
		if err := c.Auth(smtp.PlainAuth("", n.conf.Username, password, n.host)); err != nil {
			return err
		}
	}
	if err := c.Mail(n.from.Address); err != nil {
		return err
	}
	for _, a := range n.to {
		if err := c.Rcpt(a.Address); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(msg); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the mail is accepted; how the server says goodbye does not matter
	return nil
}

// message is a plain-text mail. Mails of one group hang together by References, and each try
// of one notification has the same Message-ID.
func (n *Notifier) message(g alert.Group, now time.Time) ([]byte, error) {
	var to []string
	for _, a := range n.to {
		to = append(to, a.String())
	}
	text := g.Title() + "\n\n" + notify.Body(g, maxBody, func(s string) string { return s }) + "\n"
	if g.ExternalURL != "" {
		text += "\nAlertmanager: " + notify.Cut(strings.Join(strings.Fields(g.ExternalURL), " "), 500) + "\n"
	}
	domain := n.from.Address[strings.LastIndex(n.from.Address, "@")+1:]
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", n.from.String()},
		{"To", strings.Join(to, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", notify.Cut(g.Title(), 200))},
		{"Date", now.Format(time.RFC1123Z)},
		{"Message-ID", "<" + notify.Key([]byte(text)) + "@" + domain + ">"},
		{"References", "<" + notify.Key([]byte(g.GroupKey)) + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	if _, err := q.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	if err := q.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
