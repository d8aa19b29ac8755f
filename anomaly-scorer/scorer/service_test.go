package scorer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/promapi"
)

func TestFeedbackSuppressesTheBehaviour(t *testing.T) {
	ctx := context.Background()
	dir, state, store := t.TempDir(), t.TempDir(), openStore(t)
	e := newEngine(t, dir, state, store, start.Add(3*time.Hour))
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(500, start, 1)+portScan(100, start.Add(time.Hour)))
	if _, err := e.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	finding := func() []logstore.Document {
		docs, err := store.Latest(ctx, logstore.Query{Index: logstore.IndexAnomalies, Match: map[string]string{"anomaly.type": "finding"}})
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	docs := finding()
	if len(docs) != 1 {
		t.Fatalf("%d findings", len(docs))
	}
	srv := httptest.NewServer(e.Handler())
	defer srv.Close()
	post := func(body string) int {
		resp, err := http.Post(srv.URL+"/api/v1/feedback", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for body, want := range map[string]int{
		`{"id": "` + docs[0].ID + `", "right": false}`: 200,
		`{"id": "unknown-1", "right": false}`:          404,
		`{"id": "x"}`:                                  400,
		`not json`:                                     400,
		`{"right": true, "id": "` + strings.Repeat("x", 5000) + `"}`: 400,
	} {
		if got := post(body); got != want {
			t.Errorf("POST %.60s: %d, want %d", body, got, want)
		}
	}
	// The same host scans again the next day.
	write(t, filepath.Join(dir, "conn.log"), connHeader+normal(500, start, 1)+portScan(100, start.Add(time.Hour))+portScan(100, start.Add(30*time.Hour)))
	e.opts.Now = func() time.Time { return start.Add(31 * time.Hour) }
	if _, err := e.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	if docs = finding(); len(docs) != 1 {
		t.Errorf("%d findings after the behaviour was called wanted", len(docs))
	}
	if right, wrong := e.feed.Week(start.Add(31 * time.Hour)); right != 0 || wrong != 1 {
		t.Errorf("the week has %d right and %d wrong", right, wrong)
	}
}

func TestThresholdFollowsFeedback(t *testing.T) {
	f := &Feedback{}
	for i := range 10 {
		f.List = append(f.List, Judgement{Detector: probing, Score: 2.1 + float64(i)/50})
	}
	if got := f.Threshold(2); got < 2.25 || got > 3 {
		t.Errorf("ten false alarms just above the threshold move it to %.2f", got)
	}
	for range 10 {
		f.List = append(f.List, Judgement{Detector: probing, Score: 2.05, Right: true})
	}
	if got := f.Threshold(2); got != 2 {
		t.Errorf("right ones among them move it to %.2f", got)
	}
}

func TestFilebeatDocumentsAreScored(t *testing.T) {
	ctx := context.Background()
	store := openStore(t)
	var docs []logstore.Document
	for i := range 200 {
		docs = append(docs, logstore.Document{ID: fmt.Sprint("zeek-", i), Time: start.Add(time.Duration(i) * time.Second), Message: "conn", Fields: map[string]any{
			"zeek.session_id": fmt.Sprint("C", i), "zeek.connection.state": "REJ", "zeek.connection.history": "Sr", "network.transport": "tcp",
			"source.ip": "10.0.0.66", "source.port": 40000 + i, "source.packets": 1, "source.bytes": 60,
			"destination.ip": "10.0.0.5", "destination.port": 1 + i, "destination.packets": 1, "destination.bytes": 40,
		}})
	}
	docs = append(docs, logstore.Document{ID: "other", Time: start, Message: "a line of something else", Fields: map[string]any{"host.name": "x"}})
	if _, err := store.Write(ctx, IndexZeek, docs); err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{Zeek: ZeekConfig{Index: "filebeat-*"}}, Options{StateDir: t.TempDir(), Store: store, Now: func() time.Time { return start.Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	res, err := e.RunOnce(ctx)
	if err != nil || res.Read != 200 || res.Skipped != 1 {
		t.Fatalf("%+v %v", res, err)
	}
	if f := e.state.Recent; len(f) != 1 {
		t.Errorf("%d findings", len(f))
	}
	if res, err = e.RunOnce(ctx); err != nil || res.Read != 0 {
		t.Errorf("the second run read %d: %v", res.Read, err)
	}
}

// queryServer answers range queries with daily curves; the host "sick" has a step in the
// last hour.
func queryServer(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if strings.Contains(r.Form.Get("query"), "broken") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"status":"error","errorType":"bad_data","error":"parse error"}`)
			return
		}
		from, _ := strconv.ParseFloat(r.Form.Get("start"), 64)
		to, _ := strconv.ParseFloat(r.Form.Get("end"), 64)
		var list []string
		for _, host := range []string{"sound", "sick"} {
			for k, metric := range []string{"cpu", "memory"} {
				var points []string
				for ts := from; ts <= to; ts += 300 {
					v := 50 + 20*math.Sin(2*math.Pi*ts/86400) + 2*math.Sin(ts*(1.37+float64(k)))
					if host == "sick" && metric == "cpu" && ts > to-3600 {
						v += 90
					}
					points = append(points, fmt.Sprintf(`[%.0f,"%.3f"]`, ts, v))
				}
				list = append(list, fmt.Sprintf(`{"metric":{"__name__":%q,"instance":%q},"values":[%s]}`, metric, host, strings.Join(points, ",")))
			}
		}
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[`+strings.Join(list, ",")+`]}}`)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestMetricsMode(t *testing.T) {
	ctx := context.Background()
	store, now := openStore(t), start
	e, err := New(Config{
		Prometheus: &promapi.Server{URL: queryServer(t).URL},
		Metrics:    MetricsConfig{Sets: []MetricSet{{Name: "broken", Query: "broken("}, {Name: "node", Query: `{job="node"}`}}},
	}, Options{StateDir: t.TempDir(), Store: store, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	res, err := e.RunOnce(ctx)
	if err != nil || res.Failed != 1 {
		t.Fatalf("%+v %v; the broken expression must not cost the other", res, err)
	}
	scores := map[string]float64{}
	for _, mf := range gather(t, e) {
		if mf.GetName() == "anomaly_score_ratio" {
			for _, m := range mf.Metric {
				scores[m.Label[0].GetValue()+" "+m.Label[1].GetValue()] = m.Gauge.GetValue()
			}
		}
	}
	for name, abnormal := range map[string]bool{`sick {__name__="cpu"}`: true, "sick all": true, `sick {__name__="memory"}`: false, `sound {__name__="cpu"}`: false, "sound all": false} {
		s, ok := scores[name]
		if !ok || (s >= Threshold) != abnormal {
			t.Errorf("%s scores %.3f, abnormal: %v (there are %v)", name, s, abnormal, scores)
		}
	}
	docs, err := store.Latest(ctx, logstore.Query{Index: logstore.IndexAnomalies, Match: map[string]string{"anomaly.service": `{__name__="cpu"}`}})
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	if raw, _ := json.Marshal(docs[0].Fields["anomaly.reasons"]); !strings.Contains(string(raw), "its level moved from") {
		t.Errorf("the change is not named: %s", raw)
	}
}

func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"zeek: {dir: /logs}\n": "",
		"zeek: {dir: /logs}\nlabels: {demo: \"true\"}\ninterval: 5m": "",
		"labels: {severity: x}\n":                                    "own gauges",
		"labels: {9x: y}\n":                                          "no label name",
		"allow: [{comment: all}]\n":                                  "everything",
		"allow: [{source: 10.0.0.300}]\n":                            "source",
		"zek: {dir: /logs}\n":                                        `unknown field "zek"`,
		"pushgateway: {url: localhost}\n":                            "pushgateway",
		"metrics: {sets: [{name: a, query: up}]}\n":                  "prometheus.url",
		"detectors: {scan: {fast_host: 3}}\n":                        "fast_host",
		"elasticsearch: {urls: []}\n":                                "elasticsearch",
	} {
		var c Config
		err := config.Parse("test.yml", []byte(text), &c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestAllowList(t *testing.T) {
	c := Config{Allow: []Allow{
		{Detector: "scan", Source: "10.9.0.0/16"},
		{Detector: "beacon", Destination: "*.push.example.com", Service: "ssl"},
	}}
	for _, tc := range []struct {
		detector, source, destination, service string
		want                                   bool
	}{
		{"scan", "10.9.1.2", "10.0.0.1", "", true},
		{"scan", "10.8.1.2", "10.0.0.1", "", false},
		{"beacon", "10.9.1.2", "10.0.0.1", "", false},
		{"beacon", "10.0.0.1", "a.push.example.com", "ssl", true},
		{"beacon", "10.0.0.1", "push.example.com", "ssl", false},
	} {
		if got := c.allows(tc.detector, tc.source, tc.destination, tc.service); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}

func TestTrainPromotesOnlyWhatIsNotWorse(t *testing.T) {
	ctx := context.Background()
	good, bad := t.TempDir(), t.TempDir()
	write(t, filepath.Join(good, "conn.log"), connHeader+normal(3000, start, 1))
	model := filepath.Join(t.TempDir(), "model.iforest")
	first, err := Train(ctx, Config{}, TrainOptions{Dir: good, Model: model, Seed: 1})
	if err != nil || !first.Promoted || !math.IsNaN(first.InService) {
		t.Fatalf("%+v %v", first, err)
	}
	again, err := Train(ctx, Config{}, TrainOptions{Dir: good, Model: model, Seed: 2})
	if err != nil || !again.Promoted || math.IsNaN(again.InService) {
		t.Fatalf("%+v %v", again, err)
	}
	if err := Rollback(model); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(bad, "conn.log"), connHeader+normal(50, start, 1))
	if _, err := Train(ctx, Config{}, TrainOptions{Dir: bad, Model: model}); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("50 connections: %v", err)
	}
	write(t, filepath.Join(bad, "conn.log"), "Lorem ipsum\n")
	if _, err := Train(ctx, Config{}, TrainOptions{Dir: bad, Model: model}); err == nil {
		t.Error("trained on text")
	}
	if f, err := LoadForest(model, 100); err != nil || f == nil {
		t.Errorf("the model in service is gone: %v", err)
	}
}
