package collect

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/inframind/inframind/exporters/ipmi_exporter/ipmitest"
	"github.com/inframind/inframind/internal/exporter"
)

const probeLimit = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func adminCredential() exporter.Credential {
	return exporter.Credential{Name: "test", Username: ipmitest.User, Password: ipmitest.Password}
}

func newDriver(tb testing.TB, conf Config) *Driver {
	tb.Helper()
	if err := conf.Validate(); err != nil {
		tb.Fatal(err)
	}
	d := New(conf, Options{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()})
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return d
}
