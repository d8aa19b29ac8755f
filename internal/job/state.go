package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// ErrHeld is returned by Lock when another process works in the same directory.
var ErrHeld = errors.New("held by another process")

// Lock takes the lock of the state directory dir, which it creates. The error of a second
// caller says who holds it. The kernel frees the lock when the process dies, however it dies.
func Lock(dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	path := filepath.Join(dir, "lock")
	l := flock.New(path, flock.SetPermissions(0o640))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		holder, _ := os.ReadFile(path) // best effort: the text is only for the message
		return nil, fmt.Errorf("%s is %w (%s): stop it or use another directory", dir, ErrHeld, strings.TrimSpace(string(holder)))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	text := fmt.Sprintf("pid %d on %s since %s: %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339), filepath.Base(os.Args[0]))
	// Not renamed into place: the lock belongs to this very file.
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), l.Unlock())
	}
	return l.Unlock, nil
}

// SaveJSON writes v to path so that a crash leaves either the old or the new content.
func SaveJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return SaveFile(path, raw)
}

// SaveFile is SaveJSON for content that is already encoded.
func SaveFile(path string, raw []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	if err := renameio.WriteFile(path, raw, 0o640); err != nil {
		return fmt.Errorf("save %s: %w", path, err)
	}
	return nil
}

// LoadJSON reads path into v. A file that does not exist leaves v as it is and is no error.
func LoadJSON(path string, v any) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s is damaged: %w (move it away to start afresh)", path, err)
	}
	return nil
}
