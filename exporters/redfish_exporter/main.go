// Command redfish_exporter exposes the health of BMCs read by Redfish.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/redfish_exporter/redfish"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/exporter"
	"github.com/inframind/inframind/internal/exporter/eventlog"
	"github.com/inframind/inframind/internal/logstore/elastic"
)

const namespace = "redfish"

func main() {
	if os.Getenv("GOGC") == "" {
		// Hundreds of idle connections and short bursts of JSON: memory is dearer than the
		// few milliseconds a minute that collecting twice as often costs.
		debug.SetGCPercent(50)
	}
	a := cli.New("redfish_exporter", "Health of servers from their BMCs, read by Redfish.")
	exporter.AddCommands(a, exporter.Spec{
		Namespace: namespace,
		About:     "Health, temperatures, power, storage, memory and firmware of servers, read from their BMCs by Redfish.",
		Listen:    ":9610",
		Load:      load,
	})
	addProbe(a)
	a.Main()
}

// fileConfig is the configuration file: the driver's, and the log store it may write to.
type fileConfig struct {
	redfish.Config `yaml:",inline"`
	Elasticsearch  *elastic.Config `yaml:"elasticsearch,omitempty"`
}

// Validate checks the configuration and fills defaults.
func (c *fileConfig) Validate() error {
	if c.Elasticsearch != nil {
		if err := c.Elasticsearch.Validate(); err != nil {
			return err
		}
	}
	return c.Config.Validate()
}

// load makes a driver from a configuration file, or from defaults without one.
func load(_ context.Context, file string, log *slog.Logger, reg prometheus.Registerer) (exporter.Config, exporter.Driver, error) {
	var conf fileConfig
	var err error
	if file == "" {
		err = conf.Validate()
	} else {
		err = config.Load(file, &conf)
	}
	if err != nil {
		return exporter.Config{}, nil, err
	}
	var store eventlog.Store
	if conf.Elasticsearch != nil {
		conf.Elasticsearch.Log = log
		if store, err = elastic.New(*conf.Elasticsearch); err != nil {
			return exporter.Config{}, nil, err
		}
	}
	d, err := redfish.New(conf.Config, log, reg, store)
	return conf.Config.Config, d, err
}

func addProbe(a *cli.App) {
	c := a.Command("probe", "Probe one BMC and print its metrics; no configuration needed.")
	c.HelpLong(`Exit status 0 when the BMC is up, 1 when it is down, 2 for wrong usage.

Examples:
  redfish_exporter probe https://192.0.2.7 --user monitor --password-file bmc.pass
  redfish_exporter probe bmc7.example --user monitor --password-file bmc.pass --tls.ca-file ca.pem
  redfish_exporter probe 192.0.2.7 --user monitor --password-file bmc.pass --insecure --collector thermal
  redfish_exporter probe 192.0.2.7 --user monitor --password-file bmc.pass --complete --timeout 2m`)
	target := c.Arg("url", "Host, host:port or URL of the BMC.").Required().String()
	user := c.Flag("user", "User name; none is sent when it is empty.").Short('u').String()
	passwordFile := c.Flag("password-file", "File that holds the password.").String()
	insecure := c.Flag("insecure", "Do not verify the BMC's certificate.").Bool()
	caFile := c.Flag("tls.ca-file", "Certificate authority of the BMC's certificate.").String()
	legacy := c.Flag("tls.legacy", "Also offer the old TLS versions and ciphers of BMCs of about 2012-2016.").Bool()
	names := c.Flag("collector", "Collector to run; repeatable; all by default.").Strings()
	complete := c.Flag("complete", "Read everything, however long a slow BMC takes; otherwise some inventory is left for later scrapes.").Bool()
	limit := c.Flag("timeout", "How long the probe may take.").Default("30s").Duration()
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		m := &redfish.Module{Collectors: *names, LegacyTLS: *legacy}
		m.TLS.InsecureSkipVerify, m.TLS.CAFile = *insecure, *caFile
		conf := redfish.Config{Modules: map[string]*redfish.Module{"default": m}}
		if err := conf.Validate(); err != nil {
			return cli.Usage(err)
		}
		cred := exporter.Credential{Username: *user}
		if *passwordFile != "" {
			var err error
			if cred.Password, err = exporter.ReadSecret(*passwordFile); err != nil {
				return cli.Usage(fmt.Errorf("--password-file: %w", err))
			}
		}
		d, err := redfish.New(conf, env.Log, prometheus.NewRegistry(), nil)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		p := &exporter.Probe{Target: *target, Auth: cred, Log: env.Log}
		if *complete {
			p.Params = map[string]string{redfish.ParamComplete: "true"}
		}
		return exporter.ProbeOnce(ctx, d, namespace, p, env.Stdout)
	})
}
