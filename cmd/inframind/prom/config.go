package prom

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	ourconfig "github.com/inframind/inframind/internal/config"
)

// Check reads prometheus.yml at path and every rule file it names. Its errors are
// *config.Error, one for each mistake, with file and line where the parser gives one.
func Check(path string) (*config.Config, error) {
	if !exists(path) {
		return nil, &ourconfig.Error{File: path, Msg: "no such file", Hint: "make one with inframind init DIR"}
	}
	// The parser logs nothing an operator needs that its error does not say.
	c, err := config.LoadFile(path, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, ourconfig.Locate(path, strip(err, "parsing YAML file "+path+": "))
	}
	if _, err := c.GetScrapeConfigs(); err != nil {
		return nil, &ourconfig.Error{File: path, Msg: err.Error()}
	}
	files, err := ruleFiles(c.RuleFiles)
	if err != nil {
		return nil, &ourconfig.Error{File: path, Msg: err.Error()}
	}
	var errs []error
	for _, f := range files {
		_, problems := rulefmt.ParseFile(f, false, c.GlobalConfig.MetricNameValidationScheme, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		for _, p := range problems {
			errs = append(errs, locateRule(f, p))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return c, nil
}

func strip(err error, prefix string) error {
	return errors.New(strings.TrimPrefix(err.Error(), prefix))
}

var rulePosRE = regexp.MustCompile(`^(\d+):\d+: (.*)`)

// locateRule turns "file: 7:9: group ..." of rulefmt into an Error with its line.
func locateRule(file string, err error) error {
	msg := strings.TrimPrefix(err.Error(), file+": ")
	msg = strings.Join(strings.Fields(msg), " ") // PromQL errors span lines
	if m := rulePosRE.FindStringSubmatch(msg); m != nil {
		if line, convErr := strconv.Atoi(m[1]); convErr == nil {
			return &ourconfig.Error{File: file, Line: line, Msg: m[2], Hint: "promtool check rules tells more"}
		}
	}
	return ourconfig.Locate(file, errors.New(msg))
}

// Reload reads the files again and applies them. Files that do not pass Check leave
// everything as it runs.
func (s *Server) Reload() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		if err != nil {
			s.reloadOK.Set(0)
			return
		}
		s.reloadOK.Set(1)
		s.reloadSuccess.SetToCurrentTime()
	}()
	c, err := Check(s.opts.ConfigFile)
	if err != nil {
		return err
	}
	if c.StorageConfig.ExemplarsConfig == nil { // the TSDB's ApplyConfig reads it without asking
		c.StorageConfig.ExemplarsConfig = &config.DefaultExemplarsConfig
	}
	for _, part := range []struct {
		name  string
		apply func(*config.Config) error
	}{
		{"storage", s.db.ApplyConfig},
		{"remote storage", s.remote.ApplyConfig},
		{"web", s.web.ApplyConfig},
		{"scrape", s.scrapes.ApplyConfig},
		{"scrape discovery", s.applyScrapeDiscovery},
		{"notify", s.notifier.ApplyConfig},
		{"notify discovery", s.applyNotifyDiscovery},
		{"rules", s.applyRules},
	} {
		if err := part.apply(c); err != nil {
			return fmt.Errorf("%s: apply to %s: %w", s.opts.ConfigFile, part.name, err)
		}
	}
	s.subqueryStep.Store(time.Duration(c.GlobalConfig.EvaluationInterval).Milliseconds())
	return nil
}

func (s *Server) applyScrapeDiscovery(c *config.Config) error {
	scrapes, err := c.GetScrapeConfigs()
	if err != nil {
		return err
	}
	m := make(map[string]discovery.Configs, len(scrapes))
	for _, sc := range scrapes {
		m[sc.JobName] = sc.ServiceDiscoveryConfigs
	}
	return s.scrapeDiscovery.ApplyConfig(m)
}

func (s *Server) applyNotifyDiscovery(c *config.Config) error {
	m := map[string]discovery.Configs{}
	for name, am := range c.AlertingConfig.AlertmanagerConfigs.ToMap() {
		m[name] = am.ServiceDiscoveryConfigs
	}
	return s.notifyDiscovery.ApplyConfig(m)
}

func (s *Server) applyRules(c *config.Config) error {
	files, err := ruleFiles(c.RuleFiles)
	if err != nil {
		return err
	}
	return s.rules.Update(time.Duration(c.GlobalConfig.EvaluationInterval), files, c.GlobalConfig.ExternalLabels, s.opts.External.String(), nil)
}
