package app

import (
	"errors"
	"path/filepath"

	"github.com/inframind/inframind/cmd/inframind/alertmgr"
	"github.com/inframind/inframind/cmd/inframind/configdir"
	"github.com/inframind/inframind/cmd/inframind/prom"
	"github.com/inframind/inframind/internal/config"
)

// Config is inframind.yml. Every field has a default; the zero value works.
type Config struct {
	Logs Logs `yaml:"logs"`
}

// Logs says which logs of this machine are stored.
type Logs struct {
	Files   []string `yaml:"files"`   // patterns
	Journal bool     `yaml:"journal"` // of systemd
}

// CheckConfig reads every configuration file in dir and returns what inframind.yml says.
// The error holds every mistake in every file.
func CheckConfig(dir string) (Config, error) {
	var c Config
	_, promErr := prom.Check(filepath.Join(dir, configdir.Prometheus))
	_, amErr := alertmgr.Check(filepath.Join(dir, configdir.Alertmanager))
	err := config.Load(filepath.Join(dir, configdir.InfraMind), &c)
	return c, errors.Join(promErr, amErr, err)
}
