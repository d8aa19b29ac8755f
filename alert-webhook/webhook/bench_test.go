package webhook

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
)

// BenchmarkReceive is what an acknowledged notification of ten new alerts costs: parse, store,
// queue, fsync.
func BenchmarkReceive(b *testing.B) {
	const alerts = 10
	_, h := start(b, toSink("http://127.0.0.1:1/"), filepath.Join(b.TempDir(), "alerts"))
	n := 0
	for b.Loop() {
		names := make([]string, alerts)
		for i := range names {
			names[i] = fmt.Sprintf("%d-%d", n, i)
		}
		n++
		if rec := call(h, http.MethodPost, "/api/v1/alerts", payload(b, "firing", names...)); rec.Code != http.StatusOK {
			b.Fatal(rec.Code, rec.Body)
		}
	}
	b.ReportMetric(float64(alerts*n)/b.Elapsed().Seconds(), "alerts/s")
}
