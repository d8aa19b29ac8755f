package curves_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	pmodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/inframind/inframind/forecaster/curves"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func curve(target, instance string, n int) curves.Curve {
	mid, hi := make([]float32, n), make([]float32, n)
	for i := range mid {
		mid[i], hi[i] = float32(i), float32(i)+10
	}
	return curves.Curve{
		Labels: labels.FromStrings(pmodel.MetricNameLabel, curves.MetricPrefix+target, "instance", instance),
		Start:  start, Step: time.Hour,
		Lines:  []curves.Line{{Quantile: "0.5", Values: mid}, {Quantile: "0.975", Values: hi}},
		Events: []curves.Event{{TimeMS: start.Add(2 * time.Hour).UnixMilli(), Kind: "crossing", Text: "85 %"}},
	}
}

func open(t *testing.T, dir string) *curves.Store {
	t.Helper()
	s, err := curves.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func query(t *testing.T, s *curves.Store, expr string, from, to time.Time, step time.Duration) string {
	t.Helper()
	eng := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: 10 * time.Second, EnableAtModifier: true, Parser: parser.NewParser(parser.Options{})})
	q, err := eng.NewRangeQuery(context.Background(), s, nil, expr, from, to, step)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	res := q.Exec(context.Background())
	if res.Err != nil {
		t.Fatal(res.Err)
	}
	return fmt.Sprint(res.Value)
}

func TestQueryOfTheFuture(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Put(context.Background(), []curves.Curve{curve("cpu", "a", 5), curve("cpu", "b", 5), curve("disk", "a", 5)}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ expr, want string }{
		// 96 minutes lies between two points: the line between them is seen.
		{`forecast_curve_cpu{instance="a",quantile="0.5"}`, `{__name__="forecast_curve_cpu", instance="a", quantile="0.5"} =>
0.6 @[1772325360000]
1.6 @[1772328960000]`},
		{`max by (quantile) (2 * forecast_curve_cpu{quantile="0.5"})`, `{quantile="0.5"} =>
1.2 @[1772325360000]
3.2 @[1772328960000]`},
		{`count({__name__=~"forecast_curve_.+"})`, `{} =>
6 @[1772325360000]
6 @[1772328960000]`},
		{`forecast_curve_none`, ``},
	} {
		if got := query(t, s, tc.expr, start.Add(36*time.Minute), start.Add(96*time.Minute), time.Hour); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.expr, got, tc.want)
		}
	}
	got := query(t, s, `forecast_event{target="disk"}`, start.Add(2*time.Hour), start.Add(2*time.Hour), time.Hour)
	want := `{__name__="forecast_event", instance="a", kind="crossing", target="disk", text="85 %"} =>
1 @[1772330400000]`
	if got != want {
		t.Errorf("event: %s", got)
	}
}

func TestStoreOutlivesTheProcessAndShowsOthersWrites(t *testing.T) {
	dir := t.TempDir()
	writer, reader := open(t, dir), open(t, dir)
	ctx := context.Background()
	if err := writer.Put(ctx, []curves.Curve{curve("cpu", "a", 5)}); err != nil {
		t.Fatal(err)
	}
	if got := len(reader.Labels()); got != 0 {
		t.Fatalf("reader sees %d curves before Refresh", got)
	}
	if err := reader.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	if got := len(reader.Labels()); got != 1 {
		t.Fatalf("reader sees %d curves, want 1", got)
	}
	if n, err := writer.Prune(start.Add(5 * time.Hour)); err != nil || n != 1 {
		t.Fatalf("pruned %d, %v", n, err)
	}
	if err := reader.Refresh(ctx); err != nil || len(reader.Labels()) != 0 {
		t.Fatalf("reader still sees %v, %v", reader.Labels(), err)
	}
}

func TestDamageAndEmptinessReplaceNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := context.Background()
	good := curve("cpu", "a", 5)
	if err := s.Put(ctx, []curves.Curve{good}); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, []curves.Curve{{Labels: good.Labels, Start: start, Step: time.Hour}}); err == nil {
		t.Error("an empty curve was accepted")
	}
	if c, ok, err := s.Get(good.Labels); err != nil || !ok || len(c.Lines[0].Values) != 5 {
		t.Errorf("the good curve is gone: %v %v", ok, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.curve"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 60); err != nil {
		t.Fatal(err)
	}
	if got := len(open(t, dir).Labels()); got != 0 {
		t.Errorf("a torn file is served: %d", got)
	}
}
