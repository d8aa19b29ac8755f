package tail

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inframind/inframind/internal/job"
)

// position is what is known of one generation of a file: one content from its first byte to
// its end. A truncation begins a new generation.
type position struct {
	ID      string    `json:"id"` // random, saved before the first line is stored
	Path    string    `json:"path"`
	Dev     uint64    `json:"dev"`
	Ino     uint64    `json:"ino"`
	Offset  int64     `json:"offset"` // everything before is stored
	HeadLen int       `json:"head_len"`
	Head    string    `json:"head"` // hash of the first HeadLen bytes
	Clock   time.Time `json:"clock"`
	Last    time.Time `json:"last"`    // of the last line that had a time
	LastAt  int64     `json:"last_at"` // its offset
	Done    bool      `json:"done"`    // rotated and read to the end
}

// state is the position file.
type state struct {
	path string

	Version int         `json:"version"`
	Files   []*position `json:"files"`
	Journal string      `json:"journal,omitempty"` // cursor
}

const stateVersion = 1

func loadState(path string) (*state, error) {
	s := &state{Version: stateVersion}
	if err := job.LoadJSON(path, s); err != nil {
		return nil, err
	}
	if s.Version != stateVersion {
		return nil, fmt.Errorf("%s has version %d, this program knows %d: use the release that wrote it", path, s.Version, stateVersion)
	}
	s.Files = slices.DeleteFunc(s.Files, func(p *position) bool {
		return p == nil || p.ID == "" || p.Offset < 0 || p.HeadLen < 0 || p.HeadLen > headMax
	})
	s.path = path
	return s, nil
}

func (s *state) save() error { return job.SaveJSON(s.path, s) }

// add makes the position of a new generation.
func (s *state) add(path string, dev, ino uint64, now time.Time) *position {
	p := &position{ID: strings.ToLower(rand.Text()[:16]), Path: path, Dev: dev, Ino: ino, Clock: now.UTC().Truncate(time.Millisecond)}
	s.Files = append(s.Files, p)
	return p
}

func (s *state) drop(p *position) {
	s.Files = slices.DeleteFunc(s.Files, func(q *position) bool { return q == p })
}
