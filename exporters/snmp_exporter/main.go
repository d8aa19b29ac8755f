// Command snmp_exporter reads network and power equipment, servers and printers by SNMP.
package main

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/snmp"
	"github.com/inframind/inframind/exporters/snmp_exporter/walk"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/exporter"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	a := cli.New("snmp_exporter", "Reads devices by SNMP: the snmp.yml you have, or no configuration at all.")
	// The flag of the exporter people come from.
	if i := slices.Index(args, "--dry-run"); i >= 0 {
		args = append([]string{"check-config"}, slices.Delete(slices.Clone(args), i, i+1)...)
	}
	l := &loader{devices: walk.NewDevices(20_000)}
	exporter.AddCommands(a, exporter.Spec{
		Namespace: "snmp", Listen: ":9116", Path: "/snmp", Params: []string{"snmp_context"}, ManyFiles: true,
		About: "Prometheus exporter for SNMP devices", Flags: l.flags, Load: l.load,
	})
	addProbe(a, l)
	addWalk(a)
	addReplay(a)
	addGenerate(a)
	addMIB(a)
	addPreview(a, l)
	addTraps(a)
	return a.Run(args, os.Stdin, os.Stdout, os.Stderr)
}

// loader holds the flags that shape a driver, and what outlives a reload.
type loader struct {
	devices   *walk.Devices
	expandEnv bool
	opts      snmp.Options
}

func (l *loader) flags(c *kingpin.CmdClause) {
	c.Flag("config.expand-environment-variables", "Replace ${NAME} in users, communities and passwords by environment variables.").BoolVar(&l.expandEnv)
	c.Flag("snmp.wrap-large-counters", "Wrap 64-bit counters at 2^53, so that rates stay exact.").Default("true").BoolVar(&l.opts.WrapCounters)
	c.Flag("snmp.source-address", "Local address:port to send from, e.g. 192.0.2.1: or [2001:db8::1]:0.").StringVar(&l.opts.Source)
	c.Flag("snmp.in-flight", "Requests under way to one device at once.").Default("2").IntVar(&l.opts.InFlight)
	c.Flag("snmp.label-cache", "How long columns that only make labels (e.g. ifAlias) are kept; 0 reads them at every scrape.").Default("0s").DurationVar(&l.opts.LabelCache)
	c.Flag("snmp.module-concurrency", "Accepted for compatibility: columns are walked in parallel within --snmp.in-flight.").Default("1").Int()
}

// commandLine is the name of the auth that flags describe.
const commandLine = "command line"

// defaultConfig is read if no file is named and it exists.
const defaultConfig = "snmp.yml"

func (l *loader) driver(files []string) (*snmp.Driver, *conf.Config, error) {
	if len(files) == 0 {
		if _, err := os.Stat(defaultConfig); err == nil {
			files = []string{defaultConfig}
		}
	}
	c, err := conf.Load(files, l.expandEnv)
	if err != nil {
		return nil, nil, err
	}
	opts := l.opts
	opts.Devices = l.devices
	d, err := snmp.New(c, opts)
	return d, c, err
}

func (l *loader) load(_ context.Context, files string, _ *slog.Logger, reg prometheus.Registerer) (exporter.Config, exporter.Driver, error) {
	var names []string
	if files != "" {
		names = strings.Split(files, "\n")
	}
	m := snmp.NewMetrics()
	if err := m.Register(reg); err != nil {
		return exporter.Config{}, nil, err
	}
	l.opts.Metrics = m
	d, c, err := l.driver(names)
	if err != nil {
		return exporter.Config{}, nil, err
	}
	frame := exporter.Config{Targets: c.Targets, Discovery: c.Discovery, Limits: c.Limits}
	return frame, d, frame.Validate()
}

// addProbe adds the command that prints one scrape.
func addProbe(a *cli.App, l *loader) {
	c := a.Command("probe", "Print one scrape of a device in the exposition format.")
	c.HelpLong("Examples:\n  snmp_exporter probe 192.0.2.1 --community public\n  snmp_exporter probe 192.0.2.1 --module if_mib --config.file snmp.yml --auth core")
	l.flags(c)
	files := c.Flag("config.file", "snmp.yml files; without them the built-in profiles are used.").Strings()
	target := c.Arg("target", "[udp://|tcp://]host[:port]").Required().String()
	login := loginFlags(c)
	modules := c.Flag("module", "Modules, separated by commas; without one the device decides.").String()
	snmpContext := c.Flag("context", "SNMPv3 context.").String()
	limit := c.Flag("timeout", "How long the scrape may take.").Default("60s").Duration()
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		d, cf, err := l.driver(*files)
		if err != nil {
			return err
		}
		auth, err := login.auth(cf)
		if err != nil {
			return err
		}
		d.SetAuth(commandLine, auth)
		p := &exporter.Probe{Target: *target, Log: env.Log, Params: map[string]string{"snmp_context": *snmpContext}}
		p.Auth.Name = commandLine
		known, _ := d.Names()
		for m := range strings.SplitSeq(*modules, ",") {
			if m = strings.TrimSpace(m); m == "" {
				continue
			}
			if !slices.Contains(known, m) {
				return cli.Usagef("unknown module %q; known: %s", m, strings.Join(known, ", "))
			}
			p.Modules = append(p.Modules, m)
		}
		ctx, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		return exporter.ProbeOnce(ctx, d, "snmp", p, env.Stdout)
	})
}
