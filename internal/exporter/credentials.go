package exporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
)

// maxSecret bounds a secret file and a provider's answer, in bytes.
const maxSecret = 64 << 10

// badf is a mistake in the configuration; the loader adds the file's name.
func badf(format string, args ...any) error { return fmt.Errorf(format, args...) }

// Auth says where a credential comes from and which targets it is for. Files are read at
// every probe, so a rotated secret is used at once.
type Auth struct {
	Username     string            `yaml:"username,omitempty"`
	UsernameFile string            `yaml:"username_file,omitempty"`
	Password     promconfig.Secret `yaml:"password,omitempty"`
	PasswordFile string            `yaml:"password_file,omitempty"`
	// SecretFiles are further secrets by name, e.g. "kg" of IPMI.
	SecretFiles map[string]string `yaml:"secret_files,omitempty"`
	Exec        *ExecProvider     `yaml:"exec,omitempty"`
	HTTP        *HTTPProvider     `yaml:"http,omitempty"`
	// Targets that use this auth when ?auth= is absent: addresses, CIDRs or anchored
	// regular expressions. The most specific auth wins; one named "default" is last.
	Targets []string `yaml:"targets,omitempty"`

	match matcher
}

// Credential is what a device asks for.
type Credential struct {
	Name     string // of the auth
	Username string
	Password promconfig.Secret
	Secrets  map[string]promconfig.Secret

	stale error // why the provider's last answer is used instead of a new one
}

// values lists the secret strings, for redaction.
func (c Credential) values() []string {
	out := []string{string(c.Password)}
	for _, s := range c.Secrets {
		out = append(out, string(s))
	}
	return out
}

func (a *Auth) validate(name string) error {
	sources := 0
	for _, set := range []bool{a.Exec != nil, a.HTTP != nil, a.Password != "" || a.PasswordFile != ""} {
		if set {
			sources++
		}
	}
	switch {
	case sources > 1:
		return badf("auths.%s: give one of password, password_file, exec and http", name)
	case a.Password != "" && a.PasswordFile != "":
		return badf("auths.%s: give password or password_file, not both", name)
	case a.Username != "" && a.UsernameFile != "":
		return badf("auths.%s: give username or username_file, not both", name)
	}
	var err error
	if a.match, err = compileMatcher("auths."+name+".targets", a.Targets); err != nil {
		return err
	}
	if a.Exec != nil {
		if err := a.Exec.validate(); err != nil {
			return badf("auths.%s.exec: %w", name, err)
		}
	}
	if a.HTTP != nil {
		if err := a.HTTP.validate(); err != nil {
			return badf("auths.%s.http: %w", name, err)
		}
	}
	return nil
}

// resolve reads the credential for target now.
func (a *Auth) resolve(ctx context.Context, name, target string) (Credential, error) {
	c := Credential{Name: name, Username: a.Username, Password: a.Password}
	var err error
	switch {
	case a.Exec != nil:
		err = a.Exec.fetch(ctx, target, &c)
	case a.HTTP != nil:
		err = a.HTTP.fetch(ctx, target, &c)
	case a.PasswordFile != "":
		c.Password, err = ReadSecret(a.PasswordFile)
	}
	if err == nil && a.UsernameFile != "" {
		var u promconfig.Secret
		u, err = ReadSecret(a.UsernameFile)
		c.Username = string(u)
	}
	for key, file := range a.SecretFiles {
		if err != nil {
			break
		}
		if c.Secrets == nil {
			c.Secrets = map[string]promconfig.Secret{}
		}
		c.Secrets[key], err = ReadSecret(file)
	}
	if err != nil {
		return Credential{Name: name}, Failf(ReasonCredentials, "auth %s: %w", name, err)
	}
	return c, nil
}

// refused says that a target did not take the credential: a provider may have a new one.
func (a *Auth) refused(target string) {
	if a.Exec != nil {
		a.Exec.cache.forget(target)
	}
	if a.HTTP != nil {
		a.HTTP.cache.forget(target)
	}
}

// ReadSecret reads a secret from a file and drops the line end.
func ReadSecret(path string) (promconfig.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if len(raw) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d bytes: is it a secret?", path, maxSecret)
	}
	return promconfig.Secret(bytes.TrimRight(raw, "\r\n")), nil
}

var errUnknownAuth = errors.New("unknown auth")

// credential finds the auth for a target: the named one, else the most specific whose
// targets match, else "default", else none.
func (c *Config) credential(ctx context.Context, name, target string) (Credential, error) {
	if name == "" {
		name = c.authFor(target)
	}
	if name == "" {
		return Credential{}, nil
	}
	a := c.Auths[name]
	if a == nil {
		return Credential{}, fmt.Errorf("%w %q", errUnknownAuth, name)
	}
	return a.resolve(ctx, name, target)
}

func (c *Config) authFor(target string) string {
	best, bestRank := "", -1
	for _, name := range sortedKeys(c.Auths) {
		if r := c.Auths[name].match.rank(Host(target)); r > bestRank {
			best, bestRank = name, r
		}
	}
	if best == "" && c.Auths["default"] != nil {
		return "default"
	}
	return best
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Redact replaces every secret in s.
func Redact(s string, c Credential) string {
	for _, v := range c.values() {
		if v != "" {
			s = strings.ReplaceAll(s, v, "<redacted>")
		}
	}
	return s
}
