package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/inframind/inframind/forecaster/curves"
	"github.com/inframind/inframind/internal/logstore"
	"github.com/inframind/inframind/internal/logstore/sqlite"
)

// openStores opens what outlives the process beside the servers' own data.
func (a *App) openStores() error {
	s, err := sqlite.Open(filepath.Join(a.opts.DataDir, "logs"), sqlite.Options{Retention: time.Duration(a.config.Logs.Retention), Log: a.log})
	if err != nil {
		return err
	}
	a.onClose(s.Close)
	if a.store, err = newCountedStore(s, a.registry); err != nil {
		return err
	}
	a.curves, err = curves.Open(filepath.Join(a.opts.DataDir, "curves"))
	return err
}

// countedStore makes metrics of what is written to a Store.
type countedStore struct {
	logstore.Store
	written, rejected *prometheus.CounterVec
	last              *prometheus.GaugeVec
}

func newCountedStore(s logstore.Store, reg prometheus.Registerer) (*countedStore, error) {
	index := []string{"index"}
	c := &countedStore{
		Store:    s,
		written:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "inframind_logstore_written_total", Help: "Documents that were stored, by index."}, index),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "inframind_logstore_rejected_total", Help: "Documents that the store refused for good, by index."}, index),
		last:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "inframind_logstore_last_write_timestamp_seconds", Help: "Unix time of the last successful write, by index."}, index),
	}
	for _, m := range []prometheus.Collector{c.written, c.rejected, c.last} {
		if err := reg.Register(m); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{logstore.IndexLogs, logstore.IndexClassified, logstore.IndexAnomalies, logstore.IndexForecasts} {
		c.written.WithLabelValues(name)
		c.rejected.WithLabelValues(name)
	}
	return c, nil
}

// Write implements logstore.Store.
func (c *countedStore) Write(ctx context.Context, index string, docs []logstore.Document) ([]logstore.Rejected, error) {
	rejected, err := c.Store.Write(ctx, index, docs)
	if err != nil {
		return rejected, err
	}
	c.written.WithLabelValues(index).Add(float64(len(docs) - len(rejected)))
	c.rejected.WithLabelValues(index).Add(float64(len(rejected)))
	c.last.WithLabelValues(index).SetToCurrentTime()
	return rejected, nil
}
