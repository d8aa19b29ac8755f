package exporter

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/inframind/inframind/internal/cli"
)

// AddCommands adds serve (default), check-config and diagnose to an exporter's binary.
func AddCommands(a *cli.App, spec Spec) {
	addServe(a, spec)
	addCheck(a, spec)
	addDiagnose(a, spec)
}

// configFlags adds --config.file and the exporter's own flags; the result gives the file's name.
func configFlags(c *kingpin.CmdClause, spec Spec) func() string {
	if spec.Flags != nil {
		spec.Flags(c)
	}
	f := c.Flag("config.file", "Configuration file; without it the defaults apply.")
	if spec.ManyFiles {
		names := f.Strings()
		return func() string { return strings.Join(*names, "\n") }
	}
	name := f.Default("").String()
	return func() string { return *name }
}

func addServe(a *cli.App, spec Spec) {
	c := a.Command("serve", "Serve /probe until SIGTERM (default command).").Default()
	file := configFlags(c, spec)
	offset := c.Flag("timeout-offset", "Time taken off Prometheus' scrape timeout, to send the answer in.").Default("500ms").Duration()
	flags := kingpinflag.AddFlags(c, spec.Listen)
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		s, err := newServer(ctx, spec, Options{ConfigFile: file(), TimeoutOffset: *offset}, env.Log)
		if err != nil {
			return err
		}
		sig, hup := make(chan os.Signal, 1), make(chan struct{})
		signal.Notify(sig, syscall.SIGHUP)
		defer signal.Stop(sig)
		go func() {
			for {
				select {
				case <-sig:
					select {
					case hup <- struct{}{}:
					case <-ctx.Done():
						return
					}
				case <-ctx.Done():
					return
				}
			}
		}()
		return s.serve(ctx, flags, hup)
	})
}

func addCheck(a *cli.App, spec Spec) {
	c := a.Command("check-config", "Check the configuration file and exit.")
	file := configFlags(c, spec)
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		conf, d, err := spec.Load(ctx, file(), env.Log, prometheus.NewRegistry())
		if err != nil {
			return err
		}
		if err := checkDriver(conf, d); err != nil {
			return errors.Join(cli.Usage(fmt.Errorf("%s: %w", file(), err)), d.Close(ctx))
		}
		fmt.Fprintf(env.Stdout, "%s: ok\n", file())
		return d.Close(ctx)
	})
}

func addDiagnose(a *cli.App, spec Spec) {
	c := a.Command("diagnose", "Probe a target once and write a redacted archive for a bug report.")
	c.HelpLong("Example:\n  " + spec.Namespace + "_exporter diagnose 192.0.2.7 --config.file exporter.yml --output bmc7.tar.gz")
	file := configFlags(c, spec)
	target := c.Arg("target", "Host, host:port or URL.").Required().String()
	module := c.Flag("module", "Module to use.").String()
	auth := c.Flag("auth", "Name of the credential to use.").String()
	limit := c.Flag("timeout", "How long the probe may take.").Default("60s").Duration()
	out := c.Flag("output", "Archive to write.").Default("diagnose.tar.gz").String()
	a.Do(c, func(ctx context.Context, env cli.Env) error {
		conf, d, err := spec.Load(ctx, file(), env.Log, prometheus.NewRegistry())
		if err != nil {
			return err
		}
		g := &generation{conf: conf, driver: d, flights: newFlights(conf.Limits), params: spec.Params}
		defer g.close(env.Log)
		q := map[string][]string{"target": {*target}}
		if *module != "" {
			q["module"] = []string{*module}
		}
		if *auth != "" {
			q["auth"] = []string{*auth}
		}
		req, err := g.parse(q)
		if err != nil {
			return cli.Usage(err)
		}
		ctx, cancel := context.WithTimeout(ctx, *limit)
		defer cancel()
		report, tr := g.debug(ctx, spec.Namespace, req, true)
		n, err := writeArchive(*out, report, tr)
		if err != nil {
			return fmt.Errorf("write %s: %w", *out, err)
		}
		fmt.Fprintf(env.Stdout, "wrote %s: report.txt and %d recorded answers, secrets removed; read it before you send it\n", *out, n)
		return nil
	})
}

// writeArchive writes report.txt and the recorded files as tar.gz, readable by its owner only.
func writeArchive(name string, report []byte, tr *Trace) (files int, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	gz := gzip.NewWriter(f)
	tw := tar.NewWriter(gz)
	add := func(name string, content []byte) error {
		h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: time.Unix(0, 0)}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err := tw.Write(content)
		return err
	}
	err = add("report.txt", report)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, file := range sortedKeys(tr.files) {
		err = errors.Join(err, add(strings.TrimPrefix(path.Clean("/"+file), "/"), tr.files[file]))
	}
	return len(tr.files), errors.Join(err, tw.Close(), gz.Close())
}

// ErrDown is what ProbeOnce returns, wrapped with the cause, when the target is down.
var ErrDown = errors.New("target is down")

// ProbeOnce probes p's target with d, writes the exposition to w and closes d. It needs no
// server and no configuration. The error is ErrDown when the target is down.
func ProbeOnce(ctx context.Context, d Driver, namespace string, p *Probe, w io.Writer) (err error) {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, d.Close(ctx))
	}()
	if err := checkTarget(p.Target); err != nil {
		return cli.Usage(err)
	}
	if p.Trace == nil {
		p.Trace = NewTrace(false)
	}
	res := run(ctx, d, namespace, p)
	if _, err := res.Text.WriteTo(w); err != nil {
		return fmt.Errorf("write exposition: %w", err)
	}
	if !res.Up {
		return fmt.Errorf("%w: %s: %w", ErrDown, p.Target, res.Err)
	}
	return nil
}
