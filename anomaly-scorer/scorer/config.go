package scorer

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"time"

	pmodel "github.com/prometheus/common/model"

	"github.com/inframind/inframind/anomaly-scorer/detect/beacon"
	"github.com/inframind/inframind/anomaly-scorer/detect/dnstunnel"
	"github.com/inframind/inframind/anomaly-scorer/detect/exfil"
	"github.com/inframind/inframind/anomaly-scorer/detect/firstseen"
	"github.com/inframind/inframind/anomaly-scorer/detect/flood"
	"github.com/inframind/inframind/anomaly-scorer/detect/login"
	"github.com/inframind/inframind/anomaly-scorer/detect/longconn"
	"github.com/inframind/inframind/anomaly-scorer/detect/rare"
	"github.com/inframind/inframind/anomaly-scorer/detect/scan"
	"github.com/inframind/inframind/internal/logstore/elastic"
	"github.com/inframind/inframind/internal/promapi"
)

// Config is the scorer's YAML file. The zero value with a Zeek directory is usable:
// Validate fills in everything else.
type Config struct {
	Zeek        ZeekConfig        `yaml:"zeek,omitempty"`
	Pushgateway *promapi.Server   `yaml:"pushgateway,omitempty"`   // nil: do not push
	Prometheus  *promapi.Server   `yaml:"prometheus,omitempty"`    // for the metrics mode
	Elastic     *elastic.Config   `yaml:"elasticsearch,omitempty"` // where anomalies are kept, and Filebeat's documents read
	Interval    pmodel.Duration   `yaml:"interval,omitempty"`      // between runs [10m]
	Retrain     pmodel.Duration   `yaml:"retrain,omitempty"`       // between trainings [7d]
	TrainWindow pmodel.Duration   `yaml:"train_window,omitempty"`  // of log time a model is trained on [7d]
	Timeout     pmodel.Duration   `yaml:"timeout,omitempty"`       // of one run [30m]
	Model       string            `yaml:"model,omitempty"`         // file; empty: model.iforest in the state directory
	MaxEntries  int               `yaml:"max_entries,omitempty"`   // remembered hosts and pairs, each [262144]
	MaxRows     int               `yaml:"max_documents,omitempty"`
	TopSources  int               `yaml:"top_sources,omitempty"` // with a gauge of their own [20]
	Labels      map[string]string `yaml:"labels,omitempty"`      // on every gauge and document
	Allow       []Allow           `yaml:"allow,omitempty"`
	Detectors   Detectors         `yaml:"detectors,omitempty"`
	Metrics     MetricsConfig     `yaml:"metrics,omitempty"`
}

// ZeekConfig is where the logs are.
type ZeekConfig struct {
	Dir string `yaml:"dir,omitempty"` // searched with its subdirectories
	// Index is the pattern of the indices that Filebeat's Zeek module writes, e.g.
	// filebeat-*; empty: read files only.
	Index string `yaml:"index,omitempty"`
}

// IndexZeek is the log store's name for the documents of Filebeat's Zeek module.
const IndexZeek = "zeek"

// Detectors are the thresholds of each.
type Detectors struct {
	Scan      scan.Options      `yaml:"scan,omitempty"`
	Beacon    beacon.Options    `yaml:"beacon,omitempty"`
	Exfil     exfil.Options     `yaml:"exfiltration,omitempty"`
	DNSTunnel dnstunnel.Options `yaml:"dns_tunnel,omitempty"`
	Login     login.Options     `yaml:"brute_force,omitempty"`
	Flood     flood.Options     `yaml:"flood,omitempty"`
	LongConn  longconn.Options  `yaml:"long_connection,omitempty"`
	FirstSeen firstseen.Options `yaml:"first_seen,omitempty"`
	Rare      rare.Options      `yaml:"rare,omitempty"`
}

// Allow names what is known and wanted. Empty fields match everything; one must be set.
type Allow struct {
	Detector    string `yaml:"detector,omitempty"`
	Source      string `yaml:"source,omitempty"`      // address or prefix
	Destination string `yaml:"destination,omitempty"` // address, prefix or domain pattern
	Service     string `yaml:"service,omitempty"`     // e.g. tcp/443
	Comment     string `yaml:"comment,omitempty"`
}

// MetricsConfig is the metrics mode: PromQL sets whose series are scored together.
type MetricsConfig struct {
	Sets    []MetricSet     `yaml:"sets,omitempty"`
	History pmodel.Duration `yaml:"history,omitempty"` // [14d]
	Step    pmodel.Duration `yaml:"step,omitempty"`    // [5m]
}

// MetricSet is one PromQL expression whose series are scored, together by the label By.
type MetricSet struct {
	Name  string `yaml:"name"`
	Query string `yaml:"query"`
	By    string `yaml:"by,omitempty"` // [instance]
}

const maxLabels = 16

// Validate fills in defaults and checks the whole.
func (c *Config) Validate() error {
	def := func(d *pmodel.Duration, v time.Duration) {
		if *d <= 0 {
			*d = pmodel.Duration(v)
		}
	}
	def(&c.Interval, 10*time.Minute)
	def(&c.Retrain, 7*24*time.Hour)
	def(&c.TrainWindow, 7*24*time.Hour)
	def(&c.Timeout, 30*time.Minute)
	def(&c.Metrics.History, 14*24*time.Hour)
	def(&c.Metrics.Step, 5*time.Minute)
	for p, v := range map[*int]int{&c.MaxEntries: 1 << 18, &c.MaxRows: 1000, &c.TopSources: 20} {
		if *p <= 0 {
			*p = v
		}
	}
	return errors.Join(c.checkServers(), c.checkLabels(), c.checkAllow(), c.checkMetrics())
}

func (c *Config) checkServers() error {
	var errs []error
	check := func(name string, s *promapi.Server) {
		if s != nil {
			if err := s.Validate(); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	check("pushgateway", c.Pushgateway)
	check("prometheus", c.Prometheus)
	if c.Elastic != nil {
		errs = append(errs, c.Elastic.Validate())
	}
	return errors.Join(errs...)
}

func (c *Config) checkLabels() error {
	if len(c.Labels) > maxLabels {
		return fmt.Errorf("labels: more than %d", maxLabels)
	}
	for name := range c.Labels {
		switch {
		case !pmodel.LegacyValidation.IsValidLabelName(name):
			return fmt.Errorf("labels: %q is no label name", name)
		case name == "detector" || name == "severity" || name == "source" || name == "shard":
			return fmt.Errorf("labels: %q is a label of the scorer's own gauges", name)
		}
	}
	return nil
}

func (c *Config) checkAllow() error {
	for i, a := range c.Allow {
		if a.Detector == "" && a.Source == "" && a.Destination == "" && a.Service == "" {
			return fmt.Errorf("allow[%d]: sets nothing, which would allow everything", i)
		}
		if a.Source != "" {
			if _, err := prefix(a.Source); err != nil {
				return fmt.Errorf("allow[%d]: source: %w", i, err)
			}
		}
		if _, err := path.Match(a.Destination, ""); err != nil {
			return fmt.Errorf("allow[%d]: destination %q: %w", i, a.Destination, err)
		}
	}
	return nil
}

func (c *Config) checkMetrics() error {
	for i := range c.Metrics.Sets {
		s := &c.Metrics.Sets[i]
		if s.Name == "" || s.Query == "" {
			return fmt.Errorf("metrics.sets[%d]: name and query are needed", i)
		}
		if s.By == "" {
			s.By = "instance"
		}
	}
	if len(c.Metrics.Sets) > 0 && c.Prometheus == nil {
		return errors.New("metrics: prometheus.url is needed")
	}
	return nil
}

// prefix reads an address or a prefix.
func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// matches tells whether a is about this behaviour.
func (a *Allow) matches(detector, source, destination, service string) bool {
	if a.Detector != "" && a.Detector != detector || a.Service != "" && a.Service != service {
		return false
	}
	return matchHost(a.Source, source) && matchHost(a.Destination, destination)
}

func matchHost(pattern, host string) bool {
	if pattern == "" || pattern == host {
		return true
	}
	if p, err := prefix(pattern); err == nil {
		addr, err := netip.ParseAddr(host)
		return err == nil && p.Contains(addr)
	}
	ok, err := path.Match(pattern, host)
	return err == nil && ok
}
