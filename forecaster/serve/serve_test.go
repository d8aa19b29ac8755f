package serve_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/forecaster/serve"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/series"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func server(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := curves.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Put(context.Background(), []curves.Curve{{
		Labels: labels.FromStrings(pmodel.MetricNameLabel, curves.MetricPrefix+"cpu", "instance", "a"), Start: start, Step: time.Hour,
		Lines: []curves.Line{{Quantile: "0.5", Values: []float32{1, 2, 3}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(serve.Handler(s, slog.New(slog.DiscardHandler)))
	t.Cleanup(srv.Close)
	return srv
}

func TestAPI(t *testing.T) {
	srv := server(t)
	const span = "&start=1772323200&end=1772330400"
	for _, tc := range []struct {
		path   string
		status int
		want   string
	}{
		{"/-/healthy", 200, "forecaster is healthy.\n"},
		{
			"/api/v1/query?query=forecast_curve_cpu&time=2026-03-01T01:00:00Z", 200,
			`{"data":{"result":[{"metric":{"__name__":"forecast_curve_cpu","instance":"a","quantile":"0.5"},"value":[1772326800,"2"]}],"resultType":"vector"},"status":"success"}`,
		},
		{"/api/v1/query?query=1%2B1&time=0", 200, `{"data":{"result":[0,"2"],"resultType":"scalar"},"status":"success"}`},
		{
			"/api/v1/query_range?query=forecast_curve_cpu&step=1h" + span, 200,
			`{"data":{"result":[{"metric":{"__name__":"forecast_curve_cpu","instance":"a","quantile":"0.5"},"values":[[1772323200,"1"],[1772326800,"2"],[1772330400,"3"]]}],"resultType":"matrix"},"status":"success"}`,
		},
		{"/api/v1/series?match[]=forecast_curve_cpu" + span, 200, `{"data":[{"__name__":"forecast_curve_cpu","instance":"a","quantile":"0.5"}],"status":"success"}`},
		{"/api/v1/labels?x=1" + span, 200, `{"data":["__name__","instance","quantile"],"status":"success"}`},
		{"/api/v1/label/instance/values?x=1" + span, 200, `{"data":["a"],"status":"success"}`},
		{"/api/v1/label/instance/values?match[]=up" + span, 200, `{"data":[],"status":"success"}`},
		{"/api/v1/query?query=rate(", 400, `"errorType":"bad_data"`},
		{"/api/v1/query_range?query=up&start=now&end=1&step=1", 400, `cannot parse \"now\" to a valid timestamp`},
		{"/api/v1/query_range?query=up&start=0&end=1000000&step=1", 400, `exceeded maximum resolution`},
		{"/api/v1/query_range?query=up&start=0&end=1000&step=0", 400, `cannot parse \"0\" to a valid duration`},
		{"/api/v1/series", 400, "no match[] parameter provided"},
		{"/api/v1/write", 404, "404 page not found\n"},
	} {
		resp, err := http.Get(srv.URL + tc.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tc.status || !strings.Contains(string(body), tc.want) {
			t.Errorf("%s: %d %s\nwant %d %s", tc.path, resp.StatusCode, body, tc.status, tc.want)
		}
	}
}

// TestOurOwnClientReadsIt closes the circle: what is served is read back by promapi.
func TestOurOwnClientReadsIt(t *testing.T) {
	c, err := promapi.New(promapi.Server{URL: server(t).URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []float64
	err = c.QueryRange(context.Background(), `forecast_curve_cpu{quantile="0.5"}`, start, start.Add(2*time.Hour), time.Hour, func(s series.Series) error {
		got = s.Values
		return nil
	})
	if err != nil || len(got) != 3 || got[2] != 3 {
		t.Errorf("got %v, %v", got, err)
	}
}
