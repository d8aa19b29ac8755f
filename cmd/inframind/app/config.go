package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/alert-webhook/webhook"
	"github.com/inframind/inframind/anomaly-scorer/scorer"
	"github.com/inframind/inframind/cmd/inframind/alertmgr"
	"github.com/inframind/inframind/cmd/inframind/configdir"
	"github.com/inframind/inframind/cmd/inframind/demo"
	"github.com/inframind/inframind/cmd/inframind/prom"
	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/internal/tail"
	"github.com/inframind/inframind/log-classifier/classify"
)

// Config is inframind.yml. Every field has a default; the zero value works.
type Config struct {
	Logs       Logs            `yaml:"logs"`
	Forecaster forecast.Config `yaml:"forecaster"`
	Scorer     scorer.Config   `yaml:"anomaly_scorer"`
	Classifier classify.Config `yaml:"log_classifier"`
	Alerts     webhook.Config  `yaml:"alert_webhook"`
}

// Logs says which logs of this machine are stored, and for how long.
type Logs struct {
	Files     []string       `yaml:"files"`          // patterns; absent: tail.DefaultFiles
	Journal   *bool          `yaml:"journal"`        // of systemd; absent: true
	Listen    string         `yaml:"listen_address"` // for syslog over UDP and TCP; empty: none
	Retention model.Duration `yaml:"retention"`      // of all that the log store holds
}

// place is where a configuration is to work.
type place struct {
	self    string // base URL of the process
	dataDir string
	demo    bool
}

// localize fills in where the jobs find Prometheus, the Pushgateway and, in the demo, its
// data, unless the file names others; then every default.
func (c *Config) localize(p place) error {
	if c.Logs.Retention == 0 {
		c.Logs.Retention = model.Duration(logRetention)
	}
	if c.Logs.Files == nil {
		c.Logs.Files = tail.DefaultFiles()
	}
	if c.Logs.Journal == nil {
		yes := true
		c.Logs.Journal = &yes
	}
	prometheus, pushgateway := promapi.Server{URL: p.self + "/prometheus"}, promapi.Server{URL: p.self + "/pushgateway"}
	if c.Forecaster.Prometheus.URL == "" {
		c.Forecaster.Prometheus = prometheus
	}
	if c.Forecaster.Pushgateway == nil {
		c.Forecaster.Pushgateway = &pushgateway
	}
	if c.Scorer.Prometheus == nil && len(c.Scorer.Metrics.Sets) > 0 {
		c.Scorer.Prometheus = &prometheus
	}
	if c.Scorer.Pushgateway == nil {
		c.Scorer.Pushgateway = &pushgateway
	}
	if c.Classifier.Pushgateway.URL != "" {
		return errors.New("log_classifier: pushgateway: is not needed here; its metrics go to the embedded one")
	}
	if c.Scorer.Elastic != nil || c.Scorer.Zeek.Index != "" {
		return errors.New("anomaly_scorer: elasticsearch and zeek.index are not supported inside of inframind, which keeps documents itself; run the anomaly-scorer binary beside it")
	}
	if p.demo {
		c.forDemo(p)
	}
	for _, part := range []struct {
		name     string
		validate func() error
	}{
		{"forecaster", c.Forecaster.Validate},
		{"anomaly_scorer", c.Scorer.Validate},
		{"log_classifier", c.Classifier.Validate},
		{"alert_webhook", c.Alerts.Validate},
	} {
		if err := part.validate(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// forDemo makes the jobs run often and read the demo's connections.
func (c *Config) forDemo(p place) {
	often := func(d *model.Duration, v time.Duration) {
		if *d == 0 {
			*d = model.Duration(v)
		}
	}
	often(&c.Forecaster.Interval, 10*time.Minute)
	often(&c.Scorer.Interval, 30*time.Second)
	often(&c.Classifier.Interval, 30*time.Second)
	if c.Scorer.Zeek.Dir == "" {
		c.Scorer.Zeek.Dir = demo.ZeekDir(demoDir(p.dataDir))
		c.Scorer.Labels = map[string]string{"demo": "true"}
	}
}

// scores tells whether the anomaly-scorer has anything to read.
func (c *Config) scores() bool {
	return c.Scorer.Zeek.Dir != "" || len(c.Scorer.Metrics.Sets) > 0
}

// checkConfig reads every configuration file in dir and returns what inframind.yml says to
// a process at p. The error holds every mistake in every file.
func checkConfig(dir string, p place) (Config, error) {
	var c Config
	_, promErr := prom.Check(filepath.Join(dir, configdir.Prometheus))
	_, amErr := alertmgr.Check(filepath.Join(dir, configdir.Alertmanager))
	file := filepath.Join(dir, configdir.InfraMind)
	err := config.Load(file, &c)
	if err == nil {
		if lerr := c.localize(p); lerr != nil {
			err = &config.Error{File: file, Msg: lerr.Error()}
		}
	}
	return c, errors.Join(promErr, amErr, err)
}

// CheckConfig checks every configuration file in dir as run would.
func CheckConfig(dir string) error {
	_, err := checkConfig(dir, place{self: defaultSelf})
	return err
}
