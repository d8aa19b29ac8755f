package conf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v2"

	"github.com/inframind/inframind/internal/config"
	"github.com/inframind/inframind/internal/exporter"
)

// Load reads the files that match patterns, merges them and checks the result. A name that is
// defined twice is an error. With expandEnv, ${NAME} in usernames, communities and passwords
// is replaced by the environment variable, which must exist.
func Load(patterns []string, expandEnv bool) (*Config, error) {
	out := &Config{Auths: map[string]*Auth{}, Modules: map[string]*Module{}}
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil {
			return nil, &config.Error{File: p, Msg: err.Error()}
		}
		if len(files) == 0 {
			return nil, &config.Error{File: p, Msg: "no such file", Hint: "name existing files with --config.file"}
		}
		for _, f := range files {
			var c Config
			if err := config.Load(f, &c); err != nil {
				return nil, err
			}
			if err := out.merge(f, &c); err != nil {
				return nil, err
			}
		}
	}
	if expandEnv {
		if err := out.expandEnv(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Parse reads one snmp.yml; name stands for the file in errors.
func Parse(name string, raw []byte) (*Config, error) {
	var c Config
	if err := config.Parse(name, raw, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

func (c *Config) merge(file string, from *Config) error {
	for n, a := range from.Auths {
		if _, ok := c.Auths[n]; ok {
			return &config.Error{File: file, Msg: fmt.Sprintf("auth %q is already defined in an earlier file", n), Hint: "rename one"}
		}
		c.Auths[n] = a
	}
	c.Targets.Allow = append(c.Targets.Allow, from.Targets.Allow...)
	c.Discovery = append(c.Discovery, from.Discovery...)
	if from.Limits != (exporter.Limits{}) {
		c.Limits = from.Limits
	}
	for n, m := range from.Modules {
		if _, ok := c.Modules[n]; ok {
			return &config.Error{File: file, Msg: fmt.Sprintf("module %q is already defined in an earlier file", n), Hint: "rename one"}
		}
		c.Modules[n] = m
	}
	return nil
}

var envRE = regexp.MustCompile(`\$\{(\w+)\}`)

func (c *Config) expandEnv() error {
	var errs []error
	expand := func(s string) string {
		return envRE.ReplaceAllStringFunc(s, func(ref string) string {
			name := ref[2 : len(ref)-1]
			v, ok := os.LookupEnv(name)
			if !ok {
				errs = append(errs, &config.Error{File: "environment", Msg: fmt.Sprintf("variable %s is not set", name), Hint: "an auth refers to it"})
			}
			return v
		})
	}
	for _, a := range c.Auths {
		a.Username = expand(a.Username)
		a.Community = Secret(expand(string(a.Community)))
		a.Password = Secret(expand(string(a.Password)))
		a.PrivPassword = Secret(expand(string(a.PrivPassword)))
	}
	return errors.Join(errs...)
}

// Write encodes c as snmp.yml. reveal writes secrets in plain, which a file that is to be
// used needs; without it they are blanked.
func (c *Config) Write(reveal bool) ([]byte, error) {
	if !reveal {
		return yaml.Marshal(c)
	}
	var s yaml.MapSlice
	auths := yaml.MapSlice{}
	for _, n := range sortedKeys(c.Auths) {
		a := c.Auths[n]
		item := yaml.MapSlice{}
		for _, f := range []struct{ key, value string }{
			{"community", string(a.Community)},
			{"security_level", a.SecurityLevel},
			{"username", a.Username},
			{"password", string(a.Password)},
			{"auth_protocol", a.AuthProtocol},
			{"priv_protocol", a.PrivProtocol},
			{"priv_password", string(a.PrivPassword)},
			{"context_name", a.ContextName},
		} {
			if f.value != "" {
				item = append(item, yaml.MapItem{Key: f.key, Value: f.value})
			}
		}
		auths = append(auths, yaml.MapItem{Key: n, Value: append(item, yaml.MapItem{Key: "version", Value: a.Version})})
	}
	if len(auths) > 0 {
		s = append(s, yaml.MapItem{Key: "auths", Value: auths})
	}
	s = append(s, yaml.MapItem{Key: "modules", Value: c.Modules})
	return yaml.Marshal(s)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
