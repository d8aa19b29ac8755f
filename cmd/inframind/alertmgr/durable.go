package alertmgr

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/inframind/inframind/internal/job"
)

// durable writes the silences to disk before a change to them is acknowledged. Alertmanager
// itself does so every few minutes, and a silence set just before a crash would be gone.
func (s *Server) durable(next http.Handler) http.Handler {
	prefix := s.opts.External.Path + "/api/v2/silence" // also of /silences
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || !strings.HasPrefix(r.URL.Path, prefix) {
			next.ServeHTTP(w, r)
			return
		}
		held := &heldResponse{header: w.Header(), code: http.StatusOK}
		next.ServeHTTP(held, r)
		if held.code < 300 {
			if err := s.saveSilences(); err != nil {
				s.log.Error("silences not saved", "err", err)
				http.Error(w, "the silence is set but could not be saved: "+err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.WriteHeader(held.code)
		_, _ = w.Write(held.body.Bytes()) // the client may have gone; there is nobody to tell
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

// heldResponse keeps a small response until its cause is durable.
type heldResponse struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (h *heldResponse) Header() http.Header         { return h.header }
func (h *heldResponse) WriteHeader(code int)        { h.code = code }
func (h *heldResponse) Write(p []byte) (int, error) { return h.body.Write(p) }
