// Command ipmi_exporter serves the sensors, inventory and event logs of BMCs to Prometheus,
// speaking IPMI itself.
package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/common/config"

	"github.com/inframind/inframind/exporters/ipmi_exporter/collect"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/logstore/elastic"
)

const probeHelp = `Exit status 0 when the BMC is up, 1 when it is down, 2 for wrong usage.

Examples:
  ipmi_exporter probe 192.0.2.7 --user monitor --password-file /etc/ipmi/password
  ipmi_exporter probe bmc7.example.org:6230 --user monitor --password-file p --cipher-suite 17
  ipmi_exporter probe local`

func main() { newApp().Main() }

func newApp() *cli.App {
	a := cli.New("ipmi_exporter", "Prometheus exporter for BMCs by IPMI: native RMCP+, no FreeIPMI needed.")
	exporter.AddCommands(a, exporter.Spec{
		Namespace: collect.Namespace,
		About:     "Sensors, inventory and event logs of BMCs by IPMI.",
		Listen:    ":9290",
		Load:      load,
	})
	addProbe(a)
	return a
}

// fileConfig is the configuration file: that of the collectors and the log store.
type fileConfig struct {
	collect.Config `yaml:",inline"`
	Elasticsearch  *elastic.Config `yaml:"elasticsearch"` // also takes new entries of event logs
}

// Validate implements config.Validator.
func (c *fileConfig) Validate() error {
	if c.Elasticsearch != nil {
		if err := c.Elasticsearch.Validate(); err != nil {
			return err
		}
	}
	return c.Config.Validate()
}

// load reads the configuration file. No file gives the defaults, with no credential.
func load(_ context.Context, file string, log *slog.Logger, reg prometheus.Registerer) (exporter.Config, exporter.Driver, error) {
	var conf fileConfig
	var err error
	if file != "" {
		err = config.Load(file, &conf)
	} else {
		err = conf.Validate()
	}
	if err != nil {
		return exporter.Config{}, nil, err
	}
	opt := collect.Options{Log: log, Metrics: reg}
	if conf.Elasticsearch != nil {
		conf.Elasticsearch.Log = log
		if opt.Store, err = elastic.New(*conf.Elasticsearch); err != nil {
			return exporter.Config{}, nil, cli.Usage(err)
		}
	}
	d, err := collect.New(conf.Config, opt)
	return conf.Config.Config, d, err
}

func addProbe(a *cli.App) {
	c := a.Command("probe", "Probe one BMC and print its metrics; exit status 1 when it is down.")
	c.HelpLong(probeHelp)
	target := c.Arg("target", "HOST, HOST:PORT, or local for the BMC of this machine.").Required().String()
	user := c.Flag("user", "User name; empty for none.").Short('u').String()
	file := c.Flag("password-file", "File that holds the password.").String()
	kg := c.Flag("kg-file", "File that holds the BMC key, for BMCs set up with one.").String()
	suite := c.Flag("cipher-suite", "Cipher suite, 3 or 17; 0 takes the strongest that the BMC offers.").Default("0").Int()
	privilege := c.Flag("privilege", "Privilege level: user, operator or admin.").Default("user").Enum("user", "operator", "admin")
	version := c.Flag("ipmi-version", "Session version, 2.0 or 1.5; the default is 2.0 unless the BMC has only 1.5.").Default("").Enum("", "2.0", "1.5")
	collectors := c.Flag("collector", "Collector to run (repeatable); all by default.").Strings()
	quirks := c.Flag("quirk", "Quirk to apply besides those found by themselves (repeatable).").Strings()
	limit := c.Flag("timeout", "How long the probe may take.").Default("30s").Duration()
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		conf := collect.Config{Modules: map[string]*collect.Module{"default": {
			CipherSuite: *suite, Privilege: *privilege, Version: *version, Collectors: *collectors, Quirks: *quirks,
		}}}
		if err := conf.Validate(); err != nil {
			return cli.Usage(err)
		}
		cred, err := credential(*user, *file, *kg)
		if err != nil {
			return cli.Usage(err)
		}
		ctx, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		d, err := collect.New(conf, collect.Options{Log: env.Log, Metrics: prometheus.NewRegistry()})
		if err != nil {
			return err
		}
		p := &exporter.Probe{Target: *target, Auth: cred, Log: env.Log, Trace: exporter.NewTrace(false)}
		return exporter.ProbeOnce(ctx, d, collect.Namespace, p, env.Stdout)
	})
}

func credential(user, passwordFile, kgFile string) (exporter.Credential, error) {
	c := exporter.Credential{Name: "flags", Username: user}
	var err error
	if passwordFile != "" {
		if c.Password, err = exporter.ReadSecret(passwordFile); err != nil {
			return c, fmt.Errorf("--password-file: %w", err)
		}
	}
	if kgFile != "" {
		kg, err := exporter.ReadSecret(kgFile)
		if err != nil {
			return c, fmt.Errorf("--kg-file: %w", err)
		}
		c.Secrets = map[string]promconfig.Secret{"kg": kg}
	}
	return c, nil
}
