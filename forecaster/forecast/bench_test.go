package forecast

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inframind/inframind/internal/promapi"
)

// BenchmarkRun is a whole run over series of 30 days at 5 minutes with a horizon of 30
// days: query, decoding, backtest, forecast, curves and state. FORECAST_SERIES sets how
// many (default 200); the answer is the same text for all, so that the server costs little.
func BenchmarkRun(b *testing.B) {
	n := 200
	if v, err := strconv.Atoi(os.Getenv("FORECAST_SERIES")); err == nil {
		n = v
	}
	var values strings.Builder
	for i := range 8640 {
		at := testNow.Add(time.Duration(i-8639) * 5 * time.Minute)
		fmt.Fprintf(&values, `,[%d,"%.6f"]`, at.Unix(), daily(0.4)(at)+0.02*float64(i*7919%101)/101)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query" {
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
			return
		}
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[`)
		for i := range n {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"metric":{"instance":"host%d"},"values":[%s]}`, i, values.String()[1:])
		}
		fmt.Fprint(w, `]}}`)
	}))
	defer srv.Close()
	cfg := Config{Prometheus: promapi.Server{URL: srv.URL}, NoDefaults: true, Targets: []Target{{Name: "cpu_ratio", Query: "up", Unit: UnitRatio}}}
	for b.Loop() {
		e, err := New(cfg, Options{StateDir: b.TempDir(), Now: func() time.Time { return testNow }})
		if err != nil {
			b.Fatal(err)
		}
		start := usage(b)
		res, err := e.RunOnce(b.Context())
		if err != nil || res.Written != n {
			b.Fatal(res, err)
		}
		spent := usage(b)
		cpu := time.Duration(spent.Utime.Nano() + spent.Stime.Nano() - start.Utime.Nano() - start.Stime.Nano())
		b.ReportMetric(cpu.Seconds()*1000/float64(n), "cpu-ms/series")
		b.ReportMetric(float64(spent.Maxrss)/1024, "max-rss-MiB")
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func usage(b *testing.B) (r syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r
}
