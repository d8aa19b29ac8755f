// Package hostmetrics serves the metrics of this very machine with node_exporter's own
// collectors.
package hostmetrics

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/node_exporter/collector"
)

// maxScrapes bounds how many scrapes read /proc at once.
const maxScrapes = 4

// Handler answers with the metrics of node_exporter's default collectors. Those keep their
// settings in package globals that only kingpin's global command line fills in; this is the
// one place that touches it, with no arguments, so the defaults hold. It is to be called
// once in a process.
func Handler(log *slog.Logger) (http.Handler, error) {
	if _, err := kingpin.CommandLine.Parse(nil); err != nil {
		return nil, fmt.Errorf("node collectors: defaults: %w", err)
	}
	nc, err := collector.NewNodeCollector(log)
	if err != nil {
		return nil, fmt.Errorf("node collectors: %w", err)
	}
	reg := prometheus.NewRegistry()
	if err := reg.Register(nc); err != nil {
		return nil, fmt.Errorf("node collectors: %w", err)
	}
	// One collector that fails must not hide the others.
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes}), nil
}
