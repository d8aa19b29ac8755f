package realservers

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commoncfg "github.com/prometheus/common/config"

	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/forecaster/serve"
	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/elastic"
	"github.com/inframind/inframind/internal/promapi"
)

const password = "correct-horse-battery"

// filling grows by 1 % a day and is at 80 % at base.
func filling(at time.Time) (float64, bool) { return 0.8 - 0.01*base.Sub(at).Hours()/24, true }

// vanished has no samples after base: its disk was taken away.
func vanished(at time.Time) (float64, bool) {
	v, _ := steady(0.6)(at)
	return v, !at.After(base)
}

// TestPushgateway pushes to the Debian Pushgateway: every name is there, nothing of the
// password is, and a disk that vanished is gone after some days.
func TestPushgateway(t *testing.T) {
	gateway := address(t)
	start(t, "http://"+gateway+"/-/ready", program(t, "prometheus-pushgateway", "prometheus-pushgateway"), "--web.listen-address="+gateway)
	disks := []sample{{`instance="a",job="node",mountpoint="/"`, filling}, {`instance="b",job="node",mountpoint="/old"`, vanished}}
	prom, _ := startPrometheus(t, text(disks, 30, base.AddDate(0, 0, 4), time.Second))
	cfg := config(prom)
	cfg.Pushgateway = &promapi.Server{URL: "http://" + gateway, HTTPClientConfig: &commoncfg.HTTPClientConfig{
		BasicAuth: &commoncfg.BasicAuth{Username: "forecaster", Password: password}, FollowRedirects: true, EnableHTTP2: true,
	}}
	state, now := t.TempDir(), base
	var log strings.Builder
	e := engine(t, cfg, forecast.Options{StateDir: state, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	run := func() string {
		t.Helper()
		if err := job.Once(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), e.Metrics(), e.Publisher(), e.RunOnce); err != nil {
			t.Fatal(err)
		}
		return get(t, "http://"+gateway+"/metrics")
	}
	page := run()
	const labels = `exported_job="node",`
	for _, want := range []string{
		`forecast_disk_used_ratio{` + labels + `horizon="7d",instance="a",job="forecasts",mountpoint="/",quantile="0.025"}`,
		`forecast_disk_used_ratio{` + labels + `horizon="30d",instance="a",job="forecasts",mountpoint="/",quantile="0.975"}`,
		`forecast_exhaustion_seconds{by="median",` + labels + `instance="a",job="forecasts",mountpoint="/",target="disk_used_ratio",threshold="0.85"}`,
		`forecast_exhaustion_seconds{by="bound",`,
		`forecast_exhaustion_probability_ratio{` + labels + `instance="b",job="forecasts",mountpoint="/old",target="disk_used_ratio",threshold="0.95",within="30d"} 0`,
		`forecast_backtest_mape_ratio{`, `forecast_backtest_smape_ratio{`, `forecast_backtest_mase_ratio{`,
		`forecast_interval_coverage_ratio{` + labels + `instance="a",job="forecasts",level="0.8",`,
		`level="0.95",mountpoint="/",target="disk_used_ratio"}`,
		`forecast_target_mape_ratio{`, `forecast_model_info{`, `forecast_last_made_timestamp_seconds{`,
		`forecaster_last_success_timestamp_seconds{`, `forecaster_last_run_items{`, `forecaster_last_run_duration_seconds{`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s was not pushed", want)
		}
	}
	now = base.AddDate(0, 0, 4)
	if page = run(); strings.Contains(page, `mountpoint="/old"`) || !strings.Contains(page, `mountpoint="/",quantile="0.5"`) {
		t.Error("the disk that vanished is still there, or the other is not")
	}
	curveStore, err := curves.Open(filepath.Join(state, "curves"))
	if err != nil || len(curveStore.Labels()) != 1 {
		t.Errorf("%v, %v; want one curve", curveStore.Labels(), err)
	}
	noSecrets(t, map[string]string{"the Pushgateway": page, "the log": log.String()}, state)
}

func noSecrets(t *testing.T, texts map[string]string, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		texts[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range texts {
		if strings.Contains(text, password) {
			t.Errorf("the password is in %s", where)
		}
	}
}

// TestCurvesByPromtool reads the served curves with Debian's promtool, as any client of the
// Prometheus API does.
func TestCurvesByPromtool(t *testing.T) {
	promtool := program(t, "promtool", "prometheus")
	prom, _ := startPrometheus(t, text([]sample{{`instance="a",mountpoint="/"`, filling}}, 30, base, time.Second))
	store, err := curves.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine(t, config(prom), forecast.Options{Curves: store}).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(serve.Handler(store, slog.New(slog.DiscardHandler)))
	defer srv.Close()
	at := func(days int) string { return fmt.Sprint(base.AddDate(0, 0, days).Unix()) }
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"query", "labels", srv.URL, "quantile"}, "0.025\n0.1\n0.5\n0.9\n0.975\n"},
		{[]string{"query", "series", "--match=forecast_curve_disk_used_ratio{quantile=\"0.5\"}", "--start=" + at(0), "--end=" + at(30), srv.URL}, `{__name__="forecast_curve_disk_used_ratio", instance="a", mountpoint="/", quantile="0.5"}`},
		{[]string{"query", "range", "--start=" + at(1), "--end=" + at(3), "--step=24h", srv.URL, `round(forecast_curve_disk_used_ratio{quantile="0.5"}, 0.01)`}, "0.81 @[" + at(1) + "]\n0.82 @[" + at(2) + "]\n0.83 @[" + at(3) + "]\n"},
		{[]string{"query", "range", "--start=" + at(4), "--end=" + at(6), "--step=1h", srv.URL, `last_over_time(forecast_event{kind="crossing"}[1h])`}, `text="crosses 0.85"} =>`},
		{[]string{"query", "instant", "--time=" + at(2), srv.URL, `forecast_curve_disk_used_ratio{quantile="0.9"} >= on (instance) forecast_curve_disk_used_ratio{quantile="0.1"}`}, `instance="a"`},
	} {
		out, err := exec.Command(promtool, tc.args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), tc.want) {
			t.Errorf("promtool %v: %v\n%s\nwant %s", tc.args, err, out, tc.want)
		}
	}
}

// TestElasticsearch writes forecasts to a real index, twice: they are there once, and can
// be asked for by label.
func TestElasticsearch(t *testing.T) {
	addr := fromEnv(t, "INFRAMIND_TEST_ELASTICSEARCH", "its address; e2e/elasticsearch.sh starts one")
	prom, _ := startPrometheus(t, text([]sample{{`instance="es-test",mountpoint="/"`, filling}}, 30, base, time.Second))
	none := 0
	for range 2 { // without state, the second engine makes the same forecasts again
		store, err := elastic.New(elastic.Config{URLs: []string{addr}, HTTPConfig: commoncfg.DefaultHTTPClientConfig, Replicas: &none})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine(t, config(prom), forecast.Options{Store: store}).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		docs, err := store.Latest(t.Context(), logstore.Query{Index: logstore.IndexForecasts, From: base.Add(-time.Minute), Match: map[string]string{"labels.instance": "es-test"}})
		if err != nil || len(docs) != 2 {
			t.Fatalf("%d documents, %v; want one a horizon", len(docs), err)
		}
		d := docs[0]
		if d.Fields["forecast.target"] != "disk_used_ratio" || !d.Time.Equal(base) || !strings.Contains(d.Message, "grows 1 % a day") {
			t.Errorf("got %s %q %v", d.Time, d.Message, d.Fields)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
