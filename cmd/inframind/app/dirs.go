package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/inframind/inframind/internal/cli"
	"github.com/inframind/inframind/internal/job"
)

// demoMarker is a file in the data directory of a demo.
const demoMarker = "DEMO"

// openDirs makes the data directory usable and takes its lock.
func (a *App) openDirs() error {
	var err error
	if a.opts.DataDir, err = filepath.Abs(a.opts.DataDir); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if a.opts.ConfigDir == "" {
		a.opts.ConfigDir = filepath.Join(a.opts.DataDir, "config")
	}
	if a.opts.ConfigDir, err = filepath.Abs(a.opts.ConfigDir); err != nil {
		return fmt.Errorf("configuration directory: %w", err)
	}
	if err := checkWritable(a.opts.DataDir); err != nil {
		return err
	}
	unlock, err := job.Lock(a.opts.DataDir)
	if err != nil {
		return fmt.Errorf("data directory %w", err)
	}
	a.onClose(unlock)
	return a.checkDemo()
}

func checkWritable(dir string) error {
	err := os.MkdirAll(dir, 0o750)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("data directory %s is not writable for user id %d: %w (choose another with --data.dir)", dir, os.Getuid(), cause(err))
	}
	return nil
}

// cause leaves away the name of a temporary file, which would only confuse.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// checkDemo keeps invented and real data apart: a directory is one or the other for good.
func (a *App) checkDemo() error {
	marker, tsdb := filepath.Join(a.opts.DataDir, demoMarker), a.tsdbDir()
	_, err := os.Stat(marker)
	isDemo := err == nil
	_, err = os.Stat(tsdb)
	isUsed := err == nil
	switch {
	case isDemo && !a.opts.Demo:
		return cli.Usagef("data directory %s holds a demo's data: add --demo, or choose another with --data.dir", a.opts.DataDir)
	case !isDemo && isUsed && a.opts.Demo:
		return cli.Usagef("data directory %s holds real data: leave --demo out, or choose another with --data.dir", a.opts.DataDir)
	case a.opts.Demo && !isDemo:
		return job.SaveFile(marker, []byte("This directory holds the invented data of inframind run --demo.\n"))
	}
	return nil
}

func explainListen(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("address %s is in use: stop the program that listens there, or choose another with --web.listen-address", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("address %s is not allowed for user id %d: choose a port above 1023 with --web.listen-address", addr, os.Getuid())
	}
	return cli.Usagef("address %q: %w (want host:port in --web.listen-address)", addr, err)
}

// externalURL is the base of links in alerts and on pages.
func externalURL(flag, self string) (*url.URL, error) {
	if flag == "" {
		flag = self
	}
	u, err := url.Parse(strings.TrimRight(flag, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, cli.Usagef("--web.external-url %q: want http://host:port", flag)
	}
	if u.Path != "" {
		return nil, cli.Usagef("--web.external-url %q: a path is not supported; give inframind a host name of its own in the reverse proxy", flag)
	}
	return u, nil
}

// quieter lets the embedded servers say only what is wrong, unless debugging is on: their
// information lines would bury those of this process.
func quieter(log *slog.Logger) *slog.Logger {
	if log.Enabled(context.Background(), slog.LevelDebug) {
		return log
	}
	return slog.New(warnings{log.Handler()})
}

// below is base, which has no path, with path.
func below(base *url.URL, path string) *url.URL {
	u := *base
	u.Path = path
	return &u
}
