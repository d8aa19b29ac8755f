// Package configdir writes the configuration files of the all-in-one: ordinary Prometheus
// and Alertmanager files that people edit. A file that exists is never overwritten.
package configdir

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"text/template"

	"github.com/inframind/inframind/internal/job"
	"github.com/inframind/inframind/rules"
)

//go:embed files
var files embed.FS

// Names of the files below the configuration directory.
const (
	Prometheus   = "prometheus.yml"
	Alertmanager = "alertmanager.yml"
	InfraMind    = "inframind.yml"
	// Self and Webhook say under which address this process listens. They are the only
	// files that every start writes.
	Self    = "self/targets.json"
	Webhook = "self/webhook.url"
	Inbox   = "self/inbox.url" // of the demo
)

// Options of the files to write.
type Options struct {
	Dir  string
	Demo bool // scrape the demo, and more often
}

// Write writes the files that Dir lacks and returns their names.
func Write(o Options) (written []string, err error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("configuration directory: %w", err)
	}
	data := struct {
		Demo    bool
		Webhook string
		Inbox   string
	}{o.Demo, filepath.Join(dir, Webhook), filepath.Join(dir, Inbox)}
	for _, name := range []string{Prometheus, Alertmanager, InfraMind} {
		t, err := template.ParseFS(files, path.Join("files", name))
		if err != nil {
			return nil, fmt.Errorf("template of %s: %w", name, err)
		}
		var buf bytes.Buffer
		if err := t.Execute(&buf, data); err != nil {
			return nil, fmt.Errorf("template of %s: %w", name, err)
		}
		if written, err = writeNew(written, dir, name, buf.Bytes()); err != nil {
			return nil, err
		}
	}
	names, err := fs.Glob(rules.Files, "*.yml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		raw, err := rules.Files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if written, err = writeNew(written, dir, filepath.Join("rules", name), raw); err != nil {
			return nil, err
		}
	}
	return written, nil
}

func writeNew(written []string, dir, name string, raw []byte) ([]string, error) {
	file := filepath.Join(dir, name)
	switch _, err := os.Stat(file); {
	case err == nil:
		return written, nil
	case !errors.Is(err, fs.ErrNotExist):
		return written, fmt.Errorf("configuration: %w", err)
	}
	if err := job.SaveFile(file, raw); err != nil {
		return written, fmt.Errorf("configuration: %w", err)
	}
	return append(written, name), nil
}

// Announce writes the address this process is reached at, so that prometheus.yml and
// alertmanager.yml hold whatever --web.listen-address says, and the name of this machine,
// which is its instance label. Files that are right already are left alone: the directory
// may then be read-only.
func Announce(dir, hostport string) error {
	instance, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("instance label: %w", err)
	}
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	targets, err := json.Marshal([]group{{[]string{hostport}, map[string]string{"instance": instance}}})
	if err != nil {
		return err
	}
	for name, raw := range map[string][]byte{Self: targets, Webhook: []byte("http://" + hostport + "/alerts/api/v1/alerts"), Inbox: []byte("http://" + hostport + "/demo/inbox")} {
		file := filepath.Join(dir, name)
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, raw) {
			continue
		}
		if err := job.SaveFile(file, raw); err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
	}
	return nil
}

// DefaultListen is the listen address unless a flag says otherwise.
const DefaultListen = "127.0.0.1:9600"

// AnnounceDefault is Announce for files that no process uses yet; it leaves existing ones.
func AnnounceDefault(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, Self)); err == nil {
		return nil
	}
	return Announce(dir, DefaultListen)
}
