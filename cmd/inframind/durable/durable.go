// Package durable answers a request that changes something only when the change is on disk.
package durable

import (
	"bytes"
	"log/slog"
	"net/http"
)

// Handler lets next change its state, then calls save, then sends next's answer. If save
// fails the client gets 500 instead, so that it tries again. The answers must be small:
// they are held in memory.
func Handler(next http.Handler, save func() error, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &response{header: w.Header(), code: http.StatusOK}
		next.ServeHTTP(held, r)
		if held.code < 300 {
			if err := save(); err != nil {
				log.Error("change not saved", "path", r.URL.Path, "err", err)
				http.Error(w, "the change could not be saved: "+err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.WriteHeader(held.code)
		_, _ = w.Write(held.body.Bytes()) // the client may have gone; there is nobody to tell
	})
}

// response keeps what a handler writes.
type response struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (r *response) Header() http.Header         { return r.header }
func (r *response) WriteHeader(code int)        { r.code = code }
func (r *response) Write(p []byte) (int, error) { return r.body.Write(p) }
