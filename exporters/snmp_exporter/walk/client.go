// Package walk asks a device for many columns at once: several columns in one GETBULK, a few
// requests in flight, sizes learned from the device. One column that fails loses that column.
package walk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
)

// Params bound the requests of one walk.
type Params struct {
	MaxRepetitions     uint32        // below 25: varbinds of one response at most; else they are learned
	Retries            int           // after the first attempt
	Timeout            time.Duration // of one attempt at most
	AllowNonIncreasing bool
}

// Options say how a device is reached.
type Options struct {
	Auth        *conf.Auth
	ContextName string // SNMPv3 context; overrides the auth's
	Unconnected bool   // accept replies from another address
	Source      string // local address:port, may be empty
	InFlight    int    // requests under way at once, default 2
	Device      *Device
	// Observe, when set, is told of each answer's delay.
	Observe func(time.Duration)
}

// Client speaks to one device for one scrape. It is not kept: a UDP socket costs nothing.
type Client struct {
	target string
	opts   Options

	mu    sync.Mutex
	conns []*gosnmp.GoSNMP
	ready bool // conns[0] knows the engine of the device

	// Packets counts requests sent, Retries those that repeat one, Answers what came back.
	Packets, Retries, Answers atomic.Int64
	usable                    atomic.Int64 // answers that were understood
}

// Errors a caller may ask for.
var (
	ErrNoAnswer = errors.New("no answer (is the address right, is SNMP on, does the community match?)")
	ErrLogin    = errors.New("SNMPv3 login failed")
)

// Dial prepares a client for target, which is [udp://|tcp://]host[:port]. Nothing is sent yet.
func Dial(ctx context.Context, target string, opts Options) (*Client, error) {
	if opts.InFlight <= 0 {
		opts.InFlight = 2
	}
	if opts.Device == nil {
		opts.Device = NewDevice()
	}
	c := &Client{target: target, opts: opts}
	g, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	c.conns = []*gosnmp.GoSNMP{g}
	return c, nil
}

// Close frees the sockets.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, g := range c.conns {
		errs = append(errs, g.Conn.Close())
	}
	c.conns = nil
	return errors.Join(errs...)
}

// SplitTarget takes [udp://|tcp://]host[:port] apart; the port defaults to 161.
func SplitTarget(target string) (transport, host string, port uint16, err error) {
	transport = "udp"
	if t, rest, ok := strings.Cut(target, "://"); ok {
		transport, target = t, rest
	}
	switch transport {
	case "udp", "udp4", "udp6", "tcp", "tcp4", "tcp6":
	default:
		return "", "", 0, fmt.Errorf("target: transport %q is unknown, use udp or tcp", transport)
	}
	host, port = target, 161
	if h, p, splitErr := net.SplitHostPort(target); splitErr == nil {
		n, convErr := strconv.ParseUint(p, 10, 16)
		if convErr != nil || n == 0 {
			return "", "", 0, fmt.Errorf("target %q: port %q is not a number from 1 to 65535", target, p)
		}
		host, port = h, uint16(n)
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.ContainsAny(host, "/ ") {
		return "", "", 0, fmt.Errorf("target %q: no host", target)
	}
	return transport, host, port, nil
}

func (c *Client) open(ctx context.Context) (*gosnmp.GoSNMP, error) {
	transport, host, port, err := SplitTarget(c.target)
	if err != nil {
		return nil, err
	}
	g := &gosnmp.GoSNMP{
		Target: host, Port: port, Transport: transport, Context: ctx,
		Timeout: conf.DefaultTimeout, MaxOids: 1 << 10,
		UseUnconnectedUDPSocket: c.opts.Unconnected, LocalAddr: c.opts.Source,
	}
	if err := configureAuth(g, c.opts.Auth); err != nil {
		return nil, err
	}
	if c.opts.ContextName != "" {
		g.ContextName = c.opts.ContextName
	}
	var sent time.Time
	g.OnSent = func(*gosnmp.GoSNMP) { c.Packets.Add(1); sent = time.Now() }
	g.OnRecv = func(*gosnmp.GoSNMP) {
		if c.Answers.Add(1); c.opts.Observe != nil {
			c.opts.Observe(time.Since(sent))
		}
	}
	if err := g.Connect(); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", c.target, err)
	}
	if usm := c.opts.Device.engine(); usm != nil && g.Version == gosnmp.Version3 {
		g.SecurityParameters = usm
		g.ContextEngineID = usm.AuthoritativeEngineID
	}
	return g, nil
}

// conn gives worker i its own socket. Worker 0 must have had an answer before the others ask,
// so that the SNMPv3 engine is discovered once.
func (c *Client) conn(ctx context.Context, i int) (*gosnmp.GoSNMP, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.conns) <= i {
		g, err := c.open(ctx)
		if err != nil {
			return nil, err
		}
		c.conns = append(c.conns, g)
	}
	c.conns[i].Context = ctx
	return c.conns[i], nil
}

// remember keeps the engine id, boots and time of g for the next connection and scrape.
func (c *Client) remember(g *gosnmp.GoSNMP) {
	if g.Version != gosnmp.Version3 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready {
		return
	}
	c.ready = true
	if usm, ok := g.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok && usm.AuthoritativeEngineID != "" {
		c.opts.Device.setEngine(usm)
	}
}

func configureAuth(g *gosnmp.GoSNMP, a *conf.Auth) error {
	if a == nil {
		return errors.New("no auth given")
	}
	g.ContextName = a.ContextName
	switch a.Version {
	case 1:
		g.Version, g.Community = gosnmp.Version1, string(a.Community)
		return nil
	case 2:
		g.Version, g.Community = gosnmp.Version2c, string(a.Community)
		return nil
	}
	g.Version, g.SecurityModel = gosnmp.Version3, gosnmp.UserSecurityModel
	g.MsgFlags = gosnmp.NoAuthNoPriv
	usm := &gosnmp.UsmSecurityParameters{UserName: a.Username}
	if a.SecurityLevel == "authNoPriv" || a.SecurityLevel == "authPriv" {
		g.MsgFlags = gosnmp.AuthNoPriv
		usm.AuthenticationPassphrase = string(a.Password)
		usm.AuthenticationProtocol = authProtocol(a.AuthProtocol)
	}
	if a.SecurityLevel == "authPriv" {
		g.MsgFlags = gosnmp.AuthPriv
		usm.PrivacyPassphrase = string(a.PrivPassword)
		usm.PrivacyProtocol = privProtocol(a.PrivProtocol)
	}
	g.SecurityParameters = usm
	return nil
}

// UsersParams are the SNMPv3 parameters of a as a receiver of traps needs them.
func UsersParams(a *conf.Auth) (*gosnmp.UsmSecurityParameters, gosnmp.SnmpV3MsgFlags, error) {
	var g gosnmp.GoSNMP
	if err := configureAuth(&g, a); err != nil {
		return nil, 0, err
	}
	usm, ok := g.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if !ok {
		return nil, 0, fmt.Errorf("version %d has no SNMPv3 user", a.Version)
	}
	return usm, g.MsgFlags, nil
}

func authProtocol(name string) gosnmp.SnmpV3AuthProtocol {
	switch name {
	case "SHA":
		return gosnmp.SHA
	case "SHA224":
		return gosnmp.SHA224
	case "SHA256":
		return gosnmp.SHA256
	case "SHA384":
		return gosnmp.SHA384
	case "SHA512":
		return gosnmp.SHA512
	}
	return gosnmp.MD5
}

func privProtocol(name string) gosnmp.SnmpV3PrivProtocol {
	switch name {
	case "AES":
		return gosnmp.AES
	case "AES192":
		return gosnmp.AES192
	case "AES192C":
		return gosnmp.AES192C
	case "AES256":
		return gosnmp.AES256
	case "AES256C":
		return gosnmp.AES256C
	}
	return gosnmp.DES
}
