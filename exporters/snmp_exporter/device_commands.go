package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/inframind/inframind/exporters/snmp_exporter/agent"
	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/exporter"
)

// login is how a command that speaks to one device is told to log in.
type login struct {
	name                           string // of an auth in the configuration
	community                      string
	version                        string
	user, level, authProto, priv   string
	passwordFile, privPasswordFile string
}

func loginFlags(c *kingpin.CmdClause) *login {
	l := &login{}
	c.Flag("auth", "Name of an auth in the configuration; the flags below are then not used.").StringVar(&l.name)
	c.Flag("community", "Community of SNMPv1 and v2c.").Default("public").StringVar(&l.community)
	c.Flag("snmp-version", "SNMP version: 1, 2c or 3.").Default("2c").EnumVar(&l.version, "1", "2", "2c", "3")
	c.Flag("user", "User of SNMPv3.").StringVar(&l.user)
	c.Flag("level", "Security level of SNMPv3.").Default("authPriv").EnumVar(&l.level, "noAuthNoPriv", "authNoPriv", "authPriv")
	c.Flag("auth-protocol", "Authentication of SNMPv3.").Default("SHA").EnumVar(&l.authProto, conf.AuthProtocols...)
	c.Flag("priv-protocol", "Encryption of SNMPv3.").Default("AES").EnumVar(&l.priv, conf.PrivProtocols...)
	c.Flag("password-file", "File with the authentication password.").StringVar(&l.passwordFile)
	c.Flag("priv-password-file", "File with the encryption password; default is the authentication password.").StringVar(&l.privPasswordFile)
	return l
}

func (l *login) auth(c *conf.Config) (*conf.Auth, error) {
	if l.name != "" {
		if c != nil && c.Auths[l.name] != nil {
			return c.Auths[l.name], nil
		}
		return nil, cli.Usagef("no auth is called %q in the configuration", l.name)
	}
	a := &conf.Auth{Community: conf.Secret(l.community), Version: 2}
	switch l.version {
	case "1":
		a.Version = 1
	case "3":
		*a = conf.Auth{Version: 3, Username: l.user, SecurityLevel: l.level, AuthProtocol: l.authProto, PrivProtocol: l.priv}
	}
	for _, f := range []struct {
		file string
		to   *conf.Secret
	}{{l.passwordFile, &a.Password}, {l.privPasswordFile, &a.PrivPassword}} {
		if f.file == "" {
			continue
		}
		secret, err := exporter.ReadSecret(f.file)
		if err != nil {
			return nil, cli.Usage(err)
		}
		*f.to = conf.Secret(secret)
	}
	if a.PrivPassword == "" {
		a.PrivPassword = a.Password
	}
	check := &conf.Config{Auths: map[string]*conf.Auth{commandLine: a}}
	if err := check.Validate(); err != nil {
		return nil, cli.Usage(err)
	}
	return a, nil
}

// addWalk adds the command that records a device.
func addWalk(a *cli.App) {
	c := a.Command("walk", "Record a device as a .snmprec file, for replay and bug reports.")
	c.HelpLong("Examples:\n  snmp_exporter walk 192.0.2.1 --output switch.snmprec\n  snmp_exporter walk 192.0.2.1 1.3.6.1.2.1.31 > ifx.snmprec\n\nA recording holds names, addresses and serial numbers of the device: read it before you share it.")
	target := c.Arg("target", "[udp://|tcp://]host[:port]").Required().String()
	roots := c.Arg("oid", "Subtrees to record.").Default("1.3.6.1.2.1", "1.3.6.1.4.1", "1.0.8802").Strings()
	l := loginFlags(c)
	output := c.Flag("output", "File to write; default is standard output.").Short('o').String()
	limit := c.Flag("timeout", "How long it may take.").Default("10m").Duration()
	a.Do(c, func(ctx context.Context, env cli.Env) (err error) {
		auth, err := l.auth(nil)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		w := env.Stdout
		if *output != "" {
			f, openErr := os.OpenFile(*output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			if openErr != nil {
				return openErr
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			w = f
		}
		n, err := record(ctx, w, *target, auth, *roots)
		fmt.Fprintf(env.Stderr, "%d values recorded\n", n)
		return err
	})
}

// record walks the subtrees and writes them as a recording.
func record(ctx context.Context, w io.Writer, target string, auth *conf.Auth, roots []string) (n int, err error) {
	client, err := walk.Dial(ctx, target, walk.Options{Auth: auth})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	p := walk.Params{Retries: conf.DefaultRetries, Timeout: conf.DefaultTimeout}
	for _, root := range roots {
		walked, walkErr := client.Walk(ctx, p, []walk.Column{{OID: root}})
		for _, col := range walked {
			for _, r := range col.Rows {
				if err := agent.WriteRec(w, col.OID+"."+r.Index, byte(r.Value.Tag), r.Value.Text()); err != nil {
					return n, fmt.Errorf("write recording: %w", err)
				}
				n++
			}
			if col.Err != nil {
				walkErr = fmt.Errorf("%s: %w", col.OID, col.Err)
			}
		}
		if walkErr != nil {
			return n, walkErr
		}
	}
	return n, nil
}

// addReplay adds the command that serves recordings as agents.
func addReplay(a *cli.App) {
	c := a.Command("replay", "Serve recordings as SNMPv1/v2c agents.")
	c.HelpLong("Example:\n  snmp_exporter replay switch.snmprec ups.snmprec --listen 127.0.0.1:1161\n  snmp_exporter probe 127.0.0.1:1161 --community switch\n\nThe community is the name of the file without its extensions; with one file any community is answered.")
	files := c.Arg("file", ".snmprec files or output of snmpwalk -On, plain, .gz or .bz2.").Required().ExistingFiles()
	listen := c.Flag("listen", "UDP address.").Default("127.0.0.1:1161").String()
	delay := c.Flag("delay", "Delay of each answer.").Default("0s").Duration()
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		s := &agent.Server{Devices: map[string]*agent.Device{}, Delay: *delay, Log: env.Log}
		for _, f := range *files {
			d, skipped, err := agent.ReadFile(f)
			if err != nil {
				return cli.Usage(fmt.Errorf("%s: %w", f, err))
			}
			name := agent.Community(f)
			s.Devices[name] = d
			if len(*files) == 1 {
				s.Devices[""] = d
			}
			env.Log.Info("recording loaded", "file", f, "community", name, "objects", d.Len(), "skipped", skipped)
		}
		addr, wait, err := s.Listen(ctx, *listen)
		if err != nil {
			return err
		}
		start := time.Now()
		env.Log.Info("replaying", "address", addr, "communities", strings.Join(s.Communities(), " "))
		<-ctx.Done()
		wait()
		env.Log.Info("stopped", "requests", s.Requests.Load(), "varbinds", s.Sent.Load(), "after", time.Since(start).Round(time.Second))
		return nil
	})
}
