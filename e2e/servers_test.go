//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// site is a set of real servers, each on a port of its own.
type site struct {
	prometheus, pushgateway, alertmanager, webhook string // base URLs
	arrived                                        chan string
}

// startSite starts the Debian Prometheus, Pushgateway and Alertmanager, our alert-webhook
// and the receiver that it notifies. Ours are reached by the others as in production.
func startSite(t *testing.T, history, rules string) *site {
	t.Helper()
	dir := t.TempDir()
	url := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
	promPort, pushPort, amPort, hookPort := freePort(t), freePort(t), freePort(t), freePort(t)
	s := &site{prometheus: url(promPort), pushgateway: url(pushPort), alertmanager: url(amPort), webhook: url(hookPort), arrived: make(chan string, 1000)}
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil {
			s.arrived <- string(body)
		}
	}))
	t.Cleanup(sink.Close)

	push := start(t, debian(t, "prometheus-pushgateway", "prometheus-pushgateway"), "--web.listen-address="+strings.TrimPrefix(s.pushgateway, "http://"))
	hookFile := filepath.Join(dir, "alert-webhook.yml")
	write(t, hookFile, "channels:\n  - name: sink\n    webhook:\n      url: "+sink.URL+"\n")
	hook := start(t, binary(t, "alert-webhook"), "serve", "--config.file="+hookFile, "--storage.path="+filepath.Join(dir, "alerts"), "--web.listen-address="+strings.TrimPrefix(s.webhook, "http://"))

	amFile := filepath.Join(dir, "alertmanager.yml")
	write(t, amFile, fmt.Sprintf(`route: {receiver: inframind, group_by: [alertname], group_wait: 1s, group_interval: 5s}
receivers:
  - name: inframind
    webhook_configs: [{url: '%s/api/v1/alerts', send_resolved: true}]
`, s.webhook))
	am := start(t, debian(t, "prometheus-alertmanager", "prometheus-alertmanager"), "--config.file="+amFile, "--storage.path="+filepath.Join(dir, "am"),
		"--cluster.listen-address=", "--web.listen-address="+strings.TrimPrefix(s.alertmanager, "http://"))

	promFile, ruleFile, tsdb := filepath.Join(dir, "prometheus.yml"), filepath.Join(dir, "rules.yml"), filepath.Join(dir, "tsdb")
	ours, err := filepath.Abs("../rules")
	if err != nil {
		t.Fatal(err)
	}
	write(t, ruleFile, rules)
	write(t, promFile, fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['%s/*.yml', '%s']
alerting: {alertmanagers: [{static_configs: [{targets: ['%s']}]}]}
scrape_configs:
  - job_name: pushgateway
    honor_labels: true
    static_configs: [{targets: ['%s']}]
  - job_name: alert-webhook
    static_configs: [{targets: ['%s']}]
`, ours, ruleFile, host(s.alertmanager), host(s.pushgateway), host(s.webhook)))
	if history != "" {
		metrics := filepath.Join(dir, "history.om")
		write(t, metrics, history)
		if code, out, errs := run(t, time.Minute, debian(t, "promtool", "prometheus"), "tsdb", "create-blocks-from", "openmetrics", metrics, tsdb); code != 0 {
			t.Fatalf("promtool: %s%s", out, errs)
		}
	}
	prom := start(t, debian(t, "prometheus", "prometheus"), "--config.file="+promFile, "--storage.tsdb.path="+tsdb, "--storage.tsdb.retention.time=60d",
		"--web.listen-address="+host(s.prometheus))
	for base, p := range map[string]*process{s.pushgateway: push, s.alertmanager: am, s.prometheus: prom, s.webhook: hook} {
		eventually(t, time.Minute, base+" is ready", func() error { _, err := get(base + "/-/ready"); return err }, p)
	}
	return s
}

func host(base string) string { return strings.TrimPrefix(base, "http://") }

// value runs an instant query that gives one number.
func (s *site) value(query string) (float64, error) {
	body, err := get(s.prometheus + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) == 0 {
		return 0, fmt.Errorf("%s gives nothing", query)
	}
	var v float64
	_, err = fmt.Sscan(fmt.Sprint(answer.Data.Result[0].Value[1]), &v)
	return v, err
}

// waitForAlert waits until the receiver got a notification with that alert.
func (s *site) waitForAlert(t *testing.T, name string) string {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case body := <-s.arrived:
			if strings.Contains(body, `"alertname":"`+name+`"`) {
				return body
			}
		case <-limit:
			t.Fatalf("no notification of %s arrived within a minute", name)
		}
	}
}

// fillingDisk is 14 days of a disk, in OpenMetrics, that grows to 80 % and a daily cycle of
// a CPU, so that the first is full within a week and the second never is.
func fillingDisk(now time.Time) string {
	var b strings.Builder
	const step, days = 5 * time.Minute, 14
	series := func(name, labels string, value func(day float64) float64) {
		fmt.Fprintf(&b, "# TYPE %s gauge\n", name)
		for t := now.Add(-days * 24 * time.Hour); t.Before(now); t = t.Add(step) {
			fmt.Fprintf(&b, "%s{%s} %g %d\n", name, labels, value(now.Sub(t).Hours()/24), t.Unix())
		}
	}
	series("instance_mountpoint:node_filesystem_used:ratio", `instance="db-1",job="node",mountpoint="/data"`, func(ago float64) float64 { return 0.8 - 0.04*ago })
	series("instance:node_cpu_utilisation:ratio", `instance="db-1",job="node"`, func(ago float64) float64 { return 0.3 + 0.1*math.Sin(2*math.Pi*ago) })
	b.WriteString("# EOF\n")
	return b.String()
}

// TestForecastReachesPeople proves the way of a forecast over real servers: Prometheus is
// asked, the job pushes, Prometheus scrapes, a rule fires, Alertmanager notifies
// alert-webhook, which tells the receiver.
func TestForecastReachesPeople(t *testing.T) {
	s := startSite(t, fillingDisk(time.Now()), `groups:
  - name: e2e
    rules:
      - alert: DiskFullNextWeek
        expr: forecast_node_filesystem_used_ratio{horizon="7d",quantile="0.5"} > 0.95
`)
	dir := t.TempDir()
	conf := filepath.Join(dir, "forecaster.yml")
	write(t, conf, fmt.Sprintf("prometheus: {url: '%s'}\npushgateway: {url: '%s'}\nhistory: 14d\n", s.prometheus, s.pushgateway))
	code, stdout, stderr := run(t, 2*time.Minute, binary(t, "forecaster"), "run", "--once", "--config.file="+conf, "--state.dir="+filepath.Join(dir, "state"))
	if code != 0 {
		t.Fatalf("forecaster: exit status %d\n%s%s", code, stdout, stderr)
	}
	eventually(t, 20*time.Second, "the forecast is scraped", func() error {
		v, err := s.value(`forecast_node_filesystem_used_ratio{horizon="7d",quantile="0.5"}`)
		if err == nil && v < 0.95 {
			t.Fatalf("a disk that grows by 0.04 a day from 0.8 is forecast at %g in 7 days", v)
		}
		return err
	})
	body := s.waitForAlert(t, "DiskFullNextWeek")
	for _, want := range []string{`"instance":"db-1"`, `"mountpoint":"/data"`, `"status":"firing"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the notification lacks %s:\n%s", want, body)
		}
	}
	if v, err := s.value(`forecast_node_cpu_utilisation_ratio{horizon="7d",quantile="0.5"}`); err != nil || v < 0.1 || v > 0.5 {
		t.Errorf("forecast of a CPU between 0.2 and 0.4 is %g, %v", v, err)
	}
	if v, err := s.value(`time() - forecaster_last_success_timestamp_seconds`); err != nil || v < 0 || v > 600 {
		t.Errorf("last success was %g s ago, %v", v, err)
	}
}

// TestUnreachableServers wants one line and exit status 1 of a job without its servers.
func TestUnreachableServers(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	conf := filepath.Join(dir, "forecaster.yml")
	write(t, conf, fmt.Sprintf("prometheus: {url: 'http://127.0.0.1:%d'}\n", port))
	code, _, stderr := run(t, time.Minute, binary(t, "forecaster"), "run", "--once", "--config.file="+conf, "--state.dir="+filepath.Join(dir, "state"))
	want := fmt.Sprintf("forecaster: prometheus http://127.0.0.1:%d cannot be reached: ", port)
	if lines := significant(stderr); code != 1 || len(lines) != 1 || !strings.HasPrefix(lines[0], want) || !strings.Contains(lines[0], "see prometheus.url") {
		t.Errorf("exit status %d, stderr:\n%s", code, stderr)
	}
}
