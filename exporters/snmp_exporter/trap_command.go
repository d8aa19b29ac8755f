package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/inframind/inframind/exporters/snmp_exporter/conf"
	"github.com/inframind/inframind/exporters/snmp_exporter/mib"
	"github.com/inframind/inframind/exporters/snmp_exporter/trap"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// addTraps adds the command that receives notifications.
func addTraps(a *cli.App) {
	c := a.Command("traps", "Receive traps and informs: into the log store, into counters, and printed.")
	c.HelpLong("Examples:\n  snmp_exporter traps --config.file snmp.yml --mibs-dir mibs --print\n  snmp_exporter traps --listen :162 --store.dir /var/lib/inframind/logs\n\nWho may send is said by the auths of the configuration: communities for versions 1 and 2c, users for version 3.")
	listen := c.Flag("listen", "UDP address for traps.").Default(":162").String()
	files := c.Flag("config.file", "snmp.yml files with auths.").Strings()
	expand := c.Flag("config.expand-environment-variables", "Replace ${NAME} in users, communities and passwords by environment variables.").Bool()
	dirs := c.Flag("mibs-dir", "Directory with MIBs, may be repeated.").Short('m').Strings()
	dir := c.Flag("store.dir", "Directory of a log store of our own.").String()
	es := c.Flag("store.elasticsearch", "File that describes an Elasticsearch (urls, http_client_config).").String()
	printed := c.Flag("print", "Print every event.").Bool()
	flags := kingpinflag.AddFlags(c, ":9117")
	a.Do(c, func(ctx context.Context, env cli.Env) (err error) {
		cf, err := conf.Load(*files, *expand)
		if err != nil {
			return err
		}
		opts := trap.Options{Log: env.Log, Auths: []*conf.Auth{{Version: 2, Community: "public"}}}
		if len(cf.Auths) > 0 {
			opts.Auths = nil
			for _, auth := range cf.Auths {
				opts.Auths = append(opts.Auths, auth)
			}
		}
		if len(*dirs) > 0 {
			var warnings []error
			if opts.MIBs, warnings, err = mib.Load(*dirs...); err != nil {
				return cli.Usage(err)
			}
			env.Log.Info("MIBs compiled", "warnings", len(warnings))
		}
		if opts.Store, err = openStore(*dir, *es); err != nil {
			return err
		}
		if opts.Store != nil {
			defer func() { err = errors.Join(err, opts.Store.Close()) }()
		}
		if *printed {
			opts.Notify = func(e trap.Event) {
				fmt.Fprintf(env.Stdout, "%s %s %s\n", e.Time.Format(time.RFC3339), e.Source, strings.ReplaceAll(e.Document().Message, "\n", " "))
			}
		}
		reg := prometheus.NewRegistry()
		r, err := trap.New(opts, reg)
		if err != nil {
			return err
		}
		return serveTraps(ctx, r, *listen, reg, flags, env)
	})
}

func openStore(dir, es string) (logstore.Store, error) {
	switch {
	case dir != "" && es != "":
		return nil, cli.Usagef("--store.dir and --store.elasticsearch exclude each other")
	case dir != "":
		return sqlite.Open(dir, sqlite.Options{})
	case es != "":
		var c elastic.Config
		if err := config.Load(es, &c); err != nil {
			return nil, err
		}
		return elastic.New(c)
	}
	return nil, nil
}

// serveTraps receives until ctx ends, with /metrics beside it.
func serveTraps(ctx context.Context, r *trap.Receiver, listen string, reg *prometheus.Registry, flags *web.FlagConfig, env cli.Env) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Healthy") })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		err := web.ListenAndServe(srv, flags, env.Log)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		failed <- err
		cancel()
	}()
	env.Log.Info("receiving traps", "address", listen)
	err := r.Run(ctx, listen, nil)
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	return errors.Join(err, srv.Shutdown(stop), <-failed)
}
