// Package classify is the log-classifier's engine: it reads new lines from the log store,
// labels them and writes them to logs-classified.
package classify

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"
	prommodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/internal/logstore"
)

// Config is the YAML configuration. Its zero value, with a store passed in, is usable.
type Config struct {
	Interval  prommodel.Duration `yaml:"interval,omitempty"` // between runs; default 5m
	Index     string             `yaml:"index,omitempty"`    // lines are read from it; default logs
	Output    string             `yaml:"output,omitempty"`   // and written to it; default logs-classified
	BatchSize int                `yaml:"batch_size,omitempty"`
	Model     string             `yaml:"model,omitempty"` // a model file instead of the one in service
	// MessageField holds the message where a document has none, or is JSON text; the usual
	// names are tried without it.
	MessageField string      `yaml:"message_field,omitempty"`
	Pushgateway  Pushgateway `yaml:"pushgateway,omitempty"`
	Review       Review      `yaml:"review,omitempty"`
	Limits       Limits      `yaml:"limits,omitempty"`
	Drift        Drift       `yaml:"drift,omitempty"`
}

// Pushgateway is where metrics go; without a URL they are kept.
type Pushgateway struct {
	URL        string                      `yaml:"url,omitempty"`
	HTTPClient promconfig.HTTPClientConfig `yaml:"http_client_config,omitempty"`
}

// Review says which lines people are asked about.
type Review struct {
	Confidence float64 `yaml:"confidence,omitempty"` // below it a line goes to review; default 0.6
	Weekly     int     `yaml:"weekly,omitempty"`     // random lines a week besides; default 50
	Backlog    int     `yaml:"backlog,omitempty"`    // templates kept for review; default 2,000
}

// Limits bound memory and label values.
type Limits struct {
	Hosts     int `yaml:"hosts,omitempty"`     // host label values in metrics; default 100
	Services  int `yaml:"services,omitempty"`  // service label values; default 100
	Templates int `yaml:"templates,omitempty"` // default 20,000
	PerRun    int `yaml:"per_run,omitempty"`   // lines a run; default 5,000,000
}

// Drift says when labels got so much worse that a retraining is due.
type Drift struct {
	Drop float64 `yaml:"drop,omitempty"` // of the F1 on reviewed lines against the baseline; default 0.05
}

// Validate fills in the defaults and checks the rest.
func (c *Config) Validate() error {
	setDefault(&c.Interval, prommodel.Duration(5*time.Minute))
	setDefault(&c.Index, logstore.IndexLogs)
	setDefault(&c.Output, logstore.IndexClassified)
	setDefault(&c.BatchSize, 5000)
	setDefault(&c.Review.Confidence, 0.6)
	setDefault(&c.Review.Weekly, 50)
	setDefault(&c.Review.Backlog, 2000)
	setDefault(&c.Limits.Hosts, 100)
	setDefault(&c.Limits.Services, 100)
	setDefault(&c.Limits.Templates, 20_000)
	setDefault(&c.Limits.PerRun, 5_000_000)
	setDefault(&c.Drift.Drop, 0.05)
	var errs []error
	if c.Index == c.Output {
		errs = append(errs, fmt.Errorf("index and output are both %q: labelled lines would be read again", c.Index))
	}
	if c.Review.Confidence < 0 || c.Review.Confidence > 1 {
		errs = append(errs, fmt.Errorf("review.confidence %g: want 0 to 1", c.Review.Confidence))
	}
	if c.BatchSize < 1 || c.BatchSize > 10_000 {
		errs = append(errs, fmt.Errorf("batch_size %d: want 1 to 10000", c.BatchSize))
	}
	if c.Pushgateway.URL != "" {
		if u, err := url.Parse(c.Pushgateway.URL); err != nil || u.Host == "" {
			errs = append(errs, errors.New("pushgateway.url: want http://host:port"))
		}
	}
	for name, n := range map[string]int{"hosts": c.Limits.Hosts, "services": c.Limits.Services, "templates": c.Limits.Templates, "per_run": c.Limits.PerRun} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("limits.%s %d: want 1 or more", name, n))
		}
	}
	return errors.Join(errs...)
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
