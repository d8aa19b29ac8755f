package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/inframind/inframind/internal/job"
)

// disk keeps files by target below the state directory. An empty directory keeps nothing.
type disk struct{ dir string }

func (d disk) path(kind, target string) string {
	sum := sha256.Sum256([]byte(target)) // a target is no file name
	return filepath.Join(d.dir, kind, hex.EncodeToString(sum[:12])+".json")
}

// load reads the file into v and leaves v as it is when there is none.
func (d disk) load(kind, target string, v any) error {
	if d.dir == "" {
		return nil
	}
	return job.LoadJSON(d.path(kind, target), v)
}

func (d disk) save(kind, target string, v any) error {
	if d.dir == "" {
		return nil
	}
	return job.SaveJSON(d.path(kind, target), v)
}
