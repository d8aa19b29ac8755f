// Command inframind is the all-in-one: Prometheus, Alertmanager and Pushgateway, a log store,
// the forecasting, anomaly and log-label jobs and the alert webhook in one process.
package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/common/version"

	"github.com/inframind/inframind/cmd/inframind/app"
	"github.com/inframind/inframind/cmd/inframind/configdir"
	"github.com/inframind/inframind/cmd/inframind/status"
	"github.com/inframind/inframind/internal/cli"
)

const help = `See failures coming: metrics, logs, forecasts, anomalies and alerts in one process.

Examples:
  inframind run --demo                        an invented fleet, everything alive in 90 seconds
  inframind run --data.dir=/var/lib/inframind this machine, and what you add to prometheus.yml
  inframind run --demo --once                 one whole cycle; exit status 1 names what is not alive
  inframind init DIR                          write the configuration files to edit
  inframind check-config DIR                  check them; every mistake with file and line
  inframind status                            the table of the running process; --json for machines`

func main() {
	a := cli.New("inframind", help)
	addRun(a)
	addInit(a)
	addCheck(a)
	addStatus(a)
	a.Main()
}

func addRun(a *cli.App) {
	var o app.Options
	cmd := a.Command("run", "Run everything in this process.")
	cmd.Flag("demo", "Run on an invented fleet, in a data directory of its own.").BoolVar(&o.Demo)
	cmd.Flag("demo.seed", "Seed of the demo: same seed, same data.").Default("1").Uint64Var(&o.Seed)
	cmd.Flag("once", "Run one whole cycle, print the status table and end; status 1 names what is not alive.").BoolVar(&o.Once)
	cmd.Flag("once.timeout", "How long the cycle may take.").Default("90s").DurationVar(&o.Timeout)
	cmd.Flag("data.dir", "Directory of all data. Default: inframind-data, or inframind-demo with --demo.").StringVar(&o.DataDir)
	cmd.Flag("config.dir", "Directory of prometheus.yml, alertmanager.yml, inframind.yml and rules/; written at the first start. Default: config below the data directory.").StringVar(&o.ConfigDir)
	cmd.Flag("web.listen-address", "Address of the start page and of every API.").Default("127.0.0.1:9600").StringVar(&o.Listen)
	cmd.Flag("web.external-url", "URL under which people reach this process, for links in alerts. Default: the listen address.").StringVar(&o.External)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		o.Version, o.Log, o.Stdout = version.Version, env.Log, env.Stdout
		if o.DataDir == "" {
			o.DataDir = "inframind-data"
			if o.Demo {
				o.DataDir = "inframind-demo"
			}
		}
		return app.Run(ctx, o)
	})
}

func addInit(a *cli.App) {
	cmd := a.Command("init", "Write the configuration files that DIR lacks.")
	dir := cmd.Arg("DIR", "Directory, made if it does not exist.").Required().String()
	demo := cmd.Flag("demo", "Files for run --demo.").Bool()
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		written, err := configdir.Write(configdir.Options{Dir: *dir, Demo: *demo})
		if err != nil {
			return err
		}
		if err := configdir.AnnounceDefault(*dir); err != nil {
			return err
		}
		for _, name := range written {
			fmt.Fprintln(env.Stdout, "wrote", filepath.Join(*dir, name))
		}
		fmt.Fprintf(env.Stdout, "Next: inframind run --config.dir=%s\n", *dir)
		return nil
	})
}

func addCheck(a *cli.App) {
	cmd := a.Command("check-config", "Check prometheus.yml, its rule files, alertmanager.yml and inframind.yml.")
	dir := cmd.Arg("DIR", "The configuration directory.").Required().String()
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		if err := app.CheckConfig(*dir); err != nil {
			return err
		}
		fmt.Fprintf(env.Stdout, "%s: OK\n", *dir)
		return nil
	})
}

func addStatus(a *cli.App) {
	cmd := a.Command("status", "Show how a running inframind is doing; exit status 1 if a row has failed.")
	base := cmd.Flag("url", "Base URL of the inframind to ask.").Default("http://127.0.0.1:9600").String()
	asJSON := cmd.Flag("json", "Print JSON.").Bool()
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		r, err := status.NewReader(*base, http.DefaultClient)
		if err != nil {
			return cli.Usage(err)
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		rows, err := r.Rows(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			err = status.PrintJSON(env.Stdout, rows)
		} else {
			err = status.Print(env.Stdout, rows, time.Now())
		}
		if err != nil {
			return err
		}
		return status.Broken(rows)
	})
}
