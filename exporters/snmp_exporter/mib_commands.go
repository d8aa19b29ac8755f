package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/renameio/v2"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/gen"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/exporters/snmp_exporter/snmp"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/exporter"
)

// mibDirs are searched if no --mibs-dir is given and they exist.
var mibDirs = []string{"mibs", "/usr/share/snmp/mibs", "/var/lib/mibs"}

func loadMIBs(dirs []string, env cli.Env, strict bool) (*mib.Tree, error) {
	if len(dirs) == 0 {
		for _, d := range mibDirs {
			if st, err := os.Stat(d); err == nil && st.IsDir() {
				dirs = append(dirs, d)
			}
		}
	}
	if len(dirs) == 0 {
		return nil, cli.Usagef("no MIBs: name a directory with --mibs-dir")
	}
	t, warnings, err := mib.Load(dirs...)
	if err != nil {
		return nil, cli.Usage(err)
	}
	for _, w := range warnings {
		fmt.Fprintln(env.Stderr, "warning:", w)
	}
	if strict && len(warnings) > 0 {
		return nil, fmt.Errorf("%d problems in the MIBs", len(warnings))
	}
	return t, nil
}

// addGenerate adds the command that makes a snmp.yml.
func addGenerate(a *cli.App) {
	c := a.Command("generate", "Make a snmp.yml of a generator.yml and MIBs.")
	c.HelpLong("Example:\n  snmp_exporter generate --generator generator.yml --mibs-dir mibs --output snmp.yml")
	file := c.Flag("generator", "generator.yml to read.").Short('g').Default("generator.yml").String()
	dirs := c.Flag("mibs-dir", "Directory with MIBs, may be repeated.").Short('m').Strings()
	output := c.Flag("output", "File to write; - is standard output.").Short('o').Default("snmp.yml").String()
	strict := c.Flag("fail-on-parse-errors", "Fail if any MIB has a problem.").Bool()
	a.Do(c, func(_ context.Context, env cli.Env) error {
		cfg, err := gen.Load(*file)
		if err != nil {
			return err
		}
		tree, err := loadMIBs(*dirs, env, *strict)
		if err != nil {
			return err
		}
		out, warnings, errs := gen.Generate(cfg, tree)
		for _, w := range warnings {
			fmt.Fprintln(env.Stderr, "warning:", w)
		}
		if len(errs) > 0 {
			return cli.Usage(errors.Join(errs...))
		}
		raw, err := out.Write(true)
		if err != nil {
			return err
		}
		raw = append([]byte("# Made by snmp_exporter generate from "+filepath.Base(*file)+": changes are lost when it runs again.\n"), raw...)
		if *output == "-" {
			_, err = env.Stdout.Write(raw)
			return err
		}
		if err := renameio.WriteFile(*output, raw, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", *output, err)
		}
		n := 0
		for _, m := range out.Modules {
			n += len(m.Metrics)
		}
		fmt.Fprintf(env.Stderr, "wrote %s: %d modules, %d metrics\n", *output, len(out.Modules), n)
		return nil
	})
}

// addMIB adds the command that explains an object.
func addMIB(a *cli.App) {
	c := a.Command("mib", "Explain an object of the MIBs.")
	c.HelpLong("Examples:\n  snmp_exporter mib ifHCInOctets --mibs-dir mibs\n  snmp_exporter mib IF-MIB::ifTable\n  snmp_exporter mib 1.3.6.1.2.1.33.1.2.4.0")
	name := c.Arg("object", "OID, NAME or MODULE::NAME.").Required().String()
	dirs := c.Flag("mibs-dir", "Directory with MIBs, may be repeated.").Short('m').Strings()
	verbose := c.Flag("verbose", "Show problems of the MIBs too.").Bool()
	a.Do(c, func(_ context.Context, env cli.Env) error {
		if !*verbose {
			env.Stderr = io.Discard
		}
		tree, err := loadMIBs(*dirs, env, false)
		if err != nil {
			return err
		}
		n, rest := tree.Lookup(*name), ""
		if n == nil || n.Name == "" {
			n, rest = tree.Nearest(*name)
		}
		if n == nil {
			return cli.Usagef("nothing is called %s in these MIBs", *name)
		}
		return explain(env.Stdout, n, rest)
	})
}

func explain(out io.Writer, n *mib.Node, rest string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(k, v string) {
		if v != "" {
			fmt.Fprintf(w, "%s\t%s\n", k, v)
		}
	}
	row("name", n.Module+"::"+n.Name)
	row("oid", n.OID())
	row("instance", rest)
	row("kind", n.Macro)
	row("type", strings.TrimSpace(n.Base+" "+map[bool]string{true: "(" + n.TC + ")"}[n.TC != ""]))
	if typ, ok := n.MetricType(); ok {
		row("metric type", typ)
	}
	row("units", n.Units)
	row("hint", n.Hint)
	row("access", n.Access)
	row("status", n.Status)
	if len(n.Indexes) > 0 {
		row("indexes", strings.Join(n.Indexes, ", "))
	}
	var enums []string
	for _, k := range slices.Sorted(maps.Keys(n.Enums)) {
		enums = append(enums, fmt.Sprintf("%s(%d)", n.Enums[k], k))
	}
	row("values", strings.Join(enums, " "))
	if len(n.Objects) > 0 {
		row("objects", strings.Join(n.Objects, ", "))
	}
	row("file", n.File+":"+strconv.Itoa(n.Line))
	row("description", strings.Join(strings.Fields(n.Description), " "))
	for _, c := range n.Children {
		if c.Name != "" {
			row("  ."+strconv.FormatUint(uint64(c.Arc), 10), c.Name)
		}
	}
	return w.Flush()
}

// addPreview adds the command that shows what a module would give before it is saved.
func addPreview(a *cli.App, l *loader) {
	c := a.Command("preview", "Show the metrics that a generator.yml would give for a device, without writing a snmp.yml.")
	c.HelpLong("Example:\n  snmp_exporter preview 192.0.2.1 --generator generator.yml --mibs-dir mibs --module ups_mib --community public")
	l.flags(c)
	target := c.Arg("target", "[udp://|tcp://]host[:port]").Required().String()
	file := c.Flag("generator", "generator.yml to read.").Short('g').Default("generator.yml").String()
	dirs := c.Flag("mibs-dir", "Directory with MIBs, may be repeated.").Short('m').Strings()
	module := c.Flag("module", "Module to try.").Required().String()
	limit := c.Flag("timeout", "How long the scrape may take.").Default("60s").Duration()
	login := loginFlags(c)
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		cfg, err := gen.Load(*file)
		if err != nil {
			return err
		}
		m := cfg.Modules[*module]
		if m == nil {
			return cli.Usagef("%s has no module %q; it has %s", *file, *module, strings.Join(slices.Sorted(maps.Keys(cfg.Modules)), ", "))
		}
		quiet := env
		quiet.Stderr = io.Discard
		tree, err := loadMIBs(*dirs, quiet, false)
		if err != nil {
			return err
		}
		out, _, errs := gen.Generate(&gen.Config{Auths: cfg.Auths, Modules: map[string]*gen.Module{*module: m}}, tree)
		if len(errs) > 0 {
			return cli.Usage(errors.Join(errs...))
		}
		if err := out.Validate(); err != nil {
			return err
		}
		auth, err := login.auth(out)
		if err != nil {
			return err
		}
		return probeOnce(ctx, l, out, auth, *target, []string{*module}, *limit, env)
	})
}

func probeOnce(ctx context.Context, l *loader, c *conf.Config, auth *conf.Auth, target string, modules []string, limit time.Duration, env cli.Env) error {
	opts := l.opts
	opts.Devices = l.devices
	d, err := snmp.New(c, opts)
	if err != nil {
		return err
	}
	d.SetAuth(commandLine, auth)
	p := &exporter.Probe{Target: target, Modules: modules, Log: env.Log}
	p.Auth.Name = commandLine
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return exporter.ProbeOnce(ctx, d, "snmp", p, env.Stdout)
}
