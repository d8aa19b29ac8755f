package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"

	"github.com/inframind/inframind/alert-webhook/webhook"
	"github.com/inframind/inframind/cmd/inframind/alertmgr"
	"github.com/inframind/inframind/cmd/inframind/configdir"
	"github.com/inframind/inframind/cmd/inframind/prom"
	"github.com/inframind/inframind/forecaster/forecast"
	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/promapi"
	"github.com/inframind/inframind/log-classifier/classify"
)

// Config is inframind.yml. Every field has a default; the zero value works.
type Config struct {
	Logs       Logs            `yaml:"logs"`
	Forecaster forecast.Config `yaml:"forecaster"`
	Classifier classify.Config `yaml:"log_classifier"`
	Alerts     webhook.Config  `yaml:"alert_webhook"`
}

// Logs says which logs of this machine are stored, and for how long.
type Logs struct {
	Files     []string       `yaml:"files"`     // patterns
	Journal   bool           `yaml:"journal"`   // of systemd
	Retention model.Duration `yaml:"retention"` // of all that the log store holds
}

// localize fills in where the jobs find Prometheus and the Pushgateway, unless the file
// names others, and every default. self is the base URL of this process.
func (c *Config) localize(self string, demo bool) error {
	if c.Logs.Retention == 0 {
		c.Logs.Retention = model.Duration(logRetention)
	}
	f := &c.Forecaster
	if f.Prometheus.URL == "" {
		f.Prometheus.URL = self + "/prometheus"
	}
	if f.Pushgateway == nil {
		f.Pushgateway = &promapi.Server{URL: self + "/pushgateway"}
	}
	if demo && f.Interval == 0 {
		f.Interval = model.Duration(10 * time.Minute)
	}
	if demo && c.Classifier.Interval == 0 {
		c.Classifier.Interval = model.Duration(30 * time.Second)
	}
	if c.Classifier.Pushgateway.URL != "" {
		return errors.New("log_classifier: pushgateway: is not needed here; its metrics go to the embedded one")
	}
	if err := f.Validate(); err != nil {
		return fmt.Errorf("forecaster: %w", err)
	}
	if err := c.Classifier.Validate(); err != nil {
		return fmt.Errorf("log_classifier: %w", err)
	}
	if err := c.Alerts.Validate(); err != nil {
		return fmt.Errorf("alert_webhook: %w", err)
	}
	return nil
}

// CheckConfig reads every configuration file in dir and returns what inframind.yml says to
// a process reached at self. The error holds every mistake in every file.
func CheckConfig(dir, self string, demo bool) (Config, error) {
	var c Config
	_, promErr := prom.Check(filepath.Join(dir, configdir.Prometheus))
	_, amErr := alertmgr.Check(filepath.Join(dir, configdir.Alertmanager))
	file := filepath.Join(dir, configdir.InfraMind)
	err := config.Load(file, &c)
	if err == nil {
		if lerr := c.localize(self, demo); lerr != nil {
			err = &config.Error{File: file, Msg: lerr.Error()}
		}
	}
	return c, errors.Join(promErr, amErr, err)
}
