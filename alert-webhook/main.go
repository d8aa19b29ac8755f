// alert-webhook receives Alertmanager's notifications, keeps every alert, and tells people
// what is new, once and in order.
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/inframind/inframind/alert-webhook/alert"
	"github.com/inframind/inframind/alert-webhook/webhook"
	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/config"
)

const (
	defaultConfig  = "alert-webhook.yml"
	defaultStorage = "data/alert-webhook"
)

func main() { newApp().Main() }

func newApp() *cli.App {
	a := cli.New("alert-webhook", "Receives Alertmanager notifications, stores every alert, tells people what is new.")
	addServe(a)
	addCheck(a)
	addList(a)
	addDeliver(a)
	return a
}

func addServe(a *cli.App) {
	var s serveOptions
	cmd := a.Command("serve", "Receive, store and deliver until stopped. SIGHUP and POST /-/reload apply a changed configuration.\n\n"+
		"Example: alert-webhook serve --config.file=alert-webhook.yml --storage.path=/var/lib/alert-webhook\n\n"+
		"In alertmanager.yml: webhook_configs: [{url: http://127.0.0.1:9095/api/v1/alerts, send_resolved: true}]").Default()
	cmd.Flag("config.file", "Configuration file.").Default(defaultConfig).StringVar(&s.file)
	cmd.Flag("storage.path", "Directory of the alerts and of the queue.").Default(defaultStorage).StringVar(&s.dir)
	s.web = kingpinflag.AddFlags(cmd, ":9095")
	a.Do(cmd, func(ctx context.Context, env cli.Env) error { return serve(ctx, env, s) })
}

func addCheck(a *cli.App) {
	var file string
	cmd := a.Command("check-config", "Check a configuration file and list its channels.")
	cmd.Flag("config.file", "Configuration file.").Default(defaultConfig).StringVar(&file)
	a.Do(cmd, func(_ context.Context, env cli.Env) error {
		cfg, err := load(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(env.Stdout, "%s: ok, %d channels\n", file, len(cfg.Channels))
		for _, c := range cfg.Channels {
			fmt.Fprintf(env.Stdout, "  %s\n", c.Name)
		}
		return nil
	})
}

func addList(a *cli.App) {
	var dir, status string
	var limit int
	labels := map[string]string{}
	cmd := a.Command("list", "List stored alerts, the last changed first; works beside a running server.\n\n"+
		"Example: alert-webhook list --status=firing --label severity=critical")
	cmd.Flag("storage.path", "Directory of the alerts.").Default(defaultStorage).StringVar(&dir)
	cmd.Flag("status", "Only firing or resolved ones.").EnumVar(&status, alert.Firing, alert.Resolved)
	cmd.Flag("label", "Only those with this label, as name=value; repeatable.").StringMapVar(&labels)
	cmd.Flag("limit", "At most this many.").Default("50").IntVar(&limit)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		if limit < 1 {
			return cli.Usagef("--limit is %d, want at least 1", limit)
		}
		records, err := webhook.ListDir(ctx, dir, webhook.ListQuery{Status: status, Labels: labels, Limit: limit})
		if err != nil {
			return err
		}
		return printRecords(env.Stdout, records)
	})
}

func printRecords(w io.Writer, records []webhook.Record) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STATUS\tALERT\tSTARTED\tENDED\tLABELS")
	for _, r := range records {
		ended := "-"
		if !r.EndsAt.IsZero() {
			ended = r.EndsAt.Format(time.RFC3339)
		}
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(r.Labels)) {
			if k != "alertname" {
				pairs = append(pairs, fmt.Sprintf("%s=%q", k, r.Labels[k]))
			}
		}
		fmt.Fprintf(t, "%s\t%q\t%s\t%s\t%s\n", r.Status, r.Name(), r.StartsAt.Format(time.RFC3339), ended, strings.Join(pairs, " "))
	}
	return t.Flush()
}

func addDeliver(a *cli.App) {
	var file, channel string
	cmd := a.Command("deliver", "Send a test alert to one channel, past store and queue.\n\nExample: alert-webhook deliver --test ops")
	cmd.Flag("config.file", "Configuration file.").Default(defaultConfig).StringVar(&file)
	cmd.Flag("test", "Name of the channel.").Required().StringVar(&channel)
	a.Do(cmd, func(ctx context.Context, env cli.Env) error {
		cfg, err := load(file)
		if err != nil {
			return err
		}
		if err := cfg.Test(ctx, channel, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(env.Stdout, "delivered a test alert to %s\n", channel)
		return nil
	})
}

func load(file string) (webhook.Config, error) {
	var cfg webhook.Config
	err := config.Load(file, &cfg)
	return cfg, err
}
