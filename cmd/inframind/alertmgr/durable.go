package alertmgr

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/inframind/inframind/cmd/inframind/durable"
	"github.com/inframind/inframind/internal/job"
)

// durable writes the silences to disk before a change to them is acknowledged. Alertmanager
// itself does so every few minutes, and a silence set just before a crash would be gone.
func (s *Server) durable(next http.Handler) http.Handler {
	prefix := s.opts.External.Path + "/api/v2/silence" // also of /silences
	saved := durable.Handler(next, s.saveSilences, s.log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || !strings.HasPrefix(r.URL.Path, prefix) {
			next.ServeHTTP(w, r)
			return
		}
		saved.ServeHTTP(w, r)
	})
}

func (s *Server) saveSilences() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	var buf bytes.Buffer
	if _, err := s.silences.Snapshot(&buf); err != nil {
		return fmt.Errorf("silences: %w", err)
	}
	return job.SaveFile(filepath.Join(s.opts.Dir, silencesFile), buf.Bytes())
}

// tidySilences drops expired silences and saves the rest. The number of bytes is not counted.
func (s *Server) tidySilences() (int64, error) {
	_, err := s.silences.GC()
	return 0, errors.Join(err, s.saveSilences())
}
